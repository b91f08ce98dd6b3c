"""What a body's charter says about each type of decision: read, checked, put into plain words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from proposals.choices import ProposalType
from proposals.papers import ELECTION_METHODS, METHOD_NAMES, MOTION_METHODS
from proposals.tally import consent, score, yes_no
from proposals.tally.errors import InputError
from proposals.tally.exact import fraction, fraction_text
from proposals.tally.motion import Base, Comparison, Rules, TieRule
from proposals.tally.quorum import QuorumBase
from proposals.tally.score import MAX_SCORE

BASE_WORDS = {
    Base.VOTES_CAST: "the votes cast",
    Base.YES_AND_NO: "the votes for and against",
    Base.ROLL: "the whole roll",
}
SECRECIES = {
    "open": "Choices are hidden until the close and then published by name.",
    "secret": "Choices are secret from the public: who voted is published, never how.",
}
DELEGATIONS = {
    "none": "Every member votes in person.",
    "transitive": "A member may delegate the vote to another, who may pass it on; it can be taken "
    "back until the close, and a ballot of one's own overrides it.",
}
RECUSALS = {
    "none": "Nobody steps off the roll; a member with a conflict of interest can abstain.",
    "declared": "A member who declares a conflict of interest before the vote is off its roll.",
}
TIE_WORDS = {
    TieRule.STATUS_QUO: "A tie leaves things as they are.",
    TieRule.CHAIR: "A tie falls to the chair's casting vote.",
    TieRule.LOT: "A tie falls to a lot: its seed is committed to before the vote opens and "
    "revealed after the close.",
}
QUORUM_WORDS = {
    QuorumBase.ROLL: "of the roll must vote",
    QuorumBase.ROLL_AND_RECUSED: "of the roll, those recused included, must vote",
    QuorumBase.MEMBERS: "of the members on the roll must vote, each counted once",
}


class CharterError(ValueError):
    """A charter that cannot be used; the message names the rule and the fix.

    `field` is the rule's name where one rule is at fault, `problem` what is wrong with it.
    """

    def __init__(self, message: str, *, field: str = "", problem: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.problem = problem or message


@dataclass(frozen=True, slots=True)
class DecisionRules:
    """How one type of decision is made."""

    vote: Rules
    override_threshold: Fraction
    """The threshold instead, when a must-pass criterion is not shown to be met."""

    deliberation_hours: int
    voting_hours: int
    sunset_days: int
    secrecy: str = "open"
    notice_hours: int = 0
    """How long the final text stands before a vote can open."""

    method: str = yes_no.METHOD
    """How votes become a result, by the name the count uses."""

    highest: int = 5
    """The most points a ballot can give an option, for the method `score`."""

    delegation: str = "none"
    recusal: str = "none"

    def effective(self, *, criterion_failed: bool) -> Rules:
        """Return the rules of the vote, with the override where a criterion failed."""
        if criterion_failed and self.override_threshold > self.vote.threshold:
            return replace(
                self.vote, threshold=self.override_threshold, comparison=Comparison.AT_LEAST
            )
        return self.vote

    def words(self, proposal_type: ProposalType = ProposalType.AUTHORISE) -> list[str]:
        """Return the rules as sentences for people, without those that its type never uses."""
        is_authorisation = proposal_type == ProposalType.AUTHORISE
        lines = [
            *self._method_words(),
            _quorum_words(self.vote),
            self._override_words() if is_authorisation and self.method == yes_no.METHOD else "",
            f"Deliberation takes at least {hours_words(self.deliberation_hours)}."
            if self.deliberation_hours
            else "Deliberation has no set length; a clerk ends it.",
            f"The final text stands at least {hours_words(self.notice_hours)} before the vote."
            if self.notice_hours
            else "",
            f"A vote is open for {hours_words(self.voting_hours)} unless all have voted before.",
            f"An authorisation ends after {days_words(self.sunset_days)} unless renewed."
            if is_authorisation
            else "",
            TIE_WORDS[self.vote.tie_rule] if self.method != consent.METHOD else "",
            SECRECIES[self.secrecy],
            DELEGATIONS[self.delegation],
            RECUSALS[self.recusal],
        ]
        return [line for line in lines if line]

    def _method_words(self) -> list[str]:
        """Return how the votes decide: the majority of a motion, or the method by its name."""
        if self.method == yes_no.METHOD:
            comparison = self.vote.comparison.replace("_", " ")
            share = f"{fraction_words(self.vote.threshold)} of {BASE_WORDS[self.vote.base]}"
            small = "Fewer than half suffice: it can be carried against a majority."
            is_small = self.vote.threshold < Fraction(1, 2)
            return [f"Carried by {comparison} {share}.", small if is_small else ""]
        points = f" Points go from 0 to {self.highest}." if self.method == score.METHOD else ""
        return [f"Decided by {METHOD_NAMES[self.method]}.{points}"]

    def _override_words(self) -> str:
        share = max(self.override_threshold, self.vote.threshold)
        return (
            f"If a must-pass criterion is not shown to be met: at least {fraction_words(share)} of "
            f"{BASE_WORDS[self.vote.base]}."
            if share > self.vote.threshold
            else "A must-pass criterion that is not met asks for no more votes."
        )


def _quorum_words(vote: Rules) -> str:
    if not vote.quorum:
        return "There is no quorum."
    return f"Quorum: {fraction_words(vote.quorum)} {QUORUM_WORDS[vote.quorum_base]}."


def fraction_words(value: Fraction) -> str:
    """Return a fraction the way people say it: “two thirds”, “half”, else “5/7”."""
    known = {
        Fraction(1, 2): "half",
        Fraction(1, 3): "one third",
        Fraction(2, 3): "two thirds",
        Fraction(3, 4): "three quarters",
        Fraction(1, 4): "one quarter",
        Fraction(2, 5): "two fifths",
        Fraction(3, 5): "three fifths",
        Fraction(4, 5): "four fifths",
        Fraction(1): "all",
    }
    return known.get(value, fraction_text(value))


def hours_words(hours: int) -> str:
    """Return a number of hours as days where it is whole days."""
    if hours and hours % 24 == 0:
        return days_words(hours // 24)
    return f"{hours} hour{'s' if hours != 1 else ''}"


def days_words(days: int) -> str:
    """Return a number of days in words."""
    return f"{days} day{'s' if days != 1 else ''}"


ALWAYS_RULED = frozenset({ProposalType.AUTHORISE, ProposalType.MOTION})
"""Types that every charter rules on."""


def read(document: Mapping[str, Any]) -> dict[ProposalType, DecisionRules]:
    """Read and check a charter document: one object of rules for each type of decision.

    Authorisations and motions must be ruled on; what else is left out, the body cannot decide.

    Raises:
        CharterError: a rule is missing, unknown, or can never be met.
    """
    unknown = sorted(set(document) - set(ProposalType.values))
    missing = sorted({kind.value for kind in ALWAYS_RULED} - set(document))
    if unknown or missing:
        raise CharterError(
            f"The charter must rule on {', '.join(sorted(ALWAYS_RULED))}, may rule on "
            f"{', '.join(sorted(set(ProposalType.values) - ALWAYS_RULED))}, and nothing else "
            f"(missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'})."
        )
    return {ProposalType(name): read_rules(name, rules) for name, rules in document.items()}


NUMBERS = {
    "notice_hours": (0, 24 * 90),
    "deliberation_hours": (0, 24 * 365),
    "voting_hours": (1, 24 * 90),
    "sunset_days": (1, 3650),
    "highest": (1, MAX_SCORE),
}
"""Least and most of each whole number."""

_WORDS = {"secrecy": SECRECIES, "delegation": DELEGATIONS, "recusal": RECUSALS}
"""Rules that are one of a few words."""

_OPTIONAL = {
    "notice_hours": 0,
    "method": yes_no.METHOD,
    "highest": 5,
    "delegation": "none",
    "recusal": "none",
}
"""What a charter may leave out, with what it means then: charters adopted earlier lack it."""

_KEYS = {"vote", "override_threshold", "secrecy", *NUMBERS, *_OPTIONAL}


def read_rules(name: str, rules: Any) -> DecisionRules:
    """Read and check what a charter says about one type of decision.

    Raises:
        CharterError: a rule is missing, unknown, or can never be met.
    """
    if not isinstance(rules, Mapping):
        raise CharterError(f"{name}: give an object of rules.")
    _require_keys(name, rules)
    given = _OPTIONAL | dict(rules)
    vote, override = _read_vote(name, rules["vote"]), _read_share(name, rules["override_threshold"])
    if not vote.threshold <= override <= 1:
        raise _fault(name, "override_threshold", "must lie between the threshold and 1")
    _check_method(name, given["method"], vote)
    for field, known in _WORDS.items():
        if given[field] not in tuple(known):
            raise _fault(name, field, f"must be one of {', '.join(known)}")
    if given["secrecy"] == "secret" and given["delegation"] != "none":
        # Who delegates must be able to see how the delegate voted.
        raise _fault(name, "delegation", "must be none where votes are secret")
    numbers = {field: _whole(name, field, given[field], *NUMBERS[field]) for field in NUMBERS}
    words: dict[str, Any] = {field: given[field] for field in _WORDS}
    return DecisionRules(vote, override, method=given["method"], **(words | numbers))


def methods_for(kind: ProposalType | str) -> tuple[str, ...]:
    """Return the methods by which a type of decision can be made."""
    return ELECTION_METHODS if kind == ProposalType.ELECTION else MOTION_METHODS


def _check_method(name: str, method: object, vote: Rules) -> None:
    if method not in methods_for(name):
        raise _fault(name, "method", f"must be one of {', '.join(methods_for(name))}")
    if method == consent.METHOD and vote.tie_rule is not TieRule.STATUS_QUO:
        raise _fault(name, "tie_rule", "must be status_quo: a vote by consent cannot be tied")


def _require_keys(name: str, rules: Mapping[str, Any]) -> None:
    missing = sorted(_KEYS - set(rules) - set(_OPTIONAL))
    unknown = sorted(str(key) for key in set(rules) - _KEYS)
    if missing or unknown:
        raise CharterError(
            f"{name}: give exactly {', '.join(sorted(_KEYS))} "
            f"(missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'})."
        )


def _read_vote(name: str, vote: Any) -> Rules:
    if not isinstance(vote, Mapping):
        raise _fault(name, "vote", "must be an object with threshold, base, comparison and quorum")
    try:
        return Rules.of(**vote)
    except InputError as error:
        raise _fault(name, error.field, error.problem) from None
    except TypeError:
        known = ", ".join(Rules().as_json())
        raise _fault(name, "vote", f"may hold {known} and nothing else") from None


def _read_share(name: str, value: Any) -> Fraction:
    try:
        return fraction(value, "override_threshold")
    except InputError as error:
        raise _fault(name, error.field, error.problem) from None


def _whole(name: str, field: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _fault(name, field, f"must be a whole number from {low} to {high}")
    return value


def _fault(name: str, field: str, problem: str) -> CharterError:
    return CharterError(f"{name}: {field} {problem}.", field=field, problem=f"{problem}.")


def usual() -> dict[str, Any]:
    """Return a sensible first charter: two thirds and a quorum of half for authorisations."""
    common = {"secrecy": "open", "deliberation_hours": 168, "voting_hours": 72, "sunset_days": 120}
    return {
        ProposalType.AUTHORISE.value: {
            "vote": Rules.of(
                threshold="2/3", base="yes_and_no", comparison="at_least", quorum="1/2"
            ).as_json(),
            "override_threshold": "3/4",
            **common,
        },
        ProposalType.MOTION.value: {
            "vote": Rules.of(
                threshold="1/2", base="yes_and_no", comparison="more_than", quorum="1/2"
            ).as_json(),
            "override_threshold": "3/4",
            **common,
        },
        ProposalType.ELECTION.value: {
            "vote": Rules.of(quorum="1/2", tie_rule="lot").as_json(),
            "override_threshold": "3/4",
            "method": "approval",
            **common,
        },
    }


def first() -> dict[str, Any]:
    """Return what the page for a first charter begins with: the usual rules with two days' notice.

    Deliberation ends and a vote opens by a clerk's hand, so the notice is what lets a member who
    was away learn of a final text.
    """
    filled = {**_OPTIONAL, "recusal": "declared", "notice_hours": 48}
    return {name: {**filled, **rules} for name, rules in usual().items()}
