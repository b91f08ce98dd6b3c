"""Types, stages and leaf types of the deciding floor. Leaf types are never renamed."""

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ProposalType(TextChoices):
    """What a proposal would do when carried."""

    AUTHORISE = "authorise_deployment", _("authorise a model for a deployment")
    MOTION = "general_motion", _("general motion (no effect on the registry)")
    ELECTION = "election", _("choose among options: an election, or versions of something")
    RENEW = "renew_authorisation", _("renew an authorisation")
    SUSPEND = "suspend_authorisation", _("suspend an authorisation")
    RETIRE = "retire_deployment", _("retire a model: end its authorisation")
    ADOPT_SUITE = "adopt_suite", _("adopt a suite and its criteria")
    AMEND_CHARTER = "amend_charter", _("amend the charter")
    ADMIT_EVALUATOR = "admit_evaluator", _("admit an organisation as evaluator")
    ALLOCATE = "allocate_compute", _("allocate compute to the evaluation of proposals")
    ANNUL = "annul_decision", _("annul an earlier decision")
    AMENDMENT = "amend_text", _("amend the text of another proposal")


FOLLOWS: dict[ProposalType, ProposalType] = {
    ProposalType.RENEW: ProposalType.AUTHORISE,
    ProposalType.SUSPEND: ProposalType.AUTHORISE,
    ProposalType.RETIRE: ProposalType.AUTHORISE,
    ProposalType.ADOPT_SUITE: ProposalType.AUTHORISE,
    ProposalType.AMEND_CHARTER: ProposalType.AUTHORISE,
    ProposalType.ADMIT_EVALUATOR: ProposalType.MOTION,
    ProposalType.ALLOCATE: ProposalType.AUTHORISE,
    ProposalType.ANNUL: ProposalType.AUTHORISE,
    ProposalType.AMENDMENT: ProposalType.MOTION,
}
"""Whose rules hold for a type on which a charter says nothing of its own."""

ABOUT_AUTHORISATIONS = frozenset({ProposalType.RENEW, ProposalType.SUSPEND, ProposalType.RETIRE})
"""Types that act on an authorisation the body has made."""

TARGETED = ABOUT_AUTHORISATIONS | {ProposalType.ANNUL}
"""Types that act on an earlier decision, which the proposal names."""

GRANTING = frozenset({ProposalType.AUTHORISE, ProposalType.RENEW})
"""Types that put a model into service: with criteria, conditions and an end."""


class Origin(TextChoices):
    """Who began a proposal."""

    PERSON = "person", _("a person")
    CLOCK = "clock", _("the clock, because an authorisation comes to its end")
    EMERGENCY = "emergency", _("an emergency suspension, to be ratified")


class StatementKind(TextChoices):
    """What is said about a decision after it was made."""

    REASONS = "reasons", _("reasons")
    EXPLANATION = "explanation", _("explanation of vote")
    DISSENT = "dissent", _("dissent")


class Status(TextChoices):
    """The stage of a proposal."""

    DRAFT = "draft", _("Draft")
    DELIBERATION = "deliberation", _("Deliberation")
    FINAL_TEXT = "final_text", _("Final text")
    VOTING = "voting", _("Voting")
    DECIDED = "decided", _("Decided")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    ANNULLED = "annulled", _("Annulled")


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.DELIBERATION, Status.WITHDRAWN}),
    Status.DELIBERATION: frozenset({Status.FINAL_TEXT, Status.WITHDRAWN}),
    # Back to deliberation when the text turns out to need work before the vote.
    Status.FINAL_TEXT: frozenset({Status.VOTING, Status.DELIBERATION, Status.WITHDRAWN}),
    # Under an open vote nothing can be edited; the vote can only end or be annulled in public.
    Status.VOTING: frozenset({Status.DECIDED, Status.ANNULLED}),
    Status.DECIDED: frozenset(),
    Status.WITHDRAWN: frozenset(),
    Status.ANNULLED: frozenset(),
}


