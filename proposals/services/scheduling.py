"""Opening a vote at a time that a clerk has set, by the clock."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import NoticeKind
from oversight.accounts.models import Person
from oversight.accounts.services import notify
from oversight.ledger import services as ledger
from oversight.web.clock import database_now, in_words, stamp
from oversight.web.languages import filled
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import policy
from proposals.choices import Leaf, Status
from proposals.models import Contract, Proposal
from proposals.services.charters import charter_of
from proposals.services.stages import closing_time, lock_proposal
from proposals.services.voting import open_locked

CLOCK = "system:clock"
MOST_DAYS_AHEAD = 90


@transaction.atomic(durable=True)
def schedule_vote(
    *, by: Person, proposal: Proposal, opens_at: datetime, closes_at: datetime | None = None
) -> Proposal:
    """Let the clock open the vote at a time, if nothing stands in the way then.

    Raises:
        Conflict: the proposal has no final text.
        Invalid: the opening lies in the past or too far ahead, or the close does not fit it.
    """
    if not policy.can_move_stage(by, proposal):
        raise NotAllowed(gettext("Only a clerk of the body sets when a vote opens."))
    locked = lock_proposal(proposal)
    if locked.status != Status.FINAL_TEXT:
        raise Conflict(
            gettext("A vote opens on a final text; this proposal is in “%(status)s”.")
            % {
                "status": locked.get_status_display(),
            }
        )
    now = database_now()
    opens = opens_at.replace(microsecond=0)
    if not now < opens <= now + timedelta(days=MOST_DAYS_AHEAD):
        message = gettext(
            "The vote must open after %(stamp)s and within %(most_days_ahead)s days."
        ) % {
            "stamp": in_words(now, locked.body.time_zone),
            "most_days_ahead": MOST_DAYS_AHEAD,
        }
        raise Invalid(message, fields={"opens_at": message})
    if closes_at is not None:
        closes_at = closing_time(charter_of(locked.body), locked, opens, closes_at)
    locked.vote_opens_at, locked.vote_closes_at, locked.opening_refused = opens, closes_at, ""
    locked.save(update_fields=["vote_opens_at", "vote_closes_at", "opening_refused"])
    ledger.append(
        type=Leaf.VOTE_SCHEDULED,
        actor=by.actor,
        subject=locked.subject,
        facts={"opens_at": stamp(opens), "closes_at": stamp(closes_at) if closes_at else None},
        at=now,
    )
    return locked


@transaction.atomic(durable=True)
def open_due_vote(*, proposal: Proposal) -> Contract | None:
    """Open a vote whose time has come; None while something stands in the way.

    What stands in the way is kept for the proposal's page, and the clerks are told when it is new.
    """
    locked = lock_proposal(proposal)
    if locked.status != Status.FINAL_TEXT or locked.vote_opens_at is None:
        raise Conflict(gettext("No vote is to be opened by the clock here."))
    if database_now() < locked.vote_opens_at:
        raise Conflict(gettext("The time of the opening has not come."))
    try:
        with transaction.atomic():
            return open_locked(locked, actor=CLOCK, closes_at=locked.vote_closes_at)
    except (Conflict, Invalid) as refusal:
        _say_what_is_in_the_way(locked, refusal.detail)
        return None


def _say_what_is_in_the_way(proposal: Proposal, detail: str) -> None:
    fresh = Proposal.objects.get(pk=proposal.pk)
    if fresh.opening_refused == detail:
        return
    fresh.opening_refused = detail
    fresh.save(update_fields=["opening_refused"])
    clerks = fresh.body.memberships.in_term().clerks().select_related("person")
    notify(
        kind=NoticeKind.STAGE,
        body=fresh.body,
        about=fresh.ref,
        people={seat.person for seat in clerks},
        subject=filled(_("Not opened: %(title)s"), title=fresh.title),
        text=filled(
            _(
                "The vote on %(ref)s was to open now. %(detail)s It opens by itself as soon "
                "as that is out of the way."
            ),
            ref=fresh.ref,
            detail=detail,
        ),
        path=fresh.get_absolute_url(),
    )
