"""Counts a motion: yes, no and abstain, by weight, against a quorum and a threshold.

A simple majority, two thirds of the roll, unanimity and the rest are all parameters of `Rules`.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from proposals.tally.errors import InputError
from proposals.tally.exact import Json, fraction_text, number_text, read_member
from proposals.tally.lot import Lot
from proposals.tally.motion import Base, Choice, Comparison, Rules, Votes
from proposals.tally.quorum import Quorum, QuorumBase, QuorumCheck
from proposals.tally.sheet import TieRule

__all__ = [
    "METHOD",
    "Base",
    "Choice",
    "Comparison",
    "Outcome",
    "QuorumBase",
    "Resolution",
    "Rules",
    "Tie",
    "TieRule",
    "Votes",
    "YesNoSheet",
    "count",
]

METHOD = "yes-no"


class Outcome(StrEnum):
    """How a motion ended."""

    CARRIED = "carried"
    NOT_CARRIED = "not_carried"
    TIED = "tied"
    """Tied, and either the status quo stands or nobody has resolved it yet."""

    NO_QUORUM = "no_quorum"


class Resolution(StrEnum):
    """What resolved a tied motion."""

    STATUS_QUO = "status_quo"
    CASTING_VOTE = "casting_vote"
    LOT = "lot"
    PENDING = "pending"
    """The rule needs a casting vote or a lot, and the count was given none."""


_BASE_WORDS = {
    Base.VOTES_CAST: "the votes cast",
    Base.YES_AND_NO: "the votes for and against",
    Base.ROLL: "the roll",
}
_COMPARISON_WORDS = {Comparison.AT_LEAST: "at least", Comparison.MORE_THAN: "more than"}


@dataclass(frozen=True, slots=True)
class Tie:
    """A tied motion and what became of it."""

    resolved_by: Resolution
    chosen: Choice | None
    """The side that won by it; None when nothing decided."""

    lot_seed: str | None
    words: str

    def as_json(self) -> dict[str, Json]:
        """Returns the tie as JSON."""
        return {
            "resolved_by": self.resolved_by.value,
            "chosen": self.chosen.value if self.chosen else None,
            "lot_seed": self.lot_seed,
            "words": self.words,
        }


@dataclass(frozen=True, slots=True)
class YesNoSheet:
    """The whole result of a vote on a motion, with the arithmetic behind it."""

    rules: Rules
    votes: Votes
    outcome: Outcome
    tie: Tie | None

    @property
    def quorum(self) -> QuorumCheck:
        """The arithmetic of the quorum."""
        return Quorum(self.rules.quorum, self.rules.quorum_base).check(self.votes.turnout)

    @property
    def quorum_needed(self) -> Fraction:
        """How much of the quorum's base must have taken part."""
        return self.quorum.needed

    @property
    def is_quorate(self) -> bool:
        """True when enough took part."""
        return self.quorum.is_met

    @property
    def base_weight(self) -> Fraction:
        """Weight the threshold is a fraction of."""
        return self.votes.of_base(self.rules.base)

    @property
    def line(self) -> Fraction:
        """The yes weight that meets the threshold exactly."""
        return self.rules.threshold * self.base_weight

    @property
    def share(self) -> Fraction | None:
        """Yes as a fraction of the base; None when the base is nothing."""
        return self.votes.yes / self.base_weight if self.base_weight else None

    @property
    def meets_threshold(self) -> bool:
        """True when the yes weight meets the threshold, whatever the quorum."""
        return self.rules.passes(self.votes.yes, self.line)

    @property
    def words(self) -> tuple[str, ...]:
        """The arithmetic as sentences: cast, quorum, threshold, tie, outcome."""
        tie = (self.tie.words,) if self.tie else ()
        ended = f"Outcome: {self.outcome.value.replace('_', ' ')}."
        return (self._cast_words(), self.quorum.words, self._threshold_words(), *tie, ended)

    def as_json(self) -> dict[str, Json]:
        """Returns the sheet as JSON; every weight is a decimal and every share a fraction."""
        votes, share = self.votes, self.share
        return {
            "method": METHOD,
            "rules": self.rules.as_json(),
            "votes": {
                "yes": number_text(votes.yes),
                "no": number_text(votes.no),
                "abstain": number_text(votes.abstain),
                "cast": number_text(votes.cast),
                "roll": number_text(votes.roll),
            },
            "quorum": self.quorum.as_json(),
            "threshold": {
                "base_weight": number_text(self.base_weight),
                "line": number_text(self.line),
                "share": None if share is None else fraction_text(share),
                "met": self.meets_threshold,
            },
            "tie": self.tie.as_json() if self.tie else None,
            "outcome": self.outcome.value,
            "words": list(self.words),
        }

    def _cast_words(self) -> str:
        yes, no, abstain, cast, roll = map(
            number_text,
            (self.votes.yes, self.votes.no, self.votes.abstain, self.votes.cast, self.votes.roll),
        )
        return f"Cast: {yes} yes + {no} no + {abstain} abstain = {cast}, of a roll of {roll}."

    def _threshold_words(self) -> str:
        rules, yes = self.rules, number_text(self.votes.yes)
        needed = f"{_COMPARISON_WORDS[rules.comparison]} {fraction_text(rules.threshold)}"
        base, line = number_text(self.base_weight), number_text(self.line)
        verdict = "met" if self.meets_threshold else "not met"
        return (
            f"Threshold: {needed} of {_BASE_WORDS[rules.base]}:"
            f" {fraction_text(rules.threshold)} × {base} = {line}; {yes} yes is"
            f" {self._position()}, so the threshold is {verdict}."
        )

    def _position(self) -> str:
        if self.votes.yes == self.line:
            return "exactly that"
        return "more" if self.votes.yes > self.line else "less"


