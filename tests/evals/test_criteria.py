"""Criteria are judged on confidence bounds, and only by runs asked for after them."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.choices import Outcome
from evals.criteria import (
    as_contract_rows,
    judge,
    line_of,
    outcome_beside,
    outcome_of,
    plan_words,
    rounded_up,
    samples_needed,
    samples_needed_beside,
    undecided_words,
)
from evals.models import Aggregate
from evals.services.criteria import record_criterion
from evals.statistics import Difference, compare, summarise
from evals.statistics.proportions import wilson_ends
from oversight.accounts.services import shell_person
from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Conflict, Invalid
from tests.scenes import make_finished_run, make_model_version, make_suite


@pytest.mark.parametrize(
    ("comparison", "low", "high", "outcome"),
    [
        ("at_least", 0.70, 0.80, Outcome.MET),
        ("at_least", 0.60, 0.80, Outcome.UNDECIDED),
        ("at_least", 0.50, 0.60, Outcome.NOT_MET),
        ("at_least", 0.65, 0.80, Outcome.MET),
        ("below", 0.50, 0.60, Outcome.MET),
        ("below", 0.60, 0.70, Outcome.UNDECIDED),
        ("below", 0.65, 0.70, Outcome.NOT_MET),
        ("below", None, None, Outcome.UNDECIDED),
    ],
)
def test_an_interval_is_judged_against_a_threshold_of_065(comparison, low, high, outcome):
    assert outcome_of(comparison, Decimal("0.65"), low, high) == outcome


@given(
    low=st.floats(0, 1),
    width=st.floats(0, 1),
    threshold=st.decimals(0, 1, places=3),
)
def test_the_two_comparisons_never_agree_that_both_are_met(low, width, threshold):
    high = low + width
    outcomes = {c: outcome_of(c, threshold, low, high) for c in ("at_least", "below")}
    assert list(outcomes.values()).count(Outcome.MET) <= 1


def ask(suite, **fields):
    return record_criterion(
        by=shell_person(),
        subject="proposal:2026-999",
        suite_version=suite,
        task_name=fields.pop("task_name", suite.tasks[0]["name"]),
        metric=fields.pop("metric", "acc"),
        comparison=fields.pop("comparison", "at_least"),
        threshold=fields.pop("threshold", "0.25"),
        **fields,
    )


@pytest.mark.django_db
def test_a_run_asked_for_before_the_criterion_never_counts():
    suite, version = make_suite(), make_model_version()
    make_finished_run(suite=suite, model=version)
    ask(suite)
    assert [j.outcome for j in judge("proposal:2026-999", version)] == [Outcome.NO_RESULT]
    run = make_finished_run(suite=suite, model=version)
    judged = judge("proposal:2026-999", version)
    assert [(j.outcome, j.run) for j in judged] == [(Outcome.MET, run)]


@pytest.mark.django_db
def test_a_run_cut_short_by_a_limit_never_counts():
    suite, version = make_suite(), make_model_version()
    ask(suite)
    make_finished_run(suite=suite, model=version, settings={"limit": 10}, right=10)
    assert [j.outcome for j in judge("proposal:2026-999", version)] == [Outcome.NO_RESULT]


@pytest.mark.django_db
def test_a_run_of_another_model_never_counts():
    suite, version = make_suite(), make_model_version()
    ask(suite)
    make_finished_run(suite=suite)
    assert [j.outcome for j in judge("proposal:2026-999", version)] == [Outcome.NO_RESULT]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"task_name": "poetry"}, "no task 'poetry'"),
        ({"metric": "charm"}, "no metric 'charm'"),
        ({"threshold": "much"}, "no number"),
        ({"threshold": "NaN"}, "between"),
        ({"threshold": "1e9"}, "between"),
    ],
)
def test_a_criterion_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(Invalid, match=message):
        ask(make_suite(), **fields)


@pytest.mark.django_db
def test_the_same_criterion_is_recorded_once():
    suite = make_suite()
    ask(suite)
    with pytest.raises(Conflict):
        ask(suite, threshold="0.9")


# -- Beside another version --------------------------------------------------------------------


def ask_beside(suite, beside, threshold="0.1"):
    return ask(suite, comparison="not_worse", beside=beside, threshold=threshold)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("right", "beside_right", "margin", "outcome"),
    [
        (18, 15, "0.1", Outcome.MET),
        (18, 15, "0.02", Outcome.UNDECIDED),
        (2, 18, "0.1", Outcome.NOT_MET),
    ],
)
def test_a_version_is_judged_beside_another_on_the_paired_interval(
    right, beside_right, margin, outcome
):
    suite, version, other = make_suite(), make_model_version(), make_model_version()
    # The other version's run may be older than the criterion; ours may not.
    theirs = make_finished_run(suite=suite, model=other, right=beside_right)
    make_finished_run(suite=suite, model=version, right=20)
    criterion = ask_beside(suite, other, margin)
    (before,) = judge("proposal:2026-999", version)
    assert (before.outcome, before.measured) == (Outcome.NO_RESULT, None)
    ours = make_finished_run(suite=suite, model=version, right=right)
    (judged,) = judge("proposal:2026-999", version)
    by_hand = compare(*([float(n < k) for n in range(20)] for k in (beside_right, right)))
    assert (judged.outcome, judged.difference) == (outcome, by_hand)
    assert (judged.run, judged.other.run) == (ours, theirs)
    assert judged.measured.line == -Decimal(margin)
    assert criterion.asked == f"not worse than {other} by over {Decimal(margin).normalize():f}"
    (row,) = as_contract_rows([judged])
    assert (row["beside"], row["beside_run"]) == (other.digest, theirs.ref)
    assert (row["low"], row["difference"]) == (repr(by_hand.low), repr(by_hand.mean))
    assert row["beside_statement"] == theirs.task_runs.get().statement_digest


@pytest.mark.django_db
def test_without_a_whole_run_of_the_other_version_there_is_no_result():
    suite, version, other = make_suite(), make_model_version(), make_model_version()
    ask_beside(suite, other)
    make_finished_run(suite=suite, model=version)
    make_finished_run(suite=suite, model=other, settings={"limit": 10}, right=5)
    (judged,) = judge("proposal:2026-999", version)
    assert judged.outcome == Outcome.NO_RESULT
    assert f"of {other}" in judged.words


@pytest.mark.django_db
def test_what_a_version_is_compared_with_is_on_the_record():
    suite, other = make_suite(), make_model_version()
    criterion = ask_beside(suite, other)
    leaf = PendingLeaf.objects.get(pk=criterion.leaf_id).content
    assert leaf["digests"]["beside"] == other.digest
    assert leaf["facts"]["comparison"] == "not_worse"
    with pytest.raises(Conflict):
        ask_beside(suite, other, "0.2")
    ask_beside(suite, make_model_version())


@pytest.mark.django_db
def test_a_comparison_that_makes_no_sense_is_refused():
    suite, other = make_suite(), make_model_version()
    with pytest.raises(Invalid, match="needs the version"):
        ask(suite, comparison="not_worse")
    with pytest.raises(Invalid, match="Only “not worse than”"):
        ask(suite, beside=other)
    with pytest.raises(Invalid, match="0 or more"):
        ask_beside(suite, other, "-0.1")
    suite.document["tasks"][0]["neutral"] = "0.5"
    with pytest.raises(Invalid, match="neither more nor less is better"):
        ask_beside(suite, other)


def test_a_metric_says_by_itself_which_way_is_better():
    listed = [{"metric": "toxicity", "higher_is_better": False}]
    task = {"higher_is_better": True, "config": {"metric_list": listed}}
    assert line_of("not_worse", Decimal("0.1"), task, "toxicity") == (Decimal("0.1"), "below")
    assert line_of("not_worse", Decimal("0.1"), task, "acc") == (Decimal("-0.1"), "at_least")
    assert line_of("below", Decimal("0.1"), task, "acc") == (Decimal("0.1"), "below")


def found(right: int, n: int) -> Aggregate:
    summary = summarise([1.0] * right + [0.0] * (n - right))
    return Aggregate(
        n=n, mean=summary.mean, low=summary.low, high=summary.high, method=summary.method
    )


def graded(scores: list[float]) -> Aggregate:
    summary = summarise(scores)
    return Aggregate(
        n=summary.n, mean=summary.mean, low=summary.low, high=summary.high, method=summary.method
    )


def test_an_undecided_criterion_says_how_many_samples_would_settle_it():
    aggregate = found(14, 20)
    needed = samples_needed(aggregate, Decimal("0.65"))

    assert outcome_of("at_least", Decimal("0.65"), aggregate.low, aggregate.high) == (
        Outcome.UNDECIDED
    )
    assert needed == 698  # ((1.960 · 0.4770 + 0.842 · 0.4583) / 0.05)²
    assert undecided_words(aggregate, needed) == (
        "If the model really scores 0.700, about 700 samples would settle it four times in five."
    )


@given(st.integers(5, 400), st.data())
def test_with_the_samples_named_the_same_score_is_decided(n, data):
    right = data.draw(st.integers(1, n - 1))
    aggregate = found(right, n)
    threshold = data.draw(st.decimals(Decimal("0.05"), Decimal("0.95"), places=2))
    needed = samples_needed(aggregate, threshold)
    if needed is None or needed > 100_000:
        return
    # The same share of as many samples; whole numbers of right answers move it a little.
    low, high = wilson_ends(right / n, needed)

    assert outcome_of("at_least", threshold, low, high) in {Outcome.MET, Outcome.NOT_MET}


def test_graded_scores_are_planned_from_their_own_spread():
    aggregate = graded([0.25, 0.5, 0.75, 1.0] * 10)
    needed = samples_needed(aggregate, Decimal("0.6"))

    # The spread is 0.283 and the distance 0.025: (2.8 · 0.283 / 0.025)², a bootstrap's noise aside.
    assert aggregate.method == "bootstrap-t"
    assert needed == pytest.approx(1005, rel=0.1)


def test_a_score_on_the_line_is_settled_by_no_number_of_samples():
    aggregate = found(13, 20)

    assert samples_needed(aggregate, Decimal("0.65")) is None
    assert "no number of samples" in undecided_words(aggregate, None)


def test_scores_without_spread_are_not_judged():
    aggregate = graded([0.5] * 40)

    assert outcome_of("at_least", Decimal("0.1"), aggregate.low, aggregate.high) == (
        Outcome.UNDECIDED
    )
    assert samples_needed(aggregate, Decimal("0.1")) is None
    assert "no spread" in undecided_words(aggregate, None)


@pytest.mark.parametrize(
    ("comparison", "threshold", "n", "words"),
    [
        ("at_least", "0.65", 60, "With 60 samples, a model that really scores 0.813 or more"),
        ("below", "0.65", 60, "or less is shown to meet this"),
        ("at_least", "0.95", 20, "20 samples are too few to show that this is met"),
        ("below", "0", 20, "20 samples are too few to show that this is met"),
        ("at_least", "0.65", 0, ""),
        ("at_least", "3", 60, ""),
    ],
)
def test_a_plan_says_what_the_samples_can_show(comparison, threshold, n, words):
    said = plan_words(comparison, Decimal(threshold), n)

    assert words in said
    assert bool(words) == bool(said)


@pytest.mark.parametrize(
    ("samples", "rounded"), [(7, 7), (99, 99), (101, 110), (694, 700), (1_180, 1_200)]
)
def test_a_planned_number_is_rounded_up_to_two_figures(samples, rounded):
    assert rounded_up(samples) == rounded


def beside(n: int, gained: int, lost: int) -> Difference:
    """Two runs of `n` samples, half of them right in both."""
    agreed = [1.0, 0.0] * (n // 2)
    first = [0.0] * gained + [1.0] * lost + agreed[gained + lost :]
    second = [1.0] * gained + [0.0] * lost + agreed[gained + lost :]
    return compare(first, second)


@pytest.mark.parametrize(
    ("n", "gained", "lost", "outcome"),
    [
        (2000, 40, 40, Outcome.MET),  # as good, and enough samples to show it
        (100, 2, 2, Outcome.UNDECIDED),  # as good, but too few
        (2000, 40, 70, Outcome.UNDECIDED),  # worse by 0.015 ± 0.010: perhaps by more than 0.02
        (2000, 40, 60, Outcome.MET),  # worse by 0.010 ± 0.010, but by less than 0.02
        (2000, 20, 140, Outcome.NOT_MET),  # worse by 0.06
    ],
)
def test_not_worse_by_more_than_two_points_is_judged_on_the_paired_interval(
    n, gained, lost, outcome
):
    margin = Decimal("0.02")
    there, back = beside(n, gained, lost), beside(n, lost, gained)

    assert outcome_beside(there, margin, higher_is_better=True) == outcome
    # The same seen on a metric of which less is better.
    mirrored = outcome_beside(back, margin, higher_is_better=False)
    assert mirrored == outcome


def test_a_difference_that_is_not_significant_is_no_proof_of_being_as_good():
    difference = beside(60, 3, 4)

    assert difference.p_value > 0.99
    assert outcome_beside(difference, Decimal("0.02"), higher_is_better=True) == Outcome.UNDECIDED
    assert samples_needed_beside(difference, Decimal("0.05"), higher_is_better=True) == 980


def test_runs_that_cannot_be_compared_decide_nothing():
    difference = compare([], [])

    assert outcome_beside(difference, Decimal("0.02"), higher_is_better=True) == Outcome.UNDECIDED
    assert samples_needed_beside(difference, Decimal("0.02"), higher_is_better=True) is None


def test_a_version_worse_by_the_margin_passes_once_in_forty():
    # Paired scores drawn with a true loss of exactly the margin: 0.05.
    rng = random.Random(4)
    passed = 0
    for _ in range(2000):
        draws = [rng.random() for _ in range(400)]
        first = [float(u < 0.70) for u in draws]
        second = [float(u < 0.60 or u > 0.95) for u in draws]
        difference = compare(first, second)
        passed += outcome_beside(difference, Decimal("0.05"), higher_is_better=True) == Outcome.MET

    assert 0.012 < passed / 2000 < 0.038


@pytest.mark.django_db
def test_a_judgement_says_what_its_verdict_leaves_open():
    suite, version = make_suite(), make_model_version()
    ask(suite, threshold="0.7")
    waiting = judge("proposal:2026-999", version)
    make_finished_run(suite=suite, model=version)
    judged = judge("proposal:2026-999", version)

    assert [j.outcome for j in waiting] == [Outcome.NO_RESULT]
    assert waiting[0].words.startswith("With 20 samples, a model")
    assert [j.outcome for j in judged] == [Outcome.UNDECIDED]
    assert judged[0].words.startswith("If the model really scores 0.750, about 640 samples")


@pytest.mark.django_db
def test_a_judgement_that_leaves_nothing_open_says_nothing():
    suite, version = make_suite(), make_model_version()
    ask(suite)
    make_finished_run(suite=suite, model=version)

    assert [j.words for j in judge("proposal:2026-999", version)] == [""]
