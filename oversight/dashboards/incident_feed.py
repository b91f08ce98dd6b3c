"""Incidents as an Atom feed (RFC 4287): each when it is published, and when it moves on."""

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape

from oversight.dashboards.feeds import CONTENT_TYPE, ENTRIES, Entry
from oversight.incidents.choices import Event
from oversight.incidents.models import IncidentEvent
from oversight.web.plain_text import one_line

__all__ = ["CONTENT_TYPE", "atom", "changed_at", "entries"]

BEFORE_ANY = datetime(2026, 1, 1, tzinfo=UTC)


def entries() -> list[Entry]:
    """Return the newest moves and notes of published incidents, newest first."""
    rows = (
        IncidentEvent.objects.filter(
            incident__published_at__isnull=False,
            kind__in=[Event.MOVED, Event.NOTED, Event.HIDDEN, Event.RESTORED],
        )
        .select_related("incident")
        .order_by("-at", "-id")[:ENTRIES]
    )
    return [_entry(row) for row in rows]


def _entry(row: IncidentEvent) -> Entry:
    incident = row.incident
    what = row.get_status_display() if row.kind == Event.MOVED else row.get_kind_display()
    text = row.text or incident.text
    return Entry(
        row.leaf_id,
        row.at,
        f"{what}: {incident.shown_title}",
        text if incident.hidden_at is None else incident.hidden_reason,
        incident.get_absolute_url(),
    )


def atom(found: list[Entry], site: str) -> bytes:
    """Return the feed."""
    feed = Atom1Feed(
        title=one_line(f"Incidents: {site}"),
        link=_whole(reverse("incidents")),
        description="What was reported about models in service, and what came of it.",
        language="en",
        author_name=one_line(site),
        feed_url=_whole(reverse("incidents-feed")),
        feed_guid=f"urn:uuid:{uuid5(NAMESPACE_URL, _whole(reverse('incidents')))}",
    )
    for entry in found:
        feed.add_item(
            title=one_line(entry.title),
            link=_whole(entry.path),
            description=escape(one_line(entry.summary)),
            unique_id=f"urn:uuid:{entry.id}",
            pubdate=entry.at,
            updateddate=entry.at,
        )
    feed.latest_post_date = lambda: changed_at(found)  # type: ignore[method-assign]
    return feed.writeString("utf-8").encode()


def changed_at(found: list[Entry]) -> datetime:
    """Return when the feed last changed."""
    return found[0].at if found else BEFORE_ANY


def _whole(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"
