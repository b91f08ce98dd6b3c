"""The evidence of a decision: its criteria as the contract froze them, with the results behind."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from evals.choices import Outcome
from evals.criteria import Measured, line_of
from evals.metric_words import metric_words
from evals.models import Aggregate, SuiteVersion, asked_words
from oversight.dashboards.findings import Finding, across_versions, chart_rows
from oversight.registry.models import ModelVersion
from oversight.web.figures import grouped
from proposals.models import Contract

BESIDE_SHOWN = 40
COMPARISONS_SHOWN = 4
OTHERS_SHOWN = 8

TONES = {
    Outcome.MET: "good",
    Outcome.NOT_MET: "bad",
    Outcome.UNDECIDED: "wait",
    Outcome.NO_RESULT: "neutral",
}


SHORT = {
    Outcome.MET: _("met"),
    Outcome.NOT_MET: _("not met"),
    Outcome.UNDECIDED: _("undecided"),
    Outcome.NO_RESULT: _("without a result"),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One criterion of a contract and what was found."""

    title: str
    measure: str
    """Suite, version and metric in words."""
    suite_url: str
    comparison: str
    threshold: Decimal
    must_pass: bool
    outcome: Outcome
    run_ref: str | None
    aggregate: Aggregate | None
    """Of the version decided on."""
    measured: Measured | None
    """What was judged, as the contract has it."""
    beside: ModelVersion | None
    """The version it was compared with, where it was."""
    beside_run_ref: str | None
    suite_version: SuiteVersion
    task_name: str
    metric: str

    @property
    def asked(self) -> str:
        """What was asked, in words."""
        return asked_words(self.comparison, self.threshold, self.beside)

    @property
    def tone(self) -> str:
        """The tint of the outcome."""
        return TONES[self.outcome]

    @property
    def is_override_cause(self) -> bool:
        """Whether the vote needed the override's threshold because of it."""
        return self.must_pass and self.outcome != Outcome.MET


def of_contract(contract: Contract) -> list[Evidence]:
    """Return the criteria frozen in a contract, in its order; three queries whatever their number.

    A run that came later never changes what is shown: results are looked up by the digests of the
    signed statements that the contract names.
    """
    return of_contracts([contract])[contract.pk]


def of_contracts(contracts: Iterable[Contract]) -> dict[int, list[Evidence]]:
    """Return the same for several contracts, by their keys, in three queries."""
    frozen: dict[int, list[dict[str, Any]]] = {
        contract.pk: contract.content["criteria"] for contract in contracts
    }
    rows = [row for criteria in frozen.values() for row in criteria]
    suites = {
        version.digest: version
        for version in SuiteVersion.objects.filter(
            digest__in={row["suite"] for row in rows}
        ).select_related("suite")
    }
    statements = {row["statement"] for row in rows if row["statement"]}
    results = {
        (found.task_run.statement_digest, found.metric): found
        for found in Aggregate.objects.filter(
            task_run__statement_digest__in=statements, group=""
        ).select_related("task_run__worker__organisation", "task_run__run")
    }
    named = ModelVersion.objects.filter(digest__in={row.get("beside") for row in rows} - {None})
    versions = {version.digest: version for version in named.select_related("model")}
    return {
        key: [
            _evidence(row, suites[row["suite"]], results, versions.get(row.get("beside", "")))
            for row in criteria
        ]
        for key, criteria in frozen.items()
    }


def outcomes_in_words(contract: Contract) -> str:
    """Say how the criteria frozen in a contract came out: `3 criteria: 2 met, 1 undecided`."""
    found = Counter(Outcome(row["outcome"]) for row in contract.content["criteria"])
    parts = [_counted(each, found[each]) for each in SHORT if found[each]]
    if not parts:
        return ""
    words = ngettext(
        "%(number)s criterion: %(parts)s", "%(number)s criteria: %(parts)s", found.total()
    )
    return words % {"number": grouped(found.total()), "parts": ", ".join(parts)}


def _counted(outcome: Outcome, number: int) -> str:
    """Say how many criteria came out so; some languages write the outcome of several otherwise."""
    patterns = {
        Outcome.MET: ngettext("%(number)s met", "%(number)s met", number),
        Outcome.NOT_MET: ngettext("%(number)s not met", "%(number)s not met", number),
        Outcome.UNDECIDED: ngettext("%(number)s undecided", "%(number)s undecided", number),
        Outcome.NO_RESULT: ngettext(
            "%(number)s without a result", "%(number)s without a result", number
        ),
    }
    return patterns[outcome] % {"number": grouped(number)}


