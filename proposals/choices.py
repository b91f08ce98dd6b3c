"""Types, stages and leaf types of the deciding floor. Leaf types are never renamed."""

from django.db.models import TextChoices


class ProposalType(TextChoices):
    """What a proposal would do when carried."""

    AUTHORISE = "authorise_deployment", "authorise a model for a deployment"
    MOTION = "general_motion", "general motion (no effect on the registry)"
    ELECTION = "election", "choose among options: an election, or versions of something"


class Status(TextChoices):
    """The stage of a proposal."""

    DRAFT = "draft", "Draft"
    DELIBERATION = "deliberation", "Deliberation"
    FINAL_TEXT = "final_text", "Final text"
    VOTING = "voting", "Voting"
    DECIDED = "decided", "Decided"
    WITHDRAWN = "withdrawn", "Withdrawn"
    ANNULLED = "annulled", "Annulled"


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

STAGES = (Status.DRAFT, Status.DELIBERATION, Status.FINAL_TEXT, Status.VOTING, Status.DECIDED)
OPEN = frozenset({Status.DELIBERATION, Status.FINAL_TEXT, Status.VOTING})


class Choice(TextChoices):
    """What a ballot can say on a motion."""

    YES = "yes", "Yes"
    NO = "no", "No"
    ABSTAIN = "abstain", "Abstain"


class DecisionOutcome(TextChoices):
    """How a vote ended."""

    CARRIED = "carried", "Carried"
    NOT_CARRIED = "not_carried", "Not carried"
    TIED = "tied", "Tied"
    NO_QUORUM = "no_quorum", "No quorum"
    ELECTED = "elected", "Decided"
    NO_VOTES = "no_votes", "No votes"


class Leaf(TextChoices):
    """What this floor puts on the record."""

    CHARTER_ADOPTED = "proposals.charter.adopted"
    PROPOSAL_DRAFTED = "proposals.proposal.drafted"
    TEXT_REVISED = "proposals.text.revised"
    STAGE_MOVED = "proposals.stage.moved"
    COMMENT_MADE = "proposals.comment.made"
    COMMENT_HIDDEN = "proposals.comment.hidden"
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
