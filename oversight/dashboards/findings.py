"""Results as rows for pages and charts: score, interval, criterion, and the run behind each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from evals.models import Aggregate, Criterion, Run, SuiteVersion
from evals.suites.metric_words import metric_words
from oversight.dashboards.words import number_word
from oversight.registry.models import ModelVersion

RUN = "task_run__run"
LATEST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """One aggregate with its words."""

    aggregate: Aggregate
    run: Run
    task: dict[str, Any]

    @property
    def version(self) -> ModelVersion:
        """The model version that was evaluated."""
        return self.run.model_version

    @property
    def is_headline(self) -> bool:
        """Whether this is the metric that judges the task."""
        return bool(self.aggregate.metric == self.task["metric"])

    @property
    def label(self) -> str:
        """The metric in words."""
        return metric_words(self.task, self.aggregate.metric)

    @property
    def key(self) -> tuple[int, str]:
        """Suite version and task: what two versions can be compared on."""
        return self.run.suite_version_id, str(self.task["name"])


def of_run(run: Run) -> list[Finding]:
    """Return every overall aggregate of a run, task by task, headline metrics first."""
    rows = (
        Aggregate.objects.filter(task_run__run=run, group="")
        .select_related("task_run")
        .order_by("task_run__position", "metric")
    )
    found = [Finding(row, run, run.suite_version.task(row.task_run.task_name)) for row in rows]
    return sorted(found, key=lambda f: (f.aggregate.task_run.position, not f.is_headline))


def headline_findings(versions: Iterable[ModelVersion]) -> dict[int, list[Finding]]:
    """Return, by version, the newest headline result of every task that ran in full on it.

    One query, whatever the number of versions and runs.
    """
    rows = _full_results().filter(**{f"{RUN}__model_version__in": list(versions)})
    found: dict[int, list[Finding]] = {}
    for finding in _newest(rows, f"{RUN}__model_version_id", f"{RUN}__suite_version_id"):
        if finding.is_headline:
            found.setdefault(finding.run.model_version_id, []).append(finding)
    return found


def across_versions(suite_version: SuiteVersion) -> dict[str, list[Finding]]:
    """Return, by task, the newest full headline result of each model version, best first."""
    rows = _full_results().filter(**{f"{RUN}__suite_version": suite_version})
    found: dict[str, list[Finding]] = {}
    for finding in _newest(rows, f"{RUN}__model_version_id"):
        if finding.is_headline:
            found.setdefault(str(finding.task["name"]), []).append(finding)
    for findings in found.values():
        findings.sort(key=_distance_from_best)
    return found


def comparable_runs(found: dict[str, list[Finding]]) -> list[Run]:
    """Return the runs behind what stands side by side on a suite's page, newest first."""
    runs = {f.run.pk: f.run for findings in found.values() for f in findings}
    return sorted(runs.values(), key=lambda run: (run.requested_at, run.pk), reverse=True)


def _distance_from_best(finding: Finding) -> float:
    """Return what sorts findings on one task best first, by the task's own idea of best."""
    task, mean = finding.task, finding.aggregate.mean
    if "neutral" in task:
        return abs(mean - float(task["neutral"]))
    return -mean if task["higher_is_better"] else mean


def _full_results() -> QuerySet[Aggregate]:
    """Return the overall aggregates of finished runs that were not cut short by a limit."""
    return Aggregate.objects.filter(
        **{f"{RUN}__state": "succeeded", f"{RUN}__settings__limit": None}, group=""
    )


def _newest(rows: QuerySet[Aggregate], *parts: str) -> list[Finding]:
    """Keep the newest row of every task and metric within each of the parts."""
    keys = [*parts, "task_run__task_name", "metric"]
    newest = (
        rows.select_related(
            "task_run__run__model_version__model", "task_run__run__suite_version__suite"
        )
        .order_by(*keys, f"-{RUN}__requested_at", f"-{RUN}__pk")
        .distinct(*keys)
    )
    return [
        Finding(row, row.task_run.run, row.task_run.run.suite_version.task(row.task_run.task_name))
        for row in newest
    ]


def chart_rows(findings: Iterable[Finding], *, by_task: bool = False) -> list[dict[str, Any]]:
    """Return the rows of an interval chart; those without an interval stay in the table only.

    Args:
        findings: the results.
        by_task: name the rows after their tasks instead of the model versions.
    """
    shown = list(findings)
    several = by_task and len({f.run.suite_version_id for f in shown}) > 1
    return [
        {
            "label": f.task["title"] if by_task else str(f.version),
            "note": str(f.run.suite_version.suite) if several else "",
            "low": f.aggregate.low,
            "value": f.aggregate.mean,
            "high": f.aggregate.high,
            "n": f.aggregate.n,
            "href": f.run.get_absolute_url(),
            "tone": "accent",
        }
        for f in shown
        if f.aggregate.low is not None and f.aggregate.high is not None
    ]


def best_words(task: dict[str, Any], found: list[Finding]) -> str:
    """Say which version did best, or where the only one stands; findings come best first."""
    if not found:
        return ""
    first = found[0]
    figure = f"{first.aggregate.mean:.3f}"
    if len(found) == 1:
        return f"{first.version}: {task['metric_label']} {figure} on {first.aggregate.n:,} items."
    words = f"{first.version} comes first of {number_word(len(found))} versions, with {figure}"
    return f"{words}; its interval overlaps with the next." if _overlap(*found[:2]) else f"{words}."


def _overlap(one: Finding, other: Finding) -> bool:
    """Say whether two intervals share a value; one without an interval settles nothing."""
    ends = (one.aggregate.low, one.aggregate.high, other.aggregate.low, other.aggregate.high)
    if None in ends:
        return True
    low, high, other_low, other_high = ends
    return bool(low <= other_high and other_low <= high)  # type: ignore[operator]


def _mark(is_marked: bool, note: str) -> dict[str, str]:
    return {"tone": "accent", "note": note} if is_marked else {"tone": "neutral"}


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest full run, by the task of it that most versions can be compared on."""

    run: Run
    task: dict[str, Any]
    words: str
    rows: list[dict[str, Any]]


def latest() -> Latest | None:
    """Return what was found last, beside other versions; None before the first full run.

    What a criterion asks for comes before what somebody tried out.
    """
    full = Run.objects.succeeded().filter(settings__limit=None).with_parts().newest_first()
    asked_for = Criterion.objects.filter(suite_version=OuterRef("suite_version"))
    run = full.filter(Exists(asked_for)).first() or full.first()
    found = across_versions(run.suite_version) if run else {}
    if run is None or not found:
        return None
    name, findings = max(found.items(), key=lambda item: len(item[1]))
    task = run.suite_version.task(name)
    rows = [
        row | _mark(finding.run == run, "evaluated last")
        for finding in findings[:LATEST_ROWS]
        for row in chart_rows([finding])
    ]
    words = f"{task['title']}: {best_words(task, findings)}"
    return Latest(run, task, words, rows)
