"""How a use came to where it stands: proposed, authorised, suspended, ended; and what is ahead."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.ledger.models import LedgerEntry
from oversight.registry import condition_words
from oversight.registry.choices import AuthorisationState
from oversight.registry.models import Authorisation, Deployment
from oversight.web.languages import lowered
from oversight.web.written import Told
from proposals.models import Decision, Proposal
from proposals.services.renewals import renewal_time

ACTS_SHOWN = 300
Event = dict[str, Any]

_TITLES = {
    "registry.deployment.registered": (_("Registered"), ""),
    "registry.description.written": (_("Described by the operator"), ""),
    "registry.authorisation.granted": (_("Authorised and live: {version}"), "good"),
    "registry.authorisation.suspended": (_("Suspended: {version}"), "bad"),
    "registry.authorisation.restored": (_("Live again: {version}"), "good"),
    "registry.authorisation.superseded": (_("Replaced: {version}"), ""),
    "registry.authorisation.revoked": (_("Retired: {version}"), "bad"),
}


def history(
    deployment: Deployment,
    authorisations: Sequence[Authorisation],
    proposals: Iterable[Proposal],
    now: datetime,
) -> list[Event]:
    """Return events of the timeline component, oldest first, with what is ahead at the end.

    The acts are those of the log. What the clock alone does, the end of an authorisation and the
    lapse of a suspension, is no act, and stands at its second.
    """
    by_subject = {row.subject: row for row in authorisations}
    entries = LedgerEntry.objects.filter(subject__in=[deployment.subject, *by_subject])
    events = [
        _act(entry, by_subject.get(entry.subject))
        for entry in entries.filter(type__in=_TITLES).order_by("index")[:ACTS_SHOWN]
    ]
    events += _proposed(proposals) + _by_the_clock(authorisations, now)
    events.sort(key=lambda event: (event["at"], event.get("act", math.inf)))
    past = [event for event in events if event["at"] <= now]
    if past:
        past[-1]["is_latest"] = True
    ahead = [event | {"is_ahead": True} for event in events if event["at"] > now]
    return past + ahead


def _act(entry: LedgerEntry, row: Authorisation | None) -> Event:
    title, tone = _TITLES[entry.type]
    facts = entry.content.get("facts", {})
    notes = []
    if row and entry.type == "registry.authorisation.granted":
        said = (
            gettext("%(label)s: %(words)s") % {"label": lowered(label), "words": value}
            for label, value in condition_words.words(row.conditions)
        )
        notes = [
            gettext("by decision %(decision_ref)s") % {"decision_ref": row.decision_ref},
            *said,
        ]
    elif facts.get("until"):
        notes = [gettext("in an emergency, until the body has decided")]
    return {
        "title": title.format(version=row.version if row else ""),
        "at": datetime.fromisoformat(entry.content["at"]),
        "note": gettext("; ").join(notes),
        "act": entry.index,
        "href": reverse("record-entry", args=[entry.index]),
        "tone": tone,
    }


def _proposed(proposals: Iterable[Proposal]) -> list[Event]:
    """Return when each proposal was first opened for discussion."""
    by_subject = {proposal.subject: proposal for proposal in proposals}
    moves = LedgerEntry.objects.filter(subject__in=by_subject, type="proposals.stage.moved")
    first: dict[str, LedgerEntry] = {}
    for entry in moves.order_by("index"):
        if entry.content["facts"].get("to") == "deliberation":
            first.setdefault(entry.subject, entry)
    return [
        {
            "title": Told(gettext("Proposed: %(title)s"), title=by_subject[subject].title),
            "at": datetime.fromisoformat(entry.content["at"]),
            "act": entry.index,
            "note": gettext("%(label)s: %(words)s")
            % {
                "label": gettext("today"),
                "words": lowered(by_subject[subject].get_status_display()),
            },
            "href": by_subject[subject].get_absolute_url(),
        }
        for subject, entry in first.items()
    ]


def _about(title: str, row: Authorisation) -> str:
    return gettext("%(label)s: %(words)s") % {"label": title, "words": row.version}


def _by_the_clock(authorisations: Sequence[Authorisation], now: datetime) -> list[Event]:
    """Return ends, lapses and renewals of what stands."""
    standing = [row for row in authorisations if row.state in _STANDING]
    refs = [row.decision_ref for row in standing]
    made = Decision.objects.select_related("proposal__body").filter(proposal__ref__in=refs)
    decisions = {decision.proposal.ref: decision for decision in made}
    events: list[Event] = []
    for row in standing:
        if row.ends_at is not None:
            title = (
                gettext("Expired") if row.ends_at <= now else gettext("Ends unless it is renewed")
            )
            events.append({"title": _about(title, row), "at": row.ends_at, "tone": ""})
        lapses = row.suspended_until if row.state == AuthorisationState.SUSPENDED else None
        if lapses is not None:
            title = (
                gettext("Suspension lapsed")
                if lapses <= now
                else gettext("Suspension lapses unless ratified")
            )
            events.append({"title": _about(title, row), "at": lapses, "tone": ""})
        decision = decisions.get(row.decision_ref)
        due = renewal_time(row, decision) if decision else None
        if due is not None and due > now:
            events.append(
                {"title": gettext("The renewal is drafted by itself"), "at": due, "tone": ""}
            )
    return events


_STANDING = frozenset({AuthorisationState.GRANTED, AuthorisationState.SUSPENDED})
