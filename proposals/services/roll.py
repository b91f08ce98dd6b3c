"""Who is on a roll and for whom: declared conflicts of interest, and delegations of one's vote."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import NoticeKind
from oversight.accounts.models import Body, Membership, Person
from oversight.accounts.policy import voting_membership
from oversight.accounts.services import notify
from oversight.ledger import services as ledger
from oversight.web.clock import database_now
from oversight.web.figures import grouped
from oversight.web.languages import filled
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.choices import Leaf, Status
from proposals.delegations import chain_from
from proposals.models import Delegation, Proposal, Recusal, RollEntry
from proposals.readiness import obstacle_to_conflict
from proposals.services.casting import lock_for_casting
from proposals.services.charters import charter_of
from proposals.services.stages import lock_proposal
from proposals.services.words import storable

MAX_REASON = 1000


@transaction.atomic(durable=True)
def declare_conflict(*, by: Person, proposal: Proposal, reason: str) -> Recusal:
    """Declare a conflict of interest in public; it takes the member off the roll of this vote.

    It cannot be taken back for this proposal: what was declared stays true.

    Raises:
        NotAllowed: the person has no vote in the body.
        Conflict: the roll is frozen, the charter knows no recusal, or it is declared already.
        Invalid: no reason, or one that is too long.
    """
    seat = _seat(by, proposal.body)
    asked = gettext("Say in public what the conflict is, in up to %(max_reason)s characters.") % {
        "max_reason": grouped(MAX_REASON),
    }
    words = storable(reason, MAX_REASON, field="reason", asked=asked)
    locked = lock_proposal(proposal)
    if in_the_way := obstacle_to_conflict(locked, charter_of(locked.body), seat):
        raise Conflict(in_the_way)
    committed = ledger.commit_to({"reason": words})
    leaf = ledger.append(
        type=Leaf.CONFLICT_DECLARED,
        actor=seat.actor,
        subject=locked.subject,
        commits={"reason": committed.digest},
    )
    ledger.keep_opening(leaf, "reason", committed)
    return Recusal.objects.create(proposal=locked, membership=seat, reason=words, leaf_id=leaf.id)


@transaction.atomic(durable=True)
def give_delegation(*, by: Person, body: Body, to: Membership) -> Delegation:
    """Delegate one's vote in a body to another member; an earlier delegation is replaced.

    It holds for votes that open from now on. The lock on the body makes two members who delegate
    to each other at the same moment wait for each other, so that no cycle can come about.

    Raises:
        NotAllowed: the person has no vote in the body.
        Invalid: the other has none either, or is the person.
        Conflict: the chain of delegations would come back to the person.
    """
    Body.objects.select_for_update().get(pk=body.pk)
    seat, now = _seat(by, body), database_now()
    members = Membership.objects.in_term(now).voting().filter(body=body)
    if to.pk == seat.pk or not members.filter(pk=to.pk).exists():
        raise Invalid(
            gettext("Delegate to another member of the body who has a vote."),
            fields={"to": gettext("Choose another member with a vote.")},
        )
    standing = Delegation.objects.filter(giver__body=body, revoked_at=None)
    pairs: dict[int, int] = dict(standing.exclude(giver=seat).values_list("giver", "receiver"))
    if seat.pk in chain_from(to.pk, pairs):
        raise Conflict(
            gettext(
                "%(person)s's vote comes to you already, directly or through others; "
                "delegating it back would go in a circle."
            )
            % {
                "person": to.person,
            }
        )
    mine = standing.filter(giver=seat).first()
    if mine is not None and mine.receiver_id == to.pk:
        return mine
    if mine is not None:
        _revoke(mine, now)
    leaf = ledger.append(
        type=Leaf.DELEGATION_GIVEN,
        actor=seat.actor,
        subject=body.subject,
        facts={"to": to.actor},
        at=now,
    )
    notify(
        kind=NoticeKind.DELEGATION,
        body=body,
        about=body.slug,
        people=[to.person],
        subject=filled(_("%(by)s delegated their vote to you"), by=by),
        text=filled(
            _(
                "In votes of %(body)s that open from now on, your ballot also counts for "
                "%(by)s, unless they vote themselves or take it back."
            ),
            body=body,
            by=by,
        ),
        path=f"/bodies/{body.slug}/delegation/",
    )
    return Delegation.objects.create(giver=seat, receiver=to, given_at=now, leaf_id=leaf.id)


@transaction.atomic(durable=True)
def revoke_delegation(*, by: Person, body: Body) -> Delegation:
    """Take one's delegation back, in open votes of the body too, until each closes.

    Raises:
        NotAllowed: the person has no vote in the body.
        Conflict: there is no delegation to take back.
    """
    Body.objects.select_for_update().get(pk=body.pk)
    seat = _seat(by, body)
    mine = Delegation.objects.filter(giver=seat, revoked_at=None).first()
    if mine is None:
        raise Conflict(gettext("You have not delegated your vote in this body."))
    return _revoke(mine, database_now())


def _revoke(delegation: Delegation, now: datetime) -> Delegation:
    """End a delegation; the caller holds the body's lock."""
    entries = list(
        RollEntry.objects.filter(
            membership=delegation.giver,
            contract__proposal__status=Status.VOTING,
            delegation_revoked_at=None,
        )
        .exclude(delegate=None)
        .select_related("contract")
        .order_by("contract_id")
    )
    for entry in entries:
        # As a ballot does, it waits for a close that is under way and comes too late then.
        lock_for_casting(entry.contract)
    now = database_now() if entries else now
    open_votes = RollEntry.objects.filter(
        pk__in=[entry.pk for entry in entries],
        contract__proposal__status=Status.VOTING,
        contract__casting_until=None,
        contract__closes_at__gt=now,
    )
    open_votes.update(delegation_revoked_at=now)
    delegation.revoked_at = now
    delegation.save(update_fields=["revoked_at"])
    ledger.append(
        type=Leaf.DELEGATION_REVOKED,
        actor=delegation.giver.actor,
        subject=delegation.giver.body.subject,
        facts={"to": delegation.receiver.actor},
        at=now,
    )
    return delegation


def _seat(person: Person, body: Body) -> Membership:
    seat = voting_membership(person, body)
    if seat is None:
        raise NotAllowed(gettext("Only members of %(body)s with a vote do this.") % {"body": body})
    return seat
