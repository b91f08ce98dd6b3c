"""Results as rows for pages and charts: score, interval, criterion, and the run behind each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Abs, Coalesce
from django.utils.translation import gettext

from evals.metric_words import metric_label, metric_words
from evals.models import Aggregate, Criterion, NewestResult, Run, SuiteVersion
from oversight.dashboards.orientation import Orientation, orientation_of
from oversight.dashboards.words import number_word
from oversight.registry.models import ModelVersion
from oversight.web.clock import exact
from oversight.web.figures import grouped, localised

LATEST_ROWS = 8
ACROSS_SHOWN = 20
"""How many model versions stand beside each other where a longer list is a link away."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result with its words."""

    aggregate: Aggregate | NewestResult
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
    # By position, and by metric where both or neither judge the task: sorting is stable.
    found = [
        (row.task_run.position, Finding(row, run, run.suite_version.task(row.task_run.task_name)))
        for row in rows
    ]
    found.sort(key=lambda each: (each[0], not each[1].is_headline))
    return [finding for _, finding in found]


def headline_findings(versions: Iterable[ModelVersion]) -> dict[int, list[Finding]]:
    """Return, by version, the newest headline result of every task that ran in full on it.

    Two queries, whatever the number of versions and runs.
    """
    rows = NewestResult.objects.filter(model_version__in=list(versions), is_headline=True)
    found: dict[int, list[Finding]] = {}
    for finding in with_words(rows.order_by("suite_version_id", "task_name")):
        found.setdefault(finding.run.model_version_id, []).append(finding)
    return found


def newest_findings(versions: Iterable[ModelVersion]) -> dict[int, Finding]:
    """Return, by version, the first of its newest results."""
    rows = NewestResult.objects.filter(model_version__in=list(versions), is_headline=True)
    newest = rows.order_by(
        "model_version_id", "is_recalled", "-requested_at", "-run_id", "task_name"
    )
    # Chosen first: else the runs of all results were fetched for the one that is shown.
    chosen = newest.distinct("model_version_id").values("pk")
    found = with_words(NewestResult.objects.filter(pk__in=chosen))
    return {finding.run.model_version_id: finding for finding in found}


def across_versions(
    suite_version: SuiteVersion, *, tasks: Collection[str] | None = None, most: int = ACROSS_SHOWN
) -> dict[str, list[Finding]]:
    """Return, by task, the newest full headline results of model versions, best first.

    Two queries at most. The index gives the best of a task without looking at the others.

    Args:
        suite_version: whose tasks.
        tasks: their names; all of them unless given.
        most: how many of each.
    """
    wanted = [task for task in suite_version.tasks if tasks is None or task["name"] in tasks]
    parts = [best_first(suite_version, task) for task in wanted]
    if len(parts) > 1:
        keys = [part.values_list("pk", flat=True)[:most] for part in parts]
        rows = NewestResult.objects.filter(pk__in=list(keys[0].union(*keys[1:], all=True)))
    else:
        rows = parts[0][:most] if parts else NewestResult.objects.none()
    found: dict[str, list[Finding]] = {}
    for finding in with_words(rows, {suite_version.pk: suite_version}):
        found.setdefault(str(finding.task["name"]), []).append(finding)
    return {name: best_order(findings) for name, findings in found.items()}


def best_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings on one task best first, as the database orders them."""
    return sorted(findings, key=lambda f: (_distance_from_best(f), f.aggregate.pk))


def best_first(suite_version: SuiteVersion, task: dict[str, Any]) -> QuerySet[NewestResult]:
    """Return the newest headline results on one task, by the task's own idea of best."""
    rows = NewestResult.objects.filter(
        suite_version=suite_version, task_name=task["name"], is_headline=True
    )
    if "neutral" in task:
        return rows.order_by(Abs(F("mean") - float(task["neutral"])), "pk")
    return rows.order_by("-mean" if task["higher_is_better"] else "mean", "pk")


def measured_numbers(suite_version: SuiteVersion) -> dict[str, int]:
    """Return, by task, how many model versions have a full result on it."""
    rows = NewestResult.objects.filter(suite_version=suite_version, is_headline=True)
    counted_rows = rows.values_list("task_name").annotate(number=Count("*"))
    return dict(counted_rows.order_by("task_name"))


def with_words(
    rows: QuerySet[NewestResult], asked: Mapping[int, SuiteVersion] | None = None
) -> list[Finding]:
    """Return rows with their runs and tasks.

    The documents of suites are fetched once each, unless `asked` has the versions by their keys.
    """
    # Manifests may be megabytes, and nobody who asks for a score reads them.
    heavy = (f"model_version__{name}" for name in ("manifest", "card", "source"))
    found = list(rows.select_related("run", "model_version__model").defer(*heavy))
    if asked is None:
        keys = {row.suite_version_id for row in found}
        asked = SuiteVersion.objects.select_related("suite").in_bulk(keys)
    for row in found:
        row.run.model_version = row.model_version
        row.run.suite_version = asked[row.suite_version_id]
    return [Finding(row, row.run, row.run.suite_version.task(row.task_name)) for row in found]


