"""Standing behind a proposal in public, and taking that back."""

from django.db import transaction
from django.utils.translation import gettext as _

from oversight.accounts.models import Membership, Person
from oversight.accounts.policy import voting_membership
from oversight.ledger import services as ledger
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict, NotAllowed
from proposals.choices import Leaf, Status
from proposals.models import Proposal, Support
from proposals.services.stages import lock_proposal

BEFORE_THE_VOTE = frozenset({Status.DRAFT, Status.DELIBERATION, Status.FINAL_TEXT})


@transaction.atomic(durable=True)
def give_support(*, by: Person, proposal: Proposal) -> Support:
    """Stand behind a proposal as a member of its body; doing it again changes nothing.

    Raises:
        NotAllowed: who has no vote in the body, or proposed it.
        Conflict: the vote has opened, or the proposal has ended.
    """
    seat = _seat(by, proposal)
    if proposal.proposer_id == by.pk:
        raise NotAllowed(_("You propose it, so you stand behind it already."))
    locked = _locked_before_the_vote(proposal)
    standing = locked.supports.filter(membership=seat, withdrawn_at=None).first()
    if standing is not None:
        return standing
    leaf = ledger.append(type=Leaf.SUPPORT_GIVEN, actor=seat.actor, subject=locked.subject)
    return Support.objects.create(proposal=locked, membership=seat, leaf_id=leaf.id)


@transaction.atomic(durable=True)
def withdraw_support(*, by: Person, proposal: Proposal) -> Support:
    """Take one's support back before the vote; that it was given stays on the record.

    Raises:
        Conflict: there is none, or the vote has opened.
    """
    seat = _seat(by, proposal)
    locked = _locked_before_the_vote(proposal)
    standing = locked.supports.filter(membership=seat, withdrawn_at=None).first()
    if standing is None:
        raise Conflict(_("You do not support this proposal."))
    standing.withdrawn_at = database_now()
    standing.save(update_fields=["withdrawn_at"])
    ledger.append(type=Leaf.SUPPORT_WITHDRAWN, actor=seat.actor, subject=locked.subject)
    return standing


def _seat(by: Person, proposal: Proposal) -> Membership:
    seat = voting_membership(by, proposal.body)
    if seat is None:
        raise NotAllowed(
            _("Only members of %(body)s support its proposals.") % {"body": proposal.body}
        )
    return seat


def _locked_before_the_vote(proposal: Proposal) -> Proposal:
    """Return the proposal locked against the opening of its vote."""
    locked = lock_proposal(proposal)
    if locked.status not in BEFORE_THE_VOTE:
        raise Conflict(
            _(
                "Support is given and taken back before the vote: the proposal is in the "
                "stage “%(status)s”."
            )
            % {
                "status": locked.get_status_display(),
            }
        )
    return locked
