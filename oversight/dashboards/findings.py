"""Results as rows for pages and charts: score, interval, criterion, and the run behind each."""

from dataclasses import dataclass
from typing import Any

from evals.criteria import Judgement
from evals.models import Aggregate, Criterion, Run, SuiteVersion
from oversight.registry.models import ModelVersion


@dataclass(frozen=True, slots=True)
class Finding:
    """One aggregate with its words and, where one was asked, its criterion."""

    aggregate: Aggregate
    run: Run
    task: dict[str, Any]
    criterion: Criterion | None = None

    @property
    def version(self) -> ModelVersion:
        """The model version that was evaluated."""
        return self.run.model_version

    @property
    def label(self) -> str:
        """The metric's words where it is the task's headline, else its name."""
        is_headline = self.aggregate.metric == self.task["metric"]
        return str(self.task["metric_label"] if is_headline else self.aggregate.metric)


def of_run(run: Run) -> list[Finding]:
    """Return every overall aggregate of a run, task by task."""
    rows = (
        Aggregate.objects.filter(task_run__run=run, group="")
        .select_related("task_run")
        .order_by("task_run__position", "metric")
    )
    return [Finding(row, run, run.suite_version.task(row.task_run.task_name)) for row in rows]


def headline_findings(version: ModelVersion) -> list[Finding]:
    """Return the newest headline result of every task that ever ran in full on a version."""
    runs = (
        Run.objects.succeeded()
        .filter(model_version=version, settings__limit=None)
        .with_parts()
        .newest_first()
    )
    found: dict[tuple[int, str], Finding] = {}
    for run in runs[:50]:
        for finding in of_run(run):
            key = (run.suite_version_id, finding.aggregate.task_run.task_name)
            if finding.aggregate.metric == finding.task["metric"]:
                found.setdefault(key, finding)
    return list(found.values())


def across_versions(suite_version: SuiteVersion, task: dict[str, Any]) -> list[Finding]:
    """Return the newest full result of one task's headline metric for each model version."""
    rows = (
        Aggregate.objects.filter(
            task_run__run__suite_version=suite_version,
            task_run__run__state="succeeded",
            task_run__run__settings__limit=None,
            task_run__task_name=task["name"],
            metric=task["metric"],
            group="",
        )
        .select_related(
            "task_run__run__model_version__model", "task_run__run__suite_version__suite"
        )
        .order_by("-task_run__run__requested_at")
    )
    found: dict[int, Finding] = {}
    for row in rows[:500]:
        found.setdefault(row.task_run.run.model_version_id, Finding(row, row.task_run.run, task))
    return sorted(found.values(), key=lambda f: f.aggregate.mean)


def chart_rows(findings: list[Finding]) -> list[dict[str, Any]]:
    """Return the rows of an interval chart that compares model versions."""
    return [
        {
            "label": str(f.version),
            "low": f.aggregate.low,
            "value": f.aggregate.mean,
            "high": f.aggregate.high,
            "n": f.aggregate.n,
            "href": f.run.get_absolute_url(),
        }
        for f in findings
    ]


def chart_of_judgements(judgements: list[Judgement]) -> list[dict[str, Any]]:
    """Return the rows of a chart with each criterion's line drawn in."""
    return [
        {
            "label": j.criterion.task["title"],
            "low": j.aggregate.low,
            "value": j.aggregate.mean,
            "high": j.aggregate.high,
            "n": j.aggregate.n,
            "criterion": float(j.criterion.threshold),
            "comparison": j.criterion.comparison,
            "outcome": str(j.outcome),
        }
        for j in judgements
        if j.aggregate
    ]
