"""Means, standard errors and intervals, against published values and by property."""

import math
import random
import statistics as stdlib
import subprocess
import sys
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.statistics import (
    Aggregate,
    mean,
    normal_interval,
    standard_error,
    summarise,
    wilson_interval,
)

FINITE = st.floats(-1e6, 1e6, allow_nan=False)
SCORES = st.lists(FINITE, min_size=2, max_size=60)
BITS = st.lists(st.sampled_from([0, 1, 0.0, 1.0, True, False]), min_size=1, max_size=200)


# Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3 (score, no correction).
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_the_published_ones(successes, n, low, high):
    found = wilson_interval(successes, n)

    assert found == pytest.approx((low, high), abs=5e-5)


def test_no_success_and_no_failure_reach_the_ends_exactly():
    assert wilson_interval(0, 7)[0] == 0.0
    assert wilson_interval(7, 7)[1] == 1.0


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_what_is_no_proportion_is_refused(successes, n):
    with pytest.raises(ValueError, match="is not a proportion"):
        wilson_interval(successes, n)


@settings(deadline=None)
@given(BITS)
def test_the_wilson_interval_holds_the_proportion_and_stays_in_range(bits):
    aggregate = summarise(bits)

    assert aggregate.method == "wilson"
    assert 0.0 <= aggregate.low <= aggregate.mean <= aggregate.high <= 1.0
    assert aggregate.low < aggregate.high


@settings(deadline=None)
@given(st.integers(1, 400), st.data())
def test_the_wilson_interval_is_the_same_seen_from_the_failures(n, data):
    successes = data.draw(st.integers(0, n))
    low, high = wilson_interval(successes, n)

    mirrored = wilson_interval(n - successes, n)

    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-12)


@settings(deadline=None)
@given(st.integers(1, 200), st.data())
def test_the_wilson_ends_are_where_the_score_test_just_rejects(n, data):
    z = 1.959963984540054
    successes = data.draw(st.integers(1, n))
    low, _ = wilson_interval(successes, n)

    distance = (successes / n - low) / math.sqrt(low * (1 - low) / n)

    assert distance == pytest.approx(z, rel=1e-6)


@settings(deadline=None)
@given(SCORES)
def test_mean_and_standard_error_agree_with_the_standard_library(scores):
    exact = float(stdlib.mean([Fraction(score) for score in scores]))
    assert mean(scores) == pytest.approx(exact, rel=1e-12, abs=1e-9)

    expected = stdlib.stdev(scores) / math.sqrt(len(scores))
    assert standard_error(scores) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(SCORES, st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter(scores, shuffler: random.Random):
    shuffled = scores.copy()
    shuffler.shuffle(shuffled)

    assert mean(shuffled) == mean(scores)


@settings(deadline=None)
@given(SCORES, st.integers(-1000, 1000), st.sampled_from([0.5, 2.0, 4.0]))
def test_moving_and_stretching_the_scores_moves_and_stretches_the_interval(scores, shift, scale):
    # Whole numbers and powers of two, so that nothing but the statistics can round.
    whole = [float(round(score)) for score in [*scores, 7, -3]]
    before = summarise(whole)
    after = summarise([score * scale + shift for score in whole])
    size = max(1.0, *(abs(score) for score in whole), abs(shift)) * scale

    assert after.method == before.method != "none"
    for end in ("mean", "low", "high"):
        expected = getattr(before, end) * scale + shift
        assert getattr(after, end) == pytest.approx(expected, rel=1e-7, abs=size * 1e-7)


def test_the_normal_interval_is_two_sided_and_95_percent():
    low, high = normal_interval(10.0, 1.0)

    assert (low, high) == pytest.approx((8.040036, 11.959964), abs=1e-6)


def test_a_binary_mean_has_the_standard_error_that_the_harness_shows():
    # lm-eval 0.4.13 prints 0.0351 for 114 of 200 right.
    assert standard_error([1.0] * 114 + [0.0] * 86) == pytest.approx(0.0351, abs=5e-5)


def test_no_scores_give_an_aggregate_of_nothing():
    assert summarise([]) == Aggregate(0, None, None, None, None, "none")


def test_one_score_has_a_mean_and_no_interval():
    assert summarise([0.5]) == Aggregate(1, 0.5, None, None, None, "none")


def test_one_answer_that_is_right_or_wrong_has_a_wide_interval():
    aggregate = summarise([1])

    assert (aggregate.mean, aggregate.stderr, aggregate.high) == (1.0, None, 1.0)
    assert aggregate.low == pytest.approx(0.2065, abs=1e-4)


def test_scores_that_are_all_the_same_show_no_spread():
    assert summarise([0.1] * 300) == Aggregate(300, 0.1, 0.0, None, None, "none")


def test_two_scores_get_the_interval_of_student_with_one_degree():
    aggregate = summarise([0.25, 0.75])

    # Student's 97.5 % quantile for one degree of freedom is 12.7062.
    assert (aggregate.mean, aggregate.stderr) == (0.5, 0.25)
    assert (aggregate.low, aggregate.high) == pytest.approx((-2.67655, 3.67655), abs=1e-5)


def test_a_score_whose_square_overflows_is_refused():
    with pytest.raises(ValueError, match="score 1 is 1e\\+200, beyond"):
        summarise([0.5, 1e200])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_refused_by_place(bad):
    with pytest.raises(ValueError, match=r"score 1 is -?(nan|inf)"):
        summarise([1.0, bad])


def test_infinities_that_cancel_are_refused():
    with pytest.raises(ValueError, match="score 0 is inf"):
        summarise([math.inf, -math.inf])


def test_right_and_wrong_answers_are_summarised_without_numpy():
    program = (
        "import sys; from evals.statistics import summarise; summarise([1.0, 0.0] * 9); "
        "sys.exit(bool({'numpy', 'scipy', 'django'} & sys.modules.keys()))"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_mean_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no scores"):
        mean([])
