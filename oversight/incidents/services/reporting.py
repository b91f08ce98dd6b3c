"""Reporting an incident and adding to the report: anybody may, without an account."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from oversight.accounts.models import Body
from oversight.accounts.services import digest_of_secret
from oversight.incidents import files as taken
from oversight.incidents import form_token
from oversight.incidents.choices import Category, Event, Leaf, Relation, Status
from oversight.incidents.files import Sent
from oversight.incidents.limits import count_report
from oversight.incidents.models import (
    Incident,
    IncidentEvent,
    IncidentFile,
    IncidentMessage,
    IncidentReport,
)
from oversight.incidents.services.steps import REPORTER, record, tell_clerks, words
from oversight.ledger import services as ledger
from oversight.registry.models import Deployment
from oversight.web.refusals import Conflict, Invalid, TooMany
from proposals.file_types import FileError
from proposals.models import Decision

MAX_TEXT = 10_000
MAX_EMAIL = 254
_REF_LOCK = 0x696E6364  # any constant: serialises the numbering of incidents

Files = Sequence[tuple[str, bytes]]


@transaction.atomic(durable=True)
def report_incident(
    *,
    address: str,
    token: str,
    text: str,
    category: Category = Category.OTHER,
    relation: Relation | None = None,
    deployment: Deployment | None = None,
    occurred_on: date | None = None,
    email: str = "",
    files: Files = (),
) -> tuple[Incident, str]:
    """Take a report; nothing that it says is public until a clerk has written the public text.

    Args:
        address: the caller's network address, which is counted and not kept.
        token: what the form carried (`form_token.new_token`).
        text: what happened.
        category: what went wrong, as the reporter sees it.
        relation: who reports.
        deployment: where it happened.
        occurred_on: first known day.
        email: where clerks may ask back; optional, private, erasable.
        files: names and contents.

    Returns:
        The incident, and the secret of the reporter's link, which is stored nowhere.

    Raises:
        Invalid: a field or a file cannot be used.
        Conflict: this very form was sent before.
        TooMany: the address has reported too often today, or too many files wait to be looked at.
    """
    form_digest = _fresh_form(token)
    kept, mail = words("text", text, MAX_TEXT, gettext("Say what happened")), _mail(email)
    _require_past(occurred_on)
    sent = _files(files)
    count_report(address)
    _require_room(sent)
    secret = secrets.token_urlsafe(32)
    body = _responsible(deployment)
    incident = Incident(
        ref=_next_ref(),
        category=category,
        body=body,
        occurred_on=occurred_on,
        form_digest=form_digest,
    )
    _append(incident, kept, sent)
    IncidentReport.objects.create(
        incident=incident,
        secret_digest=digest_of_secret(secret),
        text=kept,
        email=mail,
        relation=relation or "",
        deployment=deployment,
    )
    _keep(incident, sent)
    tell_clerks(incident, f"A report was received: {incident.ref}")
    return incident, secret


@transaction.atomic(durable=True)
def add_to_report(
    *, address: str, incident: Incident, text: str, files: Files = ()
) -> IncidentMessage:
    """Add to a report, or answer what a clerk has asked; who has the secret link may.

    Raises:
        Conflict: the private part was erased.
        Invalid: the text or a file cannot be used.
        TooMany: the address has written too often today.
    """
    row = (
        Incident.objects.select_for_update(of=("self",))
        .select_related("body", "report")
        .get(pk=incident.pk)
    )
    if row.report.erased_at is not None:
        raise Conflict(_("This report was erased; report anew what has to be known."))
    kept, sent = words("text", text, MAX_TEXT, gettext("Say what you add")), _files(files)
    if row.files.count() + len(sent) > taken.MOST_FILES:
        message = _("One incident has at most %(most_files)s files.") % {
            "most_files": taken.MOST_FILES,
        }
        raise Invalid(message, fields={"attachments": message})
    count_report(address)
    _require_room(sent)
    leaf = record(row, Event.ADDED, actor=REPORTER, private=_private(kept, sent))
    added = IncidentMessage.objects.create(incident=row, text=kept, leaf_id=leaf.id)
    _keep(row, sent)
    tell_clerks(row, f"The reporter of {row.ref} has added something")
    return added


def incident_of(secret: str) -> Incident | None:
    """Return the incident that a secret link leads to; None where there is none."""
    digest = digest_of_secret(secret[:200])
    return (
        Incident.objects.with_parts()
        .select_related("report")
        .filter(report__secret_digest=digest)
        .first()
    )


def _append(incident: Incident, text: str, sent: Sequence[Sent]) -> None:
    """Save the incident with its leaf and the first line of its timeline."""
    committed = ledger.commit_to(_private(text, sent))
    leaf = ledger.append(
        type=Leaf.REPORTED,
        actor=REPORTER,
        subject=incident.subject,
        commits={"text": committed.digest},
        facts={"body": incident.body.slug if incident.body else None},
    )
    ledger.keep_opening(leaf, "text", committed)
    incident.leaf_id = leaf.id
    incident.save()
    IncidentEvent.objects.create(
        incident=incident,
        kind=Event.REPORTED,
        status=Status.RECEIVED,
        at=incident.reported_at,
        leaf_id=leaf.id,
    )


def _private(text: str, sent: Sequence[Sent]) -> dict[str, str]:
    """Return what the leaf commits to: the words, and the digest of each file."""
    digests = [hashlib.sha256(each.data).hexdigest() for each in sent]
    return {"text": text, **({"files": " ".join(digests)} if digests else {})}


def _keep(incident: Incident, sent: Sequence[Sent]) -> None:
    IncidentFile.objects.bulk_create(
        IncidentFile(
            incident=incident,
            name=each.name,
            media_type=each.media_type,
            size=len(each.data),
            content=each.data,
        )
        for each in sent
    )


def _fresh_form(token: str) -> str:
    try:
        digest = form_token.digest_of(token)
    except form_token.TokenError as error:
        raise Invalid(str(error), fields={"form": str(error)}) from None
    if Incident.objects.filter(form_digest=digest).exists():
        raise Conflict(
            _(
                "This form was sent before, and the report is with the body. Its secret link was "
                "shown then; open the form again for another report."
            )
        )
    return digest


def _mail(email: str) -> str:
    kept = email.strip()
    if not kept:
        return ""
    try:
        validate_email(kept)
    except ValidationError:
        message = _("This is no e-mail address; leave it empty to stay unknown.")
        raise Invalid(message, fields={"email": message}) from None
    return kept[:MAX_EMAIL]


def _require_past(day: date | None) -> None:
    # A reporter may live where tomorrow has begun.
    latest = timezone.localdate() + timedelta(days=1)
    if day is not None and not date(1990, 1, 1) <= day <= latest:
        message = _("Give a day that has been, or leave it empty.")
        raise Invalid(message, fields={"occurred_on": message})


def _files(files: Files) -> list[Sent]:
    try:
        return taken.checked(files)
    except FileError as error:
        raise Invalid(str(error), fields={"attachments": str(error)}) from None


def _require_room(sent: Sequence[Sent]) -> None:
    """Refuse files, never words, while too many bytes wait that nobody has looked at."""
    if not sent:
        return
    waiting = IncidentFile.objects.filter(incident__status=Status.RECEIVED)
    total = waiting.aggregate(total=Sum("size"))["total"] or 0
    if total + sum(len(each.data) for each in sent) > taken.MOST_WAITING_BYTES:
        raise TooMany(_("Too many files wait to be looked at. Send the report without files."))


def _responsible(deployment: Deployment | None) -> Body | None:
    """Return the body that decided about the deployment; the only body there is, if it is alone."""
    if deployment is not None:
        row = deployment.authorisations.standing_first().first()
        decided = Decision.objects.select_related("proposal__body")
        made = decided.filter(proposal__ref=row.decision_ref).first() if row else None
        if made is not None:
            return made.proposal.body
    bodies = Body.objects.all()[:2]
    return bodies[0] if len(bodies) == 1 else None


def _next_ref() -> str:
    """Return the year's next reference; the lock lasts until the transaction ends."""
    year = timezone.localtime().year
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_REF_LOCK])
    numbers = Incident.objects.filter(ref__startswith=f"INC-{year}-").values_list("ref", flat=True)
    latest = max((int(ref.rpartition("-")[2]) for ref in numbers), default=0)
    return f"INC-{year}-{latest + 1:03d}"
