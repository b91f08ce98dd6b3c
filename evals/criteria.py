"""Judges criteria on confidence bounds: the evidence of a subject, row by row.

A criterion about the model alone is judged on the interval of its score. One beside another version
is judged on the interval of the paired difference, between the newest whole run of each.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext

from evals.choices import Comparison, Outcome
from evals.models import Aggregate, Criterion, Run, TaskRun
from evals.pairs import paired_difference
from evals.statistics import (
    Difference,
    detectable_proportions,
    samples_to_decide,
    samples_to_decide_proportion,
)
from oversight.registry.models import ModelVersion
from oversight.web.figures import grouped, localised


class Measured(NamedTuple):
    """What a criterion was judged by: a score or a paired difference, and the line it must keep."""

    low: float | None
    value: float | None
    high: float | None
    n: int
    line: Decimal
    side: Comparison
    """At least the line, or below it."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One criterion beside the result that answers it, if there is one."""

    criterion: Criterion
    aggregate: Aggregate | None
    run: Run | None
    outcome: Outcome
    other: TaskRun | None = None
    """The result of the version that the criterion names; None where it names none."""
    difference: Difference | None = None
    """Of the version judged less the version named."""

    @property
    def is_failed(self) -> bool:
        """Whether a must-pass criterion is not shown to be met."""
        return self.criterion.must_pass and self.outcome != Outcome.MET

    @property
    def tone(self) -> str:
        """The colour of the verdict on a page."""
        return {Outcome.MET: "good", Outcome.NOT_MET: "bad", Outcome.UNDECIDED: "wait"}.get(
            self.outcome, "neutral"
        )

    @property
    def needed(self) -> int | None:
        """Samples that would probably decide an undecided criterion; None where none would."""
        if self.aggregate is None or self.outcome != Outcome.UNDECIDED:
            return None
        if self.difference is not None:
            return samples_needed_beside(
                self.difference,
                self.criterion.threshold,
                higher_is_better=is_better_up(self.criterion.task, self.criterion.metric),
            )
        return samples_needed(self.aggregate, self.criterion.threshold)

    @property
    def measured(self) -> Measured | None:
        """What was judged and the line it was judged by; None without a result."""
        if self.aggregate is None:
            return None
        asked, found = self.criterion, self.difference or self.aggregate
        line = line_of(asked.comparison, asked.threshold, asked.task, asked.metric)
        return Measured(found.low, found.mean, found.high, found.n, *line)

    @property
    def words(self) -> str:
        """What the verdict leaves open, in a sentence; empty where it leaves nothing open."""
        if self.difference is not None and self.outcome == Outcome.UNDECIDED:
            return undecided_difference_words(self.difference, self.needed)
        if self.aggregate is not None and self.outcome == Outcome.UNDECIDED:
            return undecided_words(self.aggregate, self.needed)
        if self.outcome == Outcome.NO_RESULT and self.criterion.beside is not None:
            return gettext("It takes a whole run of each: of this version and of %(beside)s.") % {
                "beside": self.criterion.beside
            }
        if self.outcome == Outcome.NO_RESULT:
            task = self.criterion.task
            # How much clusters tell is not known before they are there.
            known = 0 if task.get("clustered") else (task.get("data") or {}).get("rows", 0)
            return plan_words(self.criterion.comparison, self.criterion.threshold, known)
        return ""


def is_better_up(task: Mapping[str, Any], metric: str) -> bool:
    """Say whether more of a metric is better, by the metric's own word where it has one."""
    listed = (task.get("config") or {}).get("metric_list", ())
    own: Mapping[str, Any] = next((one for one in listed if one.get("metric") == metric), {})
    return bool(own.get("higher_is_better", task["higher_is_better"]))


def line_of(
    comparison: str, threshold: Decimal, task: Mapping[str, Any], metric: str
) -> tuple[Decimal, Comparison]:
    """Return the line that the interval has to keep, and on which side of it.

    A score is held against the threshold. A difference is held against the margin: it may be below
    zero by that much where more is better, above zero where less is.
    """
    if comparison != Comparison.NOT_WORSE:
        return threshold, Comparison(comparison)
    if is_better_up(task, metric):
        return -threshold, Comparison.AT_LEAST
    return threshold, Comparison.BELOW


def outcome_of(
    comparison: str, threshold: Decimal, low: float | None, high: float | None
) -> Outcome:
    """Judge an interval against a threshold.

    `at_least` is met when the lower bound reaches the threshold and not met when the upper bound
    stays under it; `below` the other way round. In between, the samples do not settle it.
    """
    if low is None or high is None:
        return Outcome.UNDECIDED
    limit = float(threshold)
    if comparison == Comparison.AT_LEAST:
        met, missed = low >= limit, high < limit
    else:
        met, missed = high < limit, low >= limit
    if met:
        return Outcome.MET
    return Outcome.NOT_MET if missed else Outcome.UNDECIDED


