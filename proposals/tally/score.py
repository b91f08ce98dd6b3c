"""Counts a score vote: every ballot gives each option points, the highest total wins."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from proposals.tally import exact
from proposals.tally.election import MAX_SEATS, check_names, check_weights, text_problem
from proposals.tally.errors import InputError
from proposals.tally.exact import Json, Number, fraction_text, number_text
from proposals.tally.seats import Totals
from proposals.tally.sheet import Decider, ElectionSheet

METHOD = "score"

MAX_SCORE = 1000

Scores = tuple[int | None, ...]
"""A ballot's points for each candidate in order; None where it gives none."""


@dataclass(frozen=True, slots=True)
class ScoreElection:
    """One score vote: who stands, how far the scale goes, and what the ballots say.

    Identical ballots are one entry of `ballots`, with their weights added.

    Raises:
        InputError: on construction, naming the field that cannot be counted.
    """

    candidates: tuple[str, ...]
    seats: int

    highest: int
    """The most points a ballot can give; the fewest are 0."""

    ballots: Mapping[Scores, Fraction]
    """Total weight by scores, in the order of `candidates`."""

    title: str = ""

    def __post_init__(self) -> None:
        check_names(self.candidates)
        if problem := text_problem(self.title):
            raise InputError("title", problem)
        if not 1 <= self.seats <= MAX_SEATS:
            raise InputError("seats", f"{self.seats} is not between 1 and {MAX_SEATS}")
        if not _is_whole(self.highest) or not 1 <= self.highest <= MAX_SCORE:
            raise InputError("highest", f"{self.highest} is not between 1 and {MAX_SCORE}")
        check_weights(self.ballots.values())
        for scores in self.ballots:
            self._check_scores(scores)

    @classmethod
    def of(
        cls,
        *,
        candidates: Sequence[str],
        highest: int,
        ballots: Iterable[tuple[Number, Mapping[str, int]]],
        seats: int = 1,
        title: str = "",
    ) -> Self:
        """Builds a score vote from ballots that name candidates.

        Args:
            candidates: distinct names.
            highest: the most points a ballot can give.
            ballots: pairs of weight and points by name; a name may be left out.
            seats: how many are to be elected.
            title: what the vote is called.
        """
        known = frozenset(candidates)
        grouped: dict[Scores, Fraction] = {}
        for weight, points in ballots:
            if unknown := sorted(points.keys() - known):
                raise InputError("ballots", f"{unknown[0]!r} does not stand; score the candidates")
            scores = tuple(points.get(name) for name in candidates)
            grouped[scores] = grouped.get(scores, Fraction()) + exact.weight(weight, "ballots")
        return cls(tuple(candidates), seats, highest, grouped, title)

    def _check_scores(self, scores: Scores) -> None:
        if len(scores) != len(self.candidates):
            raise InputError("ballots", "a ballot has not one entry for each candidate")
        for points in scores:
            if points is not None and not (_is_whole(points) and 0 <= points <= self.highest):
                allowed = f"a whole number from 0 to {self.highest}"
                raise InputError("ballots", f"{points!r} is no score; give {allowed}")


def count(election: ScoreElection, decider: Decider | None = None) -> ElectionSheet:
    """Counts a score vote for one or more seats by the sum of the points.

    Args:
        election: a candidate a ballot gives no points has 0 from it. A ballot that gives nobody a
            score is void; one that gives everybody 0 is valid.
        decider: decides a tie for the last seat; with None such a tie stays open.

    Returns:
        A sheet whose totals are points, and whose details hold `highest`, `scores` (per candidate
        the weight by number of points, and `none`) and `mean` (points per valid weight).
    """
    spread = _Spread.of(election)
    totals = {name: spread.points(name) for name in election.candidates}
    valid = spread.valid
    counted = Totals(
        method=METHOD,
        stage="points",
        by_name=totals,
        scale=spread.scale,
        valid=valid,
        void=spread.void,
        details={
            "highest": election.highest,
            "scores": {name: spread.as_json(name) for name in election.candidates},
            "mean": {
                name: fraction_text(Fraction(total, valid)) if valid else None
                for name, total in totals.items()
            },
        },
    )
    return counted.sheet(election.title, election.seats, decider)


@dataclass(slots=True)
class _Spread:
    """How much weight gave each candidate how many points, in units of 1 / `scale`."""

    counts: dict[str, dict[int | None, int]]
    """By candidate and points; None holds the valid ballots that gave the candidate none."""

    scale: int
    valid: int = 0
    void: int = 0

    @classmethod
    def of(cls, election: ScoreElection) -> Self:
        scale = exact.common_scale(election.ballots.values(), "ballots")
        steps = (*range(election.highest + 1), None)
        spread = cls({name: dict.fromkeys(steps, 0) for name in election.candidates}, scale)
        for scores, weight in election.ballots.items():
            spread.add(scores, weight.numerator * (scale // weight.denominator))
        return spread

    def add(self, scores: Scores, units: int) -> None:
        if all(points is None for points in scores):
            self.void += units
            return
        self.valid += units
        for counts, points in zip(self.counts.values(), scores, strict=True):
            counts[points] += units

    def points(self, name: str) -> int:
        return sum((points or 0) * units for points, units in self.counts[name].items())

    def as_json(self, name: str) -> dict[str, Json]:
        return {
            "none" if points is None else str(points): number_text(Fraction(units, self.scale))
            for points, units in self.counts[name].items()
        }


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
