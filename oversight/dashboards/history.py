"""Every full run of a suite over all its versions: what each model version scored, and when."""

from dataclasses import dataclass
from typing import Any

from evals.models import Aggregate, Run, Suite

HISTORY_COLUMNS = (
    *("run", "finished_at", "suite_version", "suite_digest", "model", "version", "model_digest"),
    *("task", "metric", "n", "mean", "stderr", "low", "high", "method"),
)
_ROWS_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Past:
    """One full run with the headline score of each of its tasks."""

    run: Run
    scores: tuple[tuple[dict[str, Any], Aggregate], ...]


def history(suite: Suite) -> list[Past]:
    """Return the finished, uncut runs of all versions, newest first; one query."""
    rows = (
        Aggregate.objects.filter(
            task_run__run__suite_version__suite=suite,
            task_run__run__state="succeeded",
            task_run__run__settings__limit=None,
            group="",
        )
        .select_related(
            "task_run__run__suite_version__suite", "task_run__run__model_version__model"
        )
        .defer("task_run__envelope", "task_run__log_tail")
        .order_by("-task_run__run__requested_at", "-task_run__run__pk", "task_run__position")
    )
    found: dict[int, tuple[Run, list[tuple[dict[str, Any], Aggregate]]]] = {}
    for row in rows[:_ROWS_LIMIT]:
        run = row.task_run.run
        task = run.suite_version.task(row.task_run.task_name)
        _, scores = found.setdefault(run.pk, (run, []))
        if row.metric == task["metric"]:
            scores.append((task, row))
    return [Past(run, tuple(scores)) for run, scores in found.values()]


def history_records(past: list[Past]) -> list[dict[str, Any]]:
    """Return the history as data: one record a run and task."""
    return [
        {
            "run": each.run.ref,
            "finished_at": each.run.finished_at.isoformat() if each.run.finished_at else None,
            "suite_version": each.run.suite_version.number,
            "suite_digest": each.run.suite_version.digest,
            "model": each.run.model_version.model.slug,
            "version": each.run.model_version.label,
            "model_digest": each.run.model_version.digest,
            "task": task["name"],
            **{name: getattr(row, name) for name in HISTORY_COLUMNS[8:]},
        }
        for each in past
        for task, row in each.scores
    ]
