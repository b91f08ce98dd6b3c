"""A body's charter: which types of decision it rules on, and how.

What it says about one type is read in `proposals.charter_rules`.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext as _

from proposals.charter_rules import CharterError, DecisionRules, filled, read_rules
from proposals.choices import FOLLOWS, ProposalType
from proposals.tally.motion import Rules

ALWAYS_RULED = frozenset({ProposalType.AUTHORISE, ProposalType.MOTION})
"""Types that every charter rules on."""


def read(document: Mapping[str, Any]) -> dict[ProposalType, DecisionRules]:
    """Read and check a charter document: one object of rules for each type of decision.

    Authorisations and motions must be ruled on; what else is left out, the body cannot decide.

    Raises:
        CharterError: a rule is missing, unknown, or can never be met.
    """
    unknown = sorted(str(name) for name in set(document) - set(ProposalType.values))
    missing = sorted({kind.value for kind in ALWAYS_RULED} - set(document))
    if unknown or missing:
        raise CharterError(
            gettext(
                "The charter must rule on %(always)s, may rule on %(others)s, and nothing else "
                "(missing: %(missing)s; unknown: %(unknown)s)."
            )
            % {
                "always": ", ".join(sorted(ALWAYS_RULED)),
                "others": ", ".join(sorted(set(ProposalType.values) - ALWAYS_RULED)),
                "missing": ", ".join(missing) or pgettext("rules of a charter", "none"),
                "unknown": ", ".join(unknown) or pgettext("rules of a charter", "none"),
            }
        )
    return {
        kind: read_rules(kind.value, document[kind.value])
        for kind in ProposalType
        if kind.value in document
    }


def governing(document: Mapping[str, Any], kind: ProposalType) -> ProposalType | None:
    """Return the type whose rules hold for a type: its own, or those it follows; None for none."""
    if kind.value in document:
        return kind
    return FOLLOWS.get(kind)


def governed(document: Mapping[str, Any], kind: ProposalType) -> tuple[ProposalType, ...]:
    """Return a type with rules of its own, and then those that follow it."""
    others = (each for each in ProposalType if each != kind)
    return kind, *(each for each in others if governing(document, each) == kind)


def rules_in(document: Mapping[str, Any], kind: ProposalType) -> DecisionRules | None:
    """Return the rules for a type of decision; None where the body cannot decide such a thing."""
    found = governing(document, kind)
    return read_rules(found.value, document[found.value]) if found else None


def check_successor(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Check that a charter can replace another: proposals under way keep a rule they are under.

    Raises:
        CharterError: it no longer says how to decide something that the body could decide.
    """
    for kind in ProposalType:
        if governing(before, kind) and not governing(after, kind):
            problem = _("is ruled on by the charter in force; a later one must rule on it, too.")
            raise CharterError(f"{kind.value}: {problem}", problem=problem)


def usual() -> dict[str, Any]:
    """Return a sensible first charter: two thirds and a quorum of half for authorisations."""
    common = {"secrecy": "open", "deliberation_hours": 168, "voting_hours": 72, "sunset_days": 120}
    emergency = {"emergency": "clerk", "emergency_hours": 336}
    return {
        ProposalType.AUTHORISE.value: {
            "vote": Rules.of(
                threshold="2/3", base="yes_and_no", comparison="at_least", quorum="1/2"
            ).as_json(),
            "override_threshold": "3/4",
            **common,
            **emergency,
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
    more = {"recusal": "declared", "notice_hours": 48}
    return {name: filled({**more, **rules}) for name, rules in usual().items()}
