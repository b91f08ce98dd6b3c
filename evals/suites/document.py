"""The suite document: an immutable, digested list of tasks, and the strict check it must pass.

A document is plain JSON. Its digest is the SHA-256 of its RFC 8785 bytes, so that two parties who
hold the same suite hold the same digest. The data files are named by their SHA-256 and are not
part of the document; `rows.check_files` checks them against it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, cast

import rfc8785

from evals.suites.checking import Checker, Problem, SuiteError
from evals.suites.harness import METRICS, check_config

VERSION = 1
"""The version of this document format, in the field `v`."""

CATEGORIES = ("capability", "bias", "safety", "truthfulness", "over-refusal", "language")
VISIBILITIES = ("public", "restricted", "sealed")

DOCUMENT_LIMIT_BYTES = 1024 * 1024
TASKS_LIMIT = 64
ROWS_LIMIT = 200_000
FILE_LIMIT_BYTES = 64 * 1024 * 1024
SEED_LIMIT = 2**32 - 1
FEWSHOT_LIMIT = 32

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_TASK_NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_STOCK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_METRIC = re.compile(r"[a-z][a-z0-9_@]*")
_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*\.jsonl")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FRACTION = re.compile(r"[01]\.[0-9]{1,6}|[01]")

_SUITE_FIELDS = ("v", "slug", "title", "summary", "licence", "source", "tasks")
_TASK_FIELDS = (
    *("name", "title", "description", "category", "sensitive", "visibility"),
    *("metric", "metric_label", "higher_is_better", "metrics"),
    *("num_fewshot", "apply_chat_template", "seed", "group_field"),
)


class DataFile(TypedDict):
    """The data of a task: one row of JSON a line, each with a text `id` of its own."""

    name: str
    sha256: str
    """64 hexadecimal digits, without a prefix."""
    size: int
    """Bytes."""
    rows: int


class Task(TypedDict):
    """One task: what it measures, how it is asked, and which rows it asks about."""

    name: str
    title: str
    description: str
    category: str
    sensitive: bool
    """The texts may hurt: show them only after the reader's click."""
    visibility: str
    metric: str
    """The metric that judges the task; one of `metrics`."""
    metric_label: str
    higher_is_better: bool
    metrics: list[str]
    num_fewshot: int | None
    """Worked examples before each question; None only for a stock task: as the harness has it."""
    apply_chat_template: bool
    seed: int
    group_field: str | None
    """The column that sorts the rows into groups: reported apart, or kept together."""
    clustered: NotRequired[bool]
    """The rows of a group belong together, such as the questions about one passage: they are one
    unit of every interval, and not reported apart."""
    neutral: NotRequired[str]
    """A decimal: the value an even-handed model would have, where that is neither 0 nor 1."""
    data: NotRequired[DataFile]
    config: NotRequired[dict[str, Any]]
    """Declarative keys of the harness; see `harness.CONFIG_KEYS`."""
    stock: NotRequired[str]
    """Instead of data and config: the name of a task that the harness brings along."""


class Suite(TypedDict):
    """The whole document."""

    v: int
    slug: str
    title: str
    summary: str
    licence: str
    source: str
    tasks: list[Task]


def validate(document: object) -> list[Problem]:
    """Check a document of unknown origin; an empty list means that it is a `Suite`."""
    check = Checker()
    suite = check.mapping(document, "suite")
    if suite is None:
        return check.problems
    check.keys(suite, "", required=_SUITE_FIELDS)
    if "v" in suite:
        check.integer(suite["v"], "v", least=VERSION, most=VERSION)
    _check_suite_texts(suite, check)
    tasks = check.items(suite["tasks"], "tasks", most=TASKS_LIMIT) if "tasks" in suite else []
    for number, task in enumerate(tasks):
        _check_task(task, f"tasks[{number}]", check)
    if not check.problems:
        _check_names(cast("Suite", suite), check)
        _check_size(suite, check)
    return check.problems


def task_problems(task: object) -> list[Problem]:
    """Check one task by itself; an empty list means that a suite may hold it."""
    check = Checker()
    _check_task(task, "task", check)
    return check.problems


