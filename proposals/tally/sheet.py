"""The tally sheet of an election: every stage, every tie, every total, to read or to recompute."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from typing import Self

from proposals.tally.casting import CastingVote
from proposals.tally.exact import Json, number_text
from proposals.tally.lot import Lot
from proposals.tally.quorum import QuorumCheck

Decider = Lot | CastingVote
"""What resolves a tie that the votes do not; None where the status quo stands."""


class Outcome(StrEnum):
    """How an election ended."""

    ELECTED = "elected"
    """Decided; seats nobody could fill are named in the notes."""

    TIED = "tied"
    """A tie decides at least one seat and no lot was allowed to resolve it."""

    NO_VOTES = "no_votes"
    """No valid ballot, so nobody is elected."""

    NO_QUORUM = "no_quorum"
    """Too few took part for the vote to count, so nobody is elected."""


class TieRule(StrEnum):
    """What a tie falls to that the votes themselves do not resolve."""

    STATUS_QUO = "status_quo"
    """Nothing: things stay as they are."""

    CHAIR = "chair"
    """The chair's casting vote decides."""

    LOT = "lot"
    """A lot decides."""


class Resolution(StrEnum):
    """What resolved a tie."""

    EARLIER_STAGE = "earlier_stage"
    TOGETHER = "together"
    LOT = "lot"
    CASTING_VOTE = "casting_vote"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Tie:
    """One tie that had to be resolved before the count could go on."""

    stage: int
    """Number of the stage (from 1) whose totals are tied."""

    about: str
    """What was to be decided: `exclusion`, `surplus` or `seat`."""

    candidates: tuple[str, ...]
    """Everyone who was tied, in alphabetical order."""

    resolved_by: Resolution

    chosen: tuple[str, ...]
    """Who was picked: for exclusion, for transfer first, or for the seat."""

    words: str

    def as_json(self) -> dict[str, Json]:
        """Returns the tie as JSON."""
        return {
            "stage": self.stage,
            "about": self.about,
            "candidates": list(self.candidates),
            "resolved_by": self.resolved_by.value,
            "chosen": list(self.chosen),
            "words": self.words,
        }


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a count and where every vote was at its end."""

    act: str
    """What was done, such as `exclude Ada`."""

    totals: Mapping[str, Fraction]
    """Votes by name, without those excluded; exact."""

    exhausted: Fraction = Fraction()
    """Votes that no candidate holds any more, `rounding` included."""

    rounding: Fraction = Fraction()
    """The part of `exhausted` lost because transfer values are cut to five decimals."""

    elected: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def as_json(self, places: int) -> dict[str, Json]:
        """Returns the stage as JSON, totals with at least `places` decimals."""
        return {
            "act": self.act,
            "totals": {name: number_text(votes, places) for name, votes in self.totals.items()},
            "exhausted": number_text(self.exhausted, places),
            "rounding": number_text(self.rounding, places),
            "elected": list(self.elected),
            "excluded": list(self.excluded),
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True, slots=True)
class ElectionSheet:
    """The whole result of one count."""

    method: str
    title: str
    seats: int
    valid: Fraction
    """Weight of the ballots that counted."""

    void: Fraction
    """Weight of the ballots that expressed nothing this method can read."""

    quota: int | None
    """Votes that elect, for methods that have a quota."""

    outcome: Outcome
    elected: tuple[str, ...]
    """Names in the order of election."""

    stages: tuple[Stage, ...]
    ties: tuple[Tie, ...]
    decider: Decider | None
    """What ties fell to, or would have fallen to; None where a tie leaves the status quo."""

    notes: tuple[str, ...] = ()
    """The arithmetic in words."""

    places: int = 0
    details: Mapping[str, Json] = field(default_factory=dict)
    """What only this method has, such as a matrix of paired comparisons."""

    quorum: QuorumCheck | None = None
    """The quorum of the vote; None where no rule asked for one."""

    @property
    def exhausted(self) -> Fraction:
        """Votes no candidate holds at the end of the count."""
        return self.stages[-1].exhausted

    @property
    def lot_seed(self) -> str | None:
        """The seed lots were, or would have been, drawn with; None when no lot was allowed."""
        return self.decider.seed if isinstance(self.decider, Lot) else None

    @property
    def casting_vote(self) -> tuple[str, ...] | None:
        """The chair's order of the candidates; None when ties did not fall to the chair."""
        return self.decider.names if isinstance(self.decider, CastingVote) else None

    @property
    def tie_rule(self) -> TieRule:
        """What a tie falls to that earlier stages do not resolve."""
        if isinstance(self.decider, CastingVote):
            return TieRule.CHAIR
        return TieRule.LOT if self.decider else TieRule.STATUS_QUO

    def under(self, quorum: QuorumCheck) -> Self:
        """Returns the sheet of the same count under a quorum: nobody is elected without it."""
        if quorum.is_met:
            return replace(self, quorum=quorum)
        return replace(self, quorum=quorum, outcome=Outcome.NO_QUORUM, elected=())

    def as_json(self) -> dict[str, Json]:
        """Returns the sheet as JSON: seats and quota as integers, votes as decimal strings."""
        return {
            "method": self.method,
            "title": self.title,
            "seats": self.seats,
            "valid": number_text(self.valid),
            "void": number_text(self.void),
            "quota": self.quota,
            "outcome": self.outcome.value,
            "elected": list(self.elected),
            "stages": [stage.as_json(self.places) for stage in self.stages],
            "ties": [tie.as_json() for tie in self.ties],
            "exhausted": number_text(self.exhausted, self.places),
            "tie_rule": self.tie_rule.value,
            "lot_seed": self.lot_seed,
            "casting_vote": None if self.casting_vote is None else list(self.casting_vote),
            "quorum": self.quorum.as_json() if self.quorum else None,
            "notes": list(self.notes),
            **self.details,
        }
