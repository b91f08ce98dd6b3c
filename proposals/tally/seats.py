"""Fills seats by one list of totals, for methods that count in a single stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from proposals.tally.exact import Json
from proposals.tally.sheet import Decider, ElectionSheet, Outcome, Resolution, Stage, Tie
from proposals.tally.ties import (
    PICKS,
    SEAT,
    decided,
    join_names,
    listed,
    open_words,
    resolution,
)


@dataclass(frozen=True, slots=True)
class Seating:
    """Who got a seat, and the tie at the last seat if there was one."""

    elected: tuple[str, ...]
    ties: tuple[Tie, ...]
    outcome: Outcome
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """What a count in a single stage came to; weights are in units of 1 / `scale`."""

    method: str
    stage: str
    """What was added up, such as `points`."""

    by_name: Mapping[str, int]
    scale: int
    valid: int
    """Weight of the ballots that counted."""

    void: int
    details: Mapping[str, Json] = field(default_factory=dict)
    """What only this method has."""

    def sheet(self, title: str, seats: int, decider: Decider | None) -> ElectionSheet:
        """Fills the seats and returns the whole sheet."""
        seating = seat_the_highest(self.by_name, seats, decider)
        votes = {name: Fraction(total, self.scale) for name, total in self.by_name.items()}
        return ElectionSheet(
            method=self.method,
            title=title,
            seats=seats,
            valid=Fraction(self.valid, self.scale),
            void=Fraction(self.void, self.scale),
            quota=None,
            outcome=seating.outcome,
            elected=seating.elected,
            stages=(Stage(self.stage, votes, elected=seating.elected),),
            ties=seating.ties,
            decider=decider,
            notes=seating.notes,
            details=self.details,
        )


def seat_the_highest(totals: Mapping[str, int], seats: int, decider: Decider | None) -> Seating:
    """Gives the seats to the highest totals above zero.

    Equal totals matter only where they reach across the last seat. There the decider picks; where
    it does not, those seats stay open and the outcome is `tied`. Otherwise equal totals are listed
    in the decider's order, or alphabetically without one.
    """
    names = [name for name, total in totals.items() if total > 0]
    if not names:
        return Seating((), (), Outcome.NO_VOTES, ("There is no valid vote; nobody is elected.",))
    order = listed(names, decider)
    order.sort(key=lambda name: -totals[name])
    if len(order) <= seats or totals[order[seats - 1]] != totals[order[seats]]:
        return Seating(tuple(order[:seats]), (), Outcome.ELECTED, _vacancies(len(order), seats))
    line = totals[order[seats - 1]]
    safe = [name for name in order if totals[name] > line]
    tie = resolve_at_seat([n for n in order if totals[n] == line], seats - len(safe), decider)
    outcome = Outcome.ELECTED if tie.chosen else Outcome.TIED
    return Seating((*safe, *tie.chosen), (tie,), outcome, ())


def resolve_at_seat(tied: Sequence[str], seats: int, decider: Decider | None) -> Tie:
    """Decides who of the tied gets the seats left; chooses nobody where nothing may decide."""
    everyone = tuple(sorted(tied))
    places = "1 seat" if seats == 1 else f"{seats} seats"
    words = f"{join_names(everyone)} are tied for {places}"
    picked = decided(decider, everyone, seats)
    if not picked:
        words = f"{words} and {open_words(decider)}."
        return Tie(1, SEAT, everyone, Resolution.NOTHING, (), words)
    words = f"{words}; {PICKS[type(decider)]} {join_names(picked)}."
    return Tie(1, SEAT, everyone, resolution(decider), picked, words)


def _vacancies(with_votes: int, seats: int) -> tuple[str, ...]:
    if with_votes >= seats:
        return ()
    vacant = seats - with_votes
    return (
        f"Only {with_votes} of {seats} seats are filled: nobody else has votes, {vacant} vacant.",
    )
