"""Cards of what is being decided: where it stands, who has voted, what is still asked."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from evals.models import Criterion, Run
from oversight.dashboards.words import sentence, worded
from proposals.choices import Status
from proposals.models import Comment, Contract, Proposal
from proposals.titles import titled
from proposals.turnout import SoFar, carried_words, turnouts

CARDS_LIMIT = 50
"""More than a body decides at once; a list beyond it says how many more there are."""


@dataclass(frozen=True, slots=True)
class Card:
    """One open proposal with what a reader asks first."""

    proposal: Proposal
    title: str
    summary: str
    facts: tuple[str, ...]
    """Sentences about votes, criteria and discussion."""


def open_cards(proposals: QuerySet[Proposal], limit: int = CARDS_LIMIT) -> list[Card]:
    """Return the cards of the first proposals, in their order, in a fixed number of queries."""
    # The database picks the first before it fetches what belongs to them, not to all.
    first = proposals.filter(pk__in=proposals.select_related(None).values("pk")[:limit])
    rows = list(_counted(titled(first)))
    subjects = [row.subject for row in rows]
    criteria = _number_by(Criterion, "subject", subjects)
    running = _number_by(Run, "purpose", subjects, state__in=["queued", "running"])
    votes = _votes(rows)
    return [
        _card(row, _evidence_facts(row.subject, criteria, running), votes.get(row.pk))
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


def _card(row: Any, evidence_facts: list[str], vote: _Vote | None) -> Card:
    facts = _vote_facts(vote) if vote else evidence_facts
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
        facts=(*facts, sentence(comments)),
    )


def _vote_facts(vote: _Vote) -> list[str]:
    """Say who has voted, whether the quorum is met, and what the evidence frozen with it says."""
    rows = vote.content["criteria"]
    met = sum(each["outcome"] == "met" for each in rows)
    facts = [
        _("%(voted)s of %(roll_number)s on the roll have voted%(quorum)s.")
        % {
            "voted": vote.so_far.voted,
            "roll_number": vote.so_far.roll,
            "quorum": carried_words(vote.so_far) + _quorum_words(vote),
        }
    ]
    if rows:
        words = ngettext(
            "%(met)s of %(number)s criterion met.", "%(met)s of %(number)s criteria met.", len(rows)
        )
        facts.append(words % {"met": met, "number": len(rows)})
    return facts


def _quorum_words(vote: _Vote) -> str:
    check = vote.so_far.quorum
    if not check.rule.fraction:
        return ""
    if check.is_met:
        return _("; the quorum is met")
    return (
        _("; the quorum is not met") if vote.contract.is_over else _("; the quorum is not met yet")
    )


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
