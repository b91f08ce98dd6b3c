"""How often our 95 % intervals hold the truth: 2,000 simulated data sets for each setting.

Every data set goes through the functions that make the published numbers. The share of intervals
that hold the truth has a simulation error of half a point. A setting without an aim is told as it
is; `why` in the details says what no interval could do better there.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from bench.result import Figure, Result
from evals.statistics import compare, normal_interval, summarise

DATA_SETS = 2_000
BAND = (93.0, 97.0)


class Trial(NamedTuple):
    """One data set's truth, our interval, and what a simpler method would have said."""

    truth: float
    low: float | None
    high: float | None
    method: str
    plain: tuple[float, float]
    """Mean ± 1.96 standard errors that know of no clusters."""
    equal_tailed: tuple[float | None, float | None] = (None, None)
    """Of graded pairs: what `summarise` would say of the differences."""


Draw = Callable[[np.random.Generator], Trial]


@dataclass(frozen=True)
class Setting:
    """One way data may come about, and whether our intervals are to be in the band there."""

    name: str
    draw: Draw
    why: str = ""
    """Why the band is no aim here; empty where it is."""


STEPS = (
    "A count takes whole values only, so the coverage of any interval made of it jumps as the true "
    "share moves; near 0 and 1 the steps are wide."
)
TAIL = (
    "What carries the mean is rare enough that many samples of this size show too little of it; "
    "nothing in them tells. Under the band."
)
CAUTIOUS = (
    "Few scores, or few that differ: the correction that skewed scores need makes the interval "
    "cautious. Above the band, not under it."
)


def share(n: int, p: float | tuple[float, float], rng: np.random.Generator) -> Trial:
    """Draw 0/1 scores; a pair of numbers is a Beta distribution that p is drawn from anew."""
    truth = float(rng.beta(*p)) if isinstance(p, tuple) else p
    return _of(truth, (rng.random(n) < truth).astype(float))


def scores(kind: str, n: int, rng: np.random.Generator) -> Trial:
    """Draw scores of one distribution."""
    draw, truth = KINDS[kind]
    return _of(truth, draw(rng, n))


KINDS: dict[str, tuple[Callable[[np.random.Generator, int], Any], float]] = {
    "even": (lambda rng, n: rng.random(n), 0.5),
    "graded": (
        lambda rng, n: rng.choice([0, 0.25, 0.5, 0.75, 1], size=n, p=[0.5, 0.2, 0.1, 0.1, 0.1]),
        0.275,
    ),
    "close to 1": (lambda rng, n: rng.beta(5, 0.5, n), 5 / 5.5),
    "skewed": (lambda rng, n: rng.exponential(1, n), 1.0),
    "very skewed": (lambda rng, n: rng.lognormal(0, 1, n), math.exp(0.5)),
    "mostly 0": (lambda rng, n: (rng.random(n) < 0.2) * rng.random(n), 0.1),
}


def clustered_share(
    clusters: int, size: int, p: float, correlation: float, rng: np.random.Generator
) -> Trial:
    """Draw 0/1 scores in clusters of Poisson size whose own share is Beta distributed."""
    labels, effects = _clusters(clusters, size, rng)
    weight = (1 - correlation) / correlation
    shares = rng.beta(p * weight, (1 - p) * weight, clusters)
    return _of(p, (rng.random(len(labels)) < shares[effects]).astype(float), labels)


def clustered_scores(
    clusters: int, size: int, correlation: float, rng: np.random.Generator
) -> Trial:
    """Draw skewed scores, exponential around a lognormal mean of their cluster."""
    labels, effects = _clusters(clusters, size, rng)
    # Their own variance is the mean square of the means: hence this, for the correlation asked.
    spread = math.log((1 - correlation) / (1 - 2 * correlation))
    means = rng.lognormal(-spread / 2, math.sqrt(spread), clusters)
    return _of(1.0, rng.exponential(1, len(labels)) * means[effects], labels)


def paired_share(n: int, gain: float, loss: float, rng: np.random.Generator) -> Trial:
    """Draw two runs of 0/1 scores that differ on some samples."""
    kinds = rng.choice(3, size=n, p=[gain, loss, 1 - gain - loss])
    agreed = rng.random(n) < 0.7
    first = np.where(kinds == 2, agreed, kinds == 1).astype(float)
    second = np.where(kinds == 2, agreed, kinds == 0).astype(float)
    return _between(gain - loss, first, second)


