"""Keeping minutes: drafted from the record, edited by a clerk, adopted for good, corrected anew."""

from datetime import date
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from oversight.accounts.models import Body, Person
from oversight.ledger import services as ledger
from oversight.web.clock import database_now
from oversight.web.figures import grouped
from oversight.web.languages import lowered
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import policy
from proposals.choices import MINUTES_TRANSITIONS, Leaf, MinutesStatus
from proposals.digests import digest_of
from proposals.minutes import MOST, generated, longest_list
from proposals.models import Minutes
from proposals.services.words import storable

MAX_TEXT = 100_000
MAX_DAYS = 366


@transaction.atomic(durable=True)
def draft_minutes(
    *, by: Person, body: Body, starts_on: date, ends_on: date, language: str = "en"
) -> Minutes:
    """Draft the minutes of a period from the record. Its last day may be today, not later.

    They are a text of the body, in the language that its clerk asks for; English unless told.

    Raises:
        NotAllowed: the person is no clerk of the body.
        Invalid: the period ends before it begins, is not over, or is too long.
    """
    _require_clerk(by, body)
    Body.objects.select_for_update().get(pk=body.pk)
    today = database_now().astimezone(ZoneInfo(body.time_zone)).date()
    if not starts_on <= ends_on <= today:
        message = _("The period begins before it ends, and its last day is today or earlier.")
        raise Invalid(message, fields={"ends_on": message})
    if (ends_on - starts_on).days >= MAX_DAYS or longest_list(body, starts_on, ends_on) > MOST:
        message = _("Choose a shorter period: at most %(max_days)s days and %(most)s votes.") % {
            "max_days": MAX_DAYS,
            "most": MOST,
        }
        raise Invalid(message, fields={"starts_on": message})
    last = Minutes.objects.filter(body=body).aggregate(last=Max("number"))["last"] or 0
    return Minutes.objects.create(
        body=body,
        number=last + 1,
        starts_on=starts_on,
        ends_on=ends_on,
        text=generated(body, starts_on, ends_on, language),
        language=language,
        drafted_by=by,
    )


@transaction.atomic(durable=True)
def edit_minutes(*, by: Person, minutes: Minutes, text: str) -> Minutes:
    """Replace the text of minutes that are not adopted.

    Raises:
        Conflict: they are adopted or discarded.
        Invalid: no text, or one that is too long.
    """
    _require_clerk(by, minutes.body)
    row = _lock(minutes)
    if row.status != MinutesStatus.DRAFT:
        raise Conflict(
            _(
                "These minutes are %(lower)s and do not change any more; adopted minutes are "
                "corrected by a new version."
            )
            % {
                "lower": lowered(row.get_status_display()),
            }
        )
    asked = _("Minutes are a text of up to %(max_text)s characters.") % {
        "max_text": grouped(MAX_TEXT),
    }
    row.text = storable(text, MAX_TEXT, field="text", asked=asked) + "\n"
    row.save(update_fields=["text"])
    return row


@transaction.atomic(durable=True)
def adopt_minutes(*, by: Person, minutes: Minutes) -> Minutes:
    """Put minutes on the record; from then on they are public and never change.

    A correction takes the place of the version before it, which stays readable.

    Raises:
        Conflict: they are adopted or discarded already.
    """
    _require_clerk(by, minutes.body)
    row = _lock(minutes)
    before = Minutes.objects.filter(
        body=row.body, number=row.number, status=MinutesStatus.ADOPTED
    ).first()
    _require_transition(row, MinutesStatus.ADOPTED)
    if before is not None:
        _require_transition(before, MinutesStatus.CORRECTED)
        before.status = MinutesStatus.CORRECTED
        before.save(update_fields=["status"])
    now = database_now()
    row.status, row.adopted_at = MinutesStatus.ADOPTED, now
    row.document, row.digest = digest_of(
        {
            "v": 1,
            "body": row.body.slug,
            "number": row.number,
            "version": row.version,
            "starts_on": row.starts_on.isoformat(),
            "ends_on": row.ends_on.isoformat(),
            "text": row.text,
        }
    )
    leaf = ledger.append(
        type=Leaf.MINUTES_ADOPTED,
        actor=by.actor,
        subject=row.body.subject,
        digests={"minutes": row.digest},
        facts={"number": row.number, "version": row.version},
        at=now,
    )
    row.leaf_id = leaf.id
    row.save()
    return row


@transaction.atomic(durable=True)
def discard_minutes(*, by: Person, minutes: Minutes) -> Minutes:
    """Throw a draft away; its number is not given again."""
    _require_clerk(by, minutes.body)
    row = _lock(minutes)
    _require_transition(row, MinutesStatus.DISCARDED)
    row.status = MinutesStatus.DISCARDED
    row.save(update_fields=["status"])
    return row


@transaction.atomic(durable=True)
def correct_minutes(*, by: Person, minutes: Minutes) -> Minutes:
    """Begin a correction of adopted minutes: a draft with their text, as the next version.

    Raises:
        Conflict: they are not the adopted version, or a correction was begun already.
    """
    _require_clerk(by, minutes.body)
    row = _lock(minutes)
    if row.status != MinutesStatus.ADOPTED:
        raise Conflict(_("Only adopted minutes are corrected, and of those the newest version."))
    versions = Minutes.objects.filter(body=row.body, number=row.number)
    if versions.filter(status=MinutesStatus.DRAFT).exists():
        raise Conflict(_("A correction of these minutes was begun already: edit that one."))
    return Minutes.objects.create(
        body=row.body,
        number=row.number,
        version=1 + versions.count(),
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        text=row.text,
        language=row.language,
        drafted_by=by,
    )


def _lock(minutes: Minutes) -> Minutes:
    """Return the minutes with the body's row locked: versions of one number wait for each other."""
    Body.objects.select_for_update().get(pk=minutes.body_id)
    return Minutes.objects.select_related("body").get(pk=minutes.pk)


def _require_transition(row: Minutes, to: MinutesStatus) -> None:
    if to not in MINUTES_TRANSITIONS[MinutesStatus(row.status)]:
        raise Conflict(
            _("These minutes are %(lower)s; they cannot become %(lower_2)s from there.")
            % {
                "lower": lowered(row.get_status_display()),
                "lower_2": lowered(to.label),
            }
        )


def _require_clerk(by: Person, body: Body) -> None:
    if not policy.can_keep_minutes(by, body):
        raise NotAllowed(_("Only a clerk of the body keeps its minutes."))
