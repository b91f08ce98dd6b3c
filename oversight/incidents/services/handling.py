"""What a body's clerks do about an incident: judge, move, write in public, ask back, hide."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext, gettext_lazy

from oversight.accounts.models import Person
from oversight.incidents.choices import (
    TRANSITIONS,
    WITH_REASON,
    Category,
    Event,
    Harm,
    Linked,
    Severity,
    Status,
)
from oversight.incidents.models import Incident, IncidentMessage
from oversight.incidents.services.links import write_link
from oversight.incidents.services.steps import locked_for, record, words
from oversight.registry.models import Deployment
from oversight.web.clock import database_now
from oversight.web.languages import lowered
from oversight.web.refusals import Conflict, Invalid
from oversight.web.written import required_language

MAX_TITLE = 160
MAX_TEXT = 10_000
MAX_NOTE = 4_000
MAX_REASON = 1_000
MAX_HIDING = 400
PUBLIC = gettext_lazy("Write for everybody, without names and other personal data")


@transaction.atomic(durable=True)
def triage(
    *,
    by: Person,
    incident: Incident,
    severity: Severity,
    category: Category,
    harm: Harm,
    title: str,
    text: str,
    deployments: Sequence[Deployment] = (),
    language: str = "",
) -> Incident:
    """Judge a report and write its public text: from now on everybody can read about it.

    Without a `language` the text is in the body's.

    Raises:
        NotAllowed: the person is no clerk of its body.
        Conflict: it was judged before.
        Invalid: title or text cannot be used.
    """
    row, _ = locked_for(by, incident)
    _require_move(row, Status.TRIAGED)
    row.severity, row.category, row.harm = severity, category, harm
    _move(row, Status.TRIAGED, by, "")
    _publish(row, by, title, text, language)
    for deployment in deployments:
        write_link(row, by, Linked.DEPLOYMENT, deployment)
    return row


@transaction.atomic(durable=True)
def assess(
    *, by: Person, incident: Incident, severity: Severity, category: Category, harm: Harm
) -> Incident:
    """Judge anew how grave it is and what went wrong."""
    row, _ = locked_for(by, incident)
    if not row.severity:
        raise Conflict(gettext("It was not triaged yet; that judges it for the first time."))
    if (row.severity, row.category, row.harm) == (severity, category, harm):
        return row
    row.severity, row.category, row.harm = severity, category, harm
    row.save(update_fields=["severity", "category", "harm"])
    record(row, Event.ASSESSED, actor=by.actor, author=by, facts=_judgement(row))
    return row


@transaction.atomic(durable=True)
def move_incident(*, by: Person, incident: Incident, to: Status, reason: str = "") -> Incident:
    """Bring an incident into another state; closing and rejecting take a public reason.

    Raises:
        Conflict: no such move leads from where it stands, or a triage has to do it.
        Invalid: the reason is missing or too long.
    """
    row, _ = locked_for(by, incident)
    _require_move(row, to)
    if to == Status.TRIAGED and not row.severity:
        raise Conflict(gettext("Triage it: that judges it and writes its public text."))
    why = reason.strip()
    if why or to in WITH_REASON:
        why = words(
            "reason",
            reason,
            MAX_REASON,
            gettext("Say why in public. %(public)s") % {"public": PUBLIC},
        )
    _move(row, to, by, why)
    return row


@transaction.atomic(durable=True)
def publish_text(
    *, by: Person, incident: Incident, title: str, text: str, language: str = ""
) -> Incident:
    """Write the public text anew; that it was changed stands on the timeline."""
    row, _ = locked_for(by, incident)
    if row.published_at is None:
        raise Conflict(gettext("It was not triaged yet; that writes its first public text."))
    _publish(row, by, title, text, language)
    return row


@transaction.atomic(durable=True)
def add_note(*, by: Person, incident: Incident, text: str) -> Incident:
    """Put a note on the public timeline: what was found, what was done."""
    row, _ = locked_for(by, incident)
    if row.published_at is None:
        raise Conflict(gettext("It was not triaged yet; notes stand beside its public text."))
    record(
        row, Event.NOTED, actor=by.actor, author=by, text=words("text", text, MAX_NOTE, str(PUBLIC))
    )
    return row


@transaction.atomic(durable=True)
def answer_reporter(*, by: Person, incident: Incident, text: str) -> IncidentMessage:
    """Write to the reporter, who reads it under the secret link. Everybody sees only that it was.

    Raises:
        Conflict: the private part was erased, so nobody could read it.
    """
    row, _ = locked_for(by, incident)
    if row.report.erased_at is not None:
        raise Conflict(gettext("The private part was erased, and the reporter's link with it."))
    kept = words("text", text, MAX_NOTE, gettext("Write to the reporter"))
    leaf = record(row, Event.ANSWERED, actor=by.actor, author=by, private={"text": kept})
    return IncidentMessage.objects.create(incident=row, author=by, text=kept, leaf_id=leaf.id)


@transaction.atomic(durable=True)
def hide_text(*, by: Person, incident: Incident, reason: str) -> Incident:
    """Hide title, text and notes; that they were there, and why they are hidden, stays visible."""
    row, _ = locked_for(by, incident)
    why = words("reason", reason, MAX_HIDING, gettext("Say the reason in public"))
    if row.published_at is None or row.hidden_at is not None:
        raise Conflict(
            gettext("It is hidden already.")
            if row.hidden_at
            else gettext("Nothing is public of it yet.")
        )
    row.hidden_at, row.hidden_reason = database_now(), why
    row.save(update_fields=["hidden_at", "hidden_reason"])
    record(row, Event.HIDDEN, actor=by.actor, author=by, text=why)
    return row


@transaction.atomic(durable=True)
def restore_text(*, by: Person, incident: Incident, reason: str) -> Incident:
    """Show again what was hidden, and say in public why."""
    row, _ = locked_for(by, incident)
    why = words("reason", reason, MAX_HIDING, gettext("Say the reason in public"))
    if row.hidden_at is None:
        raise Conflict(gettext("It is not hidden."))
    row.hidden_at, row.hidden_reason = None, ""
    row.save(update_fields=["hidden_at", "hidden_reason"])
    record(row, Event.RESTORED, actor=by.actor, author=by, text=why)
    return row


def _require_move(row: Incident, to: Status) -> None:
    before = Status(row.status)
    if to not in TRANSITIONS[before]:
        open_to = ", ".join(sorted(str(lowered(each.label)) for each in TRANSITIONS[before]))
        raise Conflict(
            gettext("%(ref)s is %(lower)s; it cannot become %(lower_2)s, only %(open_to)s.")
            % {
                "ref": row.ref,
                "lower": lowered(before.label),
                "lower_2": lowered(to.label),
                "open_to": open_to,
            }
        )


def _move(row: Incident, to: Status, by: Person, why: str) -> None:
    """Change the state of a locked row that may become it."""
    before, now = row.status, database_now()
    row.status, row.status_changed_at = to, now
    row.ending_reason = why if to in WITH_REASON else ""
    row.save(
        update_fields=[
            "status",
            "status_changed_at",
            "ending_reason",
            "severity",
            "category",
            "harm",
        ]
    )
    record(
        row,
        Event.MOVED,
        actor=by.actor,
        author=by,
        text=why,
        facts={"from": before, "to": str(to), **_judgement(row)},
        at=now,
    )


def _judgement(row: Incident) -> dict[str, str | None]:
    return {
        "severity": str(row.severity) or None,
        "category": str(row.category),
        "harm": str(row.harm),
    }


def _publish(row: Incident, by: Person, title: str, text: str, language: str) -> None:
    kept = words("title", title, MAX_TITLE, gettext("Give it a public title of one line"))
    if "\n" in kept:
        raise Invalid(gettext("A title is one line."), fields={"title": gettext("Use one line.")})
    row.title, row.text = kept, words("text", text, MAX_TEXT, str(PUBLIC))
    row.language = required_language(language or row.written_in)
    row.published_at = row.published_at or database_now()
    row.save(update_fields=["title", "text", "language", "published_at"])
    record(
        row,
        Event.PUBLISHED,
        actor=by.actor,
        author=by,
        private={"title": row.title, "text": row.text},
    )
