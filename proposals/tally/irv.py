"""Counts an instant runoff: one seat, the lowest out, until someone has more than half."""

from collections.abc import Iterable
from fractions import Fraction

from proposals.tally.election import Election, Profile, StrictProfile
from proposals.tally.exact import number_text
from proposals.tally.lot import DEFAULT_LOT
from proposals.tally.sheet import Decider, ElectionSheet, Outcome, Stage
from proposals.tally.ties import TieBreaker, join_names

METHOD = "irv"


def count(election: Election, decider: Decider | None = DEFAULT_LOT) -> ElectionSheet:
    """Counts an election for one seat; the election's own number of seats is not used.

    Whoever has more than half of the votes still held by a candidate is elected. Else whoever has
    the fewest is excluded, and each of those ballots goes to its next candidate still in.

    Args:
        election: a shared rank ends its ballot there; candidates left out of a ballot receive
            nothing from it.
        decider: picks where earlier stages do not resolve a tie and the order of exclusion could
            matter. With None the count stops there, with the outcome `tied`.
    """
    return _Runoff(election, decider).run()


class _Runoff:
    """One runoff under way; votes are integers in units of 1 / scale."""

    def __init__(self, election: Election, decider: Decider | None) -> None:
        profile = Profile.of(election)
        self._papers = StrictProfile.of(profile)
        self._title, self._decider, self._scale = election.title, decider, profile.scale
        self._names = profile.names
        self._valid = sum(self._papers.weights)
        self._held: dict[int, list[int]] = {c: [] for c in range(len(self._names))}
        self._totals = [0] * len(self._names)
        self._places = [0] * len(self._papers.orders)
        self._stages: list[Stage] = []
        self._ties = TieBreaker(self._names, decider)

    def run(self) -> ElectionSheet:
        """Counts to the end and returns the sheet."""
        self._hand_over(range(len(self._papers.orders)))
        winner = self._close_stage("first preferences", [])
        while winner is None and self._valid:
            fewest = min(self._totals[c] for c in self._held)
            tied = [c for c in self._held if self._totals[c] == fewest]
            out = self._ties.lowest(tied, self._cannot_catch_up)
            if not out:
                return self._sheet(Outcome.TIED, None)
            winner = self._exclude(out)
        return self._sheet(Outcome.NO_VOTES if winner is None else Outcome.ELECTED, winner)

    def _cannot_catch_up(self, group: list[int]) -> bool:
        """True when all votes of a group together stay below everyone else's.

        Then each of them goes before anyone else whatever the order, and the totals that remain
        are the same.
        """
        others = [self._totals[c] for c in self._held if c not in group]
        return bool(others) and sum(self._totals[c] for c in group) < min(others)

    def _exclude(self, out: list[int]) -> int | None:
        freed = [paper for c in out for paper in self._held.pop(c)]
        for candidate in out:
            self._totals[candidate] = 0
        self._hand_over(freed)
        names = sorted(self._names[c] for c in out)
        return self._close_stage(f"exclude {join_names(names)}", names)

    def _hand_over(self, papers: Iterable[int]) -> None:
        """Gives each paper to the first candidate on it who is still in."""
        for paper in papers:
            order = self._papers.orders[paper]
            place = self._places[paper]
            while place < len(order) and order[place] not in self._held:
                place += 1
            self._places[paper] = place
            if place < len(order):
                self._held[order[place]].append(paper)
                self._totals[order[place]] += self._papers.weights[paper]

    def _close_stage(self, act: str, excluded: list[str]) -> int | None:
        """Writes the stage down and returns who has more than half of the votes still held."""
        self._ties.remember(self._totals)
        held = sum(self._totals)
        winner = next((c for c in self._held if 2 * self._totals[c] > held), None)
        self._stages.append(
            Stage(
                act=act,
                totals={self._names[c]: self._votes(self._totals[c]) for c in self._held},
                exhausted=self._votes(self._valid - held),
                elected=() if winner is None else (self._names[winner],),
                excluded=tuple(excluded),
            )
        )
        return winner

    def _votes(self, units: int) -> Fraction:
        return Fraction(units, self._scale)

    def _sheet(self, outcome: Outcome, winner: int | None) -> ElectionSheet:
        held = self._votes(sum(self._totals))
        notes = []
        if winner is not None:
            votes = self._votes(self._totals[winner])
            notes.append(
                f"{self._names[winner]} has {number_text(votes)} of the {number_text(held)} votes"
                f" still held; more than half is more than {number_text(held / 2)}."
            )
        return ElectionSheet(
            method=METHOD,
            title=self._title,
            seats=1,
            valid=self._votes(self._valid),
            void=self._votes(self._papers.void),
            quota=None,
            outcome=outcome,
            elected=() if winner is None else (self._names[winner],),
            stages=tuple(self._stages),
            ties=tuple(self._ties.ties),
            decider=self._decider,
            notes=tuple(notes),
        )
