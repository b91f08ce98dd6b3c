"""Cards of what is being decided: where it stands, who has voted, what is still asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from evals.models import Criterion, Run
from oversight.dashboards.words import sentence, worded
from proposals.choices import Status
from proposals.models import Comment, Contract, Proposal
from proposals.titles import titled
from proposals.turnout import SoFar, turnouts

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
    votes = _votes(rows)
    now = timezone.now()
    return [
        _card(row, now, _evidence_facts(row.subject, criteria, running), votes.get(row.pk))
        for row in rows
    ]


def _counted(proposals: Any) -> Any:
    """Annotate proposals with the number of comments."""
    comments = Comment.objects.filter(proposal=OuterRef("pk"), hidden_at=None).order_by()
    number = comments.values("proposal").annotate(number=Count("pk")).values("number")
    return proposals.annotate(comment_number=Subquery(number))


@dataclass(frozen=True, slots=True)
class _Vote:
    """The vote of a card: what was frozen, and who has taken part."""

    contract: Contract
    content: dict[str, Any]
    so_far: SoFar


def _votes(rows: list[Any]) -> dict[int, _Vote]:
    """Return the open votes by proposal, each of their long documents read once."""
    contracts = {row.pk: row.contract for row in rows if row.status == Status.VOTING}
    contents = {contract.pk: contract.content for contract in contracts.values()}
    found = turnouts(contents)
    return {key: _Vote(each, contents[each.pk], found[each.pk]) for key, each in contracts.items()}


def _number_by(model: Any, field: str, subjects: list[str], **more: Any) -> dict[str, int]:
    rows = model.objects.filter(**{f"{field}__in": subjects}, **more)
    return dict(rows.order_by().values_list(field).annotate(number=Count("pk")))


def _card(row: Any, now: datetime, evidence_facts: list[str], vote: _Vote | None) -> Card:
    closes_at = vote.contract.closes_at if vote else None
    is_due = closes_at is not None and closes_at <= now
    casting_until = vote.contract.casting_until if vote else None
    is_over = is_due or casting_until is not None
    facts = _vote_facts(vote, is_over=is_over) if vote else evidence_facts
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
        is_due=is_due,
        casting_until=casting_until,
        facts=(*facts, sentence(comments)),
    )


def _vote_facts(vote: _Vote, *, is_over: bool) -> list[str]:
    """Say who has voted, whether the quorum is met, and what the evidence frozen with it says."""
    rows = vote.content["criteria"]
    met = sum(each["outcome"] == "met" for each in rows)
    facts = [
        _("%(voted)s of %(roll_number)s on the roll have voted%(quorum)s.")
        % {
            "voted": vote.so_far.voted,
            "roll_number": vote.so_far.roll,
            "quorum": _carried_words(vote.so_far) + _quorum_words(vote.so_far, is_over=is_over),
        }
    ]
    if rows:
        words = ngettext(
            "%(met)s of %(number)s criterion met.", "%(met)s of %(number)s criteria met.", len(rows)
        )
        facts.append(words % {"met": met, "number": len(rows)})
    return facts


def _carried_words(so_far: SoFar) -> str:
    if not so_far.carried:
        return ""
    return _(", %(carried_count)s more by delegation") % {"carried_count": so_far.carried}


def _quorum_words(so_far: SoFar, *, is_over: bool) -> str:
    if not so_far.quorum.rule.fraction:
        return ""
    if so_far.quorum.is_met:
        return _("; the quorum is met")
    return _("; the quorum is not met") if is_over else _("; the quorum is not met yet")


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
