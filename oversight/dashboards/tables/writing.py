"""Tables as files: JSON, CSV (RFC 4180) and Parquet of the same rows, in bounded memory.

Rows go to a file of JSON lines first; the others are made from it, Parquet by another process, so
that the web process never loads its library.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

from evals.reckoner import asking
from oversight.dashboards.tables.columns import Kind, Row, Table, plain
from oversight.dashboards.tables.dictionary import LICENCE

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


class UnknownColumn(ValueError):  # noqa: N818 - says what is wrong with a row
    """A row has other columns than the dictionary says: one of the two must be mended."""


def write_lines(table: Table, rows: Iterable[Row], path: Path) -> int:
    """Write rows as lines of JSON; return how many."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in _known(table, rows):
            values = {name: plain(value) for name, value in row.items()}
            file.write(json.dumps(values, ensure_ascii=False))
            file.write("\n")
            count += 1
    return count


def lines_of(path: Path) -> Iterator[Row]:
    """Yield the rows of a file of JSON lines."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def write_json(table: Table, lines: Path, target: Path, about: Mapping[str, Any]) -> None:
    """Write the rows as one JSON document: what it is about, and the rows under `rows`."""
    head = json.dumps({"table": table.name, **about}, ensure_ascii=False)[:-1]
    with lines.open(encoding="utf-8") as source, target.open("w", encoding="utf-8") as file:
        file.write(f'{head}, "rows": [')
        for number, line in enumerate(source):
            file.write(",\n" if number else "\n")
            file.write(line.rstrip("\n"))
        file.write("\n]}\n")


def write_csv(table: Table, lines: Path, target: Path) -> None:
    """Write the rows as CSV."""
    with target.open("w", encoding="utf-8", newline="") as file:
        put_csv(table, lines_of(lines), file)


def write_parquet(table: Table, lines: Path, target: Path, about: Mapping[str, Any]) -> None:
    """Write the rows as Parquet, with what they are about as its metadata."""
    texts = {f"oversight.{name}": str(value) for name, value in about.items()}
    described = {
        column.name: " ".join(filter(None, (column.meaning, column.unit and f"[{column.unit}]")))
        for column in table.columns
    }
    asking.tabulate(
        lines,
        target,
        kinds=table.kinds,
        described=described,
        metadata={"oversight.table": table.name, "oversight.licence": LICENCE["name"], **texts},
    )


def put_csv(table: Table, rows: Iterable[Row], file: TextIO | StringIO) -> None:
    """Write the header and the rows into an open file."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(table.names)
    for row in _known(table, rows):
        writer.writerow([_cell(row.get(column.name), column.kind) for column in table.columns])


def _known(table: Table, rows: Iterable[Row]) -> Iterator[Row]:
    names = set(table.names)
    for row in rows:
        if row.keys() != names:
            differing = ", ".join(sorted(row.keys() ^ names))
            raise UnknownColumn(f"A row of {table.name} differs in {differing}.")
        yield row


def _cell(value: Any, kind: Kind) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list):
        value = " ".join(map(str, value))
    # A number below zero is no formula, and a number is all that a column of numbers holds.
    if kind in {Kind.TEXT, Kind.TEXTS} and str(value).startswith(FORMULA):
        return f"'{value}"
    return value
