"""When the mail of a notice is due: at once, or with the person's next daily digest."""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from oversight.accounts.choices import URGENT, NoticeKind
from oversight.accounts.models import (
    DIGEST_HOUR,
    Body,
    ImmediateKind,
    Membership,
    NoticeSettings,
    Person,
)


def next_digest(now: datetime, hour: int, zone: str) -> datetime:
    """Return the first moment after `now` at which it is `hour` o'clock in the zone.

    Where clocks are put forward over that hour the digest comes as much later; where they are put
    back it comes at the first of the two.
    """
    there = ZoneInfo(zone)
    today = now.astimezone(there).date()
    moments = (
        datetime.combine(today + timedelta(days=days), time(hour), tzinfo=there).astimezone(UTC)
        for days in (0, 1)
    )
    return next(moment for moment in moments if moment > now)


def mail_times(
    people: Collection[Person], *, kind: NoticeKind, body: Body | None, now: datetime
) -> dict[int, datetime | None]:
    """Return by person when a mail about this is due, None where they get none; three queries."""
    ids = [person.pk for person in people]
    chosen = {row.person_id: row for row in NoticeSettings.objects.filter(person__in=ids)}
    here = Q(body__isnull=True) | Q(body=body) if body else Q(body__isnull=True)
    wishes = ImmediateKind.objects.filter(here, person__in=ids, kind=kind)
    at_once = set(ids) if kind in URGENT else set(wishes.values_list("person_id", flat=True))
    zones = zones_of([person for person in people if person.pk not in at_once])
    times: dict[int, datetime | None] = {}
    for person in people:
        row = chosen.get(person.pk)
        if person.is_system or not person.is_active or (row and not row.gets_mail):
            times[person.pk] = None
        elif person.pk in at_once:
            times[person.pk] = now
        else:
            hour = row.digest_hour if row else DIGEST_HOUR
            zone = row.time_zone if row and row.time_zone else zones[person.pk]
            times[person.pk] = next_digest(now, hour, zone)
    return times


def languages_of(people: Collection[Person]) -> dict[int, str]:
    """Return by person the language in which they are told; one that is no more is English."""
    rows = NoticeSettings.objects.filter(person__in=[person.pk for person in people])
    chosen = dict(rows.values_list("person_id", "language"))
    known = dict(settings.LANGUAGES)
    wanted = {person.pk: chosen.get(person.pk, "") for person in people}
    return {pk: each if each in known else settings.LANGUAGE_CODE for pk, each in wanted.items()}


def zones_of(people: Collection[Person]) -> dict[int, str]:
    """Return by person the time zone of the body in which they have sat longest, else the site's.

    One zone a person, whichever body a notice is from: else two bodies would make two digests.
    """
    seats = Membership.objects.in_term().filter(person__in=[person.pk for person in people])
    rows = seats.order_by("person_id", "starts_at", "id").distinct("person_id")
    found = dict(rows.values_list("person_id", "body__time_zone"))
    return {person.pk: found.get(person.pk, settings.TIME_ZONE) for person in people}
