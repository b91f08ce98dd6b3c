"""Cards of what is being decided: where it stands, who has voted, what is still asked."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from evals.models import Criterion, Run
from oversight.dashboards.words import sentence, worded
from proposals.choices import Status
from proposals.models import Ballot, Comment, Proposal, RollEntry
from proposals.titles import titled

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
    casting_until: datetime | None
    """Until when a tie waits for the chair; None where none does."""

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
    number = row.comment_number or 0
    comments = worded(
        ngettext("%(number)s comment", "%(number)s comments", number),
        number,
        none=_("no comments"),
    )
    return Card(
        proposal=row,
        title=row.shown_title,
        summary=row.shown_summary,
        closes_at=closes_at,
        is_due=closes_at is not None and closes_at <= now,
        casting_until=row.contract.casting_until if is_vote else None,
        facts=(*facts, sentence(comments)),
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
        else _("; the quorum is met")
        if (row.voted_weight or 0) >= needed
        else (_("; the quorum is not met yet"))
    )
    rows = content["criteria"]
    met = sum(each["outcome"] == "met" for each in rows)
    facts = [
        _("%(voted)s of %(roll_number)s on the roll have voted%(quorum)s.")
        % {
            "voted": voted,
            "roll_number": row.roll_number,
            "quorum": quorum,
        }
    ]
    if rows:
        words = ngettext(
            "%(met)s of %(number)s criterion met.", "%(met)s of %(number)s criteria met.", len(rows)
        )
        facts.append(words % {"met": met, "number": len(rows)})
    return facts


def _evidence_facts(subject: str, criteria: dict[str, int], running: dict[str, int]) -> list[str]:
    asked = criteria.get(subject, 0)
    words = ngettext(
        "%(number)s criterion is on the record", "%(number)s criteria are on the record", asked
    )
    facts = [sentence(worded(words, asked, none=_("no criteria are on the record")))]
    if running.get(subject):
        number = running[subject]
        runs = ngettext(
            "%(number)s evaluation is under way", "%(number)s evaluations are under way", number
        )
        facts.append(sentence(worded(runs, number)))
    return facts
