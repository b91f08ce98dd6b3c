"""The count and the ballots of a vote, as parts of a report."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, gettext_lazy

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
from oversight.web.figures import grouped
from proposals.shown_sheet import Matrix, ShownSheet

TONES = {"yes": "good", "no": "bad"}
FATES = {"elected": gettext_lazy("chosen"), "excluded": gettext_lazy("excluded")}


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
        *([_without(absent)] if absent else []),
    )


def _without(names: str) -> Paragraph:
    return Paragraph(gettext("On the roll without a ballot: %(names)s.") % {"names": names})


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
    rows = [(Cell(row.name), *map(Cell, row.cells), Cell(_fate(row.fate))) for row in shown.rows]
    if shown.exhausted:
        rows.append((Cell(gettext("with no option left")), *map(Cell, shown.exhausted), Cell("")))
    columns = (Column(gettext("Option")), *acts, Column(gettext("Result")))
    return Table(gettext("Votes at the end of each stage"), columns, tuple(rows))


def _fate(name: str) -> str:
    return str(FATES[name]) if name in FATES else gettext("not chosen")


def _matrix(matrix: Matrix) -> Table:
    columns = (Column(gettext("Option")), *(Column(head, is_numeric=True) for head in matrix.heads))
    rows = tuple((Cell(name), *map(Cell, cells)) for name, cells in matrix.rows)
    return Table(matrix.title, columns, rows)


def _secret(result: Mapping[str, Any]) -> Table:
    columns = (Column(gettext("Vote")), Column(gettext("Weight"), is_numeric=True))
    rows = tuple((Cell(b["words"]), Cell(grouped(b["weight"]))) for b in result["secret_ballots"])
    title = gettext("Ballots without names: the vote was secret from the public")
    return Table(title, columns, rows)


def _named(result: Mapping[str, Any]) -> Table:
    columns = (
        Column(gettext("Member")),
        Column(gettext("Vote")),
        Column(gettext("Weight"), is_numeric=True),
    )
    rows = tuple(_ballot(each) for each in result["ballots"])
    return Table(gettext("Ballots by name"), columns, rows)


def _ballot(ballot: Any) -> tuple[Cell, ...]:
    others = ", ".join(str(entry.membership.person) for entry in ballot.for_others)
    words = str(CHOICES.get(ballot.choice, ballot.words))
    also = gettext("also for %(names)s") % {"names": others} if others else ""
    return (
        Cell(str(ballot.entry.membership.person), note=also),
        Cell(words, href=f"/receipts/{ballot.leaf_id}/", tone=TONES.get(ballot.choice, "")),
        Cell(grouped(ballot.entry.weight)),
    )
