"""Two runs on the same samples: the difference of their means, its interval and its p-value."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

from evals.statistics import bootstrap
from evals.statistics.means import Units, normal_interval, student_quantile, units_of
from evals.statistics.proportions import CONFIDENCE, mcnemar, paired_proportions_interval
from evals.statistics.summary import UPPER, are_bits, require_finite

PairedMethod = Literal["mcnemar", "bootstrap-t", "student-t", "none"]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a second run scores above a first one, sample by sample."""

    n: int
    """Number of samples that both runs scored."""
    mean: float | None
    """Mean of second − first; None without a sample."""
    stderr: float | None
    """Standard error of the mean difference; None with fewer than two samples, or clusters."""
    low: float | None
    """Lower end of the 95 % interval; None where there is no interval."""
    high: float | None
    """Upper end of the 95 % interval; None where there is no interval."""
    p_value: float | None
    """Two-sided, that there is no difference; None where it cannot be told."""
    method: PairedMethod
    """How interval and p-value were made."""
    gained: int
    """Samples with a higher score in the second run."""
    lost: int
    """Samples with a lower score in the second run."""
    clusters: int | None = None
    """Number of clusters the samples came in; None where each stands for itself."""


def compare(
    first: Sequence[float],
    second: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
) -> Difference:
    """Return the paired difference of two runs, second − first.

    Scores that are all 0 or 1 get McNemar's exact test and Bonett and Price's interval. Others,
    and all scores in clusters, get the symmetric studentised bootstrap of the differences: the
    ends are mean ± q · stderr with q the 95 % quantile of |T*|, and p is the share of |T*| that
    reach |T|, the sample itself among them; so p ≤ 0.05 exactly where the interval leaves 0 out.
    Fewer or more units than the bootstrap is for get Student's t. Where no sample differs, p is 1.

    Source: P. Hall, "On symmetric bootstrap confidence intervals", Journal of the Royal
    Statistical Society B 50 (1988) 35-45. Symmetric, unlike the interval of one mean, because
    differences lean to neither side when there is no difference, and their skewness in the sample
    is then noise that the equal-tailed form mistakes for a lean (`bench/coverage.py` has both).

    Args:
        first: `(n,)` scores of the first run, finite.
        second: `(n,)` scores of the second run, of the same samples in the same order.
        clusters: `(n,)` labels, as for `summarise`.

    Raises:
        ValueError: the lengths differ, or a score is not a finite number.
    """
    n = len(first)
    if len(second) != n or (clusters is not None and len(clusters) != n):
        raise ValueError("the runs must have the same samples")
    require_finite(first)
    require_finite(second)
    if n == 0:
        return Difference(0, None, None, None, None, None, "none", 0, 0)
    changes = [float(b) - float(a) for a, b in zip(first, second, strict=True)]
    require_finite(changes)
    gained, lost = sum(c > 0 for c in changes), sum(c < 0 for c in changes)
    units = units_of(changes, clusters)
    count = None if clusters is None else len(units)
    if clusters is None and are_bits(first) and are_bits(second):
        low, high = paired_proportions_interval(gained, lost, n)
        exact = mcnemar(gained, lost)
        return Difference(n, units.mean, units.stderr, low, high, exact, "mcnemar", gained, lost)
    if not units.stderr:
        same = None if gained + lost else 1.0
        return Difference(
            n, units.mean, units.stderr, None, None, same, "none", gained, lost, count
        )
    reach, p_value, method = _symmetric(units.mean / units.stderr, units)
    low, high = normal_interval(units.mean, units.stderr, reach)
    return Difference(n, units.mean, units.stderr, low, high, p_value, method, gained, lost, count)


def _symmetric(statistic: float, units: Units) -> tuple[float, float, PairedMethod]:
    """Return how many standard errors the interval reaches, the p-value, and the method."""
    drawn = bootstrap.studentised(units) if bootstrap.is_for(units) else None
    if drawn is None:
        from scipy.special import stdtr

        freedom = len(units) - 1
        p_value = 2 * float(stdtr(freedom, -abs(statistic)))
        return student_quantile(UPPER, freedom), p_value, "student-t"
    sizes = abs(drawn)
    sizes.sort()
    reach = float(sizes[round(CONFIDENCE * (bootstrap.RESAMPLES + 1)) - 1])
    beyond = len(sizes) - int(sizes.searchsorted(abs(statistic), side="left"))
    return reach, (beyond + 1) / (bootstrap.RESAMPLES + 1), "bootstrap-t"