def samples_needed(aggregate: Aggregate, threshold: Decimal) -> int | None:
    """Return how many samples would leave the threshold out of the interval, with 80 % power.

    Supposes that the model really scores what it scored so far, and that further samples are like
    these, clusters included. None where the score lies on the threshold, so that no number helps,
    or has no interval to shrink.
    """
    if aggregate.low is None or aggregate.high is None:
        return None
    limit = float(threshold)
    if aggregate.method == "wilson" and 0 <= limit <= 1:
        return samples_to_decide_proportion(aggregate.mean, limit)
    return samples_to_decide(aggregate.n, aggregate.mean, aggregate.low, aggregate.high, limit)


def undecided_words(aggregate: Aggregate, needed: int | None) -> str:
    """Say why samples do not settle a criterion, and how many would."""
    if aggregate.low is None:
        return gettext("The samples show no spread, so there is no interval to judge by.")
    if needed is None:
        return gettext("The score lies on the line itself: no number of samples would settle it.")
    return gettext(
        "If the model really scores %(mean)s, about %(needed)s samples would settle it four "
        "times in five."
    ) % {"mean": localised(f"{aggregate.mean:.3f}"), "needed": grouped(rounded_up(needed))}


def undecided_difference_words(difference: Difference, needed: int | None) -> str:
    """Say why a paired difference does not settle a criterion, and how many samples would."""
    if difference.low is None or difference.mean is None:
        return gettext("No sample differs between the two, so there is no interval to judge by.")
    if needed is None:
        return gettext(
            "The difference lies on the margin itself: no number of samples would settle it."
        )
    return gettext(
        "If the difference really is %(mean)s, about %(needed)s samples would settle it four "
        "times in five."
    ) % {"mean": localised(f"{difference.mean:+.3f}"), "needed": grouped(rounded_up(needed))}


def plan_words(comparison: str, threshold: Decimal, n: int) -> str:
    """Say which true score `n` samples would tell from the threshold, before there is a result.

    For scores from 0 to 1; empty where the number of samples or such a score is not known.
    """
    limit = float(threshold)
    if n < 1 or not 0 <= limit <= 1:
        return ""
    under, over = detectable_proportions(n, limit)
    found = over if comparison == Comparison.AT_LEAST else under
    if found is None:
        return gettext(
            "%(n)s samples are too few to show that this is met, whatever the score."
        ) % {"n": grouped(n)}
    words = (
        gettext(
            "With %(n)s samples, a model that really scores %(found)s or more is shown to meet "
            "this four times in five."
        )
        if comparison == Comparison.AT_LEAST
        else gettext(
            "With %(n)s samples, a model that really scores %(found)s or less is shown to meet "
            "this four times in five."
        )
    )
    return words % {"n": grouped(n), "found": localised(f"{found:.3f}")}


def rounded_up(samples: int) -> int:
    """Return a plan's number of samples, rounded up to two figures: more it does not know."""
    step: int = 10 ** max(0, len(str(samples)) - 2)
    return math.ceil(samples / step) * step


def outcome_beside(difference: Difference, margin: Decimal, *, higher_is_better: bool) -> Outcome:
    """Judge non-inferiority: that a version is not worse than another by more than a margin.

    Met when the whole 95 % interval of the paired difference lies on the good side of the margin,
    so the chance to pass a version that is worse by the margin is 2.5 %. Not met when none of it
    does. A difference that is merely not significant decides nothing: it is `undecided`.

    Source: ICH E9 (1998) section 3.3.2 and ICH E10 (2000): the margin fixed in advance, a
    two-sided 95 % interval, its lower bound. Paired, as the samples are the same.

    Args:
        difference: of the version judged less the version named, from `compare`.
        margin: 0 or more, in units of the metric.
        higher_is_better: the direction of the metric.
    """
    if higher_is_better:
        return outcome_of(Comparison.AT_LEAST, -margin, difference.low, difference.high)
    return outcome_of(Comparison.BELOW, margin, difference.low, difference.high)


def samples_needed_beside(
    difference: Difference, margin: Decimal, *, higher_is_better: bool
) -> int | None:
    """Return how many samples would decide non-inferiority, as `samples_needed` does a threshold.

    Supposes that the difference is what it is so far. A plan made before any run takes the
    difference as 0 and the spread from runs like it: `detectable_difference` is then the margin.
    """
    if difference.mean is None or difference.low is None or difference.high is None:
        return None
    limit = -float(margin) if higher_is_better else float(margin)
    return samples_to_decide(difference.n, difference.mean, difference.low, difference.high, limit)


