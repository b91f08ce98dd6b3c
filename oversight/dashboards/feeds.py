"""What a body does, as an Atom feed (RFC 4287): proposals, votes, decisions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape

from oversight.accounts.models import Body
from oversight.dashboards.titles import titled
from oversight.web.clock import in_words
from oversight.web.plain_text import one_line
from proposals.choices import Status
from proposals.models import Contract, Decision, Proposal

CONTENT_TYPE = "application/atom+xml; charset=utf-8"
ENTRIES = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; its id is that of its leaf and never changes."""

    id: UUID
    at: datetime
    title: str
    summary: str
    path: str


def entries_of(body: Body) -> list[Entry]:
    """Return the newest of what the body did in public, newest first."""
    found = [*_proposed(body), *_opened(body), *_decided(body), *_ended(body)]
    return sorted(found, key=lambda entry: (entry.at, entry.id), reverse=True)[:ENTRIES]


def atom(body: Body, entries: list[Entry]) -> bytes:
    """Return the feed."""
    feed = Atom1Feed(
        title=one_line(body.name),
        link=_whole(reverse("body", args=[body.slug])),
        description=one_line(body.summary) or "What it proposes, votes on and decides.",
        language="en",
        author_name=one_line(body.name),
        feed_url=_whole(reverse("body-feed", args=[body.slug])),
        feed_guid=f"urn:uuid:{body.leaf_id}",
    )
    for entry in entries:
        feed.add_item(
            title=one_line(entry.title),
            link=_whole(entry.path),
            # Atom1Feed says that a summary is HTML; ours is text.
            description=escape(one_line(entry.summary)),
            unique_id=f"urn:uuid:{entry.id}",
            pubdate=entry.at,
            updateddate=entry.at,
        )
    # The feed of a body that did nothing yet is as old as the body, not as the question.
    feed.latest_post_date = lambda: changed_at(body, entries)  # type: ignore[method-assign]
    return feed.writeString("utf-8").encode()


def changed_at(body: Body, entries: list[Entry]) -> datetime:
    """Return when the feed last changed."""
    return entries[0].at if entries else body.founded_at


def _proposed(body: Body) -> Iterator[Entry]:
    rows = Proposal.objects.filter(body=body, deliberation_opened_at__isnull=False)
    public = rows.exclude(status=Status.DRAFT).order_by("-deliberation_opened_at")
    for row in titled(public)[:ENTRIES]:
        yield Entry(
            row.leaf_id,
            row.deliberation_opened_at,
            f"Proposed: {row.shown_title}",
            row.shown_summary,
            row.get_absolute_url(),
        )


def _opened(body: Body) -> Iterator[Entry]:
    rows = Contract.objects.filter(proposal__body=body).defer("document")
    shown = titled(rows.select_related("proposal").order_by("-opens_at"), "proposal_id")
    for row in shown[:ENTRIES]:
        close = in_words(row.closes_at, body.time_zone)
        yield Entry(
            row.leaf_id,
            row.opens_at,
            f"The vote is open: {row.shown_title}",
            f"{row.shown_summary} Ballots are taken until {close}.",
            row.proposal.get_absolute_url(),
        )


def _decided(body: Body) -> Iterator[Entry]:
    rows = Decision.objects.filter(proposal__body=body).defer("record").select_related("proposal")
    for row in titled(rows.order_by("-decided_at"), "proposal_id")[:ENTRIES]:
        yield Entry(
            row.leaf_id,
            row.decided_at,
            f"{row.get_outcome_display()}: {row.shown_title}",
            row.shown_summary,
            row.get_absolute_url(),
        )


def _ended(body: Body) -> Iterator[Entry]:
    """Yield what ended without a decision; a draft that was withdrawn was never public."""
    ended = Q(status=Status.ANNULLED) | Q(
        status=Status.WITHDRAWN, deliberation_opened_at__isnull=False
    )
    rows = Proposal.objects.filter(ended, body=body).order_by("-status_changed_at")
    for row in titled(rows)[:ENTRIES]:
        yield Entry(
            uuid5(row.leaf_id, row.status),
            row.status_changed_at,
            f"{row.get_status_display()}: {row.shown_title}",
            row.ending_reason,
            row.get_absolute_url(),
        )


def _whole(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"
