"""Counts a single transferable vote as Scottish councils do (weighted inclusive Gregory).

Source: the Scottish Local Government Elections Order 2011 (SSI 2011/399), schedule 1, rules 46
to 53, which repeat rules 45 to 52 of the Order of 2007 (SSI 2007/42). Where the Order speaks of
ballot papers, we count weight, so a member's vote may weigh more than one; a paper of weight 1 is
counted exactly as the Order says. We differ in one point: with no valid ballot and more
candidates than seats nobody is elected, where the Order would draw lots.
"""

from collections import defaultdict
from collections.abc import Callable
from enum import Enum, auto
from fractions import Fraction

from proposals.tally.election import Election, Profile, StrictProfile
from proposals.tally.exact import number_text
from proposals.tally.lot import DEFAULT_LOT
from proposals.tally.sheet import Decider, ElectionSheet, Outcome, Stage
from proposals.tally.ties import SURPLUS, TieBreaker, join_names

METHOD = "scottish-stv"

PLACES = 5
"""Decimals a transfer value keeps; the rest is dropped, never rounded."""

ONE = 10**PLACES
"""The value of a paper at its full vote, in the unit in which values are kept."""


def count(election: Election, decider: Decider | None = DEFAULT_LOT) -> ElectionSheet:
    """Counts an election for one or more seats.

    Args:
        election: a shared rank ends its ballot there; candidates left out of a ballot receive
            nothing from it.
        decider: picks where earlier stages do not resolve a tie. With None the count stops at the
            first such tie, with the outcome `tied` and those elected until then.
    """
    return _Count(election, decider).run()


class _State(Enum):
    CONTINUING = auto()
    ELECTED = auto()
    EXCLUDED = auto()


