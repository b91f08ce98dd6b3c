"""Votes as events of a calendar: each with its opening and its close, in the body's time zone."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid5

from django.conf import settings

from oversight.accounts.models import Body
from oversight.dashboards.titles import titled
from oversight.web.calendar_file import Event
from proposals.choices import Status
from proposals.models import Contract

VOTES = 100
"""The newest votes of a body that its calendar holds."""


def votes_of(body: Body) -> list[Any]:
    """Return the newest votes of a body, oldest of them first."""
    rows = Contract.objects.filter(proposal__body=body).order_by("-opens_at", "-pk")
    return list(_shown(rows)[:VOTES])[::-1]


def vote_of(ref: str) -> Any:
    """Return the vote of a proposal; None where none was opened."""
    return _shown(Contract.objects.filter(proposal__ref=ref)).first()


def _shown(rows: Any) -> Any:
    found = rows.select_related("proposal__body", "proposal__decision")
    # The frozen documents are long, and nothing of them is shown.
    return titled(found.defer("document", "proposal__decision__record"), "proposal_id")


def events(votes: list[Any]) -> Iterator[Event]:
    """Yield the opening and the close of each vote; both stay when it is annulled, as cancelled."""
    for vote in votes:
        proposal = vote.proposal
        changed, end = changed_at(vote), _end(vote)
        annulled = proposal.status == Status.ANNULLED
        common: dict[str, Any] = {
            "url": f"{settings.PUBLIC_URL}{proposal.get_absolute_url()}",
            "changed_at": changed,
            "is_cancelled": annulled,
        }
        name = f"{proposal.ref} {vote.shown_title}"
        yield Event(
            uid=uuid5(vote.leaf_id, "opens"),
            at=vote.opens_at,
            title=f"Vote opens: {name}",
            text=vote.shown_summary,
            sequence=int(annulled),
            **common,
        )
        yield Event(
            uid=uuid5(vote.leaf_id, "closes"),
            at=end,
            title=f"Vote closes: {name}",
            text=f"{vote.shown_summary} Ballots are refused from this second on.",
            sequence=int(annulled or end != vote.closes_at),
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
