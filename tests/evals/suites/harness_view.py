"""Print, as JSON, what the real harness makes of task folders; run in the worker's environment.

Usage: python harness_view.py FOLDER GROUP [FOLDER GROUP …]. Loads each group without the harness's
own tasks and without a network, builds the requests of every row, and runs the filters once.
"""

import json
import os
import sys

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}

from lm_eval.tasks import TaskManager


def view(task):
    task.set_config("num_fewshot", task.config.num_fewshot or 0)
    task.set_fewshot_seed(seed=1234)  # the seed of all suites here, as our commands give it
    task.build_all_requests(limit=None, rank=0, world_size=1)
    rows = {}
    for instance in task.instances:
        rows.setdefault(instance.doc_id, []).append(list(instance.arguments))
    return {
        "output_type": task.OUTPUT_TYPE,
        "metrics": sorted(task.aggregation()),
        "higher_is_better": task.higher_is_better(),
        "requests": [rows[doc_id] for doc_id in sorted(rows)],
        "targets": [task.doc_to_target(doc) for doc in task.eval_docs],
    }


def filtered(task, replies):
    """Run the task's real filters over replies to its first rows."""
    instances = task.instances[: len(replies)]
    for instance, reply in zip(instances, replies, strict=True):
        instance.resps = [reply]
    task._instances = instances
    task.apply_filters()
    [name] = instances[0].filtered_resps
    return [instance.filtered_resps[name] for instance in instances]


found = {}
request = json.load(sys.stdin)
for folder, group in request["folders"]:
    loaded = TaskManager(include_path=folder, include_defaults=False).load([group])
    for name, task in loaded["tasks"].items():
        found[name] = view(task)
        if name in request["replies"]:
            replies = request["replies"][name]
            found[name]["filtered"] = filtered(task, replies)
            found[name]["scores"] = [
                task.process_results(instance.doc, [instance.filtered_resps[key]])
                for instance in task.instances
                for key in instance.filtered_resps
            ]
json.dump(found, sys.stdout, default=float)