def require_valid(document: object) -> Suite:
    """Return the document as a `Suite`.

    Raises:
        SuiteError: naming every field that is wrong and how to mend it.
    """
    if problems := validate(document):
        raise SuiteError(problems)
    return cast("Suite", document)


def canonical_bytes(document: Suite | Task) -> bytes:
    """Serialise a document or one of its tasks by RFC 8785."""
    return rfc8785.dumps(cast("dict[str, Any]", document))


def digest(document: Suite | Task) -> str:
    """Name a document or one of its tasks: `sha256:` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(canonical_bytes(document)).hexdigest()


def harness_group(slug: str) -> str:
    """Name the harness group that holds all tasks of a suite."""
    return slug.replace("-", "_")


def harness_task(slug: str, task: Task) -> str:
    """Name a task as the harness knows it; a stock task keeps its own name."""
    return task.get("stock") or f"{slug}_{task['name']}".replace("-", "_")


def data_file(name: str, content: bytes) -> DataFile:
    """Describe the bytes of a data file, with one row on each line."""
    return {
        "name": name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "rows": content.count(b"\n"),
    }


def stock_task(
    stock: str, *, title: str, description: str, category: str, metric: str, metric_label: str
) -> Task:
    """Describe a task that the harness brings along, by its name there.

    Its data is fetched by the harness itself, so it needs a network or a filled cache.
    """
    return {
        "name": stock.lower(),
        "stock": stock,
        "title": title,
        "description": description,
        "category": category,
        "sensitive": False,
        "visibility": "public",
        "metric": metric,
        "metric_label": metric_label,
        "higher_is_better": True,
        "metrics": [metric],
        "num_fewshot": None,
        "apply_chat_template": False,
        "seed": 1234,
        "group_field": None,
    }


def _check_suite_texts(suite: Mapping[str, Any], check: Checker) -> None:
    limits = {"title": 200, "summary": 2_000, "licence": 100, "source": 500}
    for key, limit in limits.items():
        if key in suite:
            check.text(suite[key], key, limit=limit)
    if "slug" in suite:
        hint = "Use lower-case letters, digits and single hyphens, such as public-service."
        check.text(suite["slug"], "slug", limit=50, pattern=_SLUG, hint=hint)


def _check_task(value: object, where: str, check: Checker) -> None:
    task = check.mapping(value, where)
    if task is None:
        return
    is_stock = "stock" in task
    own = ("stock",) if is_stock else ("data", "config")
    check.keys(task, where, required=(*_TASK_FIELDS, *own), optional=("neutral", "clustered"))
    present = {key: task[key] for key in task if key in _TASK_FIELDS}
    _check_task_texts(present, where, check)
    _check_task_settings(present, where, check, may_leave_shots=is_stock)
    metrics = _check_metrics(task, where, check)
    if "clustered" in task:
        _check_clustered(task, f"{where}.clustered", check)
    if "neutral" in task:
        hint = "Write a decimal between 0 and 1 in quotes, such as 0.5."
        check.text(task["neutral"], f"{where}.neutral", limit=8, pattern=_FRACTION, hint=hint)
    if is_stock:
        hint = "Give the name of one task of the harness, such as arc_easy."
        check.text(task["stock"], f"{where}.stock", limit=100, pattern=_STOCK_NAME, hint=hint)
        return
    if "data" in task:
        _check_data(task["data"], f"{where}.data", check)
    if "config" in task:
        check_config(task["config"], metrics, f"{where}.config", check)


def _check_task_texts(task: Mapping[str, Any], where: str, check: Checker) -> None:
    limits = {"title": 200, "description": 2_000, "metric_label": 100}
    for key, limit in limits.items():
        if key in task:
            check.text(task[key], f"{where}.{key}", limit=limit)
    if "name" in task:
        hint = "Use lower-case letters, digits and hyphens, such as facts."
        check.text(task["name"], f"{where}.name", limit=100, pattern=_TASK_NAME, hint=hint)
    for key, allowed in (("category", CATEGORIES), ("visibility", VISIBILITIES)):
        if key in task:
            check.one_of(task[key], f"{where}.{key}", allowed)


def _check_task_settings(
    task: Mapping[str, Any], where: str, check: Checker, *, may_leave_shots: bool
) -> None:
    for key in ("sensitive", "higher_is_better", "apply_chat_template"):
        if key in task:
            check.boolean(task[key], f"{where}.{key}")
    if "num_fewshot" in task and not (may_leave_shots and task["num_fewshot"] is None):
        check.integer(task["num_fewshot"], f"{where}.num_fewshot", least=0, most=FEWSHOT_LIMIT)
    if "seed" in task:
        check.integer(task["seed"], f"{where}.seed", least=0, most=SEED_LIMIT)
    if task.get("group_field") is not None:
        hint = "Name a column of the data, such as group, or write null."
        check.text(
            task["group_field"], f"{where}.group_field", limit=60, pattern=_COLUMN, hint=hint
        )


def _check_clustered(task: Mapping[str, Any], where: str, check: Checker) -> None:
    check.boolean(task["clustered"], where)
    if task["clustered"] is True and not task.get("group_field"):
        hint = "Name in group_field the column that says which rows belong together."
        check.add(where, "there are no groups to keep together.", hint)


def _check_metrics(task: Mapping[str, Any], where: str, check: Checker) -> list[str]:
    """Check `metrics` and `metric`; returns the metrics that are named well."""
    hint = f"Use metrics of the harness, such as {', '.join(sorted(METRICS))}."
    found = []
    for number, value in enumerate(
        check.items(task["metrics"], f"{where}.metrics", most=8) if "metrics" in task else []
    ):
        place = f"{where}.metrics[{number}]"
        metric = check.text(value, place, limit=60, pattern=_METRIC, hint=hint)
        if metric in found:
            check.add(place, f"{metric} is listed twice.", "Remove one.")
        elif metric is not None:
            found.append(metric)
    if found and "metric" in task and task["metric"] not in found:
        check.add(
            f"{where}.metric",
            f"{task['metric']!r} is not one of metrics.",
            f"Use one of {', '.join(found)}.",
        )
    return found


def _check_data(value: object, where: str, check: Checker) -> None:
    data = check.mapping(value, where)
    if data is None:
        return
    check.keys(data, where, required=("name", "sha256", "size", "rows"))
    if "name" in data:
        hint = "Use lower-case letters, digits, hyphens and the ending .jsonl."
        check.text(data["name"], f"{where}.name", limit=100, pattern=_FILE_NAME, hint=hint)
    if "sha256" in data:
        hint = "Write the 64 lower-case hexadecimal digits of the file's SHA-256."
        check.text(data["sha256"], f"{where}.sha256", limit=64, pattern=_SHA256, hint=hint)
    if "size" in data:
        check.integer(data["size"], f"{where}.size", least=1, most=FILE_LIMIT_BYTES)
    if "rows" in data:
        check.integer(data["rows"], f"{where}.rows", least=1, most=ROWS_LIMIT)


def _check_names(suite: Suite, check: Checker) -> None:
    """Check that no two tasks share a name and no two contents share a file name."""
    names: dict[str, int] = {}
    files: dict[str, DataFile] = {}
    for number, task in enumerate(suite["tasks"]):
        where = f"tasks[{number}]"
        for name in {task["name"].replace("-", "_"), harness_task(suite["slug"], task)}:
            if names.setdefault(name, number) != number:
                check.add(f"{where}.name", f"tasks[{names[name]}] is {name}, too.", "Rename one.")
        if (data := task.get("data")) is not None and files.setdefault(data["name"], data) != data:
            check.add(
                f"{where}.data.name",
                f"another task has other data in a file {data['name']}.",
                "Rename one.",
            )


def _check_size(suite: Mapping[str, Any], check: Checker) -> None:
    """Check that the document has a canonical form and that it is not too long."""
    try:
        size = len(canonical_bytes(cast("Suite", suite)))
    except (rfc8785.CanonicalizationError, ValueError) as error:
        check.add("suite", f"it has no canonical form: {error}.", "Use smaller, finite numbers.")
        return
    if size > DOCUMENT_LIMIT_BYTES:
        check.add("suite", f"it has {size} bytes.", f"Keep it under {DOCUMENT_LIMIT_BYTES}.")