def paired_scores(n: int, changed: float, shift: float, rng: np.random.Generator) -> Trial:
    """Draw two runs of graded scores of which a share is drawn again for the second."""
    first = rng.beta(2, 1, n)
    again = rng.random(n) < changed
    second = np.where(again, rng.beta(2, 1, n) + shift, first)
    change = summarise((second - first).tolist())
    trial = _between(changed * shift, first, second)
    return trial._replace(equal_tailed=(change.low, change.high))


def paired_clusters(clusters: int, size: int, spread: float, rng: np.random.Generator) -> Trial:
    """Draw two runs of 0/1 scores whose gains and losses come by cluster."""
    labels, effects = _clusters(clusters, size, rng)
    level = rng.beta(4, 2, clusters)
    change = np.clip(level + rng.normal(0, spread, clusters), 0, 1)
    # The mean over clusters of what the cut at 0 and 1 leaves of the change.
    truth = _clipped_change(spread)
    first = (rng.random(len(labels)) < level[effects]).astype(float)
    second = (rng.random(len(labels)) < change[effects]).astype(float)
    return _between(truth, first, second, labels)


def settings() -> list[Setting]:
    """Return all settings, method by method."""
    return [*_shares(), *_means(), *_clusters_of(), *_pairs()]


def _shares() -> list[Setting]:
    found = [
        Setting(f"0/1 scores, n={n}, share anywhere in {where}", partial(share, n, beta))
        for n in (10, 30, 100, 1000)
        for where, beta in (("0 to 1", (1.0, 1.0)), ("0.8 to 1", (18.0, 2.0)))
    ]
    for n in (10, 30, 100, 1000):
        for p in (0.5, 0.9, 0.99):
            # Where fewer than ten successes or failures are expected the steps are wide.
            why = "" if n * (1 - p) >= 10 else STEPS
            found.append(Setting(f"0/1 scores, n={n}, share {p}", partial(share, n, p), why))
    return found


def _means() -> list[Setting]:
    # From how many scores on the band is the aim, and which way a kind misses it before.
    aims = {
        "even": (50, CAUTIOUS),
        "graded": (30, CAUTIOUS),
        "mostly 0": (100, CAUTIOUS),
        "close to 1": (10, TAIL),
        "skewed": (10, TAIL),
        "very skewed": (50, TAIL),
    }
    return [
        Setting(
            f"{kind} scores, n={n}",
            partial(scores, kind, n),
            "" if n >= aims[kind][0] else aims[kind][1],
        )
        for kind in KINDS
        for n in (5, 10, 20, 50, 100, 400, 1000)
    ]


def _clusters_of() -> list[Setting]:
    found = [
        Setting(
            f"0/1 in {g} clusters of about {size}, share {p}, correlation {rho}",
            partial(clustered_share, g, size, p, rho),
            "" if g * (1 - p) * size >= 10 and g >= 20 else CAUTIOUS,
        )
        for g, size in ((10, 10), (20, 10), (40, 10), (100, 10), (100, 2), (1000, 4))
        for p in (0.5, 0.9, 0.97)
        for rho in (0.05, 0.3)
    ]
    return found + [
        Setting(
            f"skewed scores in {g} clusters of about 10, correlation {rho}",
            partial(clustered_scores, g, 10, rho),
            "" if g >= 20 else TAIL,
        )
        for g in (10, 20, 40, 100, 1000)
        for rho in (0.05, 0.3)
    ]


def _pairs() -> list[Setting]:
    right = [
        Setting(
            f"0/1 pairs, n={n}, {gain:.0%} gained, {loss:.0%} lost",
            partial(paired_share, n, gain, loss),
            "" if n * (gain + loss) >= 10 else CAUTIOUS,
        )
        for n in (30, 100, 1000)
        for gain, loss in ((0.05, 0.05), (0.1, 0.05), (0.2, 0.1))
    ]
    graded = [
        Setting(
            f"graded pairs, n={n}, {changed:.0%} changed, shift {shift}",
            partial(paired_scores, n, changed, shift),
            "" if n * changed >= 20 else CAUTIOUS,
        )
        for n in (10, 20, 50, 100, 400, 1000)
        for changed, shift in ((0.2, 0.0), (1.0, 0.0), (0.5, 0.1))
    ]
    clusters = [
        Setting(f"0/1 pairs in {g} clusters of about 10", partial(paired_clusters, g, 10, 0.2))
        for g in (10, 20, 40, 100, 1000)
    ]
    return right + graded + clusters


