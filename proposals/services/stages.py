"""Moving a proposal from stage to stage, as the charter allows. Each move is a leaf."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import ASKING, NoticeKind
from oversight.accounts.models import Person
from oversight.accounts.services import call_off, notify
from oversight.ledger import services as ledger
from oversight.web.clock import database_now, in_words
from oversight.web.languages import filled
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import policy
from proposals.choices import TRANSITIONS, AmendmentStatus, Leaf, Origin, ProposalType, Status
from proposals.effects import settle_amendment
from proposals.effects.authorisations import call_off_emergency
from proposals.models import Charter, Proposal
from proposals.readiness import obstacles_to_deliberation, obstacles_to_final_text
from proposals.services.charters import charter_of


@transaction.atomic(durable=True)
def open_deliberation(*, by: Person, proposal: Proposal) -> Proposal:
    """Make a draft public and open it for discussion.

    Raises:
        Conflict: it is no draft, or fewer members support it than the charter asks for.
    """
    if not policy.can_start_deliberation(by, proposal):
        raise NotAllowed(gettext("Only the proposer or a clerk puts a draft up for deliberation."))
    locked = lock_proposal(proposal)
    if locked.status != Status.DRAFT:
        raise Conflict(gettext("Only a draft is opened for deliberation."))
    missing = obstacles_to_deliberation(locked, charter_of(locked.body))
    if missing:
        raise Conflict(gettext("The deliberation cannot open yet. ") + " ".join(missing))
    move(locked, Status.DELIBERATION, by=by.actor)
    locked.deliberation_opened_at = locked.status_changed_at
    locked.save(update_fields=["deliberation_opened_at"])
    return locked


@transaction.atomic(durable=True)
def fix_text(*, by: Person, proposal: Proposal) -> Proposal:
    """Declare the text final: the deliberation has lasted and every criterion has its result.

    Raises:
        Conflict: something the charter asks for is still missing; the message says what.
    """
    if not policy.can_move_stage(by, proposal):
        raise NotAllowed(gettext("Only a clerk of the body declares the text final."))
    locked = lock_proposal(proposal)
    _require_transition(locked, Status.FINAL_TEXT)
    missing = obstacles_to_final_text(locked, charter_of(locked.body), database_now())
    if missing:
        raise Conflict(gettext("The text cannot be final yet: ") + " ".join(missing))
    move(locked, Status.FINAL_TEXT, by=by.actor)
    return locked


@transaction.atomic(durable=True)
def reopen_deliberation(*, by: Person, proposal: Proposal) -> Proposal:
    """Take a final text back into deliberation, before any vote was opened."""
    if not policy.can_move_stage(by, proposal):
        raise NotAllowed(gettext("Only a clerk of the body reopens the deliberation."))
    locked = lock_proposal(proposal)
    if locked.status != Status.FINAL_TEXT:
        raise Conflict(gettext("Only a final text goes back to deliberation."))
    # What a clerk had set for the old text holds no more.
    locked.vote_opens_at, locked.vote_closes_at, locked.opening_refused = None, None, ""
    locked.save(update_fields=["vote_opens_at", "vote_closes_at", "opening_refused"])
    move(locked, Status.DELIBERATION, by=by.actor)
    return locked


@transaction.atomic(durable=True)
def withdraw(*, by: Person, proposal: Proposal, reason: str) -> Proposal:
    """Withdraw a proposal before its vote, with a public reason."""
    if not policy.can_withdraw(by, proposal):
        raise NotAllowed(gettext("Only the proposer withdraws a proposal."))
    locked = lock_proposal(proposal)
    voted_on = locked.amendments.filter(status=AmendmentStatus.VOTING).first()
    if voted_on is not None:
        raise Conflict(
            gettext(
                "The body is deciding on amendment %(number)s; wait for that vote, or have "
                "it withdrawn or annulled first."
            )
            % {
                "number": voted_on.number,
            }
        )
    _end(locked, Status.WITHDRAWN, by=by.actor, reason=reason)
    return locked


@transaction.atomic(durable=True)
def annul_vote(*, by: Person, proposal: Proposal, reason: str) -> Proposal:
    """Annul an open vote, in public. No ballot counts, and all stay on the record."""
    if not policy.can_move_stage(by, proposal):
        raise NotAllowed(gettext("Only a clerk of the body annuls a vote."))
    locked = lock_proposal(proposal)
    _end(locked, Status.ANNULLED, by=by.actor, reason=reason)
    call_off(kinds=ASKING, about=locked.ref)
    notify(
        kind=NoticeKind.DECISION,
        body=locked.body,
        about=locked.ref,
        people=Person.objects.filter(memberships__in=locked.contract.roll.values("membership")),
        subject=filled(_("Annulled: %(title)s"), title=locked.title),
        text=filled(
            _("The vote on %(ref)s was annulled: no ballot counts. The reason is public."),
            ref=locked.ref,
        ),
        path=locked.get_absolute_url(),
    )
    return locked


def lock_proposal(proposal: Proposal) -> Proposal:
    """Return the proposal with its row locked until the transaction ends."""
    return Proposal.objects.select_for_update(of=("self",)).with_parts().get(pk=proposal.pk)


def move(proposal: Proposal, to: Status, *, by: str, leaf: bool = True) -> None:
    """Change the stage under the caller's row lock, with its leaf unless the caller writes another.

    Raises:
        Conflict: the stages do not lead there from here.
    """
    _require_transition(proposal, to)
    before = proposal.status
    proposal.status = to
    proposal.status_changed_at = database_now()
    proposal.save(update_fields=["status", "status_changed_at", "ending_reason"])
    if leaf:
        ledger.append(
            type=Leaf.STAGE_MOVED,
            actor=by,
            subject=proposal.subject,
            facts={"from": before, "to": str(to)},
            # The time that the charter's periods are counted from and held against.
            at=proposal.status_changed_at,
        )


def closing_time(
    charter: Charter, proposal: Proposal, opens_at: datetime, asked: datetime | None
) -> datetime:
    """Return when the vote closes: what the clerk asked for, or the charter's usual time.

    Raises:
        Invalid: the close is not after the opening, or more than 90 days away.
    """
    usual = timedelta(hours=charter.rules_for(proposal.type).voting_hours)
    # Whole seconds, as the contract has it: no ballot falls into a second the record calls late.
    closes_at = (asked or opens_at + usual).replace(microsecond=0)
    if not opens_at < closes_at <= opens_at + timedelta(days=90):
        message = gettext("The vote must close after %(stamp)s and within 90 days.") % {
            "stamp": in_words(opens_at, proposal.body.time_zone),
        }
        raise Invalid(message, fields={"closes_at": message})
    return closes_at


def _require_transition(proposal: Proposal, to: Status) -> None:
    if to not in TRANSITIONS[Status(proposal.status)]:
        raise Conflict(
            gettext(
                "The proposal is in the stage “%(status)s”; it cannot go to “%(label)s” from there."
            )
            % {
                "status": proposal.get_status_display(),
                "label": to.label,
            }
        )


def _end(proposal: Proposal, to: Status, *, by: str, reason: str) -> None:
    words = reason.strip()
    if not words:
        raise Invalid(gettext("Give the public reason."), fields={"reason": gettext("Missing.")})
    proposal.ending_reason = words[:1000]
    move(proposal, to, by=by)
    if proposal.type == ProposalType.AMENDMENT:
        settle_amendment(proposal, AmendmentStatus.OPEN, proposal.status_changed_at)
    if proposal.origin == Origin.EMERGENCY:
        call_off_emergency(proposal, actor=by)