def count(
    rules: Rules,
    votes: Votes,
    *,
    casting_vote: str | None = None,
    lot_seed: str | None = None,
) -> YesNoSheet:
    """Judges a motion.

    Without a quorum the outcome is `no_quorum`, whatever the votes. A tie is the one case in
    which the numbers favour neither side: some voted yes, just as many voted no, and the yes
    weight is exactly on a line it had to pass. Every other case the threshold itself decides.

    Args:
        rules: the rules of the decision contract.
        votes: the weights.
        casting_vote: `yes` or `no`, the chair's, used only when a tie falls to the chair.
        lot_seed: used only when a tie falls to a lot; the luckier of `yes` and `no` wins.

    Raises:
        InputError: for a casting vote under another tie rule or that is neither yes nor no, and
            for a quorum of the members when their numbers are missing.
    """
    chair = _read_casting_vote(rules, casting_vote)
    sheet = YesNoSheet(rules, votes, Outcome.NOT_CARRIED, None)
    if not sheet.is_quorate:
        return YesNoSheet(rules, votes, Outcome.NO_QUORUM, None)
    if sheet.meets_threshold:
        return YesNoSheet(rules, votes, Outcome.CARRIED, None)
    if votes.yes > 0 and votes.yes == votes.no and votes.yes == sheet.line:
        tie = _resolve(rules.tie_rule, chair, lot_seed)
        return YesNoSheet(rules, votes, _OUTCOME_OF[tie.chosen], tie)
    return sheet


_OUTCOME_OF = {
    Choice.YES: Outcome.CARRIED,
    Choice.NO: Outcome.NOT_CARRIED,
    None: Outcome.TIED,
}


def _read_casting_vote(rules: Rules, casting_vote: str | None) -> Choice | None:
    if casting_vote is None:
        return None
    if rules.tie_rule is not TieRule.CHAIR:
        raise InputError("casting_vote", f"the tie rule is {rules.tie_rule.value}; leave it out")
    choice = read_member(Choice, casting_vote, "casting_vote")
    if choice is Choice.ABSTAIN:
        raise InputError("casting_vote", "must be yes or no, as it has to decide")
    return choice


def _resolve(rule: TieRule, chair: Choice | None, lot_seed: str | None) -> Tie:
    if rule is TieRule.STATUS_QUO:
        words = "Tie: yes and no are equal and the rule is that the status quo stands."
        return Tie(Resolution.STATUS_QUO, None, None, words)
    if rule is TieRule.CHAIR and chair:
        words = f"Tie: yes and no are equal; the chair's casting vote is {chair.value}."
        return Tie(Resolution.CASTING_VOTE, chair, None, words)
    if rule is TieRule.LOT and lot_seed is not None:
        drawn = Choice(Lot(lot_seed).order([Choice.YES.value, Choice.NO.value])[0])
        words = f"Tie: yes and no are equal; the lot drawn by seed {lot_seed!r} says {drawn.value}."
        return Tie(Resolution.LOT, drawn, lot_seed, words)
    missing = "the chair's casting vote" if rule is TieRule.CHAIR else "a lot"
    words = f"Tie: yes and no are equal; {missing} has to decide and has not yet."
    return Tie(Resolution.PENDING, None, None, words)