class NextAct(StrEnum):
    """What an open proposal waits for; stages by the names that the API has for moving them."""

    ANSWER_AMENDMENT = "answer-amendment"
    ANSWER_QUESTIONS = "answer-questions"
    FIX_TEXT = "fix-text"
    OPEN_VOTE = "open-vote"


STAGES = (Status.DRAFT, Status.DELIBERATION, Status.FINAL_TEXT, Status.VOTING, Status.DECIDED)
OPEN = frozenset({Status.DELIBERATION, Status.FINAL_TEXT, Status.VOTING})


class AmendmentStatus(TextChoices):
    """What has become of an amendment."""

    OPEN = "open", _("Open")
    VOTING = "voting", _("Put to a vote")
    REJECTED = "rejected", _("Rejected by the proposer")
    ACCEPTED = "accepted", _("Accepted by the proposer")
    CARRIED = "carried", _("Carried by vote")
    NOT_CARRIED = "not_carried", _("Not carried")
    WITHDRAWN = "withdrawn", _("Withdrawn")


AMENDMENT_TRANSITIONS: dict[AmendmentStatus, frozenset[AmendmentStatus]] = {
    AmendmentStatus.OPEN: frozenset(
        {
            AmendmentStatus.ACCEPTED,
            AmendmentStatus.REJECTED,
            AmendmentStatus.VOTING,
            AmendmentStatus.WITHDRAWN,
        }
    ),
    # Back to open when the vote on it is annulled, or withdrawn before it opened.
    AmendmentStatus.VOTING: frozenset(
        {AmendmentStatus.CARRIED, AmendmentStatus.NOT_CARRIED, AmendmentStatus.OPEN}
    ),
    # A rejection is the proposer's word, not the body's: the vote stays open to its author, and so
    # does a better wording.
    AmendmentStatus.REJECTED: frozenset(
        {
            AmendmentStatus.OPEN,
            AmendmentStatus.ACCEPTED,
            AmendmentStatus.VOTING,
            AmendmentStatus.WITHDRAWN,
        }
    ),
    AmendmentStatus.ACCEPTED: frozenset(),
    AmendmentStatus.CARRIED: frozenset(),
    AmendmentStatus.NOT_CARRIED: frozenset(),
    AmendmentStatus.WITHDRAWN: frozenset(),
}

STANDING_AMENDMENTS = frozenset(
    {AmendmentStatus.OPEN, AmendmentStatus.VOTING, AmendmentStatus.REJECTED}
)
"""Amendments that can still come into the text, so they follow it from revision to revision."""


class MinutesStatus(TextChoices):
    """Where a version of a body's minutes stands."""

    DRAFT = "draft", _("Draft")
    ADOPTED = "adopted", _("Adopted")
    CORRECTED = "corrected", _("Corrected by a later version")
    DISCARDED = "discarded", _("Discarded")


MINUTES_TRANSITIONS: dict[MinutesStatus, frozenset[MinutesStatus]] = {
    MinutesStatus.DRAFT: frozenset({MinutesStatus.ADOPTED, MinutesStatus.DISCARDED}),
    # The text never changes any more; a later version takes its place.
    MinutesStatus.ADOPTED: frozenset({MinutesStatus.CORRECTED}),
    MinutesStatus.CORRECTED: frozenset(),
    MinutesStatus.DISCARDED: frozenset(),
}


class Choice(TextChoices):
    """What a ballot can say on a motion."""

    YES = "yes", _("Yes")
    NO = "no", _("No")
    ABSTAIN = "abstain", _("Abstain")


class Side(TextChoices):
    """Where an argument stands."""

    FOR = "for", _("For")
    AGAINST = "against", _("Against")


class Answer(TextChoices):
    """What somebody thinks of a statement."""

    AGREE = "agree", _("Agree")
    DISAGREE = "disagree", _("Disagree")
    PASS = "pass", _("Pass")


