"""Commands to a real runner, and small tasks for it."""

import json

import yaml

from evals.worker.failures import WorkError
from evals.worker.runner.protocol import Load, Run


def ask(runner, command):
    """Send a command and return its last event, or the error it ends in."""
    runner.tell(command)
    try:
        return list(runner.events(1.0))[-1]
    except WorkError as error:
        return error


def load(folder, digest="sha256:test", batch_size=4):
    return Load(str(folder), digest, "hf", "float32", "cpu", batch_size)


def run(folder, **changes):
    fields = {
        "task": "counting",
        "folder": str(folder / "tasks"),
        "metrics": ["acc"],
        "group_field": None,
        "num_fewshot": None,
        "apply_chat_template": False,
        "seeds": [1, 1, 1, 1],
        "limit": 2,
        "scratch": str(folder),
        "samples": str(folder / "samples.parquet"),
        "result": str(folder / "result.json"),
    }
    return Run(**fields | changes)


def write_task(folder, *, items=2, words=0, **changes):
    """Write a task that asks which number follows, after a preamble of so many words."""
    (folder / "tasks").mkdir(exist_ok=True)
    data = folder / "data.jsonl"
    before = "one " * words
    rows = [
        {"id": str(n), "q": f"{before}{n}, {n + 1}, ", "a": str(n + 2), "b": "x y z"}
        for n in range(items)
    ]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = {
        "task": "counting",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{q}}",
        "doc_to_choice": "{{[a, b]}}",
        "doc_to_target": 0,
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }
    (folder / "tasks" / "counting.yaml").write_text(yaml.safe_dump(task | changes))


def generation(**settings):
    """Return what turns the task into one whose answers are written by the model."""
    return {
        "output_type": "generate_until",
        "doc_to_choice": None,
        "doc_to_target": "{{a}}",
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": 6} | settings,
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    }
