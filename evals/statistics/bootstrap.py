"""The studentised bootstrap, with draws that anyone can make again without this program.

For each number of units there is one fixed table of resamples. Row r (from 0) of the table for G
units is SHAKE-128 (FIPS 202) of the ASCII text `oversight bootstrap v1 G r`: 4·G bytes, read as
little-endian 32-bit numbers u, each drawing the unit of place ⌊u · G / 2³²⌋ among the sorted units.

The table depends on the data by their number alone, so nobody can try small changes of a score
until the draws please, and the interval of scores moved or stretched is the interval moved or
stretched. The error this leaves is told in `docs/explanation/statistics.md`. No generator of numpy
is used: the draws are the same in every version, and the ends differ in the last bits at most.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

from evals.statistics.means import Units

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 4_999
"""One less than 5,000, so that 2.5 % and 5 % of resamples and the sample are whole numbers."""
LEAST_UNITS = 10
"""Fewer units have too few different resamples; they get a formula."""
MOST_UNITS = 500
"""More units get a formula: it agrees with the bootstrap to less than the error of its draws."""

_ROWS_AT_ONCE = 500
_LOST_SPREAD = 0.01
_LOST_SHARE = 0.005


def is_for(units: Units) -> bool:
    """Say whether the bootstrap is our method for so many units, with a spread."""
    return LEAST_UNITS <= len(units) <= MOST_UNITS and bool(units.stderr)


def studentised(units: Units) -> NDArray[np.float64] | None:
    """Return the sorted statistics T* = (mean* − mean) / stderr* of all resamples.

    mean* and stderr* are those of `units_of` in the resample. None where more than one resample in
    200 keeps less than a hundredth of the sample's variance: then a few units carry the spread,
    resamples without them say nothing of it, and a formula is the better guide.

    Source: B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993) section 12.5,
    whole clusters drawn as in A. C. Cameron, J. B. Gelbach and D. L. Miller, Review of Economics
    and Statistics 90 (2008) 414-427.

    Args:
        units: for which `is_for` is true.

    Returns:
        `(RESAMPLES,)`, ascending.
    """
    import numpy as np

    e, k, g = units.residuals / np.abs(units.residuals).max(), units.sizes, len(units)
    columns = np.stack([e, k, e * e, e * k, k * k], axis=1)
    variance = float(e @ e) / float(k.sum()) ** 2
    sums = np.concatenate([counts.astype(np.float64) @ columns for counts in _in_parts(draws(g))])
    shift = sums[:, 0] / sums[:, 1]
    squares = sums[:, 2] - 2 * shift * sums[:, 3] + shift * shift * sums[:, 4]
    variances = np.maximum(squares, 0.0) / sums[:, 1] ** 2
    lost = variances < _LOST_SPREAD * variance
    if float(lost.mean()) > _LOST_SHARE:
        return None
    variances[lost] = _LOST_SPREAD * variance
    return np.sort(shift / np.sqrt(g / (g - 1) * variances))


@lru_cache(maxsize=4)
def draws(units: int) -> NDArray[np.uint8]:
    """Return how often each resample draws each unit: `(RESAMPLES, units)`, each row sums to units.

    The last four tables are kept, at most 10 MB: tasks of one suite are often of one size.
    """
    import numpy as np

    table = np.empty((RESAMPLES, units), dtype=np.uint8)
    for start in range(0, RESAMPLES, _ROWS_AT_ONCE):
        rows = range(start, min(start + _ROWS_AT_ONCE, RESAMPLES))
        raw = b"".join(_stream(units, row) for row in rows)
        numbers = np.frombuffer(raw, dtype="<u4").astype(np.uint64).reshape(len(rows), units)
        places = ((numbers * np.uint64(units)) >> np.uint64(32)).astype(np.int64)
        places += np.arange(len(rows))[:, None] * units
        counts = np.bincount(places.ravel(), minlength=len(rows) * units)
        table[start : start + len(rows)] = counts.reshape(len(rows), units)
    table.setflags(write=False)
    return table


def _stream(units: int, row: int) -> bytes:
    return hashlib.shake_128(f"oversight bootstrap v1 {units} {row}".encode()).digest(4 * units)


def _in_parts(table: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    return [table[start : start + _ROWS_AT_ONCE] for start in range(0, len(table), _ROWS_AT_ONCE)]
