"""Data files of a suite: reading their rows and checking them against the document.

The check renders every row as the harness will, so that a wrong column, an answer out of range or
an empty choice is found when the suite is made and not in the middle of a run.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evals.suites.checking import Checker, Problem, SuiteError, control_character
from evals.suites.document import FILE_LIMIT_BYTES, DataFile, Suite, Task
from evals.suites.templates import TemplateRefused, check_template, render

ROW_LIMIT_BYTES = 64 * 1024
ID_LIMIT = 200
CHOICES_LIMIT = 26
PROMPT_LIMIT = 200_000
_PROBLEMS_LIMIT = 20

Row = dict[str, Any]

# The harness's JSON reader (Arrow) turns a column whose every text looks like this into
# timestamps, and the prompts would then show another text than the file.
_TIMESTAMP = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}(?::?\d{2}){0,2}(?:\.\d+)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?"
)


@dataclass(frozen=True, slots=True)
class Item:
    """One row as the model sees it, before few-shot examples and chat template."""

    text: str
    """The context."""
    choices: tuple[str, ...] | None
    """The continuations that are compared, without the delimiter; None for generation."""
    target: int | str
    """The index of the right choice, or the text that is looked for."""


def encode_rows(rows: list[Row]) -> bytes:
    """Write rows as JSON Lines: UTF-8, one object a line, in the order given."""
    lines = (json.dumps(row, ensure_ascii=False, separators=(", ", ": ")) for row in rows)
    return "".join(line + "\n" for line in lines).encode()


def read_rows(content: bytes, name: str) -> list[Row]:
    """Read a data file whose form was checked.

    Raises:
        SuiteError: when a line is not a JSON object.
    """
    return [row for _, row in _parsed(content, name)]


def check_files(document: Suite, files: Mapping[str, bytes]) -> list[Problem]:
    """Check the data files of a valid document: digests, rows, columns, and every prompt."""
    check = Checker()
    for task in document["tasks"]:
        if (data := task.get("data")) is not None:
            _check_task_file(task, data, files, check)
    wanted = {task["data"]["name"] for task in document["tasks"] if "data" in task}
    for name in sorted(files.keys() - wanted):
        check.add(name, "no task of the suite uses this file.", "Leave it out.")
    return check.problems


def require_files(document: Suite, files: Mapping[str, bytes]) -> None:
    """Refuse data files that do not fit the document.

    Raises:
        SuiteError: naming file, line and fix.
    """
    if problems := check_files(document, files):
        raise SuiteError(problems)


def render_item(task: Task, row: Row) -> Item:
    """Render one row as the harness will.

    Raises:
        TemplateRefused: when the row does not fit the task's templates.
    """
    config = task["config"]
    text = _field(config["doc_to_text"], row)
    if not isinstance(text, str):
        raise TemplateRefused("doc_to_text gives no text; name a column of text.")
    if len(text) > PROMPT_LIMIT:
        raise TemplateRefused(f"The prompt is longer than {PROMPT_LIMIT} characters.")
    target = _field(config["doc_to_target"], row)
    if "doc_to_choice" not in config:
        return Item(text, None, _text_target(target))
    if text.isdigit():
        raise TemplateRefused("The harness takes a bare number for an index; add words to it.")
    choices = _choices(config["doc_to_choice"], row)
    return Item(text, choices, _choice_target(target, choices))


def count_choices(task: Task, row: Row) -> int:
    """Return how many choices a row of a task has.

    Raises:
        TemplateRefused: when the row does not fit the task's templates.
    """
    return len(_choices(task["config"]["doc_to_choice"], row))


def _field(source: Any, row: Row) -> Any:
    """Resolve a `doc_to_*` value: a constant, the name of a column, or a template."""
    if not isinstance(source, str):
        return source
    return row[source] if source in row else render(source, row)


def _text_target(target: Any) -> str:
    if not isinstance(target, str) or not target.strip():
        raise TemplateRefused("The target must be a text that is not empty.")
    return target


def _choices(source: Any, row: Row) -> tuple[str, ...]:
    value = _field(source, row)
    if isinstance(value, str):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise TemplateRefused("doc_to_choice gives no list of choices.") from None
    if not isinstance(value, list) or not 2 <= len(value) <= CHOICES_LIMIT:
        raise TemplateRefused(f"doc_to_choice must give 2 to {CHOICES_LIMIT} choices.")
    if not all(isinstance(choice, str) and choice.strip() for choice in value):
        raise TemplateRefused("Every choice must be a text that is not empty.")
    if len(set(value)) != len(value):
        raise TemplateRefused("Two choices are the same; make them differ.")
    return tuple(value)


def _choice_target(target: Any, choices: tuple[str, ...]) -> int:
    if isinstance(target, str):
        target = choices.index(target) if target in choices else _number(target)
    if not isinstance(target, int) or isinstance(target, bool) or not 0 <= target < len(choices):
        raise TemplateRefused(f"The answer must be an index from 0 to {len(choices) - 1}.")
    return target


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None


def _parsed(content: bytes, name: str) -> Iterator[tuple[int, Row]]:
    """Yield line number and row of JSON Lines."""
    for number, line in enumerate(content.removesuffix(b"\n").split(b"\n"), start=1):
        if len(line) > ROW_LIMIT_BYTES:
            fix = f"Keep each row under {ROW_LIMIT_BYTES} bytes."
            raise SuiteError([Problem(f"{name} line {number}", "this row is too long.", fix)])
        try:
            row = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            fix = "Write one JSON object a line, in UTF-8."
            raise SuiteError(
                [Problem(f"{name} line {number}", f"this is not JSON: {error}.", fix)]
            ) from None
        if not isinstance(row, dict):
            fix = "Write each row as {…} with named columns."
            raise SuiteError([Problem(f"{name} line {number}", "this is no JSON object.", fix)])
        yield number, row


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def _check_task_file(
    task: Task, data: DataFile, files: Mapping[str, bytes], check: Checker
) -> None:
    name = data["name"]
    content = files.get(name)
    if content is None:
        check.add(name, f"task {task['name']} needs this file.", "Add it.")
        return
    if len(content) > FILE_LIMIT_BYTES:
        check.add(name, f"it has {len(content)} bytes.", f"Keep it under {FILE_LIMIT_BYTES}.")
        return
    actual = hashlib.sha256(content).hexdigest()
    if actual != data["sha256"] or len(content) != data["size"]:
        fix = "Restore the file, or make a new version of the suite."
        check.add(name, f"its SHA-256 is {actual}, not {data['sha256']}.", fix)
        return
    try:
        rows = list(_parsed(content, name))
    except SuiteError as error:
        check.problems.extend(error.problems)
        return
    if len(rows) != data["rows"]:
        fix = "Correct `rows`, and end the last line with a line feed."
        check.add(name, f"it has {len(rows)} rows, not {data['rows']}.", fix)
    _check_rows(task, rows, name, check)


def _check_rows(task: Task, rows: list[tuple[int, Row]], name: str, check: Checker) -> None:
    """Check form first, then meaning, and stop after a screenful of problems."""
    kinds = {key: _kind(value) for key, value in rows[0][1].items()}
    if not _columns_are_known(task, kinds, name, check):
        return
    seen: dict[str, int] = {}
    start = len(check.problems)
    for number, row in rows:
        where = f"{name} line {number}"
        message = _form_problem(row, kinds) or _id_problem(row, number, seen)
        if message is None:
            message = _meaning_problem(task, row)
        if message is not None:
            check.add(where, message)
        if len(check.problems) - start >= _PROBLEMS_LIMIT:
            check.add(name, "there are more problems of this kind.", "Mend these first.")
            return
    _check_timestamps(rows, name, check)


def _columns_are_known(task: Task, columns: Mapping[str, str], name: str, check: Checker) -> bool:
    """Check that the columns a task reads are in the file; `id` always is one of them."""
    wanted = {"id"} | ({task["group_field"]} if task["group_field"] else set())
    config = task["config"]
    keys = ("doc_to_text", "doc_to_choice", "doc_to_target", "description", "gen_prefix")
    for source in (config.get(key) for key in keys):
        if isinstance(source, str) and source not in columns:
            wanted |= check_template(source)
    missing = sorted(wanted - columns.keys())
    if missing:
        fix = f"Add it to every row, or use one of {', '.join(sorted(columns))}."
        check.add(name, f"the column {', '.join(missing)} is missing.", fix)
    return not missing


def _kind(value: object) -> str:
    """Name the kind of a value; rows may hold numbers, texts, truth values and lists of texts."""
    if value is None:
        return "nothing"
    for kind, of in (("boolean", bool), ("integer", int), ("number", float), ("text", str)):
        if isinstance(value, of):
            return kind
    is_texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return "list of texts" if is_texts else "something else"


def _form_problem(row: Row, kinds: Mapping[str, str]) -> str | None:
    """Say how a row differs from the first one, which sets the columns and their kinds."""
    if row.keys() != kinds.keys():
        odd = sorted(row.keys() ^ kinds.keys())
        return f"The column {', '.join(odd)} is not in every row. Give all rows the same columns."
    for key, value in row.items():
        kind = _kind(value)
        if kind == "something else":
            return f"The column {key} holds neither text, number nor a list of texts."
        if kind != kinds[key]:
            return f"The column {key} is {kind} here and {kinds[key]} in line 1. Make them alike."
        texts = value if isinstance(value, list) else [value]
        for text in texts:
            if isinstance(text, str) and (character := control_character(text)) is not None:
                return f"The column {key} holds the control character {character}. Remove it."
    return None


def _id_problem(row: Row, number: int, seen: dict[str, int]) -> str | None:
    identifier = row["id"]
    if not isinstance(identifier, str) or not 0 < len(identifier.strip()) <= ID_LIMIT:
        return f"The id must be a text of 1 to {ID_LIMIT} characters. Write it in quotes."
    if seen.setdefault(identifier, number) != number:
        return f"The id {identifier!r} is used in line {seen[identifier]}, too. Change one."
    return None


def _meaning_problem(task: Task, row: Row) -> str | None:
    group = row[task["group_field"]] if task["group_field"] else "-"
    if not isinstance(group, str) or not group.strip():
        return f"The column {task['group_field']} must name a group. Write a word."
    try:
        render_item(task, row)
        for key in ("description", "gen_prefix"):
            if isinstance(task["config"].get(key), str):
                _field(task["config"][key], row)
    except TemplateRefused as refusal:
        return str(refusal)
    return None


def _check_timestamps(rows: list[tuple[int, Row]], name: str, check: Checker) -> None:
    """Refuse columns that the harness's reader would change into timestamps."""
    for key in rows[0][1]:
        values = (row.get(key) for _, row in rows)
        texts = [
            text
            for value in values
            for text in (value if isinstance(value, list) else [value])
            if isinstance(text, str)
        ]
        if texts and all(_TIMESTAMP.fullmatch(text) for text in texts):
            fix = "Write dates another way, such as 2 January 2024."
            message = f"every {key} is an ISO date, which the harness would reformat."
            check.add(name, message, fix)
