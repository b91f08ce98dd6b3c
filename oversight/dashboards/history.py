"""Every full run of a suite over all its versions: what each model version scored, and when."""

from dataclasses import dataclass
from typing import Any

from evals.models import Aggregate, Run, Suite

SCORE_FIELDS = ("metric", "n", "mean", "stderr", "low", "high", "method")
MOST_RUNS = 1_000


@dataclass(frozen=True, slots=True)
class Past:
    """One full run with the headline score of each of its tasks."""

    run: Run
    scores: tuple[tuple[dict[str, Any], Aggregate], ...]


def history(suite: Suite, most: int = MOST_RUNS) -> list[Past]:
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
        .defer("model_version__manifest", "model_version__card", "model_version__source")
        .newest_first()[:most]
    )
    rows = (
        Aggregate.objects.filter(task_run__run__in=runs, group="")
        .select_related("task_run")
        .defer("task_run__envelope", "task_run__log_tail")
        .order_by("task_run__position")
    )
    scores: dict[int, list[tuple[dict[str, Any], Aggregate]]] = {run.pk: [] for run in runs}
    asked = {run.pk: versions[run.suite_version_id] for run in runs}
    for row in rows:
        key = row.task_run.run_id
        task = asked[key].task(row.task_run.task_name)
        if row.metric == task["metric"]:
            scores[key].append((task, row))
    for run in runs:
        run.suite_version = asked[run.pk]
    return [Past(run, tuple(scores[run.pk])) for run in runs]


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
            **{name: getattr(row, name) for name in SCORE_FIELDS},
        }
        for each in past
        for task, row in each.scores
    ]
