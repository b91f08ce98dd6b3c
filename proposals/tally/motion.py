"""What a vote on a motion is judged by: the rules of the contract and the weights cast."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Self, TypeVar

from proposals.tally import exact
from proposals.tally.errors import InputError
from proposals.tally.exact import Number, fraction_text, number_text

_Enum = TypeVar("_Enum", bound=StrEnum)


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


class QuorumBase(StrEnum):
    """What the quorum is a fraction of."""

    ROLL = "roll"


class Comparison(StrEnum):
    """How the yes weight is held against the threshold."""

    AT_LEAST = "at_least"
    MORE_THAN = "more_than"


class TieRule(StrEnum):
    """What happens when yes and no are equal and the threshold is met exactly but not passed."""

    STATUS_QUO = "status_quo"
    """Nothing changes."""

    CHAIR = "chair"
    """The chair's casting vote decides."""

    LOT = "lot"
    """A lot between yes and no decides."""


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
        if not 0 <= exact.fraction(self.quorum, "quorum") <= 1:
            raise InputError("quorum", f"{self.quorum} is not from 0 to 1")

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
            base=read_member(Base, base, "base"),
            comparison=read_member(Comparison, comparison, "comparison"),
            quorum=exact.fraction(quorum, "quorum"),
            quorum_base=read_member(QuorumBase, quorum_base, "quorum_base"),
            tie_rule=read_member(TieRule, tie_rule, "tie_rule"),
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

    def __post_init__(self) -> None:
        for choice in Choice:
            exact.weight(getattr(self, choice), choice)
        if exact.weight(self.roll, "roll") == 0:
            raise InputError("roll", "is 0; nobody could vote")
        if self.cast > self.roll:
            cast, roll = number_text(self.cast), number_text(self.roll)
            raise InputError(
                "roll", f"{cast} were cast but the roll is {roll}; correct one of them"
            )

    @classmethod
    def of(cls, *, yes: Number, no: Number, abstain: Number = 0, roll: Number) -> Self:
        """Builds the votes from plain numbers."""
        return cls(
            yes=exact.weight(yes, "yes"),
            no=exact.weight(no, "no"),
            abstain=exact.weight(abstain, "abstain"),
            roll=exact.weight(roll, "roll"),
        )

    @classmethod
    def from_ballots(cls, ballots: Iterable[tuple[str, Number]], *, roll: Number) -> Self:
        """Adds up ballots given as pairs of choice and weight."""
        totals = dict.fromkeys(Choice, Fraction(0))
        for choice, weight in ballots:
            totals[read_member(Choice, choice, "choice")] += exact.weight(weight, "weight")
        return cls(
            yes=totals[Choice.YES],
            no=totals[Choice.NO],
            abstain=totals[Choice.ABSTAIN],
            roll=exact.weight(roll, "roll"),
        )

    @property
    def cast(self) -> Fraction:
        """Yes, no and abstain together."""
        return self.yes + self.no + self.abstain

    def of_base(self, base: Base) -> Fraction:
        """Returns the weight a threshold is a fraction of."""
        if base is Base.ROLL:
            return self.roll
        return self.cast if base is Base.VOTES_CAST else self.yes + self.no


def read_member(kind: type[_Enum], value: str, field: str) -> _Enum:
    """Reads one of an enumeration's values.

    Raises:
        InputError: naming the field and the values it may have.
    """
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise InputError(field, f"{str(value)[:40]!r} is not one of {allowed}") from None
