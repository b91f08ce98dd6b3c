"""The sample sizes that plans name decide as often as they say, counted exactly or simulated."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from evals.statistics import (
    compare,
    detectable_difference,
    detectable_proportions,
    samples_to_decide,
    samples_to_decide_proportion,
    summarise,
    wilson_interval,
)

SHARES = st.floats(0.02, 0.98)


def power(n: int, share: float, threshold: float) -> float:
    """The exact chance that Wilson's interval of n samples leaves the threshold out."""
    decided = [
        k
        for k in range(n + 1)
        if not wilson_interval(k, n)[0] < threshold <= wilson_interval(k, n)[1]
    ]
    return float(stats.binom.pmf(decided, n, share).sum())


def test_the_plan_for_a_proportion_is_the_formula():
    z, v = 1.959963984540054, 0.8416212335729143
    expected = ((z * 0.5 + v * math.sqrt(0.21)) / 0.2) ** 2

    assert samples_to_decide_proportion(0.3, 0.5) == math.ceil(expected) == 47


@pytest.mark.parametrize(
    ("share", "threshold"),
    [(0.3, 0.5), (0.75, 0.65), (0.9, 0.95), (0.02, 0.05), (0.97, 0.9), (0.55, 0.5)],
)
def test_the_planned_number_decides_four_times_in_five(share, threshold):
    n = samples_to_decide_proportion(share, threshold)

    # The binomial distribution is in steps: the power of neighbouring n differs by a few percent.
    near = np.mean([power(n + step, share, threshold) for step in range(-4, 5)])
    assert near == pytest.approx(0.80, abs=0.04)
    assert np.mean([power(n // 2 + step, share, threshold) for step in range(-2, 3)]) < 0.65


def test_a_flawless_model_needs_as_many_samples_as_wilson_s_bound_takes():
    n = samples_to_decide_proportion(1.0, 0.95)

    assert wilson_interval(n, n)[0] >= 0.95 > wilson_interval(n - 1, n - 1)[0]


@settings(deadline=None)
@given(SHARES, SHARES)
def test_a_nearer_threshold_needs_more_samples(share, threshold):
    assume(abs(share - threshold) > 0.01)
    nearer = (share + threshold) / 2

    assert (
        samples_to_decide_proportion(share, nearer)
        >= samples_to_decide_proportion(share, threshold)
        or not 0.1 < share < 0.9
    )


def test_a_share_on_the_threshold_needs_no_number_there_is():
    assert samples_to_decide_proportion(0.5, 0.5) is None
    assert samples_to_decide_proportion(0.5, 0.5 + 1e-6) is None


@pytest.mark.parametrize(("share", "threshold"), [(1.2, 0.5), (0.5, -0.1)])
def test_what_is_no_share_has_no_plan(share, threshold):
    with pytest.raises(ValueError, match="between 0 and 1"):
        samples_to_decide_proportion(share, threshold)


@pytest.mark.parametrize("chance", [0.2, 1.0])
def test_a_power_that_is_no_plan_is_refused(chance):
    with pytest.raises(ValueError, match="no plan"):
        samples_to_decide_proportion(0.3, 0.5, power=chance)


def test_the_plan_for_a_mean_decides_four_times_in_five():
    rng = np.random.default_rng(3)
    pilot = summarise(rng.normal(0.5, 0.3, 40).tolist())
    limit, trials = 0.42, 2000
    n = samples_to_decide(pilot.n, 0.5, 0.5 - 0.093, 0.5 + 0.093, limit)
    means = rng.normal(0.5, 0.093 / 1.96 * math.sqrt(40), (trials, n))
    errors = means.std(axis=1, ddof=1) / math.sqrt(n)

    decided = (means.mean(axis=1) - stats.t.ppf(0.975, n - 1) * errors) > limit

    assert decided.mean() == pytest.approx(0.80, abs=0.04)


@settings(deadline=None)
@given(st.integers(2, 10_000), st.floats(0.01, 0.2), st.floats(0.001, 0.9))
def test_what_is_undecided_needs_at_least_twice_the_samples(n, half, part):
    limit = 0.5 - half * part
    needed = samples_to_decide(n, 0.5, 0.5 - half, 0.5 + half, limit)

    assert needed is None or needed >= 2 * n


def test_a_limit_on_the_estimate_needs_no_number_there_is():
    assert samples_to_decide(100, 0.5, 0.4, 0.6, 0.5) is None


@settings(deadline=None)
@given(st.integers(20, 2000), st.floats(0.2, 0.8))
def test_detectable_proportions_are_those_that_the_plan_needs_so_many_samples_for(n, threshold):
    under, over = detectable_proportions(n, threshold)

    for share in (under, over):
        if share is not None and 0 < share < 1:
            assert samples_to_decide_proportion(share, threshold) == pytest.approx(n, abs=1)


def test_too_few_samples_can_tell_nothing_from_a_high_threshold():
    assert detectable_proportions(20, 0.95)[1] is None
    assert detectable_proportions(100, 0.95)[1] is not None
    assert detectable_proportions(100, 1.0)[1] is None


def test_the_detectable_difference_is_seen_four_times_in_five():
    rng = np.random.default_rng(5)
    n, spread = 120, 0.4
    shift = detectable_difference(spread, n)
    first = [0.0] * n
    seen = [
        compare(first, rng.normal(shift, spread, n).tolist()).p_value <= 0.05 for _ in range(400)
    ]

    assert np.mean(seen) == pytest.approx(0.80, abs=0.07)


@pytest.mark.parametrize(("spread", "n"), [(-1.0, 10), (1.0, 0)])
def test_no_pairs_show_nothing(spread, n):
    with pytest.raises(ValueError, match="no plan"):
        detectable_difference(spread, n)
