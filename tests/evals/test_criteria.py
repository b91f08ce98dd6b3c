"""Criteria are judged on confidence bounds, and only by runs asked for after them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.choices import Outcome
from evals.criteria import judge, outcome_of
from evals.services.criteria import record_criterion
from oversight.accounts.services import shell_person
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
        comparison="at_least",
        threshold=fields.pop("threshold", "0.25"),
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
