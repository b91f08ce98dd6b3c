"""Times as pages write them: a moment with its zone, and how long ago it was or how soon it is.

Each is a `<time>` that programs read, too; an en dash stands for a missing one. For what the record
and mails write, see `clock.py`.
"""

from datetime import UTC, date, datetime
from typing import Any

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy

from oversight.web import figures
from oversight.web.figures import MISSING, NO_BREAK

WHEN_FORMATS = {
    "": ("j M Y, H:i", True),
    "long": ("l j F Y, H:i", True),
    "short": ("j M, H:i", True),
    "date": ("j M Y", False),
    "time": ("H:i", True),
}
"""Django date formats by the argument of `when`, and whether the zone follows."""

FEBRUARY = pgettext_lazy("abbrev. month", "Feb.")
"""Marked so that our catalogue has it, which goes before Django's: French writes “févr.”."""


def _moment(value: Any) -> datetime | date | None:
    """Return a time from a datetime, a date or ISO 8601 text; naive times are taken as UTC."""
    moment = parse_datetime(value) if isinstance(value, str) else value
    if isinstance(moment, datetime) and timezone.is_naive(moment):
        return moment.replace(tzinfo=UTC)
    return moment if isinstance(moment, date) else None


def _machine(moment: datetime | date) -> str:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return moment.isoformat()


def _zone(moment: datetime) -> str:
    name = moment.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name


def _pattern(style: str) -> tuple[str, bool]:
    """Return a format as the language has it, which a catalogue translates like a text."""
    patterns = {
        "j M Y, H:i": pgettext("pattern of Django's date format", "j M Y, H:i"),
        "l j F Y, H:i": pgettext("pattern of Django's date format", "l j F Y, H:i"),
        "j M, H:i": pgettext("pattern of Django's date format", "j M, H:i"),
        "j M Y": pgettext("pattern of Django's date format", "j M Y"),
        "H:i": pgettext("pattern of Django's date format", "H:i"),
    }
    pattern, with_zone = WHEN_FORMATS[style]
    return patterns[pattern], with_zone


def when(value: Any, style: str = "") -> SafeString | str:
    """Write a time as `<time>` in the site's zone, the zone named: 26 Nov 2026, 18:00 CET.

    `style` is empty, "long" (with the weekday), "short" (without the year), "date" or "time".
    """
    moment = _moment(value)
    if moment is None:
        return MISSING
    pattern, with_zone = _pattern(style)
    if not isinstance(moment, datetime):
        pattern, with_zone = _pattern("date")
        text = format_date(moment, pattern)
    else:
        local = timezone.localtime(moment)
        text = format_date(local, pattern) + (f"{NO_BREAK}{_zone(local)}" if with_zone else "")
    return format_html('<time datetime="{}">{}</time>', _machine(moment), text)


def ago(value: Any) -> SafeString | str:
    """Write how long ago a time was, or how soon it is: 40 s ago, in 2 days; a script keeps it."""
    moment = _moment(value)
    if not isinstance(moment, datetime):
        return when(value)
    words = distance((timezone.now() - moment).total_seconds())
    return format_html('<time datetime="{}" data-ago>{}</time>', _machine(moment), words)


def distance(seconds: float) -> str:
    """Return a distance in time in its largest unit; negative seconds lie ahead."""
    if seconds < 0:
        return gettext("in %(amount)s") % {"amount": amount(seconds)}
    return gettext("%(amount)s ago") % {"amount": amount(seconds)}


def amount(seconds: float) -> str:
    """Return a length of time in its largest unit."""
    units = ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (float("inf"), 86400, ""))
    size, unit = next((size, unit) for limit, size, unit in units if abs(seconds) < limit)
    # What lies ahead is rounded: three days are not two as soon as one second is gone.
    count = int(-seconds / size + 0.5) if seconds < 0 else int(seconds // size)
    if unit:
        return f"{figures.grouped(count)} {unit}"
    days = ngettext("%(number)s day", "%(number)s days", count)
    return days % {"number": figures.grouped(count)}
