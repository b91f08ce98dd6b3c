"""Judges criteria on confidence bounds: the evidence of a subject, row by row."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from evals.choices import Comparison, Outcome
from evals.models import Aggregate, Criterion, Run
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