def without_criterion(found: list[Evidence]) -> list[Finding]:
    """Return what the runs behind the criteria measured on tasks that no criterion is about.

    In the order of the runs' tasks, at most 40; one query. It was there to be read when the vote
    opened, so a decision shows it although nothing was asked of it.
    """
    refs = {each.run_ref for each in found if each.run_ref}
    asked = {(each.run_ref, each.task_name) for each in found}
    rows = (
        Aggregate.objects.filter(task_run__run__ref__in=refs, group="")
        .select_related("task_run__run__suite_version__suite")
        .order_by("task_run__run__requested_at", "task_run__run_id", "task_run__position")
    )
    measured = [
        Finding(row, row.task_run.run, row.task_run.run.suite_version.task(row.task_run.task_name))
        for row in rows
        if (row.task_run.run.ref, row.task_run.task_name) not in asked
    ]
    return [each for each in measured if each.is_headline][:BESIDE_SHOWN]


def _evidence(
    row: dict[str, Any],
    version: SuiteVersion,
    results: dict[tuple[str, str], Aggregate],
    beside: ModelVersion | None,
) -> Evidence:
    aggregate = results.get((row["statement"] or "", row["metric"]))
    task = version.task(row["task"])
    metric = metric_words(task, row["metric"])
    return Evidence(
        title=task["title"],
        measure=f"{version}, {metric}",
        suite_url=version.get_absolute_url(),
        comparison=row["comparison"],
        threshold=Decimal(row["threshold"]),
        must_pass=row["must_pass"],
        outcome=Outcome(row["outcome"]),
        run_ref=row["run"],
        aggregate=aggregate,
        measured=_measured(row, task, aggregate),
        beside=beside,
        beside_run_ref=row.get("beside_run"),
        suite_version=version,
        task_name=row["task"],
        metric=row["metric"],
    )


def _measured(
    row: dict[str, Any], task: dict[str, Any], aggregate: Aggregate | None
) -> Measured | None:
    """Return what a row of the contract was judged by."""
    if aggregate is None:
        return None
    low, high = (None if row[end] is None else float(row[end]) for end in ("low", "high"))
    value = float(row["difference"]) if row.get("difference") is not None else aggregate.mean
    line = line_of(row["comparison"], Decimal(row["threshold"]), task, row["metric"])
    return Measured(low, value, high, row["n"], *line)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A criterion's line drawn through the result it was set for and those of other versions."""

    evidence: Evidence
    rows: list[dict[str, Any]]


def beside_others(found: list[Evidence], version: ModelVersion) -> list[Comparison]:
    """Return, for criteria on headline metrics, the decided version's result beside others'.

    The others are the newest full runs up to today; two queries for each suite version. Where there
    are none, nothing is drawn: the table of criteria says it all.
    """
    suites = {each.suite_version for each in found}
    others = {
        suite.pk: across_versions(
            suite,
            tasks={each.task_name for each in found if each.suite_version == suite},
            most=OTHERS_SHOWN + 1,
        )
        for suite in suites
    }
    drawn = [
        Comparison(
            each, _rows(each, version, others[each.suite_version.pk].get(each.task_name, []))
        )
        for each in found
        if each.aggregate
        and each.beside is None
        and each.metric == each.suite_version.task(each.task_name)["metric"]
    ]
    return [each for each in drawn if len(each.rows) > 1][:COMPARISONS_SHOWN]


def _rows(evidence: Evidence, version: ModelVersion, others: list[Finding]) -> list[dict[str, Any]]:
    found = evidence.aggregate
    if found is None or found.low is None:
        return []
    own = {
        "label": str(version),
        "low": found.low,
        "value": found.mean,
        "high": found.high,
        "n": found.n,
        "href": reverse("run", args=[evidence.run_ref]),
        "tone": "accent",
        "note": gettext("decided on"),
    }
    rest = chart_rows([f for f in others if f.version != version][:OTHERS_SHOWN])
    return [own, *(row | {"tone": "neutral"} for row in rest)]
