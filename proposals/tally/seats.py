"""Fills seats by one list of totals, for methods that count in a single stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proposals.tally.lot import Lot
from proposals.tally.sheet import Outcome, Resolution, Tie
from proposals.tally.ties import SEAT, join_names


@dataclass(frozen=True, slots=True)
class Seating:
    """Who got a seat, and the tie at the last seat if there was one."""

    elected: tuple[str, ...]
    ties: tuple[Tie, ...]
    outcome: Outcome
    notes: tuple[str, ...]


def seat_the_highest(totals: Mapping[str, int], seats: int, lot: Lot | None) -> Seating:
    """Gives the seats to the highest totals above zero.

    Equal totals matter only where they reach across the last seat. There a lot decides; without
    one those seats stay open and the outcome is `tied`. Otherwise equal totals are listed in lot
    order, or alphabetically without a lot.
    """
    names = [name for name, total in totals.items() if total > 0]
    if not names:
        return Seating((), (), Outcome.NO_VOTES, ("There is no valid vote; nobody is elected.",))
    order = lot.order(names) if lot else sorted(names)
    order.sort(key=lambda name: -totals[name])
    if len(order) <= seats or totals[order[seats - 1]] != totals[order[seats]]:
        return Seating(tuple(order[:seats]), (), Outcome.ELECTED, _vacancies(len(order), seats))
    line = totals[order[seats - 1]]
    safe = [name for name in order if totals[name] > line]
    tie = resolve_at_seat([n for n in order if totals[n] == line], seats - len(safe), lot)
    outcome = Outcome.ELECTED if tie.chosen else Outcome.TIED
    return Seating((*safe, *tie.chosen), (tie,), outcome, ())


def resolve_at_seat(tied: Sequence[str], seats: int, lot: Lot | None) -> Tie:
    """Decides who of the tied gets the seats left, by lot; chooses nobody without one."""
    everyone = tuple(sorted(tied))
    places = "1 seat" if seats == 1 else f"{seats} seats"
    words = f"{join_names(everyone)} are tied for {places}"
    if lot is None:
        return Tie(1, SEAT, everyone, Resolution.NOTHING, (), f"{words} and no lot may be drawn.")
    drawn = tuple(lot.order(everyone)[:seats])
    words = f"{words}; the lot picks {join_names(drawn)}."
    return Tie(1, SEAT, everyone, Resolution.LOT, drawn, words)


def _vacancies(with_votes: int, seats: int) -> tuple[str, ...]:
    if with_votes >= seats:
        return ()
    vacant = seats - with_votes
    return (
        f"Only {with_votes} of {seats} seats are filled: nobody else has votes, {vacant} vacant.",
    )
