"""Minutes from the record: what a body did in a period, as a text that its clerk can edit.

They are a text of the body and no part of the software's record of it, so they are drafted in the
language that the body keeps its minutes in.

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
from django.utils.dateformat import format as date_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, pgettext

from oversight.accounts.choices import BodyRole
from oversight.accounts.models import Body, Membership
from oversight.web.clock import in_words
from oversight.web.languages import lowered
from oversight.web.plain_text import one_line
from proposals.choices import DecisionOutcome, StatementKind, Status
from proposals.markdown import render_markdown
from proposals.models import Contract, Decision, Proposal, Recusal, Revision, Statement
from proposals.tally import consent, yes_no

MOST = 200
"""Matters of one kind that generated minutes list; a longer period is refused."""

_MEMBER = re.compile(r"member:([0-9a-f]{16})")
_MARKS = re.compile(r"([\\`*_\[\]<>#|!~&])")


def span_of(body: Body, starts_on: date, ends_on: date) -> tuple[datetime, datetime]:
    """Return a period's first moment and the first after it, by the clock of the body."""
    zone = ZoneInfo(body.time_zone)
    first = datetime.combine(starts_on, time.min, tzinfo=zone)
    return first, datetime.combine(ends_on + timedelta(days=1), time.min, tzinfo=zone)


def longest_list(body: Body, starts_on: date, ends_on: date) -> int:
    """Return how many matters the longest list of the period has."""
    span = span_of(body, starts_on, ends_on)
    return max(int(rows.count()) for rows in (_opened(body, span), _voted(body, span)))


def generated(body: Body, starts_on: date, ends_on: date, language: str) -> str:
    """Return the minutes of a period as Markdown, with a heading for each kind of act."""
    span = span_of(body, starts_on, ends_on)
    zone = ZoneInfo(body.time_zone)
    with translation.override(language):
        parts = (
            (gettext("Opened for deliberation"), _opened_lines(body, span, zone)),
            (gettext("Votes opened"), _voted_lines(body, span, zone)),
            (gettext("Decisions"), _decision_lines(body, span, zone)),
            (gettext("Withdrawn and annulled"), _ended_lines(body, span, zone)),
            (gettext("Conflicts of interest declared"), _conflict_lines(body, span, zone)),
            (gettext("Members"), _member_lines(body, span, zone)),
        )
        return "\n\n".join(f"## {title}\n\n{_listed(lines)}" for title, lines in parts) + "\n"


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or pgettext("minutes", "Nothing.")


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
        said = {"matter": _matter(row, titles), "day": _day(row.deliberation_opened_at, zone)}
        yield gettext("%(matter)s, %(day)s.") % said


def _voted_lines(body: Body, span: Span, zone: ZoneInfo) -> Iterator[str]:
    rows = list(_voted(body, span).select_related("proposal__decision").defer("document"))
    titles = _titles([row.proposal for row in rows])
    for row in rows:
        decision = getattr(row.proposal, "decision", None)
        is_early = decision is not None and decision.is_early
        words = (
            gettext(
                "%(matter)s: from %(opened)s to %(closes)s; it ended %(ended)s, because every "
                "member had voted."
            )
            if is_early
            else gettext("%(matter)s: from %(opened)s to %(closes)s.")
        )
        yield words % {
            "matter": _matter(row.proposal, titles),
            "opened": in_words(row.opens_at, zone.key),
            "closes": in_words(row.closes_at, zone.key),
            "ended": in_words(decision.voting_ended_at, zone.key) if decision else "",
        }


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
        words = gettext("%(matter)s: **%(outcome)s**, %(day)s; %(result)s.") % {
            "matter": _matter(row.proposal, titles, page="decisions"),
            "outcome": lowered(DecisionOutcome(row.outcome).label),
            "day": _day(row.decided_at, zone),
            "result": _escaped(row.result_words),
        }
        override = gettext("Carried over a criterion that was not shown to be met.")
        also = (override if row.is_override else "", _dissents(row), stated.get(row.pk, ""))
        yield " ".join([words, *(each for each in also if each)])


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
    words = gettext("Dissent on the record: %(members)s.")
    return {pk: words % {"members": ", ".join(names)} for pk, names in found.items()}


def _dissents(decision: Decision) -> str:
    """Say who voted against what was carried, or for what was not; nothing of a secret vote."""
    content = decision.content
    against = {
        (yes_no.METHOD, "carried"): ("no", gettext("Against: %(members)s.")),
        (yes_no.METHOD, "not_carried"): ("yes", gettext("For: %(members)s.")),
        (consent.METHOD, "not_carried"): ("object", gettext("Objected: %(members)s.")),
    }.get((decision.sheet["method"], decision.outcome))
    if against is None:
        return ""
    choice, words = against
    named = [
        row["member"]
        for row in content["ballots"]
        if row.get("choice") == choice and "member" in row
    ]
    return words % {"members": ", ".join(named)} if named else ""


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
        yield gettext("%(matter)s: **%(state)s**, %(day)s. %(reason)s.") % {
            "matter": _matter(row, titles),
            "state": lowered(row.get_status_display()),
            "day": _day(row.status_changed_at, zone),
            "reason": _escaped(one_line(row.ending_reason)).rstrip("."),
        }
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
            yield gettext("%(matter)s: **decision annulled**, %(day)s.") % {
                "matter": _matter(found.proposal, titles, page="decisions"),
                "day": _day(found.annulled_at, zone),
            }


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
        yield gettext("%(member)s, on %(matter)s, %(day)s.") % {
            "member": row.membership.actor,
            "matter": _matter(row.proposal, titles),
            "day": _day(row.declared_at, zone),
        }


def _member_lines(body: Body, span: Span, zone: ZoneInfo) -> Iterator[str]:
    seats = Membership.objects.filter(body=body)
    within = Q(starts_at__gte=span[0], starts_at__lt=span[1]) | Q(
        ends_at__gte=span[0], ends_at__lt=span[1]
    )
    for seat in seats.filter(within).order_by("starts_at", "pk"):
        if span[0] <= seat.starts_at < span[1]:
            yield gettext("%(member)s joined as %(role)s, %(day)s.") % {
                "member": seat.actor,
                "role": BodyRole(seat.role).word,
                "day": _day(seat.starts_at, zone),
            }
        if seat.ends_at and span[0] <= seat.ends_at < span[1]:
            said = {"member": seat.actor, "day": _day(seat.ends_at, zone)}
            yield gettext("%(member)s left, %(day)s.") % said


def _titles(rows: Iterable[Proposal]) -> dict[int, str]:
    """Return the newest title of each proposal, in one query."""
    newest = Revision.objects.filter(proposal__in=[row.pk for row in rows])
    found = newest.order_by("proposal_id", "-number").distinct("proposal_id")
    return dict(found.values_list("proposal_id", "title"))


def _matter(proposal: Proposal, titles: dict[int, str], page: str = "proposals") -> str:
    title = _escaped(one_line(titles[proposal.pk]))
    link = f"[{proposal.ref}](/{page}/{proposal.ref}/)"
    return gettext("%(link)s “%(title)s”") % {"link": link, "title": title}


def _escaped(text: str) -> str:
    """Return text in which no sign of Markdown means anything."""
    return _MARKS.sub(r"\\\1", text)


def _day(moment: datetime, zone: ZoneInfo) -> str:
    pattern = pgettext("pattern of Django's date format", "j F Y")
    return date_format(moment.astimezone(zone), pattern)


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
