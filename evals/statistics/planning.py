"""How many samples it takes: to decide a criterion, and to see a difference of some size.

Power is the chance that the interval settles the question if the truth is as assumed. All of it
rests on normal approximations: plans, not evidence. Standard library only.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from evals.statistics.proportions import Z_95, wilson_ends

POWER = 0.8
MOST_SAMPLES = 10_000_000
"""More than this is no plan."""


def _deviate(power: float) -> float:
    if not 0.5 <= power < 1:
        raise ValueError(f"a power of {power} is no plan: take one from 0.5 to below 1")
    return NormalDist().inv_cdf(power)


def samples_to_decide_proportion(
    share: float, threshold: float, *, power: float = POWER
) -> int | None:
    """Return the samples after which a Wilson interval leaves a threshold out, with this power.

    n = ((z √(t(1−t)) + z′ √(p(1−p))) / (p − t))², z the deviate of the interval, z′ of the power:
    Wilson's bound passes t exactly where the score test with the error of t rejects.

    Source: J. L. Fleiss, B. Levin and M. C. Paik, Statistical Methods for Rates and Proportions
    (3rd ed., 2003) section 2.3, without continuity correction.

    Args:
        share: the true proportion, as assumed; from 0 to 1.
        threshold: from 0 to 1.
        power: the chance to decide, from 0.5 to below 1.

    Returns:
        None where share and threshold are the same or so close that no number is a plan.
    """
    if not (0 <= share <= 1 and 0 <= threshold <= 1):
        raise ValueError(f"a share of {share} against {threshold}: both lie between 0 and 1")
    spread = Z_95 * _root(threshold) + _deviate(power) * _root(share)
    return _whole(spread, abs(share - threshold))


def samples_to_decide(
    n: int, estimate: float, low: float, high: float, limit: float, *, power: float = POWER
) -> int | None:
    """Return the samples after which an interval like this one leaves a limit out.

    The truth is assumed to be the estimate, and the interval to shrink as 1 / √n towards it:
    n′ = n · ((1 + z′ / z) · h / |estimate − limit|)², h from the estimate to the end that faces the
    limit. Clusters are in h already: n′ counts samples in clusters like those seen.

    Returns:
        None where the estimate is the limit or so close that no number is a plan, or the interval
        has no width.
    """
    reach = estimate - low if limit < estimate else high - estimate
    spread = (1 + _deviate(power) / Z_95) * reach * math.sqrt(n)
    return _whole(spread, abs(estimate - limit))


def detectable_proportions(
    n: int, threshold: float, *, power: float = POWER
) -> tuple[float | None, float | None]:
    """Return the nearest proportions under and over a threshold that `n` samples tell from it.

    With a = z √(t(1−t)/n), the share p over t at which a Wilson interval leaves t out with this
    power solves p − t − a = z′ √(p(1−p)/n): it is the upper Wilson end, at z′, of the share t + a;
    under t likewise. None on a side where `n` samples can never tell.
    """
    if n < 1 or not 0 <= threshold <= 1:
        raise ValueError(f"{n} samples against {threshold} are no plan")
    z = _deviate(power)
    margin = Z_95 * _root(threshold) / math.sqrt(n)
    under, over = threshold - margin, threshold + margin
    return (
        wilson_ends(under, n, z)[0] if under >= 0 and threshold > 0 else None,
        wilson_ends(over, n, z)[1] if over <= 1 and threshold < 1 else None,
    )


def detectable_difference(spread: float, n: int, *, power: float = POWER) -> float:
    """Return the smallest mean difference of pairs that `n` of them show, (z + z′) · spread / √n.

    Args:
        spread: standard deviation of the differences: stderr · √n of a comparison like it. For
            0/1 scores about the root of the share of samples on which the runs disagree.
        n: pairs; in clusters, divide by the design effect first.
        power: the chance to see it, from 0.5 to below 1.
    """
    if n < 1 or spread < 0:
        raise ValueError(f"{n} pairs with a spread of {spread} are no plan")
    return (Z_95 + _deviate(power)) * spread / math.sqrt(n)


def _root(share: float) -> float:
    return math.sqrt(share * (1 - share))


def _whole(spread: float, distance: float) -> int | None:
    if distance == 0 or spread == 0:
        return None
    needed = (spread / distance) ** 2
    return max(1, math.ceil(needed)) if needed <= MOST_SAMPLES else None
