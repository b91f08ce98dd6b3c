"""Minutes from the record: what a body did in a period, as a text that its clerk can edit.

A text names members as the record does, `member:<id>`, and a page puts the name there: so the text
can be put on the record as it is, and a person's name can still be erased.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import translation
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from oversight.accounts.models import Body, Membership
from oversight.web.clock import in_words
from oversight.web.plain_text import one_line
from proposals.choices import DecisionOutcome, StatementKind, Status
from proposals.markdown import render_markdown
from proposals.models import Contract, Decision, Proposal, Recusal, Revision, Statement
from proposals.tally import consent, yes_no

MOST = 200
"""Matters of one kind that generated minutes list; a longer period is refused."""

_MEMBER = re.compile(r"member:([0-9a-f]{16})")
_MARKS = re.compile(r"([\\`*_\[\]<>#|!~&])")
NOTHING = "Nothing."


def span_of(body: Body, starts_on: date, ends_on: date) -> tuple[datetime, datetime]:
    """Return a period's first moment and the first after it, by the clock of the body."""
    zone = ZoneInfo(body.time_zone)
    first = datetime.combine(starts_on, time.min, tzinfo=zone)
    return first, datetime.combine(ends_on + timedelta(days=1), time.min, tzinfo=zone)


def longest_list(body: Body, starts_on: date, ends_on: date) -> int:
    """Return how many matters the longest list of the period has."""
    span = span_of(body, starts_on, ends_on)
    return max(int(rows.count()) for rows in (_opened(body, span), _voted(body, span)))


@translation.override("en")
def generated(body: Body, starts_on: date, ends_on: date) -> str:
    """Return the minutes of a period as Markdown, with a heading for each kind of act."""
    span = span_of(body, starts_on, ends_on)
    zone = ZoneInfo(body.time_zone)
    parts = (
        ("Opened for deliberation", _opened_lines(body, span, zone)),
        ("Votes opened", _voted_lines(body, span, zone)),
        ("Decisions", _decision_lines(body, span, zone)),
        ("Withdrawn and annulled", _ended_lines(body, span, zone)),
        ("Conflicts of interest declared", _conflict_lines(body, span, zone)),
        ("Members", _member_lines(body, span, zone)),
    )
    return "\n\n".join(f"## {title}\n\n{_listed(lines)}" for title, lines in parts) + "\n"


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or NOTHING


Span = tuple[datetime, datetime]


def _opened(body: Body, span: Span) -> Any:
    rows = Proposal.objects.filter(body=body, deliberation_opened_at__isnull=False)
    within = rows.filter(deliberation_opened_at__gte=span[0], deliberation_opened_at__lt=span[1])
    return within.order_by("deliberation_opened_at", "pk")


def _voted(body: Body, span: Span) -> Any:
    rows = Contract.objects.filter(proposal__body=body, opens_at__gte=span[0], opens_at__lt=span[1])
    return rows.select_related("proposal").order_by("opens_at", "pk")


def _opened_lines(body: Body, span: Span, zone: ZoneInfo) -> Iterator[str]:
    rows = list(_opened(body, span).select_related("proposer"))
    titles = _titles(rows)
    for row in rows:
        yield f"{_matter(row, titles)}, {_day(row.deliberation_opened_at, zone)}."


def _voted_lines(body: Body, span: Span, zone: ZoneInfo) -> Iterator[str]:
    rows = list(_voted(body, span).select_related("proposal__decision").defer("document"))
    titles = _titles([row.proposal for row in rows])
    for row in rows:
        yield (
            f"{_matter(row.proposal, titles)}: from {_moment(row.opens_at, zone)} "
            f"to {_moment(row.closes_at, zone)}{_early_words(row, zone)}."
        )


def _early_words(row: Contract, zone: ZoneInfo) -> str:
    """Return when a vote ended if every member had voted before its close."""
    decision = getattr(row.proposal, "decision", None)
    if decision is None or not decision.is_early:
        return ""
    return f"; it ended {_moment(decision.decided_at, zone)}, because every member had voted"


def _decision_lines(body: Body, span: Span, zone: ZoneInfo) -> Iterator[str]:
    rows = list(
        Decision.objects.filter(
            proposal__body=body, decided_at__gte=span[0], decided_at__lt=span[1]
        )
        .select_related("proposal")
        .order_by("decided_at", "pk")
    )
    titles = _titles([row.proposal for row in rows])
    stated = _stated_dissents(rows)
    for row in rows:
        outcome = DecisionOutcome(row.outcome).label.lower()
        override = " Carried over a criterion that was not shown to be met." * row.is_override
        yield (
            f"{_matter(row.proposal, titles, page='decisions')}: **{outcome}**, "
            f"{_day(row.decided_at, zone)}; {_escaped(row.result_words)}.{override}"
            f"{_dissents(row)}{stated.get(row.pk, '')}"
        )


