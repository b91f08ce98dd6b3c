"""Suspending an authorisation at once, and asking the body to ratify it."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import NoticeKind
from oversight.accounts.models import Body, Person
from oversight.accounts.services import notify
from oversight.registry import effects as registry
from oversight.registry.models import Authorisation
from oversight.web.clock import database_now, in_words, when_read
from oversight.web.figures import grouped
from oversight.web.languages import filled
from oversight.web.refusals import Conflict, NotAllowed
from proposals import policy
from proposals.choices import OPEN, Origin, ProposalType, Status
from proposals.models import Decision, Proposal, text_document
from proposals.services.charters import charter_of
from proposals.services.drafting import write_draft
from proposals.services.stages import move
from proposals.services.words import storable

MAX_REASON = 1000


@transaction.atomic(durable=True)
def suspend_at_once(*, by: Person, authorisation: Authorisation, reason: str) -> Proposal:
    """Suspend an authorisation in an emergency, and put its ratification to the body.

    The gate refuses from this commit on. By the database's clock, and without a job having to run,
    it no more refuses once the charter's time has passed, unless the body has ratified it by then.
    Each authorisation can be suspended so once: what has lapsed or was refused, the body decides.

    Returns:
        The ratification, open for deliberation.

    Raises:
        NotAllowed: the charter names somebody else, or nobody.
        Conflict: the authorisation is not in force, or was suspended in an emergency before.
        Invalid: no public reason, or one that is too long.
    """
    return write_suspension(by=by, authorisation=authorisation, reason=reason)


def write_suspension(*, by: Person, authorisation: Authorisation, reason: str) -> Proposal:
    """Do what `suspend_at_once` says, for services of upper floors, inside their transaction."""
    decision = Decision.objects.select_related("proposal__body").filter(
        proposal__ref=authorisation.decision_ref
    )
    made = decision.first()
    if made is None:
        raise Conflict(gettext("No decision on this site made this authorisation."))
    body = Body.objects.select_for_update().get(pk=made.proposal.body_id)
    rules = charter_of(body).rules_for(ProposalType.SUSPEND)
    if not policy.can_suspend_at_once(by, body, rules):
        raise NotAllowed(
            gettext("The charter of %(body)s does not let you suspend an authorisation alone.")
            % {
                "body": body,
            }
        )
    asked = gettext("Say in public why at once, in up to %(max_reason)s characters.") % {
        "max_reason": grouped(MAX_REASON),
    }
    words = storable(reason, MAX_REASON, field="reason", asked=asked)
    _require_first(authorisation.decision_ref)
    until = database_now().replace(microsecond=0) + timedelta(hours=rules.emergency_hours)
    proposal = _propose_ratification(by, body, authorisation, words, until)
    registry.suspend_at_once(
        actor=by.actor,
        authorisation=authorisation,
        until=until,
        ratification_ref=proposal.ref,
        reason=words,
    )
    seats = body.memberships.in_term().select_related("person")
    notify(
        kind=NoticeKind.STAGE,
        body=body,
        about=proposal.ref,
        people={seat.person for seat in seats},
        subject=filled(_("Suspended at once: %(deployment)s"), deployment=authorisation.deployment),
        text=filled(
            _(
                "The authorisation %(decision_ref)s is suspended until %(until)s unless the "
                "body ratifies that; %(ref)s asks it to."
            ),
            decision_ref=authorisation.decision_ref,
            until=when_read(until, body.time_zone),
            ref=proposal.ref,
        ),
        path=proposal.get_absolute_url(),
    )
    return proposal


def _require_first(ref: str) -> None:
    earlier = Proposal.objects.filter(target_ref=ref, origin=Origin.EMERGENCY).first()
    if earlier is None:
        return
    words = (
        gettext(
            "This authorisation was suspended in an emergency before; the ratification %(ref)s "
            "is under way. Only the body can suspend it now."
        )
        if earlier.status in OPEN
        else gettext(
            "This authorisation was suspended in an emergency before; the ratification %(ref)s "
            "has ended. Only the body can suspend it now."
        )
    )
    raise Conflict(words % {"ref": earlier.ref})


def _ratification_text(
    body: Body, authorisation: Authorisation, reason: str, until: datetime
) -> dict[str, Any]:
    """Return the text of a ratification, in the language of whoever suspends and says why."""
    title = gettext("Ratify the suspension of %(version)s for %(deployment)s") % {
        "version": authorisation.version,
        "deployment": authorisation.deployment,
    }
    summary = gettext(
        "Suspended at once on %(now)s. It lapses on %(until)s unless this is carried by then."
    ) % {
        "now": in_words(database_now(), body.time_zone),
        "until": in_words(until, body.time_zone),
    }
    decided = gettext(
        "Carried, the suspension of the authorisation %(ref)s stands until the body renews or "
        "ends it. Not carried, the authorisation is in force again at once."
    ) % {"ref": authorisation.decision_ref}
    why, what = gettext("Why at once"), gettext("What is decided")
    text = f"## {why}\n\n{reason}\n\n## {what}\n\n{decided}\n"
    return text_document(title[:160], summary, text)


def _propose_ratification(
    by: Person, body: Body, authorisation: Authorisation, reason: str, until: datetime
) -> Proposal:
    """Write the proposal that ratifies a suspension, open for deliberation from the start."""
    ref = authorisation.decision_ref
    content = _ratification_text(body, authorisation, reason, until)
    proposal = Proposal(
        body=body,
        type=ProposalType.SUSPEND,
        proposer=by,
        target_ref=ref,
        origin=Origin.EMERGENCY,
        language=translation.get_language() or "",
    )
    write_draft(proposal, author=by, actor=by.actor, content=content)
    move(proposal, Status.DELIBERATION, by=by.actor)
    proposal.deliberation_opened_at = proposal.status_changed_at
    proposal.save(update_fields=["deliberation_opened_at"])
    return proposal
