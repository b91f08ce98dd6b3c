"""Every full run of a suite over all its versions: what each model version scored, and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from evals.models import Aggregate, Run, Suite
from oversight.web.clock import exact

SCORE_FIELDS = ("metric", "n", "mean", "stderr", "low", "high", "method")
MOST_RUNS = 1_000
_SHOWN = ("ref", "requested_at", "finished_at", "suite_version_id", "answers", "recalled")
_NAMED = tuple(
    f"model_version__{name}" for name in ("label", "digest", "model__slug", "model__name")
)


@dataclass(frozen=True, slots=True)
class Past:
    """One full run with the headline score of each of its tasks."""

    run: Run
    scores: tuple[tuple[dict[str, Any], Aggregate], ...]


def history(suite: Suite, most: int) -> list[Past]:
    """Return the newest finished, uncut runs of all versions, newest first; four queries."""
    versions = {version.pk: version for version in suite.versions.select_related("suite")}
    full = Run.objects.succeeded().filter(settings__limit=None).newest_first()
    # The index gives the newest of each version without looking at the others.
    parts = [full.filter(suite_version=key).values_list("pk", flat=True)[:most] for key in versions]
    if not parts:
        return []
    keys = list(parts[0].union(*parts[1:], all=True)) if len(parts) > 1 else list(parts[0])
    runs = list(
        Run.objects.filter(pk__in=keys)
        .select_related("model_version__model")
        .only(*_SHOWN, *_NAMED)
        .newest_first()[:most]
    )
    scores: dict[int, list[tuple[dict[str, Any], Aggregate]]] = {run.pk: [] for run in runs}
    for run in runs:
        run.suite_version = versions[run.suite_version_id]
    asked = {run.pk: run.suite_version for run in runs}
    tasks = {key: {task["name"]: task for task in each.tasks} for key, each in versions.items()}
    for row in _headlines(
        runs, {task["metric"] for each in tasks.values() for task in each.values()}
    ):
        task = tasks[asked[row.run_key].pk][row.task_name]
        if row.metric == task["metric"]:
            scores[row.run_key].append((task, row))
    return [Past(run, tuple(scores[run.pk])) for run in runs]


def newest_history(suite: Suite) -> tuple[list[Past], bool]:
    """Return as much of the history as an answer holds, and whether that is all of it."""
    past = history(suite, MOST_RUNS + 1)
    return past[:MOST_RUNS], len(past) <= MOST_RUNS


def _headlines(runs: list[Run], metrics: set[str]) -> Iterable[Any]:
    """Return the scores of runs by these metrics, each with its run's key and its task's name."""
    rows = Aggregate.objects.filter(task_run__run__in=runs, group="", metric__in=metrics)
    # The task runs themselves are wide, and there may be thousands.
    rows = rows.annotate(run_key=F("task_run__run_id"), task_name=F("task_run__task_name"))
    return rows.only(*SCORE_FIELDS).order_by("task_run__position")


def history_records(past: list[Past]) -> list[dict[str, Any]]:
    """Return the history as data: one record a run and task."""
    return [
        {
            "run": each.run.ref,
            "is_recalled": each.run.is_recalled,
            "finished_at": exact(each.run.finished_at) if each.run.finished_at else None,
            "suite_version": each.run.suite_version.number,
            "suite_digest": each.run.suite_version.digest,
            "model": each.run.model_version.model.slug,
            "version": each.run.model_version.label,
            "model_digest": each.run.model_version.digest,
            "task": task["name"],
            **{name: getattr(row, name) for name in SCORE_FIELDS},
        }
        for each in past
        for task, row in each.scores
    ]
