"""Mean, standard error and 95 % interval of the scores of one metric, from per-sample values.

Published numbers come from here and from nowhere else: the worker states them, the server computes
them again from the samples, and anyone with the samples can do the same. Pure functions, standard
library only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

Method = Literal["wilson", "normal", "none"]

CONFIDENCE = 0.95
Z_95 = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
"""The standard normal deviate of a two-sided 95 % interval, 1.959964 to six digits."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What the scores of one metric on one task say together."""

    n: int
    """Number of scores."""
    mean: float | None
    """None without a score."""
    stderr: float | None
    """Standard error of the mean; None with fewer than two scores."""
    low: float | None
    """Lower end of the 95 % interval; None where there is no interval."""
    high: float | None
    """Upper end of the 95 % interval; None where there is no interval."""
    method: Method
    """How the interval was made; `none` when the scores are too few for one."""


def mean(scores: Sequence[float]) -> float:
    """Return the arithmetic mean of `scores: (n,)`, n ≥ 1, rounded once.

    The sum is exact before rounding, so the order of the samples does not matter. The harness adds
    in order; the two differ in the last bits only.
    """
    if not scores:
        raise ValueError("no scores, so no mean")
    return math.fsum(scores) / len(scores)


def standard_error(scores: Sequence[float]) -> float | None:
    """Return the standard error of the mean, s / √n with s² = Σ(x − x̄)² / (n − 1).

    The same as `mean_stderr` of lm-eval 0.4.13 (`lm_eval.api.metrics`), which it shows beside its
    results. None for fewer than two scores, where lm-eval says "N/A".
    """
    n = len(scores)
    if n < 2:
        return None
    centre = mean(scores)
    variance = math.fsum((score - centre) ** 2 for score in scores) / (n - 1)
    return math.sqrt(variance / n)


def wilson_interval(successes: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Return the score interval for a proportion, from 0 to 1.

    With p = successes / n the ends are (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n).

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927) 209-212; recommended over s/√n for
    small n or p near 0 or 1 by Brown, Cai and DasGupta, Statistical Science 16 (2001) 101-133.
    Without continuity correction. Where p is 0 or 1 the end is exactly 0 or 1.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a proportion")
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def normal_interval(centre: float, stderr: float, z: float = Z_95) -> tuple[float, float]:
    """Return centre ± z · stderr, the interval of the central limit theorem.

    Not cut at the ends of the metric's scale, which this module does not know.
    """
    return centre - z * stderr, centre + z * stderr


def summarise(scores: Sequence[float]) -> Aggregate:
    """Return mean, standard error and 95 % interval of per-sample scores.

    Scores that are all 0 or 1 get the Wilson interval, others the normal one. No scores give an
    aggregate of nothing; one score that is neither 0 nor 1 has a mean and no interval.

    Args:
        scores: `(n,)`, one finite number a sample; True and False count as 1 and 0.

    Raises:
        ValueError: a score is not a finite number; the message names its place.
    """
    n = len(scores)
    for place, score in enumerate(scores):
        if not math.isfinite(score):
            raise ValueError(f"score {place} is {score}, not a finite number")
    if n == 0:
        return Aggregate(0, None, None, None, None, "none")
    centre, stderr = mean(scores), standard_error(scores)
    if all(score in (0, 1) for score in scores):
        low, high = wilson_interval(round(math.fsum(scores)), n)
        return Aggregate(n, centre, stderr, low, high, "wilson")
    if stderr is None:
        return Aggregate(n, centre, None, None, None, "none")
    low, high = normal_interval(centre, stderr)
    return Aggregate(n, centre, stderr, low, high, "normal")
