"""Counts a vote by consent: it passes unless a reasoned objection stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from proposals.tally import exact
from proposals.tally.errors import InputError
from proposals.tally.exact import Json, Number, number_text
from proposals.tally.quorum import Quorum, QuorumCheck, Turnout
from proposals.tally.yes_no import Outcome

METHOD = "consent"

MAX_REASON_CHARACTERS = 10_000


class Stance(StrEnum):
    """What a ballot says."""

    CONSENT = "consent"
    ABSTAIN = "abstain"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class ConsentBallot:
    """One ballot.

    Raises:
        InputError: on construction, naming the field that is wrong.
    """

    stance: Stance
    weight: Fraction

    reason: str = ""
    """Why an objection is made; without a reason it does not stand."""

    by: str = ""
    """Whose ballot it is, where that is public."""

    def __post_init__(self) -> None:
        exact.weight(self.weight, "weight")
        if len(self.reason) > MAX_REASON_CHARACTERS:
            raise InputError("reason", f"is longer than {MAX_REASON_CHARACTERS} characters")
        if self.reason and self.stance is not Stance.OBJECT:
            raise InputError("reason", f"belongs to an objection, not to {self.stance.value}")

    @classmethod
    def of(
        cls, stance: str, weight: Number = 1, *, reason: str = "", by: str = ""
    ) -> "ConsentBallot":
        """Builds a ballot from plain values."""
        read = exact.read_member(Stance, stance, "choice")
        return cls(read, exact.weight(weight, "weight"), reason, by)

    @property
    def stands(self) -> bool:
        """True for an objection with a reason that holds more than white space."""
        return self.stance is Stance.OBJECT and bool(self.reason.strip())

    def as_json(self) -> dict[str, Json]:
        """Returns an objection as JSON."""
        weight = number_text(self.weight)
        return {"by": self.by, "weight": weight, "reason": self.reason, "stands": self.stands}


@dataclass(frozen=True, slots=True)
class ConsentSheet:
    """The whole result of a vote by consent."""

    consent: Fraction
    abstain: Fraction
    object: Fraction
    """Weight of all objections, those without a reason included."""

    turnout: Turnout
    quorum: QuorumCheck
    objections: tuple[ConsentBallot, ...]
    """Every objection, heaviest first."""

    outcome: Outcome

    @property
    def standing(self) -> tuple[ConsentBallot, ...]:
        """The objections that stand, each of which is enough to stop the motion."""
        return tuple(each for each in self.objections if each.stands)

    @property
    def words(self) -> tuple[str, ...]:
        """The count as sentences: cast, quorum, objections, outcome."""
        ended = f"Outcome: {self.outcome.value.replace('_', ' ')}."
        return (self._cast_words(), self.quorum.words, self._objection_words(), ended)

    def as_json(self) -> dict[str, Json]:
        """Returns the sheet as JSON; every weight is a text."""
        return {
            "method": METHOD,
            "votes": {
                "consent": number_text(self.consent),
                "abstain": number_text(self.abstain),
                "object": number_text(self.object),
                "cast": number_text(self.turnout.cast),
                "roll": number_text(self.turnout.roll),
            },
            "quorum": self.quorum.as_json(),
            "objections": [each.as_json() for each in self.objections],
            "standing": len(self.standing),
            "outcome": self.outcome.value,
            "words": list(self.words),
        }

    def _cast_words(self) -> str:
        consent, abstain, against, cast, roll = map(
            number_text,
            (self.consent, self.abstain, self.object, self.turnout.cast, self.turnout.roll),
        )
        return (
            f"Cast: {consent} consent + {abstain} abstain + {against} object = {cast},"
            f" of a roll of {roll}."
        )

    def _objection_words(self) -> str:
        if not self.objections:
            nobody = "" if self.consent else ", but nobody consented"
            return f"Objections: none{nobody}."
        made = f"{len(self.objections)} made, {len(self.standing)} with a reason"
        if self.standing:
            return f"Objections: {made}; one that stands is enough, so the motion is stopped."
        return f"Objections: {made}; without a reason an objection does not stand."


def count(
    ballots: Iterable[ConsentBallot],
    *,
    roll: Number,
    quorum: Quorum | None = None,
    recused: Number = 0,
    voters: int | None = None,
    members: int | None = None,
) -> ConsentSheet:
    """Judges a motion by consent; there is nothing that could be tied.

    Without a quorum the outcome is `no_quorum`. With one the motion is carried when no objection
    stands and someone consented. One objection that stands is enough, whatever its weight.

    Args:
        ballots: the last ballot of each who voted; abstaining and objecting count as cast.
        roll: weight of everyone entitled to vote.
        quorum: the rule of quorum; None asks for none.
        recused: weight of those who are recused, which `roll` leaves out.
        voters: members who took part, for a quorum of the members.
        members: members on the roll, for a quorum of the members.

    Raises:
        InputError: naming the number that is wrong.
    """
    given = list(ballots)
    weights = dict.fromkeys(Stance, Fraction(0))
    for ballot in given:
        weights[ballot.stance] += ballot.weight
    turnout = Turnout.of(
        cast=sum(weights.values(), Fraction(0)),
        roll=roll,
        recused=recused,
        voters=voters,
        members=members,
    )
    check = (quorum or Quorum()).check(turnout)
    objections = sorted(
        (each for each in given if each.stance is Stance.OBJECT),
        key=lambda each: (-each.weight, each.by, each.reason),
    )
    is_stopped = any(each.stands for each in objections) or not weights[Stance.CONSENT]
    if check.is_met:
        outcome = Outcome.NOT_CARRIED if is_stopped else Outcome.CARRIED
    else:
        outcome = Outcome.NO_QUORUM
    return ConsentSheet(
        consent=weights[Stance.CONSENT],
        abstain=weights[Stance.ABSTAIN],
        object=weights[Stance.OBJECT],
        turnout=turnout,
        quorum=check,
        objections=tuple(objections),
        outcome=outcome,
    )
