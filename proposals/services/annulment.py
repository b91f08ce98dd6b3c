"""Recording that an authority has annulled a decision."""

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import NoticeKind
from oversight.accounts.models import Person
from oversight.accounts.services import notify
from oversight.web.clock import database_now
from oversight.web.figures import grouped
from oversight.web.languages import filled
from oversight.web.refusals import Conflict, NotAllowed
from proposals import policy
from proposals.choices import ProposalType
from proposals.effects import annul, lock_decision
from proposals.models import Decision
from proposals.services.words import storable

MAX_AUTHORITY = 160
MAX_REASON = 1000


@transaction.atomic(durable=True)
def record_ruling(*, by: Person, decision: Decision, authority: str, reason: str) -> Decision:
    """Record that an authority above the body has annulled a decision, and take back its effect.

    A court or a supervisory authority decides that, never the clerk: the clerk records who ruled
    and what for, in public and in their own name.

    Raises:
        NotAllowed: the person is no clerk of the body.
        Conflict: the decision is annulled already, or is itself an annulment.
        Invalid: authority or reason is missing or too long.
    """
    if not policy.can_state_reasons(by, decision.proposal.body):
        raise NotAllowed(gettext("Only a clerk of the body records a ruling."))
    named = _words(
        "authority", authority, MAX_AUTHORITY, gettext("Name the authority and its ruling")
    )
    why = _words("reason", reason, MAX_REASON, gettext("Give the public reason"))
    locked = lock_decision(decision.ref)
    if locked.is_annulled:
        raise Conflict(gettext("This decision is annulled already."))
    if locked.proposal.type == ProposalType.ANNUL:
        raise Conflict(
            gettext("An annulment cannot be annulled; the body decides the matter anew.")
        )
    now = database_now().replace(microsecond=0)
    annul(locked, actor=by.actor, by=locked.ref, annulled_by=named, reason=why, at=now)
    body = locked.proposal.body
    notify(
        kind=NoticeKind.DECISION,
        body=body,
        about=locked.ref,
        people={seat.person for seat in body.memberships.in_term().select_related("person")},
        subject=filled(_("Annulled: decision %(ref)s"), ref=locked.ref),
        text=filled(
            _("A ruling has annulled decision %(ref)s of %(body)s. Its page has the reason."),
            ref=locked.ref,
            body=body,
        ),
        path=locked.get_absolute_url(),
    )
    return locked


def _words(field: str, given: str, longest: int, asked: str) -> str:
    message = gettext("%(asked)s, in up to %(longest)s characters.") % {
        "asked": asked,
        "longest": grouped(longest),
    }
    return storable(given, longest, field=field, asked=message)