def judge(
    subject: str, version: ModelVersion, *, by: Collection[int] | None = None
) -> list[Judgement]:
    """Judge every criterion of the subject by the newest run that was requested after it.

    A run requested before its criterion was on the record never counts, nor does one of another
    version of the suite or model, nor a run cut short by a limit. Of a version that a criterion
    names to compare with, the newest whole run counts, whenever it was requested.

    `by` are the organisations whose workers count; None for all.
    """
    criteria = list(Criterion.objects.about(subject))
    results = _Results(criteria, version, by)
    return [_judgement(criterion, version, results) for criterion in criteria]


class _Results:
    """The whole runs of every version that criteria are about, newest first, in two queries."""

    def __init__(
        self, criteria: list[Criterion], version: ModelVersion, by: Collection[int] | None
    ) -> None:
        versions = {version.pk} | {c.beside_id for c in criteria if c.beside_id is not None}
        self.runs = list(
            Run.objects.succeeded()
            .filter(
                model_version__in=versions,
                suite_version__in={c.suite_version_id for c in criteria},
                settings__limit=None,
            )
            .with_parts()
            .newest_first()
        )
        by_pk = {run.pk: run for run in self.runs}
        found = Aggregate.objects.filter(task_run__run__in=by_pk, group="")
        if by is not None:
            found = found.filter(task_run__worker__organisation__in=by)
        self._found = {}
        for aggregate in found.select_related("task_run"):
            part = aggregate.task_run
            part.run = by_pk[part.run_id]
            self._found[part.run_id, part.task_name, aggregate.metric] = aggregate

    def newest(
        self, criterion: Criterion, version_id: int, *, after_it: bool
    ) -> tuple[Run, Aggregate] | None:
        """Return the newest run of a version that answers a criterion, with its aggregate."""
        for run in self.runs:
            fits = run.suite_version_id == criterion.suite_version_id
            aggregate = self._found.get((run.pk, criterion.task_name, criterion.metric))
            counts = not after_it or criterion.precedes(run.requested_at)
            if fits and aggregate and counts and run.model_version_id == version_id:
                return run, aggregate
        return None


def _judgement(criterion: Criterion, version: ModelVersion, results: _Results) -> Judgement:
    own = results.newest(criterion, version.pk, after_it=True)
    if own is None:
        return Judgement(criterion, None, None, Outcome.NO_RESULT)
    run, aggregate = own
    if criterion.beside_id is not None:
        return _judgement_beside(criterion, run, aggregate, results)
    outcome = outcome_of(criterion.comparison, criterion.threshold, aggregate.low, aggregate.high)
    return Judgement(criterion, aggregate, run, outcome)


def _judgement_beside(
    criterion: Criterion, run: Run, aggregate: Aggregate, results: _Results
) -> Judgement:
    assert criterion.beside_id is not None  # noqa: S101 - the caller has looked
    other = results.newest(criterion, criterion.beside_id, after_it=False)
    if other is None:
        return Judgement(criterion, None, None, Outcome.NO_RESULT)
    theirs = other[1].task_run
    difference = paired_difference(theirs, aggregate.task_run, criterion.metric)
    up = is_better_up(criterion.task, criterion.metric)
    outcome = outcome_beside(difference, criterion.threshold, higher_is_better=up)
    if criterion.beside_id == run.model_version_id:
        # A standing criterion meets the very version that it names: nothing is worse than itself.
        outcome = Outcome.MET
    return Judgement(criterion, aggregate, run, outcome, theirs, difference)


def as_contract_rows(judgements: list[Judgement]) -> list[dict[str, Any]]:
    """Return the judgements as the decision contract freezes them: strings and digests only."""
    return [_contract_row(judgement) for judgement in judgements]


def _contract_row(j: Judgement) -> dict[str, Any]:
    found = j.measured
    row = {
        "suite": j.criterion.suite_version.digest,
        "task": j.criterion.task_name,
        "metric": j.criterion.metric,
        "comparison": j.criterion.comparison,
        "threshold": f"{j.criterion.threshold.normalize():f}",
        "must_pass": j.criterion.must_pass,
        "outcome": str(j.outcome),
        "run": j.run.ref if j.run else None,
        "statement": j.aggregate.task_run.statement_digest if j.aggregate else None,
        "n": found.n if found else 0,
        "low": _repr(found.low) if found else None,
        "high": _repr(found.high) if found else None,
    }
    if j.criterion.beside is None:
        return row
    return row | {
        "beside": j.criterion.beside.digest,
        "beside_run": j.other.run.ref if j.other else None,
        "beside_statement": j.other.statement_digest if j.other else None,
        "difference": _repr(found.value) if found else None,
    }


def _repr(number: float | None) -> str | None:
    return None if number is None else repr(number)
