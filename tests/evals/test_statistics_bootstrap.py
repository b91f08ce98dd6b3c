"""Intervals of scores that are not 0 or 1, and of scores in clusters, made again in other ways."""

import hashlib
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evals.statistics import summarise, wilson_interval
from evals.statistics.bootstrap import LEAST_UNITS, MOST_UNITS, RESAMPLES, draws, studentised
from evals.statistics.means import skewed_t_interval, units_of

GRADES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
CLUSTERED = st.lists(st.tuples(st.integers(0, 14), GRADES), min_size=2, max_size=80)


def skewed_scores(n: int, seed: int = 1) -> list[float]:
    return [float(score) for score in np.random.default_rng(seed).exponential(1.0, n)]


def by_the_book(rows: list[list[float]]) -> tuple[float, float]:
    """The bootstrap interval of clusters of scores, from the documentation, without numpy."""
    units = sorted((math.fsum(row), len(row)) for row in rows)
    count, n = len(units), sum(size for _, size in units)
    mean = math.fsum(total for total, _ in units) / n

    def error(drawn, centre):
        samples = sum(size for _, size in drawn)
        squares = math.fsum((total - centre * size) ** 2 for total, size in drawn)
        return math.sqrt(count / (count - 1) * squares) / samples

    reached = []
    for row in range(RESAMPLES):
        text = f"oversight bootstrap v1 {count} {row}".encode()
        stream = hashlib.shake_128(text).digest(4 * count)
        numbers = (int.from_bytes(stream[4 * i : 4 * i + 4], "little") for i in range(count))
        drawn = [units[number * count >> 32] for number in numbers]
        centre = math.fsum(total for total, _ in drawn) / sum(size for _, size in drawn)
        reached.append((centre - mean) / error(drawn, centre))
    reached.sort()
    stderr = error(units, mean)
    return mean - reached[4874] * stderr, mean - reached[124] * stderr


def test_the_interval_can_be_made_again_with_the_standard_library_alone():
    scores = skewed_scores(30)

    found = summarise(scores)

    assert found.method == "bootstrap-t"
    assert (found.low, found.high) == pytest.approx(by_the_book([[s] for s in scores]), rel=1e-9)


def test_the_interval_of_clusters_can_be_made_again_with_the_standard_library_alone():
    scores = skewed_scores(60)
    labels = [f"passage {place % 23}" for place in range(60)]
    rows = [
        [score for score, label in zip(scores, labels, strict=True) if label == name]
        for name in set(labels)
    ]

    found = summarise(scores, labels)

    assert (found.method, found.clusters) == ("bootstrap-t", 23)
    assert (found.low, found.high) == pytest.approx(by_the_book(rows), rel=1e-9)


def test_the_published_numbers_of_one_data_set_never_change():
    # A change here is a change of published intervals: it needs a new version of the method.
    found = summarise([round(math.exp(place / 10), 3) for place in range(40)])

    assert found.method == "bootstrap-t"
    assert (found.low, found.high) == pytest.approx((9.02333798197, 18.18241116616), rel=1e-9)


# B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), the mouse data: survival
# of the control group (table 2.1), and its bootstrap-t interval of 90 % (section 12.5), which they
# made from 1,000 resamples: hence the tolerance.
def test_the_mouse_data_get_their_published_interval():
    units = units_of([52.0, 104.0, 146.0, 10.0, 51.0, 30.0, 40.0, 27.0, 46.0])
    statistics = studentised(units)

    low = units.mean - statistics[-250] * units.stderr
    high = units.mean - statistics[249] * units.stderr

    assert units.mean == pytest.approx(56.22, abs=0.005)
    assert units.stderr == pytest.approx(14.14, abs=0.02)
    assert low == pytest.approx(35.8, abs=1.5)
    assert high == pytest.approx(116.6, abs=12)


@pytest.mark.parametrize("units", [LEAST_UNITS, 137, MOST_UNITS])
def test_each_resample_draws_as_many_units_as_there_are_and_each_unit_as_often(units):
    table = draws(units)

    assert table.shape == (RESAMPLES, units)
    assert set(table.sum(axis=1)) == {units}
    counts = table.sum(axis=0)
    # A draw falls on each unit with chance 1/units: the counts are a fair die's.
    assert stats.chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize("n", [LEAST_UNITS - 1, LEAST_UNITS, MOST_UNITS, MOST_UNITS + 1])
def test_the_bootstrap_is_for_a_middling_number_of_units(n):
    within = LEAST_UNITS <= n <= MOST_UNITS

    assert summarise(skewed_scores(n)).method == ("bootstrap-t" if within else "skewed-t")


@pytest.mark.parametrize("seed", range(5))
def test_bootstrap_and_formula_agree_where_one_hands_over_to_the_other(seed):
    scores = skewed_scores(MOST_UNITS, seed)
    found = summarise(scores)
    low, high = skewed_t_interval(units_of(scores), 0.975)

    # 5,000 draws place an end to within about 0.04 standard errors; 0.15 is four times that.
    assert found.low == pytest.approx(low, abs=0.15 * found.stderr)
    assert found.high == pytest.approx(high, abs=0.15 * found.stderr)


