"""Who may propose, speak, move stages and vote."""

from oversight.accounts.choices import BodyRole
from oversight.accounts.models import Body
from oversight.accounts.policy import is_clerk, is_person, voting_membership
from proposals.charter_rules import DecisionRules
from proposals.choices import Origin, ProposalType, Status
from proposals.models import Amendment, Proposal


def can_propose(user: object, body: Body, rules: DecisionRules | None = None) -> bool:
    """Say whether the user may draft a proposal for the body: its members, or whom the rules add.

    Without `rules` it says what holds for a body that has no charter yet.
    """
    if voting_membership(user, body) is not None:
        return True
    proposers = rules.proposers if rules else "members"
    if proposers == "anyone":
        return is_person(user) and not user.is_system
    return proposers == "members_and_clerks" and is_clerk(user, body)


def can_edit_text(user: object, proposal: Proposal) -> bool:
    """Say whether the user writes the text: its proposer, or a clerk for what the clock drafted.

    Nobody writes that of a vote on an amendment: its author writes the amendment anew.
    """
    return proposal.type != ProposalType.AMENDMENT and is_proposer(user, proposal)


def is_proposer(user: object, proposal: Proposal) -> bool:
    """Say whether the user made the proposal; a clerk takes up what the clock drafted."""
    if proposal.origin == Origin.CLOCK:
        return is_clerk(user, proposal.body)
    return is_person(user) and proposal.proposer_id == user.pk


def can_attach_evidence(user: object, proposal: Proposal) -> bool:
    """Say whether the user attaches criteria and starts runs: proposer, members and clerks."""
    return (
        can_edit_text(user, proposal)
        or is_clerk(user, proposal.body)
        or voting_membership(user, proposal.body) is not None
    )


def can_comment(user: object, proposal: Proposal) -> bool:
    """Say whether the user may speak: anyone with an account, once it is public."""
    return is_person(user) and not user.is_system and proposal.status != Status.DRAFT


def can_answer_questions(user: object, proposal: Proposal) -> bool:
    """Say whether the user's answer settles a question: the proposer, or a clerk if they left."""
    return is_proposer(user, proposal) or (
        not proposal.proposer.is_active and is_clerk(user, proposal.body)
    )


def can_amend(user: object, proposal: Proposal) -> bool:
    """Say whether the user may ask for another wording: the members of the body."""
    is_amendable = proposal.status != Status.DRAFT and proposal.type != ProposalType.AMENDMENT
    return is_amendable and voting_membership(user, proposal.body) is not None


def can_put_to_vote(user: object, amendment: Amendment) -> bool:
    """Say whether the user asks the body to decide on an amendment: its author, or a clerk."""
    return amendment.author_id == getattr(user, "pk", None) or is_clerk(
        user, amendment.proposal.body
    )


def can_answer_amendments(user: object, proposal: Proposal) -> bool:
    """Say whether the user accepts and rejects: the proposer, or a clerk if they left."""
    return can_answer_questions(user, proposal)


def can_start_deliberation(user: object, proposal: Proposal) -> bool:
    """Say whether the user may put a draft up for deliberation."""
    return can_edit_text(user, proposal) or is_clerk(user, proposal.body)


def can_move_stage(user: object, proposal: Proposal) -> bool:
    """Say whether the user moves stages and opens and closes votes: the body's clerks."""
    return is_clerk(user, proposal.body)


def can_withdraw(user: object, proposal: Proposal) -> bool:
    """Say whether the user may withdraw the proposal: who made it."""
    return is_proposer(user, proposal)


def can_moderate(user: object, proposal: Proposal) -> bool:
    """Say whether the user may hide a comment, with a public reason."""
    return is_clerk(user, proposal.body)


def can_keep_minutes(user: object, body: Body) -> bool:
    """Say whether the user drafts, edits and adopts the body's minutes: its clerks."""
    return is_clerk(user, body)


def can_suspend_at_once(user: object, body: Body, rules: DecisionRules) -> bool:
    """Say whether the user may suspend an authorisation of the body in an emergency."""
    seat = voting_membership(user, body)
    clerk = rules.emergency in {"clerk", "clerk_or_chair"} and is_clerk(user, body)
    chair = rules.emergency in {"chair", "clerk_or_chair"}
    return clerk or (chair and seat is not None and seat.role == BodyRole.CHAIR)


def can_state_reasons(user: object, body: Body) -> bool:
    """Say whether the user states the body's reasons and records rulings: its clerks."""
    return is_clerk(user, body)