def newest_record(found: Finding) -> dict[str, Any]:
    """Return a newest result as data."""
    version, asked, row = found.version, found.run.suite_version, found.aggregate
    return {
        "model": version.model.slug,
        "version": version.label,
        "model_digest": version.digest,
        "suite": asked.suite.slug,
        "suite_version": asked.number,
        "suite_digest": asked.digest,
        "task": found.task["name"],
        "shots": found.task["num_fewshot"],
        **{
            name: getattr(row, name)
            for name in ("metric", "n", "mean", "stderr", "low", "high", "method")
        },
        "run": found.run.ref,
        "is_recalled": found.run.is_recalled,
        "finished_at": exact(found.run.finished_at) if found.run.finished_at else None,
    }


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


def most_rows(findings: Sequence[Finding], most: int) -> list[Finding]:
    """Return the findings whose tasks were measured last, in their order; at most so many."""
    if len(findings) <= most:
        return list(findings)
    newest = sorted(findings, key=lambda each: each.run.requested_at, reverse=True)[:most]
    kept = {each.aggregate.pk for each in newest}
    return [each for each in findings if each.aggregate.pk in kept]


def chart_rows(
    findings: Iterable[Finding], *, by_task: bool = False, asked: SuiteVersion | None = None
) -> list[dict[str, Any]]:
    """Return the rows of an interval chart; those without an interval stay in the table only.

    Args:
        findings: the results.
        by_task: name the rows after their tasks instead of the model versions.
        asked: the suite version of the page, where results on others stand beside its own.
    """
    shown = list(findings)
    several = by_task and len({f.run.suite_version_id for f in shown}) > 1
    return [
        {
            "label": f.task["title"] if by_task else str(f.version),
            "note": _note(str(f.run.suite_version.suite) if several else _alike(f, asked), f.run),
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


def _alike(finding: Finding, asked: SuiteVersion | None) -> str:
    """Say where a result is of another version of the suite, which asks the task alike."""
    if asked is None or finding.run.suite_version_id == asked.pk:
        return ""
    return gettext("asked alike in version %(number)s") % {
        "number": finding.run.suite_version.number
    }


def _note(words: str, run: Run) -> str:
    """Add to what stands below a label that the run measured nothing anew, where that is so."""
    return ", ".join(filter(None, (words, gettext("answers recalled") if run.is_recalled else "")))


def best_words(task: dict[str, Any], found: list[Finding], number: int | None = None) -> str:
    """Say which version did best, or where the only one stands; findings come best first.

    `number` is how many versions there are where not all are given.
    """
    if not found:
        return ""
    first = found[0]
    figure = localised(f"{first.aggregate.mean:.3f}")
    if len(found) == 1:
        return gettext("%(version)s: %(task)s %(figure)s on %(n)s items.") % {
            "version": first.version,
            "task": metric_label(task),
            "figure": figure,
            "n": grouped(first.aggregate.n),
        }
    among = number_word(number or len(found))
    words = gettext("%(version)s comes first of %(among)s versions, with %(figure)s") % {
        "version": first.version,
        "among": among,
        "figure": figure,
    }
    return (
        gettext("%(words)s; its interval overlaps with the next.") % {"words": words}
        if _overlap(*found[:2])
        else f"{words}."
    )


def _overlap(one: Finding, other: Finding) -> bool:
    """Say whether two intervals share a value; one without an interval settles nothing."""
    ends = (one.aggregate.low, one.aggregate.high, other.aggregate.low, other.aggregate.high)
    if None in ends:
        return True
    low, high, other_low, other_high = ends
    return bool(low <= other_high and other_low <= high)  # type: ignore[operator]


def _mark(is_marked: bool, note: str, run: Run) -> dict[str, str]:
    return {"tone": "accent", "note": _note(note, run)} if is_marked else {"tone": "neutral"}


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest full run, by the task of it that most versions can be compared on."""

    run: Run
    task: dict[str, Any]
    words: str
    rows: list[dict[str, Any]]
    line: Orientation


def _newest_full() -> QuerySet[SuiteVersion, Any]:
    """Choose the newest run in full; of a suite that a criterion asks for, where there is one.

    One that computed comes before one whose workers had every answer from before.
    Suite by suite: an index has the newest of each, and none for all runs of some suites.
    """
    full = Run.objects.succeeded().filter(settings__limit=None, suite_version=OuterRef("pk"))
    parts = [each.newest_first() for each in (full.computed(), full)]
    newest, newest_at = (
        Coalesce(*(Subquery(part.values(name)[:1]) for part in parts))
        for name in ("pk", "requested_at")
    )
    suites = SuiteVersion.objects.annotate(
        newest=newest,
        newest_at=newest_at,
        is_asked_for=Exists(Criterion.objects.filter(suite_version=OuterRef("pk"))),
    ).exclude(newest=None)
    return suites.order_by("-is_asked_for", "-newest_at", "-newest").values("newest")[:1]


def latest() -> Latest | None:
    """Return what was found last, beside other versions; None before the first full run.

    What a criterion asks for comes before what somebody tried out.
    """
    run = Run.objects.with_parts().filter(pk__in=_newest_full()).first()
    numbers = measured_numbers(run.suite_version) if run else {}
    if run is None or not numbers:
        return None
    task = max(run.suite_version.tasks, key=lambda each: numbers.get(each["name"], 0))
    name = str(task["name"])
    findings = across_versions(run.suite_version, tasks={name}, most=LATEST_ROWS)[name]
    rows = [
        row | _mark(finding.run == run, gettext("evaluated last"), run)
        for finding in findings
        for row in chart_rows([finding])
    ]
    words = f"{task['title']}: {best_words(task, findings, numbers[name])}"
    return Latest(run, task, words, rows, orientation_of(run.suite_version, task))
