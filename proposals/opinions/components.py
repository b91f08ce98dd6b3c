"""Principal components by power iteration on whole numbers: the same on every machine.

Participants are placed as Polis places them (Small et al. 2021, "Polis: scaling deliberation by
mapping high dimensional opinion spaces"): answers are +1, -1 and 0, a statement somebody was not
asked counts as that statement's mean, the two directions in which answers differ most are the axes,
and who answered few statements is moved outwards by the root of the share that is missing.

How we differ: a linear algebra library rounds in an order that depends on the machine. Here every
matrix and vector is first rounded to whole numbers so small that no sum of their products reaches
2^53. Such sums are exact in binary64 in whatever order they are taken; what remains are single
operations that IEEE 754 rounds correctly.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""Whole numbers in binary64, unless said otherwise."""

GRID = 2.0**20
"""Entries of vectors and matrices lie within ±GRID: 2^20 · 2^20 · 4,096 statements < 2^53."""
ROUNDS = 600
SPAN = 10_000.0
"""Places lie within ±SPAN on both axes."""


def places_of(values: Floats, seen: Floats) -> NDArray[np.int64] | None:
    """Return where each participant stands, as two whole numbers within ±SPAN.

    Shapes: both (participants, statements); returns (participants, 2). None where all answer alike.
    """
    asked = np.maximum(seen.sum(axis=0), 1.0)
    means = values.sum(axis=0) / asked
    matrix = _on_grid(_covariance(values, seen, means))
    if matrix is None:
        return None
    first = _direction(matrix, None)
    axes = [_along(values, seen, means, axis) for axis in (first, _direction(matrix, first))]
    places = np.stack(axes, axis=1)
    largest = np.abs(places).max()
    if largest == 0:
        return None
    found: NDArray[np.int64] = np.rint(places / largest * SPAN).astype(np.int64)
    return found


def _covariance(values: Floats, seen: Floats, means: Floats) -> Floats:
    """Return the sums of products of centred answers; what is not seen is zero. Real numbers."""
    together = values.T @ values
    mixed = values.T @ seen
    both = seen.T @ seen
    across = mixed * means[None, :]
    found: Floats = together - (across + across.T) + both * (means[:, None] * means[None, :])
    return found


def _direction(matrix: Floats, first: Floats | None) -> Floats:
    """Return the direction of most variance, or of most variance square to the first."""
    vector: Floats = np.rint(GRID / (1.0 + np.arange(len(matrix)) % 7))
    for _ in range(ROUNDS):
        found = _on_grid(matrix @ vector)
        if found is not None and first is not None:
            found = _on_grid(found - first * ((found @ first) / (first @ first)))
        if found is None:
            return np.zeros(len(matrix))
        if (found == vector).all():
            break
        vector = found
    # An axis has no natural end: the strongest statement, the earliest of several, lies at plus.
    ends_at_plus = bool(vector[np.abs(vector).argmax()] > 0)
    return vector if ends_at_plus else -vector


def _along(values: Floats, seen: Floats, means: Floats, axis: Floats) -> Floats:
    """Return how far along an axis each participant stands. Real numbers, each rounded once."""
    length = np.sqrt(axis @ axis)
    if length == 0:
        return np.zeros(len(values))
    centred = values @ axis - seen @ np.rint(means * axis)
    along: Floats = centred / length * np.sqrt(len(axis) / seen.sum(axis=1))
    return along


def _on_grid(numbers: Floats) -> Floats | None:
    """Return the numbers stretched to ±GRID and rounded; None where all are zero."""
    largest = np.abs(numbers).max(initial=0.0)
    # What is left of rounding beside sums of up to 2^53 is nothing.
    return None if largest < 1e-6 else np.rint(numbers / largest * GRID)
