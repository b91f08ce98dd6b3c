"""The arguments for and against a proposal as its pages show them: two columns, by support."""

from dataclasses import dataclass

from django.db.models import Count, Max, QuerySet

from oversight.accounts.policy import is_person
from proposals.choices import Side
from proposals.models import Argument, ArgumentSupport, Proposal
from proposals.ranking import Weighed, weigh

ARGUMENTS_A_SIDE = 5
"""Shown on the proposal's page; all of them have a page of their own."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One argument with its support."""

    argument: Argument
    weighed: Weighed
    is_supported: bool
    """Whether the reader supports it."""
    is_own: bool


@dataclass(frozen=True, slots=True)
class Column:
    """The arguments of one side, the best supported first."""

    side: Side
    rows: list[Standing]
    total: int

    @property
    def more(self) -> int:
        """How many stand on the page of all arguments only."""
        return self.total - len(self.rows)


@dataclass(frozen=True, slots=True)
class Arguments:
    """Both columns."""

    columns: tuple[Column, Column]
    hidden: int

    @property
    def total(self) -> int:
        """How many there are that are not hidden."""
        return sum(column.total for column in self.columns)


def arguments_of(proposal: Proposal, reader: object, most: int | None = None) -> Arguments:
    """Return a proposal's arguments, at most so many a side; four queries at most."""
    rows = ranked(proposal, reader)
    columns = [[row for row in rows if row.argument.side == side] for side in Side]
    first, second = (
        Column(side, column[:most], len(column)) for side, column in zip(Side, columns, strict=True)
    )
    return Arguments((first, second), proposal.arguments.exclude(hidden_at=None).count())


def ranked(proposal: Proposal, reader: object = None) -> list[Standing]:
    """Return all arguments that are not hidden, of both sides, the best supported first."""
    arguments = list(proposal.arguments.filter(hidden_at=None).select_related("author"))
    if not arguments:
        return []
    standing = ArgumentSupport.objects.filter(
        argument__proposal=proposal, argument__hidden_at=None, withdrawn_at=None
    )
    counts = dict(standing.values_list("argument").annotate(Count("id")))
    latest = sorted(
        standing.values("person").annotate(last=Max("given_at")).values_list("last", flat=True)
    )
    own = _supported_by(reader, standing)
    rows = [
        Standing(
            argument=each,
            weighed=weigh(counts.get(each.pk, 0), each.made_at, latest),
            is_supported=each.pk in own,
            is_own=is_person(reader) and each.author_id == reader.pk,
        )
        for each in arguments
    ]
    return sorted(rows, key=_order)


def _supported_by(reader: object, standing: QuerySet[ArgumentSupport]) -> set[int]:
    if not is_person(reader):
        return set()
    return set(standing.filter(person=reader).values_list("argument", flat=True))


def _order(row: Standing) -> tuple[float, int, object, int]:
    return (-row.weighed.score, -row.weighed.supporters, row.argument.made_at, row.argument.pk)
