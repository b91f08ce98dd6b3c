"""Votes as events of a calendar: each with its opening and its close, in the body's time zone.

One that ended in a tie has a third: until when the chair can give the casting vote. A vote that a
clerk has set a time for is in it before it opens, under the ids it keeps.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid5

from django.conf import settings
from django.db.models import JSONField
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast

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
    # The frozen documents are long, and nothing of them is shown but the chair's time.
    found = rows.select_related("proposal__body", "proposal__decision").annotate(
        casting_hours=KeyTransform("casting_hours", Cast("document", JSONField()))
    )
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
    """Yield the moments of each vote; they stay when it is annulled, as cancelled."""
    times = _times_set(vote.proposal for vote in votes)
    for vote in votes:
        yield from _events(vote, before=times[vote.proposal.subject])


def _events(vote: Any, *, before: int) -> Iterator[Event]:
    """Yield opening, close and, of a tie, the end of the chair's time.

    Args:
        vote: the contract, as `_shown` fetches it.
        before: how often its times were changed while they were planned.
    """
    proposal, end = vote.proposal, _end(vote)
    annulled = proposal.status == Status.ANNULLED
    is_open = proposal.status == Status.VOTING
    common: dict[str, Any] = {
        "url": f"{settings.PUBLIC_URL}{proposal.get_absolute_url()}",
        "changed_at": changed_at(vote),
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
        sequence=before + annulled + (end != vote.closes_at),
        reminds=is_open and vote.casting_until is None,
        **common,
    )
    if vote.casting_until:
        ends_at = _decided_by(vote, vote.casting_until)
        yield Event(
            uid=uuid5(proposal.leaf_id, "casting"),
            at=ends_at,
            title=f"Tie ends: {name}",
            text=f"{vote.shown_summary} {_TIE_WAITS if is_open else _TIE_ENDED}",
            sequence=annulled + (ends_at != vote.casting_until),
            reminds=is_open,
            **common,
        )


_TIE_WAITS = (
    "The vote is tied. The chair can give the casting vote until this second; without one, things"
    " stay as they are."
)
_TIE_ENDED = "The vote was tied and waited for the chair until then."


def changed_at(vote: Any) -> datetime:
    """Return when what its events say last changed: at opening, tie, close or annulment."""
    moved: datetime = vote.proposal.status_changed_at
    tied_at = _tied_at(vote)
    return max(moved, tied_at) if tied_at else moved


def _tied_at(vote: Any) -> datetime | None:
    """Return when it was counted and found tied, the chair being asked; None where it was not."""
    if vote.casting_until is None:
        return None
    asked: datetime = vote.casting_until - timedelta(hours=vote.casting_hours)
    return asked


def _end(vote: Any) -> datetime:
    """Return when it closed or will: earlier than announced where everybody had voted."""
    closes_at: datetime = vote.closes_at
    tied_at = _tied_at(vote)
    return min(closes_at, tied_at) if tied_at else _decided_by(vote, closes_at)


def _decided_by(vote: Any, moment: datetime) -> datetime:
    """Return a moment that was announced, or that of the decision where it came sooner."""
    decision = getattr(vote.proposal, "decision", None)
    return min(moment, decision.decided_at) if decision else moment
