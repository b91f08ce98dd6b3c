r"""Writes iCalendar files (RFC 5545): events of one moment, in a named time zone.

Only what such events need: text escaped (3.3.11), lines folded at 75 octets (3.1), the zone
described beside its name (3.6.5), because a reader need not know the names we use.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from oversight.web.plain_text import one_line

CONTENT_TYPE = "text/calendar; charset=utf-8"
LINE_OCTETS = 75
REFRESH = "PT1H"
"""How often a reader that subscribes is asked to come back."""


@dataclass(frozen=True, slots=True)
class Event:
    """One moment on a calendar."""

    uid: UUID
    """The same for ever: a reader knows by it that an event was changed, not added."""

    at: datetime
    title: str
    text: str
    url: str
    changed_at: datetime
    sequence: int = 0
    """Counts up when the moment or the state changes."""

    is_cancelled: bool = False
    reminds: bool = False
    """Whether readers are asked to remind a day ahead."""


def calendar(title: str, zone: str, events: Sequence[Event], *, url: str) -> bytes:
    """Return a calendar with its events at the times of the zone."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//oversight//votes//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{escaped(title)}",
        f"X-WR-CALNAME:{escaped(title)}",
        f"SOURCE;VALUE=URI:{url}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}",
    ]
    if events:
        lines += _zone(zone, [event.at for event in events])
    for event in events:
        lines += _event(event, zone)
    return b"".join(folded(line) for line in [*lines, "END:VCALENDAR"])


def escaped(text: str) -> str:
    """Return text as a value of the type TEXT."""
    plain = one_line(text).replace("\\", "\\\\")
    return plain.replace(";", "\\;").replace(",", "\\,")


def folded(line: str) -> bytes:
    """Return a line in pieces of at most 75 octets that split no character, each after a space."""
    pieces, piece, room = [], b"", LINE_OCTETS
    for sign in line:
        octets = sign.encode()
        if len(piece) + len(octets) > room:
            pieces.append(piece)
            # The space that marks a continuation counts, too.
            piece, room = b"", LINE_OCTETS - 1
        piece += octets
    return b"\r\n ".join([*pieces, piece]) + b"\r\n"


def _event(event: Event, zone: str) -> Iterator[str]:
    there = event.at.astimezone(ZoneInfo(zone))
    yield "BEGIN:VEVENT"
    yield f"UID:{event.uid}"
    yield f"DTSTAMP:{_utc(event.changed_at)}"
    yield f"LAST-MODIFIED:{_utc(event.changed_at)}"
    yield f"DTSTART;TZID={zone}:{there:%Y%m%dT%H%M%S}"
    yield f"SUMMARY:{escaped(event.title)}"
    yield f"DESCRIPTION:{escaped(event.text)}"
    yield f"URL:{event.url}"
    yield f"SEQUENCE:{event.sequence}"
    yield f"STATUS:{'CANCELLED' if event.is_cancelled else 'CONFIRMED'}"
    yield "TRANSP:TRANSPARENT"
    if event.reminds and not event.is_cancelled:
        yield "BEGIN:VALARM"
        yield "ACTION:DISPLAY"
        yield f"DESCRIPTION:{escaped(event.title)}"
        yield "TRIGGER:-P1D"
        yield "END:VALARM"
    yield "END:VEVENT"


def _zone(name: str, moments: Sequence[datetime]) -> Iterator[str]:
    """Describe a zone from a year before the first moment to a year after the last one."""
    there, year = ZoneInfo(name), timedelta(days=366)
    start = (min(moments) - year).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    yield "BEGIN:VTIMEZONE"
    yield f"TZID:{name}"
    yield from _observance(there, start, start)
    for before, moment in _changes(there, start, max(moments) + year):
        yield from _observance(there, before, moment)
    yield "END:VTIMEZONE"


def _changes(
    there: ZoneInfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the moments at which the clocks change, each after the last moment before it."""
    step, quarter = timedelta(days=1), timedelta(minutes=15)
    day = start
    while day < end:
        if _offset(there, day) != _offset(there, day + step):
            moment = day + quarter
            # All zones of the last decades change at a full quarter of an hour.
            while _offset(there, moment) == _offset(there, day):
                moment += quarter
            yield moment - quarter, moment
        day += step


def _observance(there: ZoneInfo, before: datetime, moment: datetime) -> Iterator[str]:
    """Describe which offset holds from a moment on; its time is given by the offset before it."""
    old, new = _offset(there, before), _offset(there, moment)
    kind = "DAYLIGHT" if moment.astimezone(there).dst() else "STANDARD"
    yield f"BEGIN:{kind}"
    yield f"DTSTART:{moment.astimezone(UTC).replace(tzinfo=None) + old:%Y%m%dT%H%M%S}"
    yield f"TZOFFSETFROM:{_signed(old)}"
    yield f"TZOFFSETTO:{_signed(new)}"
    yield f"TZNAME:{escaped(moment.astimezone(there).tzname() or there.key)}"
    yield f"END:{kind}"


def _offset(there: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(there).utcoffset() or timedelta()


def _signed(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