@pytest.mark.parametrize("n", [600, 5000])
def test_scores_without_skewness_get_student_s_interval(n):
    half = [float(x) for x in np.random.default_rng(2).normal(0, 1, n // 2)]
    scores = [*half, *(-x for x in half)]
    expected = stats.ttest_1samp(scores, 0.0).confidence_interval(0.95)

    found = summarise(scores)

    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9)


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=9), st.floats(-30, 30))
def test_the_formula_takes_the_skewness_out_as_hall_writes_it(scores, away):
    units = units_of([*scores, away, away + 1.0])
    low, high = skewed_t_interval(units, 0.975)
    t = stats.t.ppf(0.975, len(units) - 1)
    residuals = np.array(units.residuals)
    g = (residuals**3).mean() / (residuals**2).mean() ** 1.5 / math.sqrt(len(units))

    for end, expected in ((low, t), (high, -t)):
        reach = (units.mean - end) / units.stderr
        turned = reach + g * reach**2 / 3 + g**2 * reach**3 / 27 + g / 6
        assert turned == pytest.approx(expected, rel=1e-6, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_intervals_hold_the_mean_and_do_not_depend_on_the_order(scores, shuffler: random.Random):
    found = summarise([*scores, 0.3])
    shuffled = [*scores, 0.3]
    shuffler.shuffle(shuffled)

    assert summarise(shuffled) == found
    assert (found.low is None) == (found.method == "none")
    if found.low is not None:
        slack = 1e-9 * max(1.0, abs(found.mean))
        assert found.low <= found.mean + slack
        assert found.high >= found.mean - slack


@settings(max_examples=40, deadline=None)
@given(CLUSTERED, st.randoms(use_true_random=False))
def test_clusters_do_not_depend_on_order_or_names(rows, shuffler: random.Random):
    labels, scores = [f"c{label}" for label, _ in rows], [score for _, score in rows]
    found = summarise(scores, labels)
    shuffler.shuffle(rows)
    renamed = summarise([score for _, score in rows], [100 - label for label, _ in rows])

    assert renamed == found
    assert found.clusters == len(set(labels))


@settings(max_examples=40, deadline=None)
@given(st.lists(GRADES, min_size=2, max_size=60))
def test_clusters_of_one_are_no_clusters(scores):
    alone, labelled = (
        summarise([*scores, 0.5]),
        summarise([*scores, 0.5], [None] * len(scores) + [""]),
    )

    assert labelled.clusters == len(scores) + 1
    for name in ("n", "mean", "stderr", "low", "high", "method"):
        assert getattr(labelled, name) == getattr(alone, name)


def test_samples_that_repeat_within_clusters_count_once():
    # Ten passages with one answer each, asked fifty times: no more is known than from ten.
    answers = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]
    once = summarise(answers, range(10))
    often = summarise(answers * 50, list(range(10)) * 50)

    assert (often.low, often.high) == pytest.approx((once.low, once.high), rel=1e-9)
    assert often.high - often.low > 5 * (summarise(answers * 50).high - 0.7)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 14), st.sampled_from([0.0, 1.0])), min_size=2))
def test_a_share_in_clusters_stays_between_0_and_1(rows):
    found = summarise([score for _, score in rows], [label for label, _ in rows])

    if found.low is not None:
        assert 0.0 <= found.low <= found.mean <= found.high <= 1.0


def test_one_failing_cluster_of_five_does_not_promise_more_than_everything():
    found = summarise([1.0] * 40 + [0.0] * 10, [place // 10 for place in range(50)])

    assert (found.method, found.mean, found.high) == ("skewed-t", 0.8, 1.0)


def test_clusters_that_all_agree_count_once_each():
    found = summarise([1.0] * 60, [place // 5 for place in range(60)])

    assert (found.method, found.stderr) == ("wilson-clusters", 0.0)
    assert (found.low, found.high) == wilson_interval(12, 12)


@settings(deadline=None)
@given(st.floats(0.01, 1e6), st.lists(st.integers(1, 9), min_size=2, max_size=20))
def test_equal_scores_show_no_spread_however_their_mean_is_rounded(score, sizes):
    labels = [place for place, size in enumerate(sizes) for _ in range(size)]
    if score == 1.0:
        return

    for found in (summarise([score] * len(labels)), summarise([score] * len(labels), labels)):
        assert (found.stderr, found.low, found.method) == (0.0, None, "none")


def test_one_cluster_shows_no_spread():
    found = summarise([0.0, 0.5, 1.0], ["a", "a", "a"])

    assert (found.n, found.mean, found.clusters) == (3, 0.5, 1)
    assert (found.stderr, found.low, found.high, found.method) == (None, None, None, "none")


def test_a_spread_that_hangs_on_one_score_gets_the_formula():
    # Without that score, four resamples in ten say the mean is known exactly.
    found = summarise([0.0] * 19 + [0.5])

    assert found.method == "skewed-t"
    assert 0.05 < found.high < 0.5


def test_a_label_for_each_score_is_asked_for():
    with pytest.raises(ValueError, match="2 cluster labels for 3 scores"):
        summarise([0.0, 1.0, 0.5], ["a", "b"])


def test_a_million_scores_are_summarised_in_bounded_time():
    # The bound is ten times what it takes on a slow machine: it catches a loop, not a busy host.
    import time

    scores = skewed_scores(1_000_000)
    began = time.process_time()

    found = summarise(scores)

    assert found.n == 1_000_000
    assert time.process_time() - began < 5