def measure() -> Result:
    """Simulate every setting, on as many processes as there are cores."""
    todo = settings()
    with ProcessPoolExecutor() as pool:
        rows = list(pool.map(simulate, todo, chunksize=1))
    figures = [
        Figure(
            row["setting"],
            row["coverage"],
            "%",
            at_least=None if setting.why else BAND[0],
            at_most=None if setting.why else BAND[1],
        )
        for setting, row in zip(todo, rows, strict=True)
    ]
    what = f"Share of 95 % intervals that hold the truth, of {DATA_SETS:,} data sets each"
    return Result("coverage", what, figures, {"settings": rows})


def simulate(setting: Setting) -> dict[str, Any]:
    """Return what became of the intervals of one setting; the same numbers every time."""
    seed = hashlib.sha256(setting.name.encode()).digest()[:8]
    rng = np.random.default_rng(int.from_bytes(seed, "big"))
    trials = [setting.draw(rng) for _ in range(DATA_SETS)]
    over = sum(t.low is not None and t.low > t.truth for t in trials)
    under = sum(t.high is not None and t.high < t.truth for t in trials)
    none = sum(t.low is None for t in trials)
    widths = [t.high - t.low for t in trials if t.low is not None and t.high is not None]
    made = len(trials) - none
    return {
        "setting": setting.name,
        "coverage": round(100 * (made - over - under) / made, 2),
        "truth_below": round(100 * over / made, 2),
        "truth_above": round(100 * under / made, 2),
        "mean_width": float(f"{np.mean(widths):.4g}"),
        "without_interval": none,
        "methods": dict(Counter(t.method for t in trials)),
        "mean_and_1.96_errors_covers": _coverage([(t.truth, *t.plain) for t in trials]),
        "equal_tailed_covers": _coverage([(t.truth, *t.equal_tailed) for t in trials]),
        "why": setting.why,
    }


def _coverage(intervals: list[tuple[float, float | None, float | None]]) -> float | None:
    """Return the percentage of intervals, where there are any, that hold their truth."""
    held = [
        low <= truth <= high
        for truth, low, high in intervals
        if low is not None and high is not None
    ]
    return round(100 * sum(held) / len(held), 2) if held else None


def _of(truth: float, values: Any, labels: list[str] | None = None) -> Trial:
    found = summarise(values.tolist(), labels)
    plain = normal_interval(float(values.mean()), float(values.std(ddof=1)) / math.sqrt(found.n))
    return Trial(truth, found.low, found.high, found.method, plain)


def _between(truth: float, first: Any, second: Any, labels: list[str] | None = None) -> Trial:
    found = compare(first.tolist(), second.tolist(), labels)
    change = second - first
    plain = normal_interval(float(change.mean()), float(change.std(ddof=1)) / math.sqrt(found.n))
    return Trial(truth, found.low, found.high, found.method, plain)


def _clusters(clusters: int, size: int, rng: np.random.Generator) -> tuple[list[str], Any]:
    sizes = 1 + rng.poisson(size - 1, clusters)
    effects = np.repeat(np.arange(clusters), sizes)
    return effects.astype(str).tolist(), effects


def _clipped_change(spread: float) -> float:
    """Return the mean of clip(L + N(0, spread), 0, 1) − L for L of Beta(4, 2), by quadrature."""
    from scipy import integrate, stats

    def change(level: float) -> float:
        a, b = -level / spread, (1 - level) / spread
        normal = stats.norm
        inside = level * (normal.cdf(b) - normal.cdf(a)) + spread * (normal.pdf(a) - normal.pdf(b))
        return float(inside + normal.sf(b) - level) * float(stats.beta.pdf(level, 4, 2))

    return float(integrate.quad(change, 0, 1)[0])
