"""A charter's rules in plain words: sentences for people."""

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from proposals.choices import GRANTING, ProposalType
from proposals.papers import METHOD_NAMES
from proposals.tally import consent, score, yes_no
from proposals.tally.exact import fraction_text
from proposals.tally.motion import Base, Rules, TieRule
from proposals.tally.quorum import QuorumBase

if TYPE_CHECKING:
    from proposals.charter_rules import DecisionRules

BASE_WORDS = {
    Base.VOTES_CAST: _("the votes cast"),
    Base.YES_AND_NO: _("the votes for and against"),
    Base.ROLL: _("the whole roll"),
}
COMPARISONS = {"at_least": _("at least"), "more_than": _("more than")}
SECRECIES = {
    "open": _("Choices are hidden until the close and then published by name."),
    "secret": _("Choices are secret from the public: who voted is published, never how."),
}
DELEGATIONS = {
    "none": _("Every member votes in person."),
    "transitive": _(
        "A member may delegate the vote to another, who may pass it on; it can be taken "
        "back until the close, and a ballot of one's own overrides it."
    ),
}
RECUSALS = {
    "none": _("Nobody steps off the roll; a member with a conflict of interest can abstain."),
    "declared": _("A member who declares a conflict of interest before the vote is off its roll."),
}
PROPOSERS = {
    "members": _("Members of the body propose it."),
    "members_and_clerks": _("Members and clerks of the body propose it."),
    "anyone": _("Anyone with an account proposes it."),
}
EMERGENCIES = {
    "none": _("Nobody can suspend an authorisation before the body has decided it."),
    "clerk": _("In an emergency a clerk suspends an authorisation at once"),
    "chair": _("In an emergency the chair suspends an authorisation at once"),
    "clerk_or_chair": _("In an emergency a clerk or the chair suspends an authorisation at once"),
}
EVALUATORS = {
    "any": _("Evidence counts from every worker that is enrolled."),
    "admitted": _(
        "Evidence counts only from workers of the evaluators that the body has admitted, "
        "and by suites that these have published or the body has adopted."
    ),
}
TIE_WORDS = {
    TieRule.STATUS_QUO: _("A tie leaves things as they are."),
    TieRule.CHAIR: _("A tie falls to the chair's casting vote."),
    TieRule.LOT: _(
        "A tie falls to a lot: its seed is committed to before the vote opens and "
        "revealed after the close."
    ),
}
QUORUM_WORDS = {
    QuorumBase.ROLL: _("of the roll must vote"),
    QuorumBase.ROLL_AND_RECUSED: _("of the roll, those recused included, must vote"),
    QuorumBase.MEMBERS: _("of the members on the roll must vote, each counted once"),
}


def rules_words(rules: "DecisionRules", kinds: Iterable[ProposalType]) -> list[str]:
    """Return the rules as sentences, without those that none of these types ever uses."""
    used = frozenset(kinds)
    is_granting = bool(used & GRANTING)
    lines = [
        PROPOSERS[rules.proposers] if rules.proposers != "members" else "",
        _seconders_words(rules) if used - {ProposalType.AMENDMENT} else "",
        *_method_words(rules),
        _quorum_words(rules.vote),
        _override_words(rules) if is_granting and rules.method == yes_no.METHOD else "",
        gettext("Deliberation takes at least %(hours_words)s.")
        % {
            "hours_words": hours_words(rules.deliberation_hours),
        }
        if rules.deliberation_hours
        else gettext("Deliberation has no set length; a clerk ends it."),
        gettext("The final text stands at least %(hours_words)s before the vote.")
        % {
            "hours_words": hours_words(rules.notice_hours),
        }
        if rules.notice_hours
        else "",
        gettext(
            "A vote is open for %(hours_words)s; a clerk may close it earlier once all have voted."
        )
        % {
            "hours_words": hours_words(rules.voting_hours),
        },
        gettext("An authorisation ends after %(days_words)s unless renewed.")
        % {
            "days_words": days_words(rules.sunset_days),
        }
        if is_granting
        else "",
        _review_words(rules) if is_granting else "",
        EVALUATORS["admitted"] if is_granting and rules.evaluators == "admitted" else "",
        _emergency_words(rules) if ProposalType.SUSPEND in used else "",
        TIE_WORDS[rules.vote.tie_rule] if rules.method != consent.METHOD else "",
        SECRECIES[rules.secrecy],
        DELEGATIONS[rules.delegation],
        RECUSALS[rules.recusal],
        _dissent_words(rules),
    ]
    return [str(line) for line in lines if line]


