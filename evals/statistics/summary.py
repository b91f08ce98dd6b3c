"""Mean, standard error and 95 % interval of the scores of one metric, from per-sample values."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

from evals.statistics import bootstrap
from evals.statistics.means import (
    Units,
    mean,
    skewed_t_interval,
    standard_error,
    units_of,
)
from evals.statistics.proportions import CONFIDENCE, wilson_ends, wilson_interval

Method = Literal["wilson", "wilson-clusters", "bootstrap-t", "skewed-t", "none"]

UPPER = 0.5 + CONFIDENCE / 2
MOST = 1e100
"""No metric needs larger scores, and their squares still fit a float."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What the scores of one metric on one task say together."""

    n: int
    """Number of scores."""
    mean: float | None
    """None without a score."""
    stderr: float | None
    """Standard error of the mean; None with fewer than two scores, or clusters."""
    low: float | None
    """Lower end of the 95 % interval; None where there is no interval."""
    high: float | None
    """Upper end of the 95 % interval; None where there is no interval."""
    method: Method
    """How the interval was made; `none` when the scores are too few, or show no spread."""
    clusters: int | None = None
    """Number of clusters the scores came in; None where each sample stands for itself."""


def summarise(scores: Sequence[float], clusters: Sequence[Hashable] | None = None) -> Aggregate:
    """Return mean, standard error and 95 % interval of per-sample scores.

    Scores that are all 0 or 1 get the Wilson interval, others the studentised bootstrap between
    its least and most units, and outside them Hall's skewness-corrected t. Scores in clusters are
    judged by the spread of the clusters: bootstrap or t over whole clusters, also for 0 and 1,
    then held between 0 and 1; if all clusters agree, Wilson with each cluster counted once.

    No scores give an aggregate of nothing. One score that is neither 0 nor 1, one cluster, or
    scores that are all the same have a mean and no interval: they show no spread.

    Args:
        scores: `(n,)`, one finite number a sample; True and False count as 1 and 0.
        clusters: `(n,)` labels of what the samples came in, such as the passage asked about;
            samples with None or an empty label stand for themselves.

    Raises:
        ValueError: a score is not a finite number, the message names its place; or there is not
            one label a score.
    """
    n = len(scores)
    require_finite(scores)
    if clusters is not None and len(clusters) != n:
        raise ValueError(f"{len(clusters)} cluster labels for {n} scores")
    if n == 0:
        return Aggregate(0, None, None, None, None, "none")
    if clusters is not None:
        return _of_clusters(scores, clusters)
    if are_bits(scores):
        low, high = wilson_interval(round(math.fsum(scores)), n)
        return Aggregate(n, mean(scores), standard_error(scores), low, high, "wilson")
    if n == 1:
        return Aggregate(1, mean(scores), None, None, None, "none")
    units = units_of(scores)
    low_end, high_end, method = _interval(units)
    return Aggregate(n, units.mean, units.stderr, low_end, high_end, method)


def require_finite(scores: Sequence[float]) -> None:
    """Refuse the first score that is not a finite number of usable size, by its place."""
    # The sum finds what is no number, which a maximum alone may step over.
    if not len(scores) or (math.isfinite(sum(scores)) and max(map(abs, scores)) <= MOST):
        return
    for place, score in enumerate(scores):
        if not math.isfinite(score):
            raise ValueError(f"score {place} is {score}, not a finite number")
        if abs(score) > MOST:
            raise ValueError(f"score {place} is {score}, beyond {MOST:g}")


def are_bits(scores: Sequence[float]) -> bool:
    """Say whether every score is 0 or 1."""
    return all(score in (0, 1) for score in scores)


def _of_clusters(scores: Sequence[float], clusters: Sequence[Hashable]) -> Aggregate:
    units = units_of(scores, clusters)
    n, count = len(scores), len(units)
    bits = are_bits(scores)
    if bits and not units.stderr:
        # All clusters agree, so nothing is known of how alike the samples in one are: each counts
        # once, the most cautious reading.
        low, high = wilson_ends(units.mean, count)
        return Aggregate(n, units.mean, units.stderr, low, high, "wilson-clusters", count)
    low_end, high_end, method = _interval(units)
    if bits and low_end is not None and high_end is not None:
        low_end, high_end = max(0.0, low_end), min(1.0, high_end)
    return Aggregate(n, units.mean, units.stderr, low_end, high_end, method, count)


def _interval(units: Units) -> tuple[float | None, float | None, Method]:
    """Return the two-sided 95 % interval with equal tails, and its method."""
    if not units.stderr:
        return None, None, "none"
    statistics = bootstrap.studentised(units) if bootstrap.is_for(units) else None
    if statistics is None:
        return *skewed_t_interval(units, UPPER), "skewed-t"
    tail = round((1 - UPPER) * (bootstrap.RESAMPLES + 1))
    low = units.mean - float(statistics[-tail]) * units.stderr
    high = units.mean - float(statistics[tail - 1]) * units.stderr
    return low, high, "bootstrap-t"
