"""Compares candidates one to one on many ballots at once.

A million ballots with twenty candidates hold 190 million comparisons, too many to make one by one.
So a block of ballots is laid side by side in one large integer: each ballot has a lane of bits
that holds the rank of one candidate on it. One subtraction then compares two candidates on all
ballots of the block, and what it leaves in the top bit of each lane is counted in one go.
"""

import sys
from array import array
from collections.abc import Sequence
from itertools import chain

from proposals.tally.election import Profile, Ranking

Matrix = list[list[int]]
"""`matrix[a][b]`: a number of votes for a against b; zero on the diagonal."""

BLOCK = 16_384
"""Ballots compared at once: enough to be fast, few enough to stay in a processor's cache."""

_NARROW = 128
"""Below so many candidates, a rank and the top bit fit in a lane of one byte."""

_PLACES = bytes(range(_NARROW, 256))


def compare_pairs(profile: Profile) -> Matrix:
    """Counts, for each ordered pair, the votes that rank the first above the second.

    Candidates left out of a ballot share the place below everyone on it.
    """
    number = len(profile.names)
    votes = [[0] * number for _ in range(number)]
    for start in range(0, len(profile.rankings), BLOCK):
        block = slice(start, start + BLOCK)
        _compare_block(profile.rankings[block], profile.weights[block], votes)
    return votes


def _compare_block(rankings: Sequence[Ranking], weights: Sequence[int], votes: Matrix) -> None:
    number = len(votes)
    lanes = _narrow_lanes(rankings, number) if number < _NARROW else _wide_lanes(rankings, number)
    ranks = [_as_integer(lanes[c::number]) for c in range(number)]
    one = _as_integer(array(lanes.typecode, [1]) * len(rankings))
    top = one << (8 * lanes.itemsize - 1)
    planes = _planes(weights, lanes.typecode)
    guarded = [rank | top for rank in ranks]
    for a, above in enumerate(ranks):
        # Where b ranks below a by at least one, its lane keeps the top bit; no lane ever borrows.
        least = above + one
        for b, below in enumerate(guarded):
            if a != b:
                kept = below - least
                votes[a][b] += sum([unit * (kept & mask).bit_count() for unit, mask in planes])


def _planes(weights: Sequence[int], typecode: str) -> list[tuple[int, int]]:
    """Splits weights into binary digits: per digit its value and the lanes that have it.

    The lanes are marked by their top bits, so a mask both picks ballots and clears the rest.
    """
    planes = []
    for digit in range(max(weights).bit_length()):
        lanes = array(typecode, [weight >> digit & 1 for weight in weights])
        planes.append((1 << digit, _as_integer(lanes) << (8 * lanes.itemsize - 1)))
    return planes


def _narrow_lanes(rankings: Sequence[Ranking], number: int) -> "array[int]":
    """Returns the ranks on each ballot, one byte a candidate, ballot after ballot."""
    rows = []
    for ranking in rankings:
        try:
            ranked = bytes([candidate for (candidate,) in ranking])
            places = _PLACES[: len(ranked)]
        except ValueError:
            ranked = bytes(chain.from_iterable(ranking))
            places = _shared(ranking)
        # The table sends each ranked candidate to 128 + place, and the others to themselves.
        rows.append(bytes.maketrans(ranked, places)[:number])
    last_or_place = bytes([number]) * _NARROW + bytes(range(_NARROW))
    return array("B", b"".join(rows).translate(last_or_place))


def _shared(ranking: Ranking) -> bytes:
    return bytes(_NARROW + place for place, rank in enumerate(ranking) for _ in rank)


def _wide_lanes(rankings: Sequence[Ranking], number: int) -> "array[int]":
    """Returns the same as `_narrow_lanes` in two bytes a candidate; slower, for any number."""
    lanes = array("H", [number]) * (number * len(rankings))
    for row, ranking in enumerate(rankings):
        for place, rank in enumerate(ranking):
            for candidate in rank:
                lanes[row * number + candidate] = place
    return lanes


def _as_integer(lanes: "array[int]") -> int:
    return int.from_bytes(lanes.tobytes(), sys.byteorder)
