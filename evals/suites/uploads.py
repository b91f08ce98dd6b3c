"""Files that an author uploads become plain rows; whatever could run code is refused by its name.

Three forms are read: JSON Lines, CSV and Parquet. They hold data and nothing else: texts, numbers,
truth values and lists of texts. Pickles, archives, YAML with Python tags, spreadsheet formulas and
the odd types of Parquet are named in the refusal, so that nobody has to guess.

Parquet is read by a reckoner, a process of its own: it takes a large library.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from evals.reckoner import asking
from evals.reckoner.refusals import Refused
from evals.suites.checking import Problem, SuiteError, control_character
from evals.suites.document import FILE_LIMIT_BYTES, ROWS_LIMIT
from evals.suites.rows import ROW_LIMIT_BYTES, Row

COLUMNS_LIMIT = 64
CHOICES_LIMIT = 26

_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_SIGNED_NUMBER = re.compile(r"[+-]\s*[0-9][0-9.,\s]*%?")
_HOOK = re.compile(rb"!!?(?:function|python/)")


@dataclass(frozen=True, slots=True)
class Table:
    """What an upload holds: its columns with their kinds, and its rows."""

    columns: dict[str, str]
    """The kind of each column by name: text, integer, number, boolean or list of texts."""
    rows: list[Row]


def read_upload(name: str, content: bytes) -> Table:
    """Read an uploaded file by its ending, checked by its first bytes as well.

    Raises:
        SuiteError: naming the file, the line or column, what was found there, and the way out.
    """
    _refuse_size(name, content)
    _refuse_code(name, content)
    ending = name.rpartition(".")[2].lower()
    reader = READERS.get(ending)
    if reader is None:
        _refuse(name, f"files that end in .{ending} are not read.", "Use .jsonl, .csv or .parquet.")
    rows: list[Row] = []
    for place, row in reader(name, content):
        if len(rows) == ROWS_LIMIT:
            _refuse(name, "the file has too many rows.", f"Keep it to {ROWS_LIMIT:,}; split it.")
        rows.append(_checked(row, place))
    if not rows:
        _refuse(name, "the file has no rows.", "Give a file with at least one row.")
    return Table(_columns(name, rows), rows)


def _refuse(where: str, message: str, fix: str = "") -> NoReturn:
    raise SuiteError([Problem(where, message, fix)])


def _refuse_size(name: str, content: bytes) -> None:
    if not content.strip():
        _refuse(name, "the file is empty.", "Give a file with at least one row.")
    if len(content) > FILE_LIMIT_BYTES:
        _refuse(
            name,
            f"it has {len(content):,} bytes.",
            f"Keep it to {FILE_LIMIT_BYTES // 1_048_576} MiB; split it into tasks.",
        )


_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "this is an archive (zip, or a spreadsheet of an office program)."),
    (b"\x1f\x8b", "this is a gzip archive."),
    (b"\xd0\xcf\x11\xe0", "this is an office document, which may hold macros."),
    (b"\x89HDF", "this is an HDF5 file."),
    (b"\x93NUMPY", "this is a NumPy file, which may hold a pickle."),
    (b"#!", "this is a script."),
    (b"MZ", "this is a program."),
    (b"\x7fELF", "this is a program."),
)


def _refuse_code(name: str, content: bytes) -> None:
    """Refuse by name what would run code when read, whatever the file's ending says."""
    fix = "Save the rows as JSON Lines, CSV or Parquet."
    pickled = content[:1] == b"\x80" and content[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}
    if pickled or name.lower().endswith((".pkl", ".pickle", ".pt", ".joblib")):
        _refuse(name, "this is a Python pickle, which runs code when it is read.", fix)
    for magic, what in _MAGIC:
        if content.startswith(magic):
            _refuse(name, what, fix)
    if name.lower().endswith((".py", ".yaml", ".yml")):
        if _HOOK.search(content):
            hook = "this file holds !function or !!python; only rows of data are uploaded here."
            _refuse(name, hook, fix)
        _refuse(name, "this file is configuration; only rows of data are uploaded here.", fix)


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        _refuse(f"{name} line {line}", "this is not UTF-8.", "Save the file as UTF-8.")