class Spoken(TextChoices):
    """What a clerk moderates."""

    COMMENT = "comment", _("Comment")
    ARGUMENT = "argument", _("Argument")
    STATEMENT = "statement", pgettext_lazy("what people agree with", "Statement")


class Moderated(TextChoices):
    """What a clerk did to it."""

    HIDDEN = "hidden", _("Hidden")
    RESTORED = "restored", _("Restored")


class DecisionOutcome(TextChoices):
    """How a vote ended."""

    CARRIED = "carried", _("Carried")
    NOT_CARRIED = "not_carried", _("Not carried")
    TIED = "tied", _("Tied")
    NO_QUORUM = "no_quorum", _("No quorum")
    ELECTED = "elected", _("Decided")
    NO_VOTES = "no_votes", _("No votes")


class Leaf(TextChoices):
    """What this floor puts on the record."""

    CHARTER_ADOPTED = "proposals.charter.adopted"
    PROPOSAL_DRAFTED = "proposals.proposal.drafted"
    TEXT_REVISED = "proposals.text.revised"
    STAGE_MOVED = "proposals.stage.moved"
    AMENDMENT_MADE = "proposals.amendment.made"
    AMENDMENT_REVISED = "proposals.amendment.revised"
    AMENDMENT_ACCEPTED = "proposals.amendment.accepted"
    AMENDMENT_REJECTED = "proposals.amendment.rejected"
    AMENDMENT_WITHDRAWN = "proposals.amendment.withdrawn"
    AMENDMENT_PUT = "proposals.amendment.put"
    SUPPORT_GIVEN = "proposals.support.given"
    SUPPORT_WITHDRAWN = "proposals.support.withdrawn"
    ATTACHMENT_ADDED = "proposals.attachment.added"
    ATTACHMENT_REMOVED = "proposals.attachment.removed"
    COMMENT_MADE = "proposals.comment.made"
    COMMENT_HIDDEN = "proposals.comment.hidden"
    COMMENT_RESTORED = "proposals.comment.restored"
    ARGUMENT_MADE = "proposals.argument.made"
    ARGUMENT_SUPPORTED = "proposals.argument.supported"
    ARGUMENT_UNSUPPORTED = "proposals.argument.support_withdrawn"
    ARGUMENT_HIDDEN = "proposals.argument.hidden"
    ARGUMENT_RESTORED = "proposals.argument.restored"
    OPINION_STATEMENT_MADE = "proposals.opinion_statement.made"
    OPINION_STATEMENT_HIDDEN = "proposals.opinion_statement.hidden"
    OPINION_STATEMENT_RESTORED = "proposals.opinion_statement.restored"
    OPINIONS_MAPPED = "proposals.opinions.mapped"
    VOTE_OPENED = "proposals.vote.opened"
    BALLOT_CAST = "proposals.ballot.cast"
    CONFLICT_DECLARED = "proposals.conflict.declared"
    DELEGATION_GIVEN = "proposals.delegation.given"
    DELEGATION_REVOKED = "proposals.delegation.revoked"
    LOT_COMMITTED = "proposals.lot.committed"
    LOT_REVEALED = "proposals.lot.revealed"
    VOTE_TIED = "proposals.vote.tied"
    CASTING_VOTE_GIVEN = "proposals.casting.given"
    VOTE_ANNULLED = "proposals.vote.annulled"
    DECISION_MADE = "proposals.decision.made"
    MINUTES_ADOPTED = "proposals.minutes.adopted"
    DECISION_ANNULLED = "proposals.decision.annulled"
    VOTE_SCHEDULED = "proposals.vote.scheduled"
    STATEMENT_MADE = "proposals.statement.made"
    SUITE_ADOPTED = "proposals.suite.adopted"
    SUITE_DROPPED = "proposals.suite.dropped"
