"""How one table of a text becomes another: row by row, and in a row cell by cell. Pure.

A table is its rows, the heads of its columns first, and a row the set text of its cells. All rows
have as many cells as there are heads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from proposals.changes import in_place

Row: TypeAlias = tuple[str, ...]
Table: TypeAlias = tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the comparison."""

    kind: str
    """"kept" in its place, "new", or "gone"."""
    is_head: bool
    cells: tuple[tuple[str | None, str | None], ...]
    """By column of either table: what stood there, and what will; None where nothing can."""


def paired(old: Sequence[Table], new: Sequence[Table]) -> dict[int, int]:
    """Return by table of the later text which one of the earlier it is, in the order of both."""
    return in_place([_words(table) for table in old], [_words(table) for table in new])


def lines(old: Table, new: Table) -> list[Line]:
    """Return the rows of both tables, those that went before those that came; () is no table."""
    columns = _merged(_width(old), _width(new), _same_columns(old, new))
    heads = {0: 0} if old and new else {}
    rows = heads | {right + 1: left + 1 for right, left in _same_rows(old[1:], new[1:]).items()}
    found = []
    for left, right in _merged(len(old), len(new), rows):
        before = None if left is None else old[left]
        after = None if right is None else new[right]
        kind = "new" if before is None else "gone" if after is None else "kept"
        cells = tuple((_cell(before, a), _cell(after, b)) for a, b in columns)
        found.append(Line(kind, 0 in (left, right), cells))
    return found


def _words(table: Table) -> str:
    return "\n".join(" ".join(row) for row in table)


def _width(table: Table) -> int:
    return len(table[0]) if table else 0


def _cell(row: Row | None, column: int | None) -> str | None:
    return None if row is None or column is None else row[column]


def _same_columns(old: Table, new: Table) -> dict[int, int]:
    """Return by column of the later table which one of the earlier it is."""
    if _width(old) == _width(new):
        return {column: column for column in range(_width(new))}
    if not old or not new:
        return {}
    return in_place(*(["\n".join(column) for column in zip(*table, strict=True)]
                      for table in (old, new)))  # fmt: skip


def _same_rows(old: Table, new: Table) -> dict[int, int]:
    """Return by row of the later table which one of the earlier it is: alike, or named alike."""
    pairs = in_place([" ".join(row) for row in old], [" ".join(row) for row in new])
    named: dict[int, int] = {}
    left = right = 0
    for next_right, next_left in [*pairs.items(), (len(new), len(old))]:
        for at in range(right, next_right):
            of_name = (n for n in range(left, next_left) if old[n][0] == new[at][0] != "")
            if (found := next(of_name, None)) is not None:
                named[at], left = found, found + 1
        left, right = next_left + 1, next_right + 1
    return dict(sorted((pairs | named).items()))


def _merged(old: int, new: int, pairs: dict[int, int]) -> list[tuple[int | None, int | None]]:
    """Return the places of both, those of a pair together, and between pairs the old ones first."""
    found: list[tuple[int | None, int | None]] = []
    left = right = 0
    for next_right, next_left in [*sorted(pairs.items()), (new, old)]:
        found += [(n, None) for n in range(left, next_left)]
        found += [(None, n) for n in range(right, next_right)]
        if next_right < new:
            found.append((next_left, next_right))
        left, right = next_left + 1, next_right + 1
    return found
