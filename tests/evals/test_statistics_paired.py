"""Two runs on the same samples, and many comparisons at once."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evals.statistics import compare, holm, mcnemar
from evals.statistics.proportions import paired_proportions_interval

COUNTS = st.integers(0, 300)
GRADES = st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])
PAIRS = st.lists(st.tuples(GRADES, GRADES), min_size=1, max_size=60)
P_VALUES = st.lists(st.floats(0, 1), max_size=40)


def runs(both: int, gained: int, lost: int, neither: int) -> tuple[list[float], list[float]]:
    first = [1.0] * both + [0.0] * gained + [1.0] * lost + [0.0] * neither
    second = [1.0] * both + [1.0] * gained + [0.0] * lost + [0.0] * neither
    return first, second


# Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13 (2013) 91: airway
# hyper-responsiveness before and after stem cell transplantation, 1, 1, 7, 12; exact p = 0.070.
def test_the_exact_test_gives_the_published_value():
    assert mcnemar(1, 7) == pytest.approx(0.0703, abs=5e-5)


# A. Agresti, Categorical Data Analysis (2nd ed., 2002) section 10.1: approval of the prime
# minister in two surveys of the same people, 794, 150, 86, 570;
# 95 % interval of the difference (-0.06, -0.02).
def test_the_interval_of_a_large_survey_is_the_published_one():
    found = compare(*runs(794, 86, 150, 570))

    assert (found.mean, found.gained, found.lost) == (pytest.approx(-0.04), 86, 150)
    assert (round(found.low, 2), round(found.high, 2)) == (-0.06, -0.02)
    assert found.p_value < 1e-4


def test_the_adjusted_interval_is_the_formula_worked_by_hand():
    g, k = Fraction(2, 23), Fraction(8, 23)
    half = 1.959963984540054 * math.sqrt((g + k - (g - k) ** 2) / 23)

    found = paired_proportions_interval(1, 7, 21)

    assert found == pytest.approx((float(g - k) - half, float(g - k) + half), rel=1e-12)


@settings(deadline=None)
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_the_paired_interval_holds_the_difference_and_is_the_same_from_the_other_side(a, b, c, d):
    if not a + b + c + d:
        return
    there, back = compare(*runs(a, b, c, d)), compare(*runs(a, c, b, d))

    assert there.method == "mcnemar"
    assert -1.0 <= there.low <= there.mean <= there.high <= 1.0
    assert there.p_value == back.p_value
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_a_small_p_value_and_an_interval_without_zero_are_the_same_verdict(pairs):
    first, second = [a for a, _ in pairs], [b + 0.01 for _, b in pairs]
    found = compare(first, second)

    if found.low is None:
        assert found.p_value in (None, 1.0)
    else:
        assert (found.p_value <= 0.05) == (found.low > 0 or found.high < 0)


@settings(max_examples=40, deadline=None)
@given(PAIRS)
def test_swapping_the_runs_turns_the_difference_round(pairs):
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    there, back = compare(first, second), compare(second, first)

    assert (there.gained, there.lost) == (back.lost, back.gained)
    assert there.mean == pytest.approx(-back.mean, abs=1e-15)
    assert (there.stderr or 0.0) == pytest.approx(back.stderr or 0.0, rel=1e-9)


@pytest.mark.parametrize("n", [5, 501, 20_000])
def test_few_and_many_pairs_get_the_paired_t_test(n):
    rng = np.random.default_rng(n)
    first, second = rng.random(n).tolist(), (rng.random(n) + 0.02).tolist()
    expected = stats.ttest_rel(second, first)
    interval = expected.confidence_interval(0.95)

    found = compare(first, second)

    assert found.method == "student-t"
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-7)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-7)


def test_a_middling_number_of_pairs_gets_the_bootstrap_close_to_student():
    rng = np.random.default_rng(7)
    first, second = rng.random(200).tolist(), (rng.random(200) + 0.05).tolist()
    interval = stats.ttest_rel(second, first).confidence_interval(0.95)

    found = compare(first, second)

    assert found.method == "bootstrap-t"
    assert (found.low, found.high) == pytest.approx(
        (interval.low, interval.high), abs=0.15 * found.stderr
    )
    assert found.p_value == pytest.approx(stats.ttest_rel(second, first).pvalue, abs=0.03)


def test_the_p_value_of_the_bootstrap_turns_where_the_interval_touches_zero():
    changes = np.random.default_rng(11).normal(0, 1, 80)
    low = compare([0.0] * 80, changes.tolist()).low

    # Moving every change moves the interval and nothing else.
    just_touching = compare([0.0] * 80, (changes - low - 1e-6).tolist())
    just_apart = compare([0.0] * 80, (changes - low + 1e-6).tolist())

    assert just_touching.method == just_apart.method == "bootstrap-t"
    assert (just_touching.p_value, just_apart.p_value) == (251 / 5000, 250 / 5000)


def test_the_smallest_p_value_of_the_bootstrap_counts_the_sample_itself():
    far_apart = np.random.default_rng(12).normal(9, 1, 80)

    assert compare([0.0] * 80, far_apart.tolist()).p_value == 1 / 5000


def test_pairs_in_clusters_count_by_cluster():
    # One passage answered better, nine as before: 100 samples say no more than ten.
    labels = [place // 10 for place in range(100)]
    first = [0.0] * 100
    second = [1.0] * 10 + [0.0] * 90

    apart, together = compare(first, second), compare(first, second, labels)

    assert apart.p_value < 0.01
    assert together.p_value > 0.3
    assert (together.clusters, together.gained) == (10, 10)
    assert together.low < 0 < together.high


def test_runs_that_agree_on_every_sample_do_not_differ():
    graded = compare([0.5, 0.25, 0.75], [0.5, 0.25, 0.75])
    right_or_wrong = compare([1.0, 0.0, 1.0], [1.0, 0.0, 1.0])

    assert (graded.p_value, graded.low, graded.method) == (1.0, None, "none")
    assert (right_or_wrong.p_value, right_or_wrong.method) == (1.0, "mcnemar")
    assert right_or_wrong.low < 0 < right_or_wrong.high


def test_a_shift_by_the_same_amount_everywhere_has_no_p_value():
    found = compare([0.25, 0.5], [0.5, 0.75])

    assert (found.mean, found.p_value, found.method) == (0.25, None, "none")


def test_no_samples_and_one_sample_compare_to_nothing():
    assert compare([], []).n == 0
    one = compare([0.25], [0.75])
    assert (one.mean, one.stderr, one.low, one.p_value) == (0.5, None, None, None)


@pytest.mark.parametrize(
    ("first", "second", "clusters"),
    [([1.0], [], None), ([1.0], [1.0], []), ([1.0, math.nan], [1.0, 0.0], None)],
)
def test_runs_that_cannot_be_paired_are_refused(first, second, clusters):
    with pytest.raises(ValueError, match=r"same samples|not a finite"):
        compare(first, second, clusters)


def test_holm_is_the_textbook_procedure():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@settings(deadline=None)
@given(P_VALUES)
def test_holm_never_lowers_a_p_value_nor_changes_their_order(p_values):
    adjusted = holm(p_values)

    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    ranked = [q for _, q in sorted(zip(p_values, adjusted, strict=True))]
    assert ranked == sorted(ranked)


def test_holm_leaves_out_what_could_not_be_compared():
    assert holm([0.02, None, 0.03]) == [0.04, None, 0.04]
    assert holm([]) == []


def test_holm_refuses_what_is_no_p_value():
    with pytest.raises(ValueError, match=r"1\.5 is not a p-value"):
        holm([1.5])


def test_the_exact_test_refuses_what_are_no_counts():
    with pytest.raises(ValueError, match="no counts"):
        mcnemar(-1, 3)
