"""A charter's rules in plain words: sentences for people."""

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

from proposals.choices import GRANTING, ProposalType
from proposals.papers import METHOD_NAMES
from proposals.tally import consent, score, yes_no
from proposals.tally.exact import fraction_text
from proposals.tally.motion import Base, Rules, TieRule
from proposals.tally.quorum import QuorumBase

if TYPE_CHECKING:
    from proposals.charter import DecisionRules

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
PROPOSERS = {
    "members": "Members of the body propose it.",
    "members_and_clerks": "Members and clerks of the body propose it.",
    "anyone": "Anyone with an account proposes it.",
}
EMERGENCIES = {
    "none": "Nobody can suspend an authorisation before the body has decided it.",
    "clerk": "In an emergency a clerk suspends an authorisation at once",
    "chair": "In an emergency the chair suspends an authorisation at once",
    "clerk_or_chair": "In an emergency a clerk or the chair suspends an authorisation at once",
}
EVALUATORS = {
    "any": "Evidence counts from every worker that is enrolled.",
    "admitted": "Evidence counts only from workers of the evaluators that the body has admitted, "
    "and by suites that these have published or the body has adopted.",
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
        f"Deliberation takes at least {hours_words(rules.deliberation_hours)}."
        if rules.deliberation_hours
        else "Deliberation has no set length; a clerk ends it.",
        f"The final text stands at least {hours_words(rules.notice_hours)} before the vote."
        if rules.notice_hours
        else "",
        f"A vote is open for {hours_words(rules.voting_hours)} unless all have voted before.",
        f"An authorisation ends after {days_words(rules.sunset_days)} unless renewed."
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
    return [line for line in lines if line]


def _seconders_words(rules: "DecisionRules") -> str:
    if not rules.seconders:
        return ""
    one = rules.seconders == 1
    who = "One other member supports" if one else f"{rules.seconders} other members support"
    return f"{who} a draft before its deliberation opens, or all there are where they are fewer."


def _method_words(rules: "DecisionRules") -> list[str]:
    """Return how the votes decide: the majority of a motion, or the method by its name."""
    if rules.method == yes_no.METHOD:
        comparison = rules.vote.comparison.replace("_", " ")
        share = f"{fraction_words(rules.vote.threshold)} of {BASE_WORDS[rules.vote.base]}"
        small = "Fewer than half suffice: it can be carried against a majority."
        is_small = rules.vote.threshold < Fraction(1, 2)
        return [f"Carried by {comparison} {share}.", small if is_small else ""]
    points = f" Points go from 0 to {rules.highest}." if rules.method == score.METHOD else ""
    return [f"Decided by {METHOD_NAMES[rules.method]}.{points}"]


def _override_words(rules: "DecisionRules") -> str:
    share = max(rules.override_threshold, rules.vote.threshold)
    return (
        f"If a must-pass criterion is not shown to be met: at least {fraction_words(share)} of "
        f"{BASE_WORDS[rules.vote.base]}, and a written reason."
        if share > rules.vote.threshold
        else "A must-pass criterion that is not met asks for no more votes, but for a written "
        "reason."
    )


def _review_words(rules: "DecisionRules") -> str:
    if not rules.review_days:
        return ""
    return f"Its renewal is drafted {days_words(rules.review_lead_days)} before that end."


def _emergency_words(rules: "DecisionRules") -> str:
    words = EMERGENCIES[rules.emergency]
    if rules.emergency == "none":
        return words
    return f"{words}; that lapses after {hours_words(rules.emergency_hours)} unless ratified."


def _dissent_words(rules: "DecisionRules") -> str:
    if not rules.dissent_hours:
        return ""
    return (
        "Members can explain their vote, and the losing side can put a dissent on the record, for "
        f"{hours_words(rules.dissent_hours)} after the decision."
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