def _seconders_words(rules: "DecisionRules") -> str:
    if not rules.seconders:
        return ""
    one = rules.seconders == 1
    who = (
        gettext("One other member supports")
        if one
        else gettext("%(seconders)s other members support") % {"seconders": rules.seconders}
    )
    return gettext(
        "%(who)s a draft before its deliberation opens, or all there are where they are fewer."
    ) % {
        "who": who,
    }


def _method_words(rules: "DecisionRules") -> list[str]:
    """Return how the votes decide: the majority of a motion, or the method by its name."""
    if rules.method == yes_no.METHOD:
        comparison = COMPARISONS[rules.vote.comparison]
        share = gettext("%(fraction_words)s of %(base_words)s") % {
            "fraction_words": fraction_words(rules.vote.threshold),
            "base_words": BASE_WORDS[rules.vote.base],
        }
        small = gettext("Fewer than half suffice: it can be carried against a majority.")
        is_small = rules.vote.threshold < Fraction(1, 2)
        return [
            gettext("Carried by %(comparison)s %(share)s.")
            % {
                "comparison": comparison,
                "share": share,
            },
            small if is_small else "",
        ]
    points = (
        gettext(" Points go from 0 to %(highest)s.") % {"highest": rules.highest}
        if rules.method == score.METHOD
        else ""
    )
    return [
        gettext("Decided by %(method_names)s.%(points)s")
        % {
            "method_names": METHOD_NAMES[rules.method],
            "points": points,
        }
    ]


def _override_words(rules: "DecisionRules") -> str:
    share = max(rules.override_threshold, rules.vote.threshold)
    return (
        gettext(
            "If a must-pass criterion is not shown to be met: at least "
            "%(fraction_words)s of %(base_words)s, and a written reason."
        )
        % {
            "fraction_words": fraction_words(share),
            "base_words": BASE_WORDS[rules.vote.base],
        }
        if share > rules.vote.threshold
        else gettext(
            "A must-pass criterion that is not met asks for no more votes, but for a written "
            "reason."
        )
    )


def _review_words(rules: "DecisionRules") -> str:
    if not rules.review_days:
        return ""
    return gettext("Its renewal is drafted %(days_words)s before that end.") % {
        "days_words": days_words(rules.review_lead_days),
    }


def _emergency_words(rules: "DecisionRules") -> str:
    words = str(EMERGENCIES[rules.emergency])
    if rules.emergency == "none":
        return words
    return gettext("%(words)s; that lapses after %(hours_words)s unless ratified.") % {
        "words": words,
        "hours_words": hours_words(rules.emergency_hours),
    }


def _dissent_words(rules: "DecisionRules") -> str:
    if not rules.dissent_hours:
        return ""
    return gettext(
        "Members can explain their vote, and the losing side can put a dissent on "
        "the record, for %(hours_words)s after the decision."
    ) % {
        "hours_words": hours_words(rules.dissent_hours),
    }


def _quorum_words(vote: Rules) -> str:
    if not vote.quorum:
        return gettext("There is no quorum.")
    return gettext("Quorum: %(fraction_words)s %(quorum_words)s.") % {
        "fraction_words": fraction_words(vote.quorum),
        "quorum_words": QUORUM_WORDS[vote.quorum_base],
    }


def fraction_words(value: Fraction) -> str:
    """Return a fraction the way people say it: “two thirds”, “half”, else “5/7”."""
    known = {
        Fraction(1, 2): gettext("half"),
        Fraction(1, 3): gettext("one third"),
        Fraction(2, 3): gettext("two thirds"),
        Fraction(3, 4): gettext("three quarters"),
        Fraction(1, 4): gettext("one quarter"),
        Fraction(2, 5): gettext("two fifths"),
        Fraction(3, 5): gettext("three fifths"),
        Fraction(4, 5): gettext("four fifths"),
        Fraction(1): gettext("all"),
    }
    return known.get(value, fraction_text(value))


def hours_words(hours: int) -> str:
    """Return a number of hours as days where it is whole days."""
    if hours and hours % 24 == 0:
        return days_words(hours // 24)
    return ngettext("%(number)s hour", "%(number)s hours", hours) % {"number": hours}


def days_words(days: int) -> str:
    """Return a number of days in words."""
    return ngettext("%(number)s day", "%(number)s days", days) % {"number": days}
