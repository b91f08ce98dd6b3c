"""What a body's charter says about each type of decision: read, checked, put into plain words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from proposals.choices import ProposalType
from proposals.tally.errors import InputError
from proposals.tally.exact import fraction_text
from proposals.tally.motion import Base, Comparison, Rules, TieRule

SECRECIES = {"open": "Choices are hidden until the close and then published by name."}


class CharterError(ValueError):
    """A charter that cannot be used; the message names the rule and the fix."""


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

    def effective(self, *, criterion_failed: bool) -> Rules:
        """Return the rules of the vote, with the override where a criterion failed."""
        if criterion_failed and self.override_threshold > self.vote.threshold:
            return replace(
                self.vote, threshold=self.override_threshold, comparison=Comparison.AT_LEAST
            )
        return self.vote

    def words(self) -> list[str]:
        """Return the rules as sentences for people."""
        comparison = {"at_least": "at least", "more_than": "more than"}[self.vote.comparison]
        base = {
            Base.VOTES_CAST: "the votes cast",
            Base.YES_AND_NO: "the votes for and against",
            Base.ROLL: "the whole roll",
        }[self.vote.base]
        return [
            f"Carried by {comparison} {fraction_words(self.vote.threshold)} of {base}.",
            f"Quorum: {fraction_words(self.vote.quorum)} of the roll must vote."
            if self.vote.quorum
            else "There is no quorum.",
            f"If a must-pass criterion is not met: {fraction_words(self.override_threshold)}.",
            f"Deliberation takes at least {hours_words(self.deliberation_hours)}.",
            f"A vote is open for {hours_words(self.voting_hours)} unless all have voted before.",
            f"An authorisation ends after {self.sunset_days} days unless renewed.",
            "A tie leaves things as they are.",
            SECRECIES[self.secrecy],
        ]


def fraction_words(value: Fraction) -> str:
    """Return a fraction the way people say it: “two thirds”, “half”, else “5/7”."""
    known = {
        Fraction(1, 2): "half",
        Fraction(1, 3): "one third",
        Fraction(2, 3): "two thirds",
        Fraction(3, 4): "three quarters",
        Fraction(1): "all",
    }
    return known.get(value, fraction_text(value))


def hours_words(hours: int) -> str:
    """Return a number of hours as days where it is whole days."""
    if hours and hours % 24 == 0:
        days = hours // 24
        return f"{days} day{'s' if days > 1 else ''}"
    return f"{hours} hour{'s' if hours != 1 else ''}"


def read(document: Mapping[str, Any]) -> dict[ProposalType, DecisionRules]:
    """Read and check a charter document: one object of rules for every proposal type.

    Raises:
        CharterError: a rule is missing, unknown, or can never be met.
    """
    unknown = sorted(set(document) - set(ProposalType.values))
    missing = sorted(set(ProposalType.values) - set(document))
    if unknown or missing:
        raise CharterError(
            f"The charter must rule on {', '.join(ProposalType.values)} and nothing else "
            f"(missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'})."
        )
    return {ProposalType(name): _read_rules(name, rules) for name, rules in document.items()}


_NUMBERS = {
    "deliberation_hours": (0, 24 * 365),
    "voting_hours": (1, 24 * 90),
    "sunset_days": (1, 3650),
}
_KEYS = {"vote", "override_threshold", "secrecy", *_NUMBERS}


def _read_rules(name: str, rules: Any) -> DecisionRules:
    if not isinstance(rules, Mapping) or set(rules) != _KEYS:
        raise CharterError(f"{name}: give exactly {', '.join(sorted(_KEYS))}.")
    try:
        vote = Rules.of(**rules["vote"])
        override = Fraction(str(rules["override_threshold"]))
    except (InputError, TypeError, ValueError, ZeroDivisionError) as error:
        raise CharterError(f"{name}: {error}") from None
    if not vote.threshold <= override <= 1:
        raise CharterError(f"{name}: override_threshold must lie between the threshold and 1.")
    if vote.tie_rule is not TieRule.STATUS_QUO:
        raise CharterError(f"{name}: the tie rule of a yes/no vote must be status_quo.")
    if rules["secrecy"] not in SECRECIES:
        raise CharterError(f"{name}: secrecy must be one of {', '.join(SECRECIES)}.")
    numbers = {field: _whole(name, field, rules[field], *_NUMBERS[field]) for field in _NUMBERS}
    return DecisionRules(vote, override, secrecy=rules["secrecy"], **numbers)


def _whole(name: str, field: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise CharterError(f"{name}: {field} must be a whole number from {low} to {high}.")
    return value


def usual() -> dict[str, Any]:
    """Return a sensible first charter: two thirds with a quorum of half for authorisations."""
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
    }