def _stated_dissents(decisions: Iterable[Decision]) -> dict[int, str]:
    """Say by decision who put a dissent on the record; its words stand at the decision."""
    found: dict[int, list[str]] = {}
    rows = Statement.objects.filter(
        decision__in=[row.pk for row in decisions],
        kind=StatementKind.DISSENT,
        membership__isnull=False,
    )
    for row in rows.select_related("membership"):
        if row.membership:
            found.setdefault(row.decision_id, []).append(row.membership.actor)
    return {pk: f" Dissent on the record: {', '.join(names)}." for pk, names in found.items()}


def _dissents(decision: Decision) -> str:
    """Say who voted against what was carried, or for what was not; nothing of a secret vote."""
    content = decision.content
    against = {
        (yes_no.METHOD, "carried"): ("no", "Against"),
        (yes_no.METHOD, "not_carried"): ("yes", "For"),
        (consent.METHOD, "not_carried"): ("object", "Objected"),
    }.get((decision.sheet["method"], decision.outcome))
    if against is None:
        return ""
    choice, word = against
    named = [
        row["member"]
        for row in content["ballots"]
        if row.get("choice") == choice and "member" in row
    ]
    return f" {word}: {', '.join(named)}." if named else ""


def _ended_lines(body: Body, span: Span, zone: ZoneInfo) -> Iterator[str]:
    # A draft that was withdrawn was never public.
    ended = Q(status=Status.ANNULLED) | Q(
        status=Status.WITHDRAWN, deliberation_opened_at__isnull=False
    )
    rows = list(
        Proposal.objects.filter(ended, body=body)
        .filter(status_changed_at__gte=span[0], status_changed_at__lt=span[1])
        .order_by("status_changed_at", "pk")
    )
    titles = _titles(rows)
    for row in rows:
        reason = _escaped(one_line(row.ending_reason)).rstrip(".")
        day = _day(row.status_changed_at, zone)
        yield f"{_matter(row, titles)}: **{row.get_status_display().lower()}**, {day}. {reason}."
    undone = list(
        Decision.objects.filter(
            proposal__body=body, annulled_at__gte=span[0], annulled_at__lt=span[1]
        )
        .select_related("proposal")
        .order_by("annulled_at", "pk")
    )
    titles = _titles([found.proposal for found in undone])
    for found in undone:
        if found.annulled_at:
            matter = _matter(found.proposal, titles, page="decisions")
            yield f"{matter}: **decision annulled**, {_day(found.annulled_at, zone)}."


def _conflict_lines(body: Body, span: Span, zone: ZoneInfo) -> Iterator[str]:
    rows = list(
        Recusal.objects.filter(
            proposal__body=body, declared_at__gte=span[0], declared_at__lt=span[1]
        )
        .select_related("proposal", "membership")
        .order_by("declared_at", "pk")
    )
    titles = _titles([row.proposal for row in rows])
    for row in rows:
        day = _day(row.declared_at, zone)
        yield f"{row.membership.actor}, on {_matter(row.proposal, titles)}, {day}."


def _member_lines(body: Body, span: Span, zone: ZoneInfo) -> Iterator[str]:
    seats = Membership.objects.filter(body=body)
    within = Q(starts_at__gte=span[0], starts_at__lt=span[1]) | Q(
        ends_at__gte=span[0], ends_at__lt=span[1]
    )
    for seat in seats.filter(within).order_by("starts_at", "pk"):
        if span[0] <= seat.starts_at < span[1]:
            yield f"{seat.actor} joined as {seat.role}, {_day(seat.starts_at, zone)}."
        if seat.ends_at and span[0] <= seat.ends_at < span[1]:
            yield f"{seat.actor} left, {_day(seat.ends_at, zone)}."


def _titles(rows: Iterable[Proposal]) -> dict[int, str]:
    """Return the newest title of each proposal, in one query."""
    newest = Revision.objects.filter(proposal__in=[row.pk for row in rows])
    found = newest.order_by("proposal_id", "-number").distinct("proposal_id")
    return dict(found.values_list("proposal_id", "title"))


def _matter(proposal: Proposal, titles: dict[int, str], page: str = "proposals") -> str:
    title = _escaped(one_line(titles[proposal.pk]))
    return f"[{proposal.ref}](/{page}/{proposal.ref}/) “{title}”"


def _escaped(text: str) -> str:
    """Return text in which no sign of Markdown means anything."""
    return _MARKS.sub(r"\\\1", text)


def _day(moment: datetime, zone: ZoneInfo) -> str:
    there = moment.astimezone(zone)
    return f"{there.day} {there:%B %Y}"


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return in_words(moment, zone.key)


# -- As a page shows them --------------------------------------------------------------------


def members_in(text: str) -> dict[str, str]:
    """Return the names of the members whom a text names by their public ids."""
    ids = set(_MEMBER.findall(text))
    seats = Membership.objects.filter(public_id__in=ids).select_related("person")
    return {seat.public_id: str(seat.person) for seat in seats}


def shown(text: str) -> SafeString:
    """Return a text as safe HTML, with names in place of the public ids of members."""
    names = members_in(text)
    return mark_safe(  # noqa: S308 - sanitised before, and the names that are put in are escaped
        _MEMBER.sub(lambda found: escape(names.get(found[1], found[0])), str(render_markdown(text)))
    )
