"""Proportions: Wilson's interval, McNemar's exact test, and the difference of two paired ones.

Standard library only, except for the binomial tail of McNemar's test.
"""

from __future__ import annotations

import math
from statistics import NormalDist

CONFIDENCE = 0.95
Z_95 = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
"""The standard normal deviate of a two-sided 95 % interval, 1.959964 to six digits."""


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
    return wilson_ends(successes / n, n, z)


def wilson_ends(p: float, n: float, z: float = Z_95) -> tuple[float, float]:
    """Return Wilson's interval for a share `p` of `n` that need not be whole (see above)."""
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low = 0.0 if p == 0 else max(0.0, centre - half)
    high = 1.0 if p == 1 else min(1.0, centre + half)
    return low, high


def mcnemar(gained: int, lost: int) -> float:
    """Return the exact two-sided p-value that as many samples are gained as lost.

    `gained` were wrong in the first run and right in the second, `lost` the other way round; the
    samples on which both agree say nothing. p = min(1, 2 · P(X ≤ min(gained, lost))) with X
    binomial of gained + lost trials and 1/2; 1 where the runs agree on every sample.

    Source: Q. McNemar, Psychometrika 12 (1947) 153-157, in its exact form; the same number as
    `scipy.stats.binomtest(gained, gained + lost).pvalue` and statsmodels' `mcnemar(exact=True)`.
    """
    if gained < 0 or lost < 0:
        raise ValueError(f"{gained} gained and {lost} lost are no counts")
    if gained == lost:
        return 1.0
    from scipy.special import bdtr

    return min(1.0, 2.0 * float(bdtr(min(gained, lost), gained + lost, 0.5)))


def paired_proportions_interval(
    gained: int, lost: int, n: int, z: float = Z_95
) -> tuple[float, float]:
    """Return the interval for the difference of two proportions of the same `n` samples.

    With g = (gained + 1) / (n + 2) and l = (lost + 1) / (n + 2) the ends are
    g − l ± z √((g + l − (g − l)²) / (n + 2)), held between −1 and 1.

    Source: D. G. Bonett and R. M. Price, "Adjusted Wald confidence interval for a difference of
    binomial proportions based on paired data", Journal of Educational and Behavioral Statistics 37
    (2012) 479-488; recommended by Fagerland, Lydersen and Laake, Statistics in Medicine 33 (2014)
    2850-2875. It and McNemar's exact test are two methods: close to 5 % one may exclude no
    difference where the other does not.
    """
    if gained < 0 or lost < 0 or n < 1 or gained + lost > n:
        raise ValueError(f"{gained} gained and {lost} lost of {n} are no counts of pairs")
    g, k = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    half = z * math.sqrt((g + k - (g - k) ** 2) / (n + 2))
    return max(-1.0, g - k - half), min(1.0, g - k + half)
