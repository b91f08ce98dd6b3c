"""The README of a task folder: what the suite is, and the exact commands that run it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby
from textwrap import dedent

from evals.suites.document import Suite, Task, digest, harness_task

HARNESS = "lm-eval 0.4.13"
"""The version of the harness that task folders are written for."""


def commands(document: Suite, shown: Collection[str] | None = None) -> list[str]:
    """Write the shell commands that run a suite, from inside its task folder.

    With `shown`, the commands run only the tasks of these names.

    The harness has one chat-template switch and one seed for a whole command, so tasks that
    differ in these get commands of their own. `$MODEL` stands for the model.
    """
    tasks = [task for task in document["tasks"] if shown is None or task["name"] in shown]
    ordered = sorted(tasks, key=_setting)
    return [
        _command(document["slug"], alike, chat=chat, seed=seed)
        for (chat, seed), alike in groupby(ordered, key=_setting)
    ]


def _setting(task: Task) -> tuple[bool, int]:
    return task["apply_chat_template"], task["seed"]


def _command(slug: str, tasks: Iterable[Task], *, chat: bool, seed: int) -> str:
    names = ",".join(harness_task(slug, task) for task in tasks)
    lines = [
        "lm_eval run --model hf --model_args pretrained=$MODEL,dtype=float32",
        f"--include_path . --tasks {names}",
        f"--batch_size 16 --seed 0,1234,1234,{seed} --log_samples --output_path results",
    ]
    if chat:
        lines.append("--apply_chat_template")
    return " \\\n  ".join(lines)


def readme(document: Suite, shown: Collection[str] | None = None) -> str:
    """Write the README of a task folder as Markdown; it has the data of the tasks `shown`."""
    parts = [
        f"# {document['title']}",
        document["summary"],
        f"Licence: {document['licence']}. Source: {document['source']}",
        f"Digest of `suite.json`: `{digest(document)}`",
        _table(document),
        _how_to_run(document, shown),
        *_notes(document, shown),
    ]
    return "\n\n".join(parts) + "\n"


def _table(document: Suite) -> str:
    rows = ["| task | measures | rows | metric | better |", "|---|---|---|---|---|"]
    for task in document["tasks"]:
        count = str(task["data"]["rows"]) if "data" in task else "stock task"
        direction = "higher" if task["higher_is_better"] else "lower"
        label = f"`{task['metric']}`: {task['metric_label']}"
        title = task["title"].replace("|", "/")
        name = harness_task(document["slug"], task)
        rows.append(f"| `{name}` | {title} | {count} | {label} | {direction} |")
    return "\n".join(rows)


def _how_to_run(document: Suite, shown: Collection[str] | None) -> str:
    block = "\n".join(["MODEL=path/or/name/of/a/model", *commands(document, shown)])
    return dedent(
        """\
        ## Run it

        With {harness} (`pip install "lm-eval[hf]==0.4.13"`), **from inside this folder**, because
        the task files name their data relative to the working directory:

        ```sh
        {block}
        ```

        The scores are printed and written, with every sample, to `results/`. Add `--limit 20` for
        a short trial. On a machine without a network, give a directory as the model and set
        `HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1` before the command."""
    ).format(harness=HARNESS, block=block)


def _notes(document: Suite, shown: Collection[str] | None) -> list[str]:
    tasks = document["tasks"]
    notes = []
    if any(task["apply_chat_template"] for task in tasks):
        notes.append(
            "Leave out `--apply_chat_template` for a model without a chat template; its scores are "
            "then not comparable with those of models that have one."
        )
    together = [task for task in tasks if task.get("clustered")]
    if together:
        names = ", ".join(f"{task['name']} (`{task['group_field']}`)" for task in together)
        notes.append(
            f"Items that belong together count as one in our intervals: {names}. The harness's "
            "standard error takes each item by itself, and is too small there."
        )
    if any(task["sensitive"] for task in tasks):
        notes.append(
            "Some texts here quote stereotypes or unsafe requests on purpose, to measure how a "
            "model meets them. They state nobody's opinion. Do not show them without warning."
        )
    hidden = [task["name"] for task in tasks if shown is not None and task["name"] not in shown]
    if hidden:
        notes.append(
            f"The items of {', '.join(hidden)} are not public and not in this folder; the digests "
            "of their data stand in `suite.json`."
        )
    if any("stock" in task for task in tasks):
        notes.append(
            "Stock tasks come with the harness and fetch their own data, so they need a network or "
            "a filled cache."
        )
    return notes
