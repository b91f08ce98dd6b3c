"""One task across models: the newest result of each version, and how results went over time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.http import Http404

from evals.models import Aggregate, NewestResult, Suite, SuiteVersion
from evals.pairs import are_alike
from oversight.dashboards.findings import Finding, best_first, best_order, with_words
from oversight.registry.models import ModelVersion

LINES, POINTS = 6, 400
"""How many models a trend follows, and how many results it shows."""


@dataclass(frozen=True, slots=True)
class AskedTask:
    """A task as the newest suite version that has it asks it."""

    suite_version: SuiteVersion
    task: dict[str, Any]
    alike: tuple[SuiteVersion, ...]
    """The versions of the suite that ask it in the same way, newest first."""
    others: tuple[SuiteVersion, ...]
    """Those that ask it in another way: their results are comparable among themselves only."""


def asked_task(suite: Suite, name: str) -> AskedTask:
    """Return a task of a suite by its name; one query.

    Raises:
        Http404: no version of the suite has it.
    """
    having = [
        (version, task)
        for version in suite.versions.newest_first().select_related("suite")
        for task in version.tasks
        if task["name"] == name
    ]
    if not having:
        raise Http404
    return _asked(*having[0], having)


def asked_by(suite_version: SuiteVersion, versions: Sequence[SuiteVersion]) -> list[AskedTask]:
    """Return the tasks of a suite version, with the versions of the suite that ask them alike."""
    return [
        _asked(
            suite_version,
            task,
            [(each, other) for each in versions if (other := _named(each, task["name"]))],
        )
        for task in suite_version.tasks
    ]


def _named(version: SuiteVersion, name: str) -> dict[str, Any] | None:
    return next((task for task in version.tasks if task["name"] == name), None)


def _asked(
    version: SuiteVersion,
    asked: dict[str, Any],
    having: Sequence[tuple[SuiteVersion, dict[str, Any]]],
) -> AskedTask:
    return AskedTask(
        version,
        asked,
        tuple(each for each, task in having if are_alike(task, asked)),
        tuple(each for each, task in having if not are_alike(task, asked)),
    )


def measured(asked: AskedTask) -> QuerySet[NewestResult]:
    """Return the newest result of each model version on the task, best first.

    A version that ran it on several suite versions that ask it alike stands with the newest; one
    whose answers were all recalled gives way to one that computed.
    """
    keys = [version.pk for version in asked.alike]
    return measured_on(asked.suite_version, asked.task, keys)


def measured_on(
    suite_version: SuiteVersion, task: dict[str, Any], alike: Collection[int]
) -> QuerySet[NewestResult]:
    """Return the same of a task, by the keys of the suite versions that ask it alike."""
    ordered = best_first(suite_version, task)
    if len(alike) <= 1:
        return ordered
    rows = NewestResult.objects.filter(
        suite_version__in=alike, task_name=task["name"], is_headline=True
    )
    newest = rows.order_by("model_version_id", "is_recalled", "-suite_version__number").distinct(
        "model_version_id"
    )
    return NewestResult.objects.filter(pk__in=newest.values("pk")).order_by(*ordered.query.order_by)


def measured_by_task(asked: Sequence[AskedTask], most: int) -> dict[str, list[Finding]]:
    """Return, by task, the best of what model versions scored newest, best first; two queries.

    Args:
        asked: tasks of one suite version.
        most: how many of each.
    """
    parts = [measured(each).values_list("pk", flat=True)[:most] for each in asked]
    if not parts:
        return {}
    keys = list(parts[0].union(*parts[1:], all=True)) if len(parts) > 1 else list(parts[0])
    versions = {version.pk: version for each in asked for version in each.alike}
    found: dict[str, list[Finding]] = {}
    for finding in with_words(NewestResult.objects.filter(pk__in=keys), versions):
        found.setdefault(str(finding.task["name"]), []).append(finding)
    return {name: best_order(findings) for name, findings in found.items()}


def numbers_measured(asked: Sequence[AskedTask]) -> dict[str, int]:
    """Return, by task, how many model versions have a full result on it; one query."""
    # Tasks that the same versions ask alike are one condition: usually there is one.
    names: dict[tuple[int, ...], list[str]] = {}
    for each in asked:
        keys = tuple(version.pk for version in each.alike)
        names.setdefault(keys, []).append(each.task["name"])
    parts = (Q(task_name__in=group, suite_version__in=keys) for keys, group in names.items())
    rows = NewestResult.objects.filter(reduce(or_, parts, Q(pk__in=[])), is_headline=True)
    is_one_each = all(len(keys) == 1 for keys in names)
    number = Count("pk") if is_one_each else Count("model_version", distinct=True)
    counted = rows.values_list("task_name").annotate(number=number)
    return dict(counted.order_by("task_name"))


@dataclass(frozen=True, slots=True)
class Point:
    """One result of one model on the task, on the day that it was measured."""

    model: str
    version: ModelVersion
    at: datetime
    run_ref: str
    n: int
    mean: float
    low: float | None
    high: float | None


def trend(asked: AskedTask, findings: Sequence[Finding]) -> list[Point]:
    """Return every full result of the first few models among the findings, oldest first; one query.

    Only what was measured: nothing stands between two points, and nothing for recalled answers.
    """
    models = list(dict.fromkeys(finding.version.model_id for finding in findings))[:LINES]
    return points(Q(task_run__run__model_version__model__in=models), asked)


def points(which: Q, asked: AskedTask) -> list[Point]:
    """Return the newest full results on the task of some runs, oldest first; one query."""
    rows = (
        Aggregate.objects.filter(
            which,
            group="",
            metric=asked.task["metric"],
            task_run__task_name=asked.task["name"],
            task_run__run__suite_version__in=asked.alike,
            task_run__run__state="succeeded",
            task_run__run__settings__limit=None,
        )
        # What was recalled was not measured on that day.
        .exclude(
            task_run__run__answers__gt=0,
            task_run__run__recalled__gte=F("task_run__run__answers"),
        )
        .select_related("task_run__run__model_version__model")
        .only(
            *("n", "mean", "low", "high", "task_run__run__ref", "task_run__run__finished_at"),
            *(f"task_run__run__model_version__{name}" for name in ("label", "model__name")),
            "task_run__run__model_version__model__slug",
        )
        .order_by("-task_run__run__finished_at", "-task_run__run_id")
    )
    return [_point(row) for row in reversed(rows[:POINTS])]


def _point(row: Aggregate) -> Point:
    run = row.task_run.run
    version = run.model_version
    assert run.finished_at is not None  # noqa: S101 - a database rule of finished runs
    return Point(
        version.model.name, version, run.finished_at, run.ref, row.n, row.mean, row.low, row.high
    )
