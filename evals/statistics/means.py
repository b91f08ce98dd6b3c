"""Means: exact sums, standard errors, and the units whose spread an interval rests on."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evals.statistics.proportions import Z_95

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def mean(scores: Sequence[float]) -> float:
    """Return the arithmetic mean of `scores: (n,)`, n ≥ 1, rounded once.

    The sum is exact before rounding, so the order of the samples does not matter. The harness adds
    in order; the two differ in the last bits only.
    """
    if not len(scores):
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
    # Summed as they come: a list of a million of them would take 40 MB.
    variance = math.fsum((score - centre) ** 2 for score in scores) / (n - 1)
    return math.sqrt(variance / n)


def normal_interval(centre: float, stderr: float, z: float = Z_95) -> tuple[float, float]:
    """Return centre ± z · stderr, the interval of the central limit theorem.

    Not cut at the ends of the metric's scale, which this module does not know.
    """
    return centre - z * stderr, centre + z * stderr


@dataclass(frozen=True, slots=True)
class Units:
    """Samples as the independent pieces they came in: each a cluster, or a sample of its own.

    The mean over all samples is Σ totals / Σ sizes. Sorted by total, then size, so that whatever
    is computed from it does not depend on the order of the samples.
    """

    totals: Floats
    """`(n_units,)`: sum of the scores of each unit, rounded once."""
    sizes: Floats
    """`(n_units,)`: samples in each unit, at least 1."""
    mean: float
    stderr: float | None
    """None with fewer than two units."""
    residuals: Floats
    """`(n_units,)`: total − mean · size, the unit's part in the error of the mean."""

    def __len__(self) -> int:
        return len(self.totals)


def units_of(scores: Sequence[float], clusters: Sequence[Hashable] | None = None) -> Units:
    """Return scores as units, with mean and standard error.

    With eᵢ the residuals, G units and n samples, stderr = √(G / (G − 1) · Σ eᵢ²) / n. With one
    sample a unit this is s / √n; with clusters it is the cluster-robust error of a mean.

    Source: the linearised ratio estimator of W. G. Cochran, Sampling Techniques (3rd ed., 1977)
    section 9A; for evaluations E. Miller, "Adding error bars to evals" (2024, arXiv:2411.00640),
    who leaves G / (G − 1) out. With it, clusters of one give exactly the unclustered error.

    Args:
        scores: `(n,)`, finite, n ≥ 1.
        clusters: `(n,)` labels; samples with the same label are one unit, samples with None or an
            empty text are units of their own.
    """
    import numpy as np

    if clusters is None:
        totals = np.sort(np.asarray(scores, dtype=np.float64))
        sizes = np.ones(len(totals))
    else:
        totals, sizes = _by_cluster(scores, clusters)
    n = float(sizes.sum())
    centre = math.fsum(totals.tolist()) / n
    residuals = totals - centre * sizes
    count = len(totals)
    stderr = None
    if count > 1:
        squares = math.fsum((residuals * residuals).tolist())
        stderr = math.sqrt(count / (count - 1) * squares) / n
    return Units(totals, sizes, centre, _unless_rounding(stderr, totals, sizes), residuals)


def _unless_rounding(stderr: float | None, totals: Floats, sizes: Floats) -> float | None:
    """Return the standard error, or 0 where the units are equal but for the last bits of a mean."""
    import numpy as np

    if stderr is None:
        return None
    means = totals / sizes
    scale = float(np.abs(means).max())
    return 0.0 if float(means.max() - means.min()) <= 1e-14 * scale else stderr


def _by_cluster(scores: Sequence[float], clusters: Sequence[Hashable]) -> tuple[Floats, Floats]:
    import numpy as np

    found: dict[Hashable, list[float]] = {}
    alone: list[list[float]] = []
    for label, score in zip(clusters, scores, strict=True):
        if label is None or label == "":
            alone.append([float(score)])
        else:
            found.setdefault(label, []).append(float(score))
    pieces: Iterable[list[float]] = [*found.values(), *alone]
    rows = sorted((math.fsum(piece), len(piece)) for piece in pieces)
    table = np.array(rows, dtype=np.float64)
    return table[:, 0], table[:, 1]


def skewness(units: Units) -> float:
    """Return m₃ / m₂^(3/2) of the residuals; 0 where they have no spread."""
    import numpy as np

    second = float(np.mean(units.residuals**2))
    if second == 0.0:
        return 0.0
    return float(np.mean((units.residuals / math.sqrt(second)) ** 3))


def student_quantile(probability: float, freedom: int) -> float:
    """Return the quantile of Student's t with `freedom` ≥ 1 degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def skewed_t_interval(units: Units, probability: float) -> tuple[float, float]:
    """Return Student's interval made fit for skewed scores, each tail `1 − probability`.

    With g = skewness / √G, T = (mean − μ) / stderr and t the quantile of Student's distribution
    with G − 1 degrees, the transform w(T) = T + gT²/3 + g²T³/27 + g/6 takes the skewness out of T;
    the ends are mean − w⁻¹(±t) · stderr, with w⁻¹(y) = 3/g · (∛(1 + g(y − g/6)) − 1). Plain
    Student where g is 0. The mean lies always inside, because |g| ≤ 1.

    Source: P. Hall, "On the removal of skewness by transformation", Journal of the Royal
    Statistical Society B 54 (1992) 221-228, the cubic transform. He takes normal quantiles; we
    take Student's, which for few units covers better and for many is the same.

    Args:
        units: at least two, with a standard error above 0.
        probability: one-sided, such as 0.975.
    """
    if units.stderr is None:
        raise ValueError("one unit has no spread, so no interval")
    g = skewness(units) / math.sqrt(len(units))
    t = student_quantile(probability, len(units) - 1)
    return (
        units.mean - _inverse_cubic(t, g) * units.stderr,
        units.mean - _inverse_cubic(-t, g) * units.stderr,
    )


def _inverse_cubic(y: float, g: float) -> float:
    # ∛x − 1 as (x − 1) / (∛x² + ∛x + 1): nothing cancels where g is small.
    inner = y - g / 6
    root = math.cbrt(1 + g * inner)
    return 3 * inner / (root * root + root + 1)
