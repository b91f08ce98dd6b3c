"""What a body does, or all of them, as Atom feeds (RFC 4287)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.text import capfirst

from evals.models import Run
from oversight.accounts.models import Body
from oversight.incidents.choices import Event
from oversight.incidents.models import IncidentEvent
from oversight.web.clock import in_words
from oversight.web.plain_text import one_line
from oversight.web.written import Written, language_of
from proposals.choices import Status
from proposals.models import Contract, Decision, Proposal
from proposals.sheets import result_in_english, with_sheet
from proposals.titles import titled

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


@dataclass(frozen=True, slots=True)
class Channel:
    """What a feed is about, and where it and its page stand."""

    id: str
    title: str
    description: str
    path: str
    feed_path: str
    since: datetime
    """How old it is while nothing has happened."""


class _Feed(Atom1Feed):
    """A feed in English whose summaries may be what somebody wrote, in their language."""

    def add_item_elements(self, handler: Any, item: dict[str, Any]) -> None:
        """Write an entry; its summary says its language where that is another."""
        super().add_item_elements(handler, {**item, "description": None})
        language = item["summary_language"]
        marks = {"xml:lang": language} if language and language != "en" else {}
        handler.addQuickElement("summary", item["description"], {"type": "html"} | marks)


def channel_of(body: Body) -> Channel:
    """Return the channel of a body."""
    return Channel(
        f"urn:uuid:{body.leaf_id}",
        body.name,
        body.summary or "What it proposes, votes on and decides.",
        reverse("body", args=[body.slug]),
        reverse("body-feed", args=[body.slug]),
        body.founded_at,
    )


def entries_of(body: Body) -> list[Entry]:
    """Return the newest of what the body did in public, newest first."""
    own = Proposal.objects.filter(body=body)
    return newest(_proposed(own), _opened(own), _decided(own), _ended(own))


def newest(*parts: Iterator[Entry]) -> list[Entry]:
    """Return the newest of several kinds of entries, newest first."""
    found = [entry for part in parts for entry in part]
    return sorted(found, key=lambda entry: (entry.at, entry.id), reverse=True)[:ENTRIES]


# -- What the whole site does ----------------------------------------------------------------


def proposals() -> list[Entry]:
    """Return what was proposed, put to the vote and ended, of all bodies."""
    every = Proposal.objects.all()
    return newest(_proposed(every), _opened(every), _ended(every))


def decisions() -> list[Entry]:
    """Return what was decided, of all bodies."""
    return newest(_decided(Proposal.objects.all()))


def runs() -> list[Entry]:
    """Return the evaluations that have ended, whatever their end."""
    return newest(_runs())


def incidents() -> list[Entry]:
    """Return how published incidents moved on, and what was noted about them."""
    return newest(_incidents())


SITE: dict[str, tuple[str, str, str, Callable[[], list[Entry]]]] = {
    "proposals": ("Proposals", "What is proposed and put to the vote.", "deciding", proposals),
    "decisions": ("Decisions", "What was decided.", "deciding", decisions),
    "runs": ("Evaluations", "Evaluations that have ended.", "findings", runs),
    "incidents": (
        "Incidents",
        "What was reported about models in service, and what came of it.",
        "incidents",
        incidents,
    ),
}
"""Feeds of the whole site by their name: title, what it is, name of its page, its entries."""


def site_channel(name: str) -> Channel:
    """Return one of the channels of the whole site."""
    title, description, page, _ = SITE[name]
    feed_path = reverse("site-feed", args=[name])
    return Channel(
        uuid5(NAMESPACE_URL, _whole(feed_path)).urn,
        f"{title}: {settings.SITE_NAME}",
        description,
        reverse(page),
        feed_path,
        datetime(2026, 1, 1, tzinfo=UTC),
    )


def atom(channel: Channel, entries: list[Entry]) -> bytes:
    """Return the feed."""
    feed = _Feed(
        title=one_line(channel.title),
        link=_whole(channel.path),
        description=one_line(channel.description),
        language="en",
        author_name=one_line(channel.title),
        feed_url=_whole(channel.feed_path),
        feed_guid=channel.id,
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
            summary_language=language_of(entry.summary),
        )
    # A feed in which nothing has happened is as old as its subject, not as the question.
    feed.latest_post_date = lambda: changed_at(channel, entries)  # type: ignore[method-assign]
    return feed.writeString("utf-8").encode()


def changed_at(channel: Channel, entries: list[Entry]) -> datetime:
    """Return when the feed last changed."""
    return entries[0].at if entries else channel.since


def _proposed(own: QuerySet[Proposal]) -> Iterator[Entry]:
    rows = own.filter(deliberation_opened_at__isnull=False)
    public = rows.exclude(status=Status.DRAFT).order_by("-deliberation_opened_at")
    for row in titled(public)[:ENTRIES]:
        yield Entry(
            row.leaf_id,
            row.deliberation_opened_at,
            f"Proposed: {row.shown_title}",
            row.shown_summary,
            row.get_absolute_url(),
        )


def _opened(own: QuerySet[Proposal]) -> Iterator[Entry]:
    rows = Contract.objects.filter(proposal__in=own).defer("document")
    shown = titled(rows.select_related("proposal__body").order_by("-opens_at"), "proposal_id")
    for row in shown[:ENTRIES]:
        close = in_words(row.closes_at, row.proposal.body.time_zone)
        yield Entry(
            row.leaf_id,
            row.opens_at,
            f"The vote is open: {row.shown_title}",
            f"{row.shown_summary} Ballots are taken until {close}.",
            row.proposal.get_absolute_url(),
        )


def _decided(own: QuerySet[Proposal]) -> Iterator[Entry]:
    rows = with_sheet(Decision.objects.filter(proposal__in=own).select_related("proposal"))
    for row in titled(rows.order_by("-decided_at", "-pk"), "proposal_id")[:ENTRIES]:
        yield Entry(
            row.leaf_id,
            row.decided_at,
            f"{row.get_outcome_display()}: {row.shown_title}",
            f"{capfirst(result_in_english(row.found_sheet))}. {row.shown_summary}",
            row.get_absolute_url(),
        )


def _ended(own: QuerySet[Proposal]) -> Iterator[Entry]:
    """Yield what ended without a decision; a draft that was withdrawn was never public."""
    ended = Q(status=Status.ANNULLED) | Q(
        status=Status.WITHDRAWN, deliberation_opened_at__isnull=False
    )
    for row in titled(own.filter(ended).order_by("-status_changed_at"))[:ENTRIES]:
        yield Entry(
            uuid5(row.leaf_id, row.status),
            row.status_changed_at,
            f"{row.get_status_display()}: {row.shown_title}",
            Written(row.ending_reason, row.written_in),
            row.get_absolute_url(),
        )


def _runs() -> Iterator[Entry]:
    """Yield the runs that have ended."""
    ended = Run.objects.filter(finished_at__isnull=False).with_parts().order_by("-finished_at")
    for row in ended[:ENTRIES]:
        assert row.finished_at is not None  # noqa: S101 - the query asks for it
        yield Entry(
            uuid5(row.leaf_id, row.state),
            row.finished_at,
            f"{row.get_state_display().capitalize()}: {row.model_version} by {row.suite_version}",
            row.reason or _found(row),
            row.get_absolute_url(),
        )


def _found(run: Run) -> str:
    """Say what there is of a run that succeeded, and whether it measured anything anew."""
    words = f"{run.ref}, with every sample and its signed results."
    if run.is_recalled:
        words += " Its answers were all recalled from before: it is no independent repetition."
    return words


def _incidents() -> Iterator[Entry]:
    """Yield moves and notes of published incidents; of a hidden one no word, only why it is so."""
    rows = IncidentEvent.objects.filter(
        incident__published_at__isnull=False,
        kind__in=[Event.MOVED, Event.NOTED, Event.HIDDEN, Event.RESTORED],
    )
    for row in rows.select_related("incident__body").order_by("-at", "-id")[:ENTRIES]:
        incident = row.incident
        what = row.get_status_display() if row.kind == Event.MOVED else row.get_kind_display()
        said = incident.hidden_reason if incident.hidden_at else row.text or incident.text
        yield Entry(
            row.leaf_id,
            row.at,
            f"{what}: {incident.shown_title}",
            Written(said, incident.written_in),
            incident.get_absolute_url(),
        )


def _whole(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"
