"""Judges criteria on confidence bounds: the evidence of a subject, row by row."""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from evals.choices import Comparison, Outcome
from evals.models import Aggregate, Criterion, Run
from evals.statistics import (
    Difference,
    detectable_proportions,
    samples_to_decide,
    samples_to_decide_proportion,
)
from oversight.registry.models import ModelVersion


@dataclass(frozen=True, slots=True)
class Judgement:
    """One criterion beside the result that answers it, if there is one."""

    criterion: Criterion
    aggregate: Aggregate | None
    run: Run | None
    outcome: Outcome

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
        return samples_needed(self.aggregate, self.criterion.threshold)

    @property
    def words(self) -> str:
        """What the verdict leaves open, in a sentence; empty where it leaves nothing open."""
        if self.aggregate is not None and self.outcome == Outcome.UNDECIDED:
            return undecided_words(self.aggregate, self.needed)
        if self.outcome == Outcome.NO_RESULT:
            task = self.criterion.task
            # How much clusters tell is not known before they are there.
            known = 0 if task.get("clustered") else (task.get("data") or {}).get("rows", 0)
            return plan_words(self.criterion.comparison, self.criterion.threshold, known)
        return ""


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
        return "The samples show no spread, so there is no interval to judge by."
    if needed is None:
        return "The score lies on the line itself: no number of samples would settle it."
    return (
        f"If the model really scores {aggregate.mean:.3f}, about {rounded_up(needed):,} samples "
        "would settle it four times in five."
    )


def plan_words(comparison: str, threshold: Decimal, n: int) -> str:
    """Say which true score `n` samples would tell from the threshold, before there is a result.

    For scores from 0 to 1; empty where the number of samples or such a score is not known.
    """
    limit = float(threshold)
    if n < 1 or not 0 <= limit <= 1:
        return ""
    under, over = detectable_proportions(n, limit)
    if comparison == Comparison.AT_LEAST:
        found, side = over, "or more"
    else:
        found, side = under, "or less"
    if found is None:
        return f"{n:,} samples are too few to show that this is met, whatever the score."
    return (
        f"With {n:,} samples, a model that really scores {found:.3f} {side} is shown to meet this "
        "four times in five."
    )


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


def judge(subject: str, version: ModelVersion) -> list[Judgement]:
    """Judge every criterion of the subject by the newest run that was requested after it.

    A run requested before its criterion was on the record never counts, nor does one of another
    version of the suite or model, nor a run cut short by a limit.
    """
    criteria = list(Criterion.objects.about(subject))
    runs = list(
        Run.objects.succeeded()
        .filter(model_version=version, suite_version__in={c.suite_version_id for c in criteria})
        .with_parts()
        .newest_first()
    )
    aggregates = Aggregate.objects.filter(task_run__run__in=runs, group="").select_related(
        "task_run"
    )
    by_key = {(a.task_run.run_id, a.task_run.task_name, a.metric): a for a in aggregates}
    return [_judgement(criterion, runs, by_key) for criterion in criteria]


def _judgement(
    criterion: Criterion, runs: list[Run], by_key: dict[tuple[int, str, str], Aggregate]
) -> Judgement:
    for run in runs:
        fits = run.suite_version_id == criterion.suite_version_id and not run.settings.get("limit")
        aggregate = by_key.get((run.pk, criterion.task_name, criterion.metric))
        if fits and aggregate and criterion.precedes(run.requested_at):
            outcome = outcome_of(
                criterion.comparison, criterion.threshold, aggregate.low, aggregate.high
            )
            return Judgement(criterion, aggregate, run, outcome)
    return Judgement(criterion, None, None, Outcome.NO_RESULT)


def as_contract_rows(judgements: list[Judgement]) -> list[dict[str, Any]]:
    """Return the judgements as the decision contract freezes them: strings and digests only."""
    return [
        {
            "suite": j.criterion.suite_version.digest,
            "task": j.criterion.task_name,
            "metric": j.criterion.metric,
            "comparison": j.criterion.comparison,
            "threshold": f"{j.criterion.threshold.normalize():f}",
            "must_pass": j.criterion.must_pass,
            "outcome": str(j.outcome),
            "run": j.run.ref if j.run else None,
            "statement": j.aggregate.task_run.statement_digest if j.aggregate else None,
            "n": j.aggregate.n if j.aggregate else 0,
            "low": repr(j.aggregate.low) if j.aggregate else None,
            "high": repr(j.aggregate.high) if j.aggregate else None,
        }
        for j in judgements
    ]
