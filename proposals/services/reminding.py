"""Telling who has not voted that the close is near."""

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import NoticeKind
from oversight.accounts.services import notify
from oversight.web.clock import database_now, when_read
from oversight.web.languages import filled
from proposals.awaiting import without_a_vote
from proposals.choices import Status
from proposals.models import Contract, Proposal

CLOSES_SOON = timedelta(hours=24)


@transaction.atomic(durable=True)
def remind_of_vote(*, proposal: Proposal) -> int:
    """Tell everybody who neither voted nor is voted for, once a vote; return how many.

    Locks the contract, so that two reminders at the same moment are one.
    """
    contract = Contract.objects.select_for_update().get(proposal=proposal)
    row = Proposal.objects.select_related("body").get(pk=proposal.pk)
    now = database_now()
    over = row.status != Status.VOTING or contract.casting_until or contract.closes_at <= now
    if contract.reminded_at or over or contract.closes_at - now > CLOSES_SOON:
        return 0
    waiting, close = without_a_vote(contract), when_read(contract.closes_at, row.body.time_zone)
    contract.reminded_at = now
    contract.save(update_fields=["reminded_at"])
    notify(
        kind=NoticeKind.VOTE_CLOSING,
        body=row.body,
        about=row.ref,
        people=[entry.membership.person for entry in waiting],
        subject=filled(_("Your vote is missing: %(title)s"), title=row.title),
        text=filled(
            _("The vote on %(ref)s closes %(close)s, and no ballot counts for you yet."),
            ref=row.ref,
            close=close,
        ),
        path=f"{row.get_absolute_url()}ballot/",
    )
    return len(waiting)
