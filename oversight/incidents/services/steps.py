"""Steps that the services of incidents share; each says which lock its caller holds."""

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import NoticeKind
from oversight.accounts.models import Body, Membership, Person
from oversight.accounts.services import notify
from oversight.incidents import policy
from oversight.incidents.choices import Event, Leaf
from oversight.incidents.models import Incident, IncidentEvent
from oversight.ledger import services as ledger
from oversight.ledger.leaf import Fact
from oversight.ledger.models import PendingLeaf
from oversight.web.clock import database_now
from oversight.web.figures import grouped
from oversight.web.refusals import Invalid, NotAllowed

REPORTER = "public:reporter"
"""Who acts where nobody has an account: the record knows no more of a reporter."""


def locked_for(by: Person, incident: Incident) -> tuple[Incident, Body]:
    """Return the incident with its row locked, and the body for which this person handles it.

    Whoever acts first on a report of no body takes it up for theirs.

    Raises:
        NotAllowed: they are no clerk of its body, or of any.
    """
    row = (
        Incident.objects.select_for_update(of=("self",)).select_related("body").get(pk=incident.pk)
    )
    body = policy.body_for(by, row)
    if body is None:
        if row.body is None:
            raise NotAllowed(gettext("Only a clerk of a body handles this incident."))
        words = gettext("Only a clerk of %(body)s handles this incident.")
        raise NotAllowed(words % {"body": row.body})
    changed = []
    if row.body_id is None:
        row.body = body
        changed.append("body")
    if row.responded_at is None:
        row.responded_at = database_now()
        changed.append("responded_at")
    if changed:
        row.save(update_fields=changed)
    return row, body


def words(field: str, text: str, most: int, what: str) -> str:
    """Return a text that somebody has written, checked.

    Raises:
        Invalid: it is missing, too long, or holds what cannot be kept; `what` says what to write.
    """
    kept = text.replace("\r\n", "\n").strip()
    if not kept or len(kept) > most or "\x00" in kept:
        message = gettext("%(what)s, in up to %(most)s characters.") % {
            "what": what,
            "most": grouped(most),
        }
        raise Invalid(message, fields={field: message})
    return kept


def record(
    incident: Incident,
    event: Event,
    *,
    actor: str,
    author: Person | None = None,
    text: str = "",
    private: Mapping[str, str] | None = None,
    facts: Mapping[str, Fact] | None = None,
    digests: Mapping[str, str] | None = None,
    at: datetime | None = None,
) -> PendingLeaf:
    """Append the leaf of an act, and its line of the public timeline; the row is locked.

    What was written is in neither: the leaf commits to it under a salt, and the opening can be
    erased. `private` is committed to, too, and stands in no timeline.
    """
    content = {**({"text": text} if text else {}), **(private or {})}
    committed = ledger.commit_to(content) if content else None
    leaf = ledger.append(
        type=Leaf[event.name],
        actor=actor,
        subject=incident.subject,
        digests=digests,
        commits={"text": committed.digest} if committed else {},
        facts={"body": incident.body.slug if incident.body else None, **(facts or {})},
    )
    if committed:
        ledger.keep_opening(leaf, "text", committed)
    IncidentEvent.objects.create(
        incident=incident,
        kind=event,
        status=incident.status,
        text=text,
        author=author,
        at=at or database_now(),
        leaf_id=leaf.id,
    )
    return leaf


def tell_clerks(incident: Incident, subject: str) -> None:
    """Put a notice into the outbox of those who handle it; in the transaction of the act."""
    seats = Membership.objects.in_term().clerks().select_related("person")
    if incident.body is not None:
        seats = seats.filter(body=incident.body)
    notify(
        kind=NoticeKind.INCIDENT,
        body=incident.body,
        about=incident.ref,
        people={seat.person for seat in seats},
        subject=subject,
        text=_("What was written stands on its page, for those who handle it."),
        path=f"{incident.get_absolute_url()}handle/",
    )
