"""The count and the ballots of a vote, as parts of a report."""

from collections.abc import Mapping
from typing import Any

from oversight.dashboards.reports.document import (
    Bar,
    Block,
    Cell,
    Column,
    Items,
    Paragraph,
    Share,
    Table,
)
from oversight.dashboards.results import CHOICES
from oversight.web import bars
from proposals.shown_sheet import Matrix, ShownSheet

TONES = {"yes": "good", "no": "bad"}
FATES = {"elected": "chosen", "excluded": "excluded"}


def counted(result: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return how the votes were counted: the bar of a motion, the arithmetic, every stage."""
    shown: ShownSheet = result["shown"]
    return (
        *([_bar(result)] if result.get("bar") else []),
        Items(shown.words),
        *([_stages(shown)] if shown.rows else []),
        *(_matrix(each) for each in shown.matrices),
    )


def cast(result: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return the ballots that counted, by name or without, and who cast none."""
    absent = ", ".join(str(entry.membership.person) for entry in result["absent"])
    return (
        _secret(result) if result["is_secret"] else _named(result),
        *([Paragraph(f"On the roll without a ballot: {absent}.")] if absent else []),
    )


def _bar(result: Mapping[str, Any]) -> Bar:
    votes = result["bar"]
    drawn = bars.result_bar(
        votes_for=votes["yes"],
        against=votes["no"],
        abstain=votes["abstain"],
        waiting=votes["waiting"],
        threshold=result["threshold"],
        base=votes["base"],
    )
    return Bar(
        words=drawn.description,
        shares=tuple(Share(part.kind, part.words, part.count) for part in drawn.segments),
        line=drawn.threshold or "",
        threshold=result["threshold"],
        base=votes["base"],
        needed=result["needed"],
    )


def _stages(shown: ShownSheet) -> Table:
    acts = [Column(f"{n}. {act}", is_numeric=True) for n, act in enumerate(shown.acts, start=1)]
    rows = [
        (Cell(row.name), *map(Cell, row.cells), Cell(FATES.get(row.fate, "not chosen")))
        for row in shown.rows
    ]
    if shown.exhausted:
        rows.append((Cell("with no option left"), *map(Cell, shown.exhausted), Cell("")))
    columns = (Column("Option"), *acts, Column("Result"))
    return Table("Votes at the end of each stage", columns, tuple(rows))


def _matrix(matrix: Matrix) -> Table:
    columns = (Column("Option"), *(Column(head, is_numeric=True) for head in matrix.heads))
    rows = tuple((Cell(name), *map(Cell, cells)) for name, cells in matrix.rows)
    return Table(matrix.title, columns, rows)


def _secret(result: Mapping[str, Any]) -> Table:
    columns = (Column("Vote"), Column("Weight", is_numeric=True))
    rows = tuple((Cell(b["words"]), Cell(f"{b['weight']:,}")) for b in result["secret_ballots"])
    return Table("Ballots without names: the vote was secret from the public", columns, rows)


def _named(result: Mapping[str, Any]) -> Table:
    columns = (Column("Member"), Column("Vote"), Column("Weight", is_numeric=True))
    return Table("Ballots by name", columns, tuple(_ballot(each) for each in result["ballots"]))


def _ballot(ballot: Any) -> tuple[Cell, ...]:
    others = ", ".join(str(entry.membership.person) for entry in ballot.for_others)
    words = str(CHOICES.get(ballot.choice, ballot.words))
    return (
        Cell(str(ballot.entry.membership.person), note=f"also for {others}" if others else ""),
        Cell(words, href=f"/receipts/{ballot.leaf_id}/", tone=TONES.get(ballot.choice, "")),
        Cell(f"{ballot.entry.weight:,}"),
    )
