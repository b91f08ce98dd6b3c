"""The one clock that decides about deadlines: the database's."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.dateformat import format as date_format
from django.utils.functional import lazy
from django.utils.translation import pgettext


def database_now() -> datetime:
    """Return the database server's present time, aware, in UTC.

    Not the transaction's start: a transaction that waited for a lock sees the time after the wait,
    so that nothing is accepted after a deadline because it began before it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now.astimezone(UTC)


def in_words(moment: datetime, zone: str) -> str:
    """Return a moment as people read it, by the clock of a place and with its zone's name."""
    there = moment.astimezone(ZoneInfo(zone))
    pattern = pgettext("pattern of Django's date format", "j F Y, H:i")
    return f"{date_format(there, pattern)} {there:%Z}"


when_read = lazy(in_words, str)
"""The same, in the language that is spoken when it is read."""


def stamp(moment: datetime) -> str:
    """Return a moment as the record writes it: UTC, whole seconds, ending in Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def exact(moment: datetime) -> str:
    """Return a moment as the API and files write it: UTC, to the microsecond, ending in Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