def _json_lines(name: str, content: bytes) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(_text(name, content).split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{name} line {number}"
        if len(line) > ROW_LIMIT_BYTES:
            _refuse(place, "this row is too long.", f"Keep it under {ROW_LIMIT_BYTES:,} bytes.")
        try:
            row = json.loads(line, object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            _refuse(place, f"this is not JSON: {error}.", "Write one JSON object a line.")
        if not isinstance(row, dict):
            _refuse(place, "this is no JSON object.", "Write each row as {…} with named columns.")
        yield place, row


def _no_key_twice(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a column is there twice")
    return row


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _csv(name: str, content: bytes) -> Iterator[tuple[str, Row]]:
    reader = csv.reader(io.StringIO(_text(name, content), newline=""), strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            place = f"{name} line {reader.line_num}"
            if not cells:
                continue
            if not header:
                header = cells
                if len(set(header)) < len(header):
                    _refuse(place, "two columns have the same name.", "Rename one.")
                continue
            if len(cells) != len(header):
                found = f"this row has {len(cells)} fields and the header {len(header)}."
                _refuse(place, found, "Put fields with commas into quotes.")
            for column, cell in zip(header, cells, strict=True):
                _refuse_formula(place, column, cell)
            yield place, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        place = f"{name} line {reader.line_num}"
        _refuse(place, f"this is not well-formed CSV ({error}).", "Check the quotes here.")


def _refuse_formula(place: str, column: str, cell: str) -> None:
    """Refuse what a spreadsheet would compute: whoever opens our downloads must not run it."""
    first = cell[:1]
    is_formula = first in {"=", "@", "\t", "\r"} or (
        first in {"+", "-"}
        and cell[1:2].strip() != ""
        and not _SIGNED_NUMBER.fullmatch(cell)
        and cell[1:2] != first
    )
    if is_formula:
        _refuse(
            f"{place}, column {column}",
            f"{cell[:30]!r} is a spreadsheet formula.",
            "Write a space or a word before it, or upload JSON Lines.",
        )


def _parquet(name: str, content: bytes) -> Iterator[tuple[str, Row]]:
    try:
        found = asking.uploaded_rows(name, content)
    except Refused as refused:
        raise SuiteError([Problem(*problem) for problem in refused.problems]) from None
    yield from ((place, row) for place, row in found)


READERS: Mapping[str, Callable[[str, bytes], Iterator[tuple[str, Row]]]] = {
    "jsonl": _json_lines,
    "ndjson": _json_lines,
    "csv": _csv,
    "parquet": _parquet,
}
"""The endings that are read, with what reads them."""


def _checked(row: Row, place: str) -> Row:
    """Return a row of clean texts, numbers, truth values and lists of texts."""
    return {column: _value(value, f"{place}, column {column}") for column, value in row.items()}


def _value(value: object, where: str) -> Any:
    if isinstance(value, list):
        if len(value) > CHOICES_LIMIT or not all(isinstance(each, str) for each in value):
            _refuse(where, f"this is no list of up to {CHOICES_LIMIT} texts.", "Write texts.")
        return [_clean(each, where) for each in value]
    if isinstance(value, str):
        return _clean(value, where)
    if isinstance(value, bool | int):
        if abs(value) > 2**53:
            _refuse(where, "the number is too large to be exact.", "Write it in quotes.")
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if value is None:
        _refuse(where, "there is no value.", "Fill it in, or leave the row out.")
    _refuse(
        where, f"a {type(value).__name__} is not read.", "Use texts, numbers or lists of texts."
    )


def _clean(text: str, where: str) -> str:
    found = text.replace("\r\n", "\n").strip()
    if (character := control_character(found)) is not None:
        _refuse(where, f"it holds the control character {character}.", "Remove it.")
    return found


def _columns(name: str, rows: list[Row]) -> dict[str, str]:
    """Name the columns and their kinds, which all rows share."""
    first = rows[0]
    if len(first) > COLUMNS_LIMIT:
        _refuse(name, f"it has {len(first)} columns.", f"Keep it to {COLUMNS_LIMIT}.")
    for column in first:
        if not _COLUMN.fullmatch(column):
            fix = "Begin with a letter, and use letters, digits and underscores only."
            _refuse(name, f"{column[:60]!r} cannot be the name of a column.", fix)
    kinds = {column: kind_of(value) for column, value in first.items()}
    for number, row in enumerate(rows, start=1):
        if row.keys() != first.keys():
            odd = ", ".join(sorted(row.keys() ^ first.keys()))
            fix = "Give all rows the same columns."
            _refuse(f"{name} row {number}", f"the column {odd} is not in every row.", fix)
        _widen(kinds, row, f"{name} row {number}")
    for column in (column for column, kind in kinds.items() if kind == "number"):
        for row in rows:
            row[column] = float(row[column])
    return kinds


def _widen(kinds: dict[str, str], row: Row, where: str) -> None:
    """Let a column of whole numbers become one of numbers; refuse any other change of kind."""
    for column, value in row.items():
        kind = kind_of(value)
        if {kind, kinds[column]} == {"integer", "number"}:
            kinds[column] = "number"
        elif kind != kinds[column]:
            found = f"it is {kind} here and {kinds[column]} before."
            _refuse(f"{where}, column {column}", found, "Make them alike.")


def kind_of(value: object) -> str:
    """Name the kind of one checked value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, list):
        return "list of texts"
    return {int: "integer", float: "number"}.get(type(value), "text")
