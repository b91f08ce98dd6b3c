"""Groups of participants who stand close to each other: k-means, and how many by the silhouette.

The starts are drawn from SHAKE-128 over the input's digest, and everything that is added up is a
whole number, so the groups are the same on every machine.
"""

from dataclasses import dataclass
from fractions import Fraction
from hashlib import shake_128

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]

STARTS = 12
MOST_MOVES = 100
MILLION = 1_000_000
COMPARED = 4_000
"""Places whose silhouettes are taken; of more participants every so-manieth counts."""
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Grouping:
    """Who belongs together."""

    members: NDArray[np.int64]
    """The group of each participant, the largest group being 0."""
    count: int
    separation: Fraction
    """Mean silhouette: 1 where groups are dense and far apart, 0 where they run into each other."""


def best_grouping(places: Places, digest: str, least_group: int, most: int) -> Grouping | None:
    """Return the grouping that separates best; None when no two groups are large enough.

    Of several that separate equally well, the one with fewer groups.
    """
    found: Grouping | None = None
    for count in range(2, most + 1):
        if count * least_group > len(places):
            break
        members = _nearest(places, count, digest)
        sizes = np.bincount(members, minlength=count)
        if sizes.min() < least_group:
            continue
        separation = silhouette(places, members, count)
        if found is None or separation > found.separation:
            found = Grouping(_by_size(members, places, count), count, separation)
    return found


def silhouette(places: Places, members: NDArray[np.int64], count: int) -> Fraction:
    """Return the mean silhouette (Rousseeuw 1987), each person's rounded to a millionth.

    Distances are rounded to whole numbers; rows come in blocks, so memory stays small.
    """
    step = -(-len(places) // COMPARED)
    places, members = places[::step], members[::step]
    belongs = np.eye(count)[members]
    sizes = belongs.sum(axis=0)
    total = 0
    for start in range(0, len(places), _BLOCK):
        block = slice(start, start + _BLOCK)
        squares = ((places[block, None, :] - places[None, :, :]) ** 2).sum(axis=2)
        sums = np.rint(np.sqrt(squares.astype(np.float64))) @ belongs
        own = members[block]
        rows = np.arange(len(own))
        inside = sums[rows, own] / np.maximum(sizes[own] - 1, 1)
        means = sums / np.maximum(sizes, 1)
        means[:, sizes == 0] = np.inf
        means[rows, own] = np.inf
        outside = means.min(axis=1)
        width = (outside - inside) / np.maximum(np.maximum(outside, inside), 1e-9)
        total += int(np.rint(np.where(sizes[own] > 1, width, 0.0) * MILLION).sum())
    return Fraction(total, len(places) * MILLION)


def _nearest(places: Places, count: int, digest: str) -> NDArray[np.int64]:
    """Return the tightest of several k-means, the earliest start of equal ones."""
    best, least = None, None
    for start in range(STARTS):
        members, spread = _k_means(
            places, _first_centres(places, count, f"{digest}:{count}:{start}")
        )
        if least is None or spread < least:
            best, least = members, spread
    assert best is not None  # noqa: S101 - there is at least one start
    return best


def _first_centres(places: Places, count: int, seed: str) -> Places:
    """Draw centres far from each other (k-means++, Arthur and Vassilvitskii 2007)."""
    stream = shake_128(f"oversight/opinions/v1:{seed}".encode()).digest(8 * count)
    draws = [int.from_bytes(stream[8 * n : 8 * n + 8], "big") for n in range(count)]
    chosen = [places[draws[0] % len(places)]]
    far = _squares(places, chosen[0])
    for draw in draws[1:]:
        sums = np.cumsum(far)
        # Where all places are taken by centres, any will do: the group stays empty and is dropped.
        point = draw % int(sums[-1]) if sums[-1] else 0
        chosen.append(places[int(np.searchsorted(sums, point, side="right")) % len(places)])
        far = np.minimum(far, _squares(places, chosen[-1]))
    return np.stack(chosen)


def _k_means(places: Places, centres: Places) -> tuple[NDArray[np.int64], int]:
    """Return each place's centre after Lloyd's moves, and the sum of squares that is left."""
    members = np.full(len(places), -1)
    for _ in range(MOST_MOVES):
        squares = np.stack([_squares(places, centre) for centre in centres], axis=1)
        nearest = squares.argmin(axis=1)
        if (nearest == members).all():
            break
        members = nearest
        for number in range(len(centres)):
            own = places[members == number]
            if len(own):
                centres[number] = np.rint(own.sum(axis=0) / len(own)).astype(np.int64)
    return members, int(squares.min(axis=1).sum())


def _squares(places: Places, centre: Places) -> NDArray[np.int64]:
    found: NDArray[np.int64] = ((places - centre) ** 2).sum(axis=1)
    return found


def _by_size(members: NDArray[np.int64], places: Places, count: int) -> NDArray[np.int64]:
    """Number the groups by size, equal ones from left to right and bottom to top."""

    def rank(number: int) -> tuple[int, int, int]:
        own = places[members == number]
        across, up = own.sum(axis=0)
        return -len(own), int(across), int(up)

    order = sorted(range(count), key=rank)
    renamed = np.empty(count, dtype=np.int64)
    renamed[order] = np.arange(count)
    return renamed[members]
