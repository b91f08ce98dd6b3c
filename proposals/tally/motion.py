"""What a vote on a motion is judged by: the rules of the contract and the weights cast."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Self

from proposals.tally import exact
from proposals.tally.errors import InputError
from proposals.tally.exact import Number, fraction_text
from proposals.tally.quorum import Quorum, QuorumBase, Turnout
from proposals.tally.sheet import TieRule

__all__ = ["Base", "Choice", "Comparison", "QuorumBase", "Rules", "TieRule", "Votes"]


class Choice(StrEnum):
    """What a ballot says."""

    YES = "yes"
    NO = "no"
    ABSTAIN = "abstain"


class Base(StrEnum):
    """What the threshold is a fraction of."""

    VOTES_CAST = "votes_cast"
    """Yes, no and abstain: abstaining weighs against."""

    YES_AND_NO = "yes_and_no"
    """Yes and no: abstaining counts for neither side."""

    ROLL = "roll"
    """Everyone entitled to vote: not voting weighs against."""


class Comparison(StrEnum):
    """How the yes weight is held against the threshold."""

    AT_LEAST = "at_least"
    MORE_THAN = "more_than"


@dataclass(frozen=True, slots=True)
class Rules:
    """By what a motion is judged; `of` builds it from what a contract holds.

    Raises:
        InputError: on construction, for rules that make no sense or that nothing could meet.
    """

    threshold: Fraction = Fraction(1, 2)
    base: Base = Base.YES_AND_NO
    comparison: Comparison = Comparison.MORE_THAN
    quorum: Fraction = Fraction(0)
    """At least this fraction of the quorum base must have been cast; 0 asks for none."""

    quorum_base: QuorumBase = QuorumBase.ROLL
    tie_rule: TieRule = TieRule.STATUS_QUO

    def __post_init__(self) -> None:
        if not 0 < exact.fraction(self.threshold, "threshold") <= 1:
            raise InputError("threshold", f"{self.threshold} is not above 0 and up to 1")
        if self.threshold == 1 and self.comparison is Comparison.MORE_THAN:
            raise InputError("comparison", "more than all can never be met; use at_least")
        Quorum(self.quorum, self.quorum_base)

    @classmethod
    def of(
        cls,
        *,
        threshold: Number = "1/2",
        base: str = Base.YES_AND_NO,
        comparison: str = Comparison.MORE_THAN,
        quorum: Number = 0,
        quorum_base: str = QuorumBase.ROLL,
        tie_rule: str = TieRule.STATUS_QUO,
    ) -> Self:
        """Builds rules from plain values; `Rules.of(**rules.as_json())` gives the same rules."""
        return cls(
            threshold=exact.fraction(threshold, "threshold"),
            base=exact.read_member(Base, base, "base"),
            comparison=exact.read_member(Comparison, comparison, "comparison"),
            quorum=exact.fraction(quorum, "quorum"),
            quorum_base=exact.read_member(QuorumBase, quorum_base, "quorum_base"),
            tie_rule=exact.read_member(TieRule, tie_rule, "tie_rule"),
        )

    def as_json(self) -> dict[str, str]:
        """Returns the rules as JSON, fractions as text in lowest terms."""
        return {
            "threshold": fraction_text(self.threshold),
            "base": self.base.value,
            "comparison": self.comparison.value,
            "quorum": fraction_text(self.quorum),
            "quorum_base": self.quorum_base.value,
            "tie_rule": self.tie_rule.value,
        }

    def passes(self, yes: Fraction, line: Fraction) -> bool:
        """True when a yes weight meets the line; no yes at all never does."""
        if self.comparison is Comparison.AT_LEAST:
            return yes >= line and yes > 0
        return yes > line


@dataclass(frozen=True, slots=True)
class Votes:
    """The weights cast, and the weight of everyone entitled to cast.

    Raises:
        InputError: on construction, naming the weight that is wrong.
    """

    yes: Fraction
    no: Fraction
    abstain: Fraction
    roll: Fraction
    """Weight of the roll, those who did not vote included."""

    recused: Fraction = Fraction(0)
    """Weight of those who are recused; not part of `roll`."""

    voters: int | None = None
    """Members who took part, in person or by a delegate; needed for a quorum of members."""

    members: int | None = None
    """Members on the roll; needed for a quorum of members."""

    def __post_init__(self) -> None:
        for choice in Choice:
            exact.weight(getattr(self, choice), choice)
        _ = self.turnout

    @classmethod
    def of(
        cls,
        *,
        yes: Number,
        no: Number,
        abstain: Number = 0,
        roll: Number,
        recused: Number = 0,
        voters: int | None = None,
        members: int | None = None,
    ) -> Self:
        """Builds the votes from plain numbers."""
        return cls(
            yes=exact.weight(yes, "yes"),
            no=exact.weight(no, "no"),
            abstain=exact.weight(abstain, "abstain"),
            roll=exact.weight(roll, "roll"),
            recused=exact.weight(recused, "recused"),
            voters=voters,
            members=members,
        )

    @classmethod
    def from_ballots(
        cls,
        ballots: Iterable[tuple[str, Number]],
        *,
        roll: Number,
        recused: Number = 0,
        voters: int | None = None,
        members: int | None = None,
    ) -> Self:
        """Adds up ballots given as pairs of choice and weight, delegated weight included."""
        totals = dict.fromkeys(Choice, Fraction(0))
        for choice, weight in ballots:
            totals[exact.read_member(Choice, choice, "choice")] += exact.weight(weight, "weight")
        return cls(
            yes=totals[Choice.YES],
            no=totals[Choice.NO],
            abstain=totals[Choice.ABSTAIN],
            roll=exact.weight(roll, "roll"),
            recused=exact.weight(recused, "recused"),
            voters=voters,
            members=members,
        )

    @property
    def cast(self) -> Fraction:
        """Yes, no and abstain together."""
        return self.yes + self.no + self.abstain

    @property
    def turnout(self) -> Turnout:
        """What a quorum is held against."""
        return Turnout(self.cast, self.roll, self.recused, self.voters, self.members)

    def of_base(self, base: Base) -> Fraction:
        """Returns the weight a threshold is a fraction of."""
        if base is Base.ROLL:
            return self.roll
        return self.cast if base is Base.VOTES_CAST else self.yes + self.no
