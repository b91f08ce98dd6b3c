"""One sample, and what each of its values may be: shared by the writer and the reader."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SCORE_PREFIX = "score:"
TEXT_COLUMNS = ("item_id", "group", "target", "prompts", "responses")

TEXT_LIMIT_BYTES = 4 * 1024 * 1024
"""Of one value; a prompt with many examples is far below it."""
DOC_ID_LIMIT = 2**53 - 1


class SamplesError(ValueError):
    """The samples are refused; the message names the row, the column and the reason."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one item of a task was asked and answered, and how it scored."""

    doc_id: int
    """Place of the item in the task's data, from 0."""
    item_id: str
    """The item's own id, or its place where it has none."""
    group: str | None
    """What the item is grouped by, if the task groups its items."""
    target: str
    """The right answer: a text, or the index of a choice."""
    prompts: Sequence[Any]
    """The arguments of each request to the model: context and continuation, or context and
    generation settings."""
    responses: Sequence[Any]
    """The answer to each request: `{"loglikelihood", "is_greedy"}`, or a text."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Finite numbers by metric; the same metrics in every sample of a file."""


def check_order(place: int, doc_id: int, last: int) -> int:
    """Return the place in the data of a row, which comes after that of the row before."""
    if doc_id <= last:
        raise SamplesError(f"row {place}, doc_id: {doc_id} does not come after {last}")
    return doc_id


def checked_doc_id(place: int, value: object) -> int:
    """Return a value that is a place in the data."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= DOC_ID_LIMIT:
        raise SamplesError(f"row {place}, doc_id: {value!r} is not a place in the data")
    return value


def checked_text(place: int, name: str, value: object) -> str:
    """Return a value that is a text of a sensible length."""
    if not isinstance(value, str):
        raise SamplesError(f"row {place}, {name}: has no text")
    try:
        size = len(value.encode())
    except UnicodeEncodeError as error:
        raise SamplesError(f"row {place}, {name}: is not UTF-8") from error
    if size > TEXT_LIMIT_BYTES:
        raise SamplesError(f"row {place}, {name}: {size} bytes are more than {TEXT_LIMIT_BYTES}")
    return value


def checked_list(place: int, name: str, value: object) -> list[Any]:
    """Return the list that a text of JSON holds."""
    text = checked_text(place, name, value)
    try:
        found = json.loads(text, parse_constant=refused_constant)
    except (ValueError, RecursionError) as error:
        raise SamplesError(f"row {place}, {name}: is not JSON") from error
    if not isinstance(found, list):
        raise SamplesError(f"row {place}, {name}: has to be a list")
    return found


def refused_constant(name: str) -> None:
    """Refuse `NaN` and its like, which Python reads and JSON does not know."""
    raise ValueError(f"{name} is not JSON")


def checked_score(place: int, metric: str, value: object) -> float:
    """Return a value that is a finite number."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise SamplesError(f"row {place}, {SCORE_PREFIX}{metric}: {value!r} is not a finite number")
    return float(value)


def one_line(error: BaseException) -> str:
    """Return what a library says, short enough for our message."""
    return " ".join(str(error).split())[:300]
