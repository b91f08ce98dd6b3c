"""What a crowd answered, read from the tables: for drawing its map and for its page."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from oversight.accounts.models import Person
from oversight.web.clock import stamp
from oversight.web.written import Written
from proposals.choices import Answer, Status
from proposals.models import Moderation, Opinion, OpinionMap, OpinionStatement, Proposal
from proposals.opinions.answers import AGREE, DISAGREE, PASS, UNSEEN, Answers

SIGNS = {Answer.AGREE: AGREE, Answer.DISAGREE: DISAGREE, Answer.PASS: PASS}

REST_MINUTES = 5
"""A map is not drawn anew sooner: who compares two of them sees several people's answers change."""


def shown_statements(proposal: Proposal) -> QuerySet[OpinionStatement]:
    """Return the statements that are not hidden, in the order they were made."""
    return proposal.statements.filter(hidden_at=None).order_by("made_at", "id")


def counted_opinions(proposal: Proposal) -> QuerySet[Opinion]:
    """Return the answers to statements that are not hidden."""
    return Opinion.objects.filter(statement__proposal=proposal, statement__hidden_at=None)


def basis_of(proposal: Proposal) -> str:
    """Return what changes whenever an answer or a statement does: to know a map that is stale."""
    opinions = counted_opinions(proposal).aggregate(count=Count("id"), latest=Max("given_at"))
    statements = shown_statements(proposal).aggregate(count=Count("id"), latest=Max("id"))
    moved = Moderation.objects.filter(proposal=proposal, statement__isnull=False)
    parts = (
        opinions["count"],
        _stamped(opinions["latest"]),
        statements["count"],
        statements["latest"] or 0,
        moved.count(),
    )
    return ":".join(str(part) for part in parts)


def answers_of(proposal: Proposal) -> Answers:
    """Return the input of the proposal's map: rows without names, whose order tells nothing.

    Memory grows with the answers: call it in the tasks' process, not while a reader waits.
    """
    statements = list(shown_statements(proposal).values_list("pk", "leaf_id"))
    column = {key: number for number, (key, _) in enumerate(statements)}
    return Answers.of([str(leaf) for _, leaf in statements], _rows(proposal, column))


def _rows(proposal: Proposal, column: dict[int, int]) -> Iterator[str]:
    given = counted_opinions(proposal).values("person")
    gathered = given.annotate(statements=ArrayAgg("statement_id"), answers=ArrayAgg("answer"))
    for person in gathered.values_list("statements", "answers").iterator(chunk_size=500):
        row = [UNSEEN] * len(column)
        for statement, answer in zip(*person, strict=True):
            row[column[statement]] = SIGNS[Answer(answer)]
        yield "".join(row)


def row_of(person: Person, drawn: dict[str, Any], proposal: Proposal) -> str:
    """Return a participant's row as the map's input has it, from their answers now."""
    given = dict(
        counted_opinions(proposal).filter(person=person).values_list("statement__leaf_id", "answer")
    )
    names = (each["statement"] for each in drawn["statements"])
    found = {str(leaf): SIGNS[Answer(answer)] for leaf, answer in given.items()}
    return "".join(found.get(name, UNSEEN) for name in names)


def texts_of(proposal: Proposal) -> dict[str, Written]:
    """Return the statements that are not hidden, each in its language, by the name of its leaf."""
    rows = shown_statements(proposal).values_list("leaf_id", "text", "language")
    return {
        str(leaf): Written(text, language or proposal.written_in) for leaf, text, language in rows
    }


def next_statement(person: Person, proposal: Proposal) -> OpinionStatement | None:
    """Return a statement the person has not answered: in an order of their own, always the same."""
    answered = Opinion.objects.filter(person=person, statement__proposal=proposal)
    waiting = shown_statements(proposal).exclude(pk__in=answered.values("statement"))
    keys = waiting.values_list("pk", "leaf_id")

    def rank(key: tuple[int, Any]) -> bytes:
        return sha256(f"{person.public_id}:{key[1]}".encode()).digest()

    found = min(keys, key=rank, default=None)
    return OpinionStatement.objects.get(pk=found[0]) if found else None


def map_of(proposal: Proposal) -> OpinionMap | None:
    """Return the newest map, the published one where the deliberation is over."""
    return proposal.opinion_maps.defer("input").first()


def stale_maps(now: datetime) -> Iterator[tuple[Proposal, str]]:
    """Yield each proposal whose map is to be drawn, with what there is to draw."""
    published = OpinionMap.objects.filter(proposal=OuterRef("pk"), leaf_id__isnull=False)
    waits = Q(status=Status.DELIBERATION) | Q(~Exists(published))
    # A deliberation may have been taken up again, and ended, since the last map was published.
    waits |= Q(status_changed_at__gt=now - timedelta(days=1))
    talked = Proposal.objects.filter(
        Exists(OpinionStatement.objects.filter(proposal=OuterRef("pk")))
    )
    for proposal in talked.filter(waits).exclude(status=Status.DRAFT):
        newest, basis = map_of(proposal), basis_of(proposal)
        if newest is None or _is_stale(proposal, newest, basis, now):
            yield proposal, basis


def _is_stale(proposal: Proposal, newest: OpinionMap, basis: str, now: datetime) -> bool:
    if proposal.status == Status.DELIBERATION:
        return newest.basis != basis and newest.drawn_at <= now - timedelta(minutes=REST_MINUTES)
    if newest.leaf_id is None:
        return newest.basis != basis or bool(newest.drawn["groups"])
    # What is published stays as it is, whatever is erased afterwards; only a deliberation that
    # was taken up again has newer answers.
    return counted_opinions(proposal).filter(given_at__gt=newest.drawn_at).exists()


def _stamped(moment: datetime | None) -> str:
    return stamp(moment) if moment else ""
