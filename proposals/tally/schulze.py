"""Counts by Schulze's method: paired comparisons, strongest paths by winning votes.

Source: M. Schulze, "A new monotonic, clone-independent, reversal symmetric, and
Condorcet-consistent single-winner election method", Social Choice and Welfare 36 (2011),
with links measured by winning votes.
"""

from collections.abc import Sequence
from fractions import Fraction

from proposals.tally.election import Election, Profile
from proposals.tally.exact import Json, number_text
from proposals.tally.pairwise import Matrix, compare_pairs
from proposals.tally.seats import resolve_at_seat
from proposals.tally.sheet import Decider, ElectionSheet, Outcome, Stage

METHOD = "schulze"


def count(election: Election, decider: Decider | None = None) -> ElectionSheet:
    """Counts an election for one seat; the election's own number of seats is not used.

    Args:
        election: candidates that share a rank are not preferred to each other; candidates left
            out of a ballot stand below all those on it and share that last place.
        decider: picks among several potential winners; with None the outcome is `tied`.

    Returns:
        A sheet whose details hold `pairwise`, `strongest_paths`, `potential_winners`, `ranking`
        (a list of levels, best first) and `condorcet_winner`.
    """
    profile = Profile.of(election)
    pairwise = compare_pairs(profile)
    paths = strongest_paths(pairwise)
    levels = rank_by(paths)
    names = profile.names
    valid = profile.total
    best = [names[c] for c in levels[0]]
    tie = resolve_at_seat(best, 1, decider) if valid and len(best) > 1 else None
    elected = tie.chosen if tie else tuple(best if valid else ())
    decided = Outcome.ELECTED if elected else Outcome.TIED
    return ElectionSheet(
        method=METHOD,
        title=election.title,
        seats=1,
        valid=Fraction(valid, profile.scale),
        void=Fraction(profile.empty, profile.scale),
        quota=None,
        outcome=decided if valid else Outcome.NO_VOTES,
        elected=elected,
        stages=(
            Stage("candidates beaten one to one", _wins(names, pairwise)),
            Stage("candidates beaten by strongest path", _wins(names, paths), elected=elected),
        ),
        ties=(tie,) if tie else (),
        decider=decider,
        details={
            "pairwise": _by_name(names, pairwise, profile.scale),
            "strongest_paths": _by_name(names, paths, profile.scale),
            "potential_winners": sorted(best) if valid else [],
            "ranking": [sorted(names[c] for c in level) for level in levels],
            "condorcet_winner": _condorcet_winner(names, pairwise) if valid else None,
        },
    )


def strongest_paths(pairwise: Matrix) -> Matrix:
    """Returns the strength of the strongest path for each ordered pair (Floyd and Warshall).

    A link from a to b exists where more votes prefer a to b than b to a; its strength is the
    number of the former. A path is as strong as its weakest link; no path is 0.
    """
    number = len(pairwise)
    paths = [
        [row[b] if row[b] > pairwise[b][a] else 0 for b in range(number)]
        for a, row in enumerate(pairwise)
    ]
    for middle in range(number):
        onward = paths[middle]
        for start in range(number):
            reach = paths[start][middle]
            if reach and start != middle:
                paths[start] = [
                    max(direct, min(reach, further))
                    for direct, further in zip(paths[start], onward, strict=True)
                ]
                paths[start][start] = 0
    return paths


def rank_by(paths: Matrix) -> list[list[int]]:
    """Sorts candidates into levels: each level is unbeaten once those above it are taken away.

    a beats b when the strongest path from a to b is stronger than the one back. The relation is
    transitive, so there is always someone unbeaten.
    """
    left = list(range(len(paths)))
    levels = []
    while left:
        level = [c for c in left if all(paths[c][rival] >= paths[rival][c] for rival in left)]
        levels.append(level)
        left = [c for c in left if c not in level]
    return levels


def _wins(names: Sequence[str], matrix: Matrix) -> dict[str, Fraction]:
    return {
        name: Fraction(sum(votes > matrix[rival][c] for rival, votes in enumerate(matrix[c])))
        for c, name in enumerate(names)
    }


def _condorcet_winner(names: Sequence[str], pairwise: Matrix) -> str | None:
    beaten = _wins(names, pairwise)
    return next((name for name, wins in beaten.items() if wins == len(names) - 1), None)


def _by_name(names: Sequence[str], matrix: Matrix, scale: int) -> Json:
    return {
        name: {
            rival: number_text(Fraction(matrix[c][r], scale))
            for r, rival in enumerate(names)
            if r != c
        }
        for c, name in enumerate(names)
    }
