"""Notices after they were written: sent as mail, read, chosen how to come, and forgotten."""

import logging
from collections.abc import Collection
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection as database
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from oversight.accounts.choices import NoticeKind
from oversight.accounts.digests import mail_of
from oversight.accounts.mail_times import next_digest, zones_of
from oversight.accounts.models import Body, ImmediateKind, Notice, NoticeSettings, Person
from oversight.web.refusals import Invalid

logger = logging.getLogger(__name__)

KEPT_DAYS = 180
"""A notice older than this is deleted, read or not; what it told of stays on the record."""

MOST_IN_A_MAIL = 5000
MAX_ATTEMPTS = 40
"""With the waits below somewhat over a week; then the notice stands in the list only."""

_LONGEST_WAIT = timedelta(hours=6)
_PERSON_LOCK = 0x6D61696C  # any constant: keeps these advisory locks apart from others


@transaction.atomic(durable=True)
def send_mail_to(*, person_id: int, mailer: BaseEmailBackend) -> bool:
    """Send a person one mail with all that is due; say whether one went out.

    Claimed, sent and marked in one transaction under a lock on the person: two senders make one
    mail. A crash after the mail server took it and before the commit repeats that one mail with
    the same Message-ID; nothing is lost. What the server refuses waits, longer each time.
    """
    if not _claim(person_id):
        return False
    found = Notice.objects.due().filter(person_id=person_id).select_related("person", "body")
    due = list(found.order_by("created_at", "id")[:MOST_IN_A_MAIL])
    if not due:
        return False
    rows = Notice.objects.filter(pk__in=[notice.pk for notice in due])
    person = due[0].person
    if not person.is_active:
        rows.update(mail_at=None)
        return False
    try:
        sent = mail_of(person, due, mailer).send()
    except (OSError, ValueError) as error:
        # A mail that cannot even be written, such as one to a broken address, waits like one that
        # is refused: it must not hold up everybody else's.
        logger.warning("The mail to %s was not sent: %s", person.actor, type(error).__name__)
        _postpone(rows, due)
        mailer.close()
        return False
    rows.update(sent_at=timezone.now())
    return bool(sent)


def _claim(person_id: int) -> bool:
    """Lock a person's outbox until the transaction ends; False where another sender has it."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_PERSON_LOCK, person_id])
        return bool(cursor.fetchone()[0])


def _postpone(rows: QuerySet[Notice], due: Collection[Notice]) -> None:
    attempts = 1 + max(notice.failed_attempts for notice in due)
    wait = min(timedelta(minutes=2 ** min(attempts, 10)), _LONGEST_WAIT)
    again = None if attempts >= MAX_ATTEMPTS else timezone.now() + wait
    rows.update(failed_attempts=F("failed_attempts") + 1, mail_at=again)


@transaction.atomic(durable=True)
def choose_notices(
    *,
    person: Person,
    gets_mail: bool,
    digest_hour: int,
    time_zone: str = "",
    language: str = "en",
    at_once: Collection[tuple[NoticeKind, Body | None]] = (),
) -> NoticeSettings:
    """Say how one wants to be told; the digest that waits moves to the new hour.

    Args:
        person: whose notices they are.
        gets_mail: whether any mail is sent; without it notices stand in the list only.
        digest_hour: when the daily mail goes out, 0 to 23.
        time_zone: by whose clock; empty for that of the body in which the person sits.
        language: in which notices are written and mails sent, as its code.
        at_once: the kinds that do not wait for it, each from one body or, with None, from all.

    Raises:
        Invalid: no such hour, zone or language.
    """
    if not 0 <= digest_hour <= 23:
        message = gettext("Choose a full hour from 0 to 23.")
        raise Invalid(message, fields={"digest_hour": message})
    if time_zone:
        _require_zone(time_zone)
    _require_language(language)
    chosen, _ = NoticeSettings.objects.update_or_create(
        person=person,
        defaults={
            "gets_mail": gets_mail,
            "digest_hour": digest_hour,
            "time_zone": time_zone,
            "language": language,
        },
    )
    ImmediateKind.objects.filter(person=person).delete()
    ImmediateKind.objects.bulk_create(
        ImmediateKind(person=person, kind=kind, body=body) for kind, body in dict.fromkeys(at_once)
    )
    now = timezone.now()
    waiting = Notice.objects.filter(person=person, sent_at=None, mail_at__gt=now)
    if gets_mail:
        zone = time_zone or zones_of([person])[person.pk]
        # What waits after a failed attempt keeps its own time.
        waiting.filter(failed_attempts=0).update(mail_at=next_digest(now, digest_hour, zone))
    else:
        Notice.objects.filter(person=person, sent_at=None).update(mail_at=None)
    return chosen


@transaction.atomic(durable=True)
def begin_in_language(*, person: Person, language: str) -> None:
    """Tell a person in the language of the page on which they first signed in.

    What they have chosen stays, and so does the language of an earlier sign-in.
    """
    _require_language(language)
    NoticeSettings.objects.get_or_create(person=person, defaults={"language": language})


def _require_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = gettext("“%(name)s” is no time zone: use a name such as Europe/Zurich.") % {
            "name": name[:60],
        }
        raise Invalid(message, fields={"time_zone": message}) from None


def _require_language(code: str) -> None:
    known = [each for each, _name in settings.LANGUAGES]
    if code not in known:
        message = gettext("Use one of these languages: %(known)s.") % {"known": ", ".join(known)}
        raise Invalid(message, fields={"language": message})


@transaction.atomic(durable=True)
def stop_mail(*, person: Person) -> None:
    """Send a person no more notices by mail; their list and their other choices stay."""
    NoticeSettings.objects.update_or_create(person=person, defaults={"gets_mail": False})
    Notice.objects.filter(person=person, sent_at=None).update(mail_at=None)


@transaction.atomic(durable=True)
def mark_read(*, person: Person, ids: Collection[int] | None = None) -> int:
    """Mark one's own notices as read, all of them without `ids`; return how many were not."""
    unread = Notice.objects.filter(person=person).unread()
    if ids is not None:
        unread = unread.filter(pk__in=ids)
    return unread.update(read_at=timezone.now())


@transaction.atomic(durable=True)
def prune_notices(*, limit: int = 10_000) -> int:
    """Delete up to `limit` notices older than they are kept; return how many."""
    old = Notice.objects.filter(created_at__lt=timezone.now() - timedelta(days=KEPT_DAYS))
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:limit])
    return Notice.objects.filter(pk__in=ids).delete()[0]
