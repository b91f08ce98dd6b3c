"""What a charter says about one type of decision, read and checked rule by rule.

Whole charters are in `proposals.charter`, the rules' sentences for people in
`proposals.charter_words`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext as _

from proposals.charter_words import (
    DELEGATIONS,
    EMERGENCIES,
    EVALUATORS,
    PROPOSERS,
    RECUSALS,
    SECRECIES,
    hours_words,
    rules_words,
)
from proposals.choices import ProposalType
from proposals.count_refusals import in_words
from proposals.papers import ELECTION_METHODS, MOTION_METHODS
from proposals.tally import consent, yes_no
from proposals.tally.errors import InputError
from proposals.tally.exact import fraction
from proposals.tally.motion import Comparison, Rules, TieRule
from proposals.tally.score import MAX_SCORE


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
    proposers: str = "members"
    """Who may propose it."""

    seconders: int = 0
    """How many other members support a draft before its deliberation opens."""

    emergency: str = "none"
    """Who may suspend an authorisation at once; the body ratifies that or it lapses."""

    emergency_hours: int = 336
    """How long such a suspension holds without being ratified."""

    review_days: int = 30
    """How long before the end of an authorisation its renewal is drafted; 0 for never."""

    evaluators: str = "any"
    """Whose evidence counts: everybody's, or that of evaluators admitted by decision."""

    dissent_hours: int = 168
    """How long after a decision a member can explain a vote or put a dissent on the record."""

    def effective(self, *, criterion_failed: bool) -> Rules:
        """Return the rules of the vote, with the override where a criterion failed."""
        if criterion_failed and self.override_threshold > self.vote.threshold:
            return replace(
                self.vote, threshold=self.override_threshold, comparison=Comparison.AT_LEAST
            )
        return self.vote

    @property
    def review_lead_days(self) -> int:
        """How long before the end the renewal is drafted: never more than half of the time."""
        return min(self.review_days, self.sunset_days // 2)

    def words(self, *kinds: ProposalType) -> list[str]:
        """Return the rules as sentences for people, without those that the types never use."""
        return rules_words(self, kinds or (ProposalType.AUTHORISE,))


NUMBERS = {
    "notice_hours": (0, 24 * 90),
    "deliberation_hours": (0, 24 * 365),
    "voting_hours": (1, 24 * 90),
    "sunset_days": (1, 3650),
    "highest": (1, MAX_SCORE),
    "seconders": (0, 1000),
    "emergency_hours": (1, 24 * 90),
    "review_days": (0, 3650),
    "dissent_hours": (0, 24 * 365),
}
"""Least and most of each whole number."""

_WORDS = {
    "secrecy": SECRECIES,
    "delegation": DELEGATIONS,
    "recusal": RECUSALS,
    "proposers": PROPOSERS,
    "emergency": EMERGENCIES,
    "evaluators": EVALUATORS,
}
"""Rules that are one of a few words."""

OPTIONAL = {
    "notice_hours": 0,
    "method": yes_no.METHOD,
    "highest": 5,
    "delegation": "none",
    "recusal": "none",
    "proposers": "members",
    "seconders": 0,
    "emergency": "none",
    "emergency_hours": 336,
    "review_days": 30,
    "evaluators": "any",
    "dissent_hours": 168,
}
"""What a charter may leave out, with what it means then: charters adopted earlier lack it."""

_KEYS = {"vote", "override_threshold", "secrecy", *NUMBERS, *OPTIONAL}


def read_rules(name: str, rules: Any) -> DecisionRules:
    """Read and check what a charter says about one type of decision.

    Raises:
        CharterError: a rule is missing, unknown, or can never be met.
    """
    if not isinstance(rules, Mapping):
        raise CharterError(gettext("%(name)s: give an object of rules.") % {"name": name})
    _require_keys(name, rules)
    for fault in faults_in(name, rules):
        raise fault
    given = OPTIONAL | dict(rules)
    vote, override = _read_vote(name, rules["vote"]), _read_share(name, rules["override_threshold"])
    others: dict[str, Any] = {field: given[field] for field in (*_WORDS, *NUMBERS)}
    return DecisionRules(vote, override, method=given["method"], **others)


def faults_in(name: str, rules: Mapping[str, Any]) -> Iterator[CharterError]:
    """Yield everything that is wrong in rules that have all their keys, for a form to say at once.

    What rests on a rule that is wrong itself is not looked at: it would be said for nothing.
    """
    given = OPTIONAL | dict(rules)
    vote, wrong = _vote_and_faults(name, rules["vote"])
    yield from wrong
    periods = partial(_check_ratification, name, given)
    review = partial(_check_review, name, given, review_days=rules.get("review_days", 0))
    checks: list[tuple[Callable[[], object], set[str]]] = [
        (partial(_check_override, name, rules["override_threshold"], vote), {"threshold", "vote"}),
        (partial(_check_method, name, given["method"], vote), {"tie_rule", "vote"}),
        *((partial(_check_word, name, field, given[field]), set()) for field in _WORDS),
        (partial(_check_secrecy, name, given), {"secrecy", "delegation"}),
        *((partial(_whole, name, f, given[f], *NUMBERS[f]), set()) for f in NUMBERS),
        (periods, {"emergency", "emergency_hours", *_STEPS}),
        (review, {"review_days", "sunset_days"}),
    ]
    faulty = {each.field for each in wrong}
    for check, needs in checks:
        if needs & faulty:
            continue
        try:
            check()
        except CharterError as error:
            faulty.add(error.field)
            yield error


def _vote_and_faults(name: str, vote: Any) -> tuple[Rules, list[CharterError]]:
    """Return a vote's rules, each wrong one replaced by the usual, and what is wrong with them."""
    faults: list[CharterError] = []
    usual = Rules().as_json()
    while True:
        try:
            return _read_vote(name, vote), faults
        except CharterError as error:
            if error.field not in usual or error.field in {each.field for each in faults}:
                # Nothing, or not this rule alone, can be put in its place.
                return Rules(), faults or [error]
            faults.append(error)
            vote = {**vote, error.field: usual[error.field]}


def _check_override(name: str, share: Any, vote: Rules) -> None:
    if not vote.threshold <= _read_share(name, share) <= 1:
        raise _fault(name, "override_threshold", gettext("must lie between the threshold and 1"))


def _check_word(name: str, field: str, word: Any) -> None:
    known = _WORDS[field]
    if word not in tuple(known):
        raise _fault(name, field, gettext("must be one of %(known)s") % {"known": ", ".join(known)})


def _check_secrecy(name: str, given: Mapping[str, Any]) -> None:
    if given["secrecy"] == "secret" and given["delegation"] != "none":
        # Who delegates must be able to see how the delegate voted.
        raise _fault(name, "delegation", gettext("must be none where votes are secret"))


_STEPS = ("deliberation_hours", "notice_hours", "voting_hours")


def _check_ratification(name: str, given: Mapping[str, Any]) -> None:
    """Refuse an emergency suspension that lapses before the body could ratify it."""
    least = sum(given[field] for field in _STEPS)
    if given["emergency"] != "none" and given["emergency_hours"] < least:
        words = _(
            "must be at least %(least)s: the vote that ratifies a suspension takes as long"
        ) % {
            "least": hours_words(least),
        }
        raise _fault(name, "emergency_hours", words)


def _check_review(name: str, given: Mapping[str, Any], *, review_days: int) -> None:
    if review_days and review_days >= given["sunset_days"]:
        raise _fault(name, "review_days", gettext("must be less than sunset_days"))


def methods_for(kind: ProposalType | str) -> tuple[str, ...]:
    """Return the methods by which a type of decision can be made."""
    return ELECTION_METHODS if kind == ProposalType.ELECTION else MOTION_METHODS


def _check_method(name: str, method: object, vote: Rules) -> None:
    if method not in methods_for(name):
        raise _fault(
            name,
            "method",
            gettext("must be one of %(known)s") % {"known": ", ".join(methods_for(name))},
        )
    if method == consent.METHOD and vote.tie_rule is not TieRule.STATUS_QUO:
        raise _fault(
            name, "tie_rule", gettext("must be status_quo: a vote by consent cannot be tied")
        )


def _require_keys(name: str, rules: Mapping[str, Any]) -> None:
    missing = sorted(_KEYS - set(rules) - set(OPTIONAL))
    unknown = sorted(str(key) for key in set(rules) - _KEYS)
    if missing or unknown:
        raise CharterError(
            gettext("%(name)s: give exactly %(keys)s (missing: %(missing)s; unknown: %(unknown)s).")
            % {
                "name": name,
                "keys": ", ".join(sorted(_KEYS)),
                "missing": ", ".join(missing) or pgettext("rules of a charter", "none"),
                "unknown": ", ".join(unknown) or pgettext("rules of a charter", "none"),
            }
        )


def _read_vote(name: str, vote: Any) -> Rules:
    if not isinstance(vote, Mapping):
        raise _fault(
            name, "vote", gettext("must be an object with threshold, base, comparison and quorum")
        )
    try:
        return Rules.of(**vote)
    except InputError as error:
        raise _fault(name, error.field, in_words(error.problem)) from None
    except TypeError:
        known = ", ".join(Rules().as_json())
        raise _fault(
            name, "vote", gettext("may hold %(known)s and nothing else") % {"known": known}
        ) from None


def _read_share(name: str, value: Any) -> Fraction:
    try:
        return fraction(value, "override_threshold")
    except InputError as error:
        raise _fault(name, error.field, in_words(error.problem)) from None


def _whole(name: str, field: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _fault(
            name,
            field,
            gettext("must be a whole number from %(low)s to %(high)s") % {"low": low, "high": high},
        )
    return value


def _fault(name: str, field: str, problem: str) -> CharterError:
    return CharterError(f"{name}: {field} {problem}.", field=field, problem=f"{problem}.")


def filled(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rules of one type with what they leave out written down."""
    return {**OPTIONAL, **rules}