class _Count:
    """One count under way.

    Totals are integers in units of 1 / (`ONE` * scale) votes. A candidate's papers lie in parcels
    by value, so a transfer looks only at the papers that move.
    """

    def __init__(self, election: Election, decider: Decider | None) -> None:
        profile = Profile.of(election)
        papers = StrictProfile.of(profile)
        self._title, self._seats, self._decider = election.title, election.seats, decider
        self._names = profile.names
        self._orders, self._weights = papers.orders, papers.weights
        self._places = [0] * len(self._orders)
        self._unit = ONE * profile.scale
        self._void = Fraction(papers.void, profile.scale)
        self._valid = sum(self._weights) * ONE
        self._quota = self._valid // ((self._seats + 1) * self._unit) + 1
        self._parcels: list[dict[int, list[int]]] = [defaultdict(list) for _ in self._names]
        self._totals = [0] * len(self._names)
        self._state = [_State.CONTINUING] * len(self._names)
        self._surplus: set[int] = set()
        self._elected: list[int] = []
        self._rounding = 0
        self._stages: list[Stage] = []
        self._ties = TieBreaker(self._names, decider)

    def run(self) -> ElectionSheet:
        """Counts to the end and returns the sheet."""
        self._sort_first_preferences()
        if not self._valid and len(self._names) > self._seats:
            self._record_stage("first preferences", (), (), ())
            return self._sheet(Outcome.NO_VOTES)
        self._close_stage("first preferences")
        while self._vacancies():
            if not (self._transfer_surplus() if self._surplus else self._exclude()):
                return self._sheet(Outcome.TIED)
        return self._sheet(Outcome.ELECTED)

    def _continuing(self) -> list[int]:
        return [c for c, state in enumerate(self._state) if state is _State.CONTINUING]

    def _vacancies(self) -> int:
        return self._seats - len(self._elected) if self._continuing() else 0

    def _sort_first_preferences(self) -> None:
        for paper, order in enumerate(self._orders):
            self._parcels[order[0]][ONE].append(paper)
            self._totals[order[0]] += self._weights[paper] * ONE

    def _transfer_surplus(self) -> bool:
        """Does one stage: passes on the largest surplus. False at a tie left unresolved."""
        most = max(self._totals[c] for c in self._surplus)
        picked = self._ties.highest([c for c in self._surplus if self._totals[c] == most], SURPLUS)
        if not picked:
            return False
        giver, total = picked[0], most
        surplus = total - self._quota * self._unit
        self._surplus.discard(giver)
        lost = self._pass_on(giver, lambda value: value * surplus // total)
        self._totals[giver] = total - surplus
        self._rounding += surplus - lost
        self._close_stage(f"surplus of {self._names[giver]}")
        return True

    def _exclude(self) -> bool:
        """Does one stage: excludes whoever has the fewest votes. False at a tie left unresolved."""
        continuing = self._continuing()
        fewest = min(self._totals[c] for c in continuing)
        picked = self._ties.lowest([c for c in continuing if self._totals[c] == fewest])
        if not picked:
            return False
        out = picked[0]
        self._state[out] = _State.EXCLUDED
        self._pass_on(out, lambda value: value)
        self._totals[out] = 0
        self._close_stage(f"exclude {self._names[out]}", excluded=(self._names[out],))
        return True

    def _pass_on(self, giver: int, revalue: Callable[[int], int]) -> int:
        """Moves a candidate's papers to the next continuing candidate on each.

        Returns:
            What the papers are worth after the move, those that can move no further included.
        """
        parcels, self._parcels[giver] = self._parcels[giver], {}
        worth = 0
        for value, papers in parcels.items():
            new_value = revalue(value)
            for heir, moved in self._sort_by_next(papers).items():
                votes = sum([self._weights[paper] for paper in moved]) * new_value
                worth += votes
                if heir is not None:
                    self._parcels[heir][new_value] += moved
                    self._totals[heir] += votes
        return worth

    def _sort_by_next(self, papers: list[int]) -> dict[int | None, list[int]]:
        """Sorts papers by the next continuing candidate; under None those that have no such."""
        continuing = [state is _State.CONTINUING for state in self._state]
        heirs: dict[int | None, list[int]] = defaultdict(list)
        places, orders = self._places, self._orders
        for paper in papers:
            order = orders[paper]
            place = places[paper] + 1
            while place < len(order) and not continuing[order[place]]:
                place += 1
            places[paper] = place
            heirs[order[place] if place < len(order) else None].append(paper)
        return heirs

    def _close_stage(self, act: str, excluded: tuple[str, ...] = ()) -> None:
        """Elects whoever has reached the quota, fills the last seats, writes the stage down."""
        self._ties.remember(self._totals)
        line = self._quota * self._unit
        reached = [c for c in self._continuing() if self._totals[c] >= line]
        self._elect(reached)
        self._surplus.update(c for c in reached if self._totals[c] > line)
        rest = self._continuing()
        last = self._ties.in_order(rest) if len(rest) <= self._vacancies() else []
        self._elect(last)
        remarks = [
            f"{self._list(group)}: equal at every stage, so their order in the list means nothing."
            for group in self._ties.inseparable(reached) + self._ties.inseparable(last)
        ]
        if last:
            told = "elected to the last seats without reaching the quota."
            remarks.append(f"{self._list(last)}: {told}")
        elected = [self._names[c] for c in self._ties.in_order(reached) + last]
        self._record_stage(act, tuple(elected), excluded, tuple(remarks))

    def _elect(self, candidates: list[int]) -> None:
        self._elected += self._ties.in_order(candidates)
        for candidate in candidates:
            self._state[candidate] = _State.ELECTED

    def _record_stage(
        self,
        act: str,
        elected: tuple[str, ...],
        excluded: tuple[str, ...],
        remarks: tuple[str, ...],
    ) -> None:
        totals = {
            name: self._votes(self._totals[c])
            for c, name in enumerate(self._names)
            if self._state[c] is not _State.EXCLUDED
        }
        exhausted = self._votes(self._valid - sum(self._totals))
        rounding = self._votes(self._rounding)
        self._stages.append(Stage(act, totals, exhausted, rounding, elected, excluded, remarks))

    def _list(self, candidates: list[int]) -> str:
        return join_names([self._names[c] for c in candidates])

    def _votes(self, units: int) -> Fraction:
        return Fraction(units, self._unit)

    def _sheet(self, outcome: Outcome) -> ElectionSheet:
        valid = self._votes(self._valid)
        vacant = self._seats - len(self._elected)
        share = f"{number_text(valid)} valid votes divided by {self._seats} + 1"
        notes = [f"Quota: {share}, without the fraction, plus 1, is {self._quota}."]
        if vacant and outcome is Outcome.ELECTED:
            notes.append(f"Fewer candidates than seats: {vacant} of {self._seats} stay vacant.")
        return ElectionSheet(
            method=METHOD,
            title=self._title,
            seats=self._seats,
            valid=valid,
            void=self._void,
            quota=self._quota,
            outcome=outcome,
            elected=tuple(self._names[c] for c in self._elected),
            stages=tuple(self._stages),
            ties=tuple(self._ties.ties),
            decider=self._decider,
            notes=tuple(notes),
            places=PLACES,
        )
