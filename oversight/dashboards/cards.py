"""Cards of what is being decided: where it stands, who has voted, what is still asked."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from evals.models import Criterion, Run
from oversight.dashboards.titles import titled
from oversight.dashboards.words import counted
from proposals.choices import Status
from proposals.models import Ballot, Comment, Proposal, RollEntry

CARDS_LIMIT = 50
"""More than a body decides at once; a list beyond it says how many more there are."""


@dataclass(frozen=True, slots=True)
class Card:
    """One open proposal with what a reader asks first."""

    proposal: Proposal
    title: str
    summary: str
    closes_at: datetime | None
    is_due: bool
    facts: tuple[str, ...]
    """Sentences about votes, criteria and discussion."""


def open_cards(proposals: QuerySet[Proposal], limit: int = CARDS_LIMIT) -> list[Card]:
    """Return the cards of the first proposals, in their order, in a fixed number of queries."""
    rows = list(_counted(titled(proposals))[:limit])
    subjects = [row.subject for row in rows]
    criteria = _number_by(Criterion, "subject", subjects)
    running = _number_by(Run, "purpose", subjects, state__in=["queued", "running"])
    now = timezone.now()
    return [_card(row, now, criteria, running) for row in rows]


def _counted(proposals: Any) -> Any:
    """Annotate proposals with the number of comments and, for a vote, of who has voted."""
    comments = Comment.objects.filter(proposal=OuterRef("pk"), hidden_at=None)
    roll = RollEntry.objects.filter(contract__proposal=OuterRef("pk"))
    voted = roll.filter(Exists(Ballot.objects.filter(entry=OuterRef("pk"))))
    return proposals.annotate(
        comment_number=_number(comments, "proposal", Count("pk")),
        roll_number=_number(roll, "contract", Count("pk")),
        voted_number=_number(voted, "contract", Count("pk")),
        voted_weight=_number(voted, "contract", Sum("weight")),
    )


def _number(rows: QuerySet[Any], by: str, how: Count | Sum) -> Subquery:
    return Subquery(rows.order_by().values(by).annotate(number=how).values("number"))


def _number_by(model: Any, field: str, subjects: list[str], **more: Any) -> dict[str, int]:
    rows = model.objects.filter(**{f"{field}__in": subjects}, **more)
    return dict(rows.order_by().values_list(field).annotate(number=Count("pk")))


def _card(row: Any, now: datetime, criteria: dict[str, int], running: dict[str, int]) -> Card:
    is_vote = row.status == Status.VOTING
    closes_at = row.contract.closes_at if is_vote else None
    facts = _vote_facts(row) if is_vote else _evidence_facts(row.subject, criteria, running)
    comments = counted(row.comment_number or 0, "comment", "comments")
    return Card(
        proposal=row,
        title=row.shown_title,
        summary=row.shown_summary,
        closes_at=closes_at,
        is_due=closes_at is not None and closes_at <= now,
        facts=(*facts, f"{comments[0].upper()}{comments[1:]}."),
    )


def _vote_facts(row: Any) -> list[str]:
    """Say who has voted, whether the quorum is met, and what the evidence frozen with it says."""
    content = row.contract.content
    voted = row.voted_number or 0
    weight = sum(entry["weight"] for entry in content["roll"])
    needed = Fraction(content["rules"]["quorum"]) * weight
    quorum = (
        ""
        if not needed
        else "; the quorum is met"
        if (row.voted_weight or 0) >= needed
        else ("; the quorum is not met yet")
    )
    rows = content["criteria"]
    met = sum(each["outcome"] == "met" for each in rows)
    facts = [f"{voted} of {row.roll_number} on the roll have voted{quorum}."]
    if rows:
        facts.append(f"{met} of {len(rows)} {'criterion' if len(rows) == 1 else 'criteria'} met.")
    return facts


def _evidence_facts(subject: str, criteria: dict[str, int], running: dict[str, int]) -> list[str]:
    asked = criteria.get(subject, 0)
    words = counted(asked, "criterion is", "criteria are")
    facts = [f"{words[0].upper()}{words[1:]} on the record."]
    if running.get(subject):
        runs = counted(running[subject], "evaluation is", "evaluations are")
        facts.append(f"{runs[0].upper()}{runs[1:]} under way.")
    return facts
