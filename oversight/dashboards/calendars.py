"""Votes as events of a calendar: each with its opening and its close, in the body's time zone.

A vote that a clerk has set a time for is in it before it opens, under the ids it keeps.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid5

from django.conf import settings

from oversight.accounts.models import Body
from oversight.ledger.models import LedgerEntry, PendingLeaf
from oversight.web.calendar_file import Event
from proposals.choices import Leaf, Status
from proposals.models import Contract, Proposal
from proposals.services.charters import charter_of
from proposals.titles import titled

VOTES = 100
"""The newest votes of a body that its calendar holds."""


def votes_of(body: Body) -> list[Any]:
    """Return the newest votes of a body, oldest of them first."""
    rows = Contract.objects.filter(proposal__body=body).order_by("-opens_at", "-pk")
    return list(_shown(rows)[:VOTES])[::-1]


def vote_of(ref: str) -> Any:
    """Return the vote of a proposal; None where none was opened."""
    return _shown(Contract.objects.filter(proposal__ref=ref)).first()


def planned_by(body: Body) -> list[Any]:
    """Return the proposals of a body whose vote is to open at a time, the soonest first."""
    return list(_planned(Proposal.objects.filter(body=body))[:VOTES])


def planned(ref: str) -> Any:
    """Return a proposal whose vote is to open at a time; None where none is."""
    return _planned(Proposal.objects.filter(ref=ref)).first()


def _planned(rows: Any) -> Any:
    found = rows.filter(status=Status.FINAL_TEXT, vote_opens_at__isnull=False)
    return titled(found.select_related("body").order_by("vote_opens_at", "pk"))


def _shown(rows: Any) -> Any:
    found = rows.select_related("proposal__body", "proposal__decision")
    # The frozen documents are long, and nothing of them is shown.
    return titled(found.defer("document", "proposal__decision__record"), "proposal_id")


def _times_set(proposals: Iterable[Proposal]) -> Counter[str]:
    """Return by subject how often a clerk has set the time of its vote."""
    subjects = [proposal.subject for proposal in proposals]
    set_ = {"type": Leaf.VOTE_SCHEDULED, "subject__in": subjects}
    return Counter(
        subject
        for kind in (LedgerEntry, PendingLeaf)
        for subject in kind._default_manager.filter(**set_).values_list("subject", flat=True)
    )


def planned_events(proposals: list[Any]) -> Iterator[Event]:
    """Yield the opening and the close that are planned; a later time is the same event, changed."""
    times = _times_set(proposals)
    for proposal in proposals:
        hours = charter_of(proposal.body).rules_for(proposal.type).voting_hours
        usual = proposal.vote_opens_at + timedelta(hours=hours)
        common: dict[str, Any] = {
            "url": f"{settings.PUBLIC_URL}{proposal.get_absolute_url()}",
            "changed_at": proposal.status_changed_at,
            "sequence": max(0, times[proposal.subject] - 1),
        }
        name = f"{proposal.ref} {proposal.shown_title}"
        yield Event(
            uid=uuid5(proposal.leaf_id, "opens"),
            at=proposal.vote_opens_at,
            title=f"Vote opens: {name}",
            text=f"{proposal.shown_summary} Planned: it opens if nothing stands in the way then.",
            **common,
        )
        yield Event(
            uid=uuid5(proposal.leaf_id, "closes"),
            at=proposal.vote_closes_at or usual,
            title=f"Vote closes: {name}",
            text=f"{proposal.shown_summary} Planned.",
            **common,
        )


def events(votes: list[Any]) -> Iterator[Event]:
    """Yield the opening and the close of each vote; both stay when it is annulled, as cancelled."""
    times = _times_set(vote.proposal for vote in votes)
    for vote in votes:
        proposal = vote.proposal
        before = times[proposal.subject]
        changed, end = changed_at(vote), _end(vote)
        annulled = proposal.status == Status.ANNULLED
        common: dict[str, Any] = {
            "url": f"{settings.PUBLIC_URL}{proposal.get_absolute_url()}",
            "changed_at": changed,
            "is_cancelled": annulled,
        }
        name = f"{proposal.ref} {vote.shown_title}"
        yield Event(
            uid=uuid5(proposal.leaf_id, "opens"),
            at=vote.opens_at,
            title=f"Vote opens: {name}",
            text=vote.shown_summary,
            sequence=before + annulled,
            **common,
        )
        yield Event(
            uid=uuid5(proposal.leaf_id, "closes"),
            at=end,
            title=f"Vote closes: {name}",
            text=f"{vote.shown_summary} Ballots are refused from this second on.",
            sequence=before + (annulled or end != vote.closes_at),
            reminds=proposal.status == Status.VOTING,
            **common,
        )


def changed_at(vote: Any) -> datetime:
    """Return when what its events say last changed: at the opening, the close or the annulment."""
    changed: datetime = vote.proposal.status_changed_at
    return changed


def _end(vote: Any) -> datetime:
    """Return when it closed or will: earlier than announced where everybody had voted."""
    decision = getattr(vote.proposal, "decision", None)
    closes_at: datetime = vote.closes_at
    return min(closes_at, decision.decided_at) if decision else closes_at
