"""Reading a file from outside, line by line, with errors that name file, line, column and fix."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from evals.suites.checking import Problem, SuiteError, control_character
from evals.suites.document import FILE_LIMIT_BYTES, ROWS_LIMIT

TEXT_LIMIT = 32_000
"""Characters in one field."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a source file; its methods read columns and refuse what does not fit."""

    source: str
    line: int
    values: dict[str, Any]

    def refuse(self, message: str, fix: str) -> NoReturn:
        """Refuse the file because of this row."""
        raise SuiteError([Problem(f"{self.source} line {self.line}", message, fix)])

    def value(self, column: str) -> Any:
        """Return the value of a column that must be there."""
        if column not in self.values or self.values[column] is None:
            have = ", ".join(sorted(key for key in self.values if key)) or "none"
            self.refuse(
                f"the column {column!r} is missing (columns here: {have}).",
                f"Add {column!r} to every row.",
            )
        return self.values[column]

    def text(self, column: str) -> str:
        """Return a column of text that is not empty, without white space at its ends."""
        return self.clean(self.value(column), column)

    def clean(self, value: object, what: str) -> str:
        """Check one text and strip it; `what` names it in the error."""
        if not isinstance(value, str):
            self.refuse(
                f"{what!r} is not text but {value!r:.40}.", "Put the value in double quotes."
            )
        text = value.replace("\r\n", "\n").strip()
        if not text:
            self.refuse(f"{what!r} is empty.", "Fill it in, or leave the row out.")
        if len(text) > TEXT_LIMIT:
            self.refuse(f"{what!r} has {len(text)} characters.", f"Keep it under {TEXT_LIMIT}.")
        if (character := control_character(text)) is not None:
            self.refuse(f"{what!r} holds the control character {character}.", "Remove it.")
        return text

    def whole(self, column: str, *, least: int, most: int) -> int:
        """Return a column with a whole number in range, both bounds included."""
        value = self.value(column)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.refuse(
                f"{column!r} is {value!r:.40}, not a whole number from {least} to {most}.",
                "It says which one is right, counted from 0: write the number without quotes.",
            )
        return value

    def one_of(self, column: str, allowed: Collection[str]) -> str:
        """Return a column whose text is one of a few words."""
        text = self.text(column)
        if text not in allowed:
            self.refuse(f"{column!r} is {text!r:.40}.", f"Use one of {', '.join(allowed)}.")
        return text

    def identifier(self, column: str, default: str) -> str:
        """Return the row's own identifier as text, or the default when the file has none."""
        value = self.values.get(column)
        if value is None or value == "":
            return default
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        text = self.clean(value, column or "id")
        if len(text) > 200:
            self.refuse(f"{column!r} is too long.", "Keep identifiers under 200 characters.")
        return text


def read_json_lines(path: Path) -> Iterator[Record]:
    """Read JSON Lines: one object a line; blank lines are passed over.

    Raises:
        SuiteError: naming file, line and fix.
    """
    for number, line in enumerate(_read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        empty = Record(path.name, number, {})
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            empty.refuse(
                f"this is not JSON ({error}).",
                'Write one whole JSON object a line, such as {"question": …}; no CSV, and no '
                "object over several lines.",
            )
        if not isinstance(values, dict):
            empty.refuse(
                "this is no JSON object.",
                "Write each row on a line of its own as {…} with named columns, no list around it.",
            )
        _refuse_too_many(empty, number)
        yield Record(path.name, number, values)


def read_csv(path: Path, *, required: Collection[str]) -> Iterator[Record]:
    """Read a comma-separated file whose first line names the columns.

    Raises:
        SuiteError: naming file, line and fix; missing columns are named before any row is read.
    """
    reader = csv.DictReader(io.StringIO(_read_text(path), newline=""), strict=True)
    try:
        header = list(reader.fieldnames or [])
        heading = Record(path.name, 1, dict.fromkeys(header, ""))
        for column in required:
            heading.value(column)
        for values in reader:
            record = Record(path.name, reader.line_num, dict(values))
            if None in record.values:
                record.refuse("this row has more fields than the header.", "Quote its commas.")
            _refuse_too_many(record, reader.line_num)
            yield record
    except csv.Error as error:
        Record(path.name, reader.line_num, {}).refuse(
            f"this is not well-formed CSV ({error}).", "Check the quotes on this line."
        )


def _refuse_too_many(record: Record, count: int) -> None:
    if count > ROWS_LIMIT:
        record.refuse("the file has too many rows.", f"Keep it to {ROWS_LIMIT}; split it.")


def _read_text(path: Path) -> str:
    """Read a file of bounded size as UTF-8, with or without a byte order mark."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise _refusal(path, f"it cannot be read ({reason}).", "Check the path.") from None
    if len(content) > FILE_LIMIT_BYTES:
        fix = f"Keep it under {FILE_LIMIT_BYTES} bytes; split it."
        raise _refusal(path, "the file is too large.", fix)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        fix = "Save the file as UTF-8."
        raise _refusal(path, f"line {line} is not UTF-8.", fix) from None
    if not text.strip():
        raise _refusal(path, "the file is empty.", "Give a file with at least one row.")
    return text


def _refusal(path: Path, message: str, fix: str) -> SuiteError:
    return SuiteError([Problem(path.name, message, fix)])
