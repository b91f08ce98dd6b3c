"""The quorum of a vote: how much of its base must have taken part for the vote to count."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Self

from proposals.tally import exact
from proposals.tally.errors import InputError
from proposals.tally.exact import Json, Number, fraction_text, number_text


class QuorumBase(StrEnum):
    """What the quorum is a fraction of."""

    ROLL = "roll"
    """The weight of the roll; who is recused is not on it."""

    ROLL_AND_RECUSED = "roll_and_recused"
    """The weight of the roll and of those recused."""

    MEMBERS = "members"
    """The members on the roll, each counted once whatever their weight."""


_BASE_WORDS = {
    QuorumBase.ROLL: "the roll",
    QuorumBase.ROLL_AND_RECUSED: "the roll with those recused",
    QuorumBase.MEMBERS: "the members on the roll",
}


@dataclass(frozen=True, slots=True)
class Turnout:
    """Who took part, of those who could.

    Raises:
        InputError: on construction, naming the number that is wrong.
    """

    cast: Fraction
    """Weight of the ballots cast, those included that say nothing or abstain."""

    roll: Fraction
    """Weight of everyone entitled to vote."""

    recused: Fraction = Fraction(0)
    """Weight of those who are recused; not part of `roll`."""

    voters: int | None = None
    """Members whose weight is in `cast`, by a ballot of their own or of their delegate."""

    members: int | None = None
    """Members on the roll."""

    def __post_init__(self) -> None:
        exact.weight(self.cast, "cast")
        exact.weight(self.recused, "recused")
        if exact.weight(self.roll, "roll") == 0:
            raise InputError("roll", "is 0; nobody could vote")
        if self.cast > self.roll:
            cast, roll = number_text(self.cast), number_text(self.roll)
            raise InputError(
                "roll", f"{cast} were cast but the roll is {roll}; correct one of them"
            )
        _check_heads(self.voters, self.members)

    @classmethod
    def of(
        cls,
        *,
        cast: Number,
        roll: Number,
        recused: Number = 0,
        voters: int | None = None,
        members: int | None = None,
    ) -> Self:
        """Builds the turnout from plain numbers."""
        return cls(
            exact.weight(cast, "cast"),
            exact.weight(roll, "roll"),
            exact.weight(recused, "recused"),
            voters,
            members,
        )


@dataclass(frozen=True, slots=True)
class Quorum:
    """A rule of quorum.

    Raises:
        InputError: on construction, for a fraction that is not from 0 to 1.
    """

    fraction: Fraction = Fraction(0)
    """At least this fraction of the base must have taken part; 0 asks for none."""

    base: QuorumBase = QuorumBase.ROLL

    def __post_init__(self) -> None:
        if not 0 <= exact.fraction(self.fraction, "quorum") <= 1:
            raise InputError("quorum", f"{self.fraction} is not from 0 to 1")

    @classmethod
    def of(cls, quorum: Number = 0, quorum_base: str = QuorumBase.ROLL) -> Self:
        """Builds the rule from plain values."""
        base = exact.read_member(QuorumBase, quorum_base, "quorum_base")
        return cls(exact.fraction(quorum, "quorum"), base)

    def check(self, turnout: Turnout) -> "QuorumCheck":
        """Holds the turnout against the rule.

        Raises:
            InputError: when the base is members and the turnout does not say how many there are.
        """
        if self.base is QuorumBase.MEMBERS:
            if turnout.voters is None or turnout.members is None:
                raise InputError("members", "is needed, with voters, for a quorum of the members")
            return QuorumCheck(self, Fraction(turnout.members), Fraction(turnout.voters))
        recused = turnout.recused if self.base is QuorumBase.ROLL_AND_RECUSED else 0
        return QuorumCheck(self, turnout.roll + recused, turnout.cast)


@dataclass(frozen=True, slots=True)
class QuorumCheck:
    """The arithmetic of one quorum."""

    rule: Quorum
    whole: Fraction
    """How much the base comes to."""

    present: Fraction
    """How much of it took part."""

    @property
    def needed(self) -> Fraction:
        """How much must have taken part."""
        return self.rule.fraction * self.whole

    @property
    def is_met(self) -> bool:
        """True when enough took part."""
        return self.present >= self.needed

    @property
    def words(self) -> str:
        """The arithmetic as one sentence."""
        if not self.rule.fraction:
            return "Quorum: none is required."
        needed, present, whole = map(number_text, (self.needed, self.present, self.whole))
        share, base = fraction_text(self.rule.fraction), _BASE_WORDS[self.rule.base]
        verdict = "the quorum is met" if self.is_met else "the quorum is not met"
        voted = "voted" if self.rule.base is QuorumBase.MEMBERS else "were cast"
        return (
            f"Quorum: at least {share} of {base}: {share} × {whole} = {needed};"
            f" {present} {voted}, so {verdict}."
        )

    def as_json(self) -> dict[str, Json]:
        """Returns the arithmetic as JSON; every number is a text."""
        return {
            "fraction": fraction_text(self.rule.fraction),
            "base": self.rule.base.value,
            "whole": number_text(self.whole),
            "needed": number_text(self.needed),
            "present": number_text(self.present),
            "met": self.is_met,
        }


def _check_heads(voters: int | None, members: int | None) -> None:
    for field, number in (("voters", voters), ("members", members)):
        if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
            raise InputError(field, f"{number!r} is not a whole number")
        if number is not None and not 0 <= number <= exact.MAX_NUMBER:
            raise InputError(field, f"{number} is not from 0 to {exact.MAX_NUMBER}")
    if voters is not None and members is not None and voters > members:
        raise InputError("voters", f"{voters} voted but there are {members} members")
