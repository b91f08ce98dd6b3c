"""Batches of rows from someone else's file: is anything in them at fault, and what it is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from evals.samples.values import (
    DOC_ID_LIMIT,
    SCORE_PREFIX,
    TEXT_COLUMNS,
    TEXT_LIMIT_BYTES,
    SamplesError,
    one_line,
    refused_constant,
)

if TYPE_CHECKING:
    import pyarrow as pa


def row_values(place: int, batch: pa.RecordBatch, index: int) -> list[Any]:
    """Return one row of a batch as Python values."""
    import pyarrow as pa

    try:
        return [column[index].as_py() for column in batch.columns]
    except (UnicodeDecodeError, pa.ArrowException) as error:
        raise SamplesError(f"row {place}: cannot be read: {one_line(error)}") from error


def is_sound(batch: pa.RecordBatch, last: int) -> bool:
    """Say whether nothing in a block is at fault, as far as can be said without reading its rows.

    `_look_closer` says what it is that is.
    """
    import numpy as np
    import pyarrow as pa

    if any(column.null_count for name, column in _named(batch) if name != "group"):
        return False
    places = batch.column("doc_id").to_numpy()
    if places[0] <= last or places[-1] > DOC_ID_LIMIT or (np.diff(places) <= 0).any():
        return False
    for name, column in _named(batch):
        if name.startswith(SCORE_PREFIX) and not np.isfinite(column.to_numpy()).all():
            return False
    try:
        return all(_texts_are_sound(name, batch.column(name)) for name in TEXT_COLUMNS)
    except (UnicodeDecodeError, RecursionError, ValueError, StopIteration, pa.ArrowException):
        return False


def _named(batch: pa.RecordBatch) -> Iterator[tuple[str, Any]]:
    return zip(batch.schema.names, batch.columns, strict=True)


def _texts_are_sound(name: str, column: Any) -> bool:
    """Check each text that occurs once, however often it does.

    Raises:
        UnicodeDecodeError, ValueError, RecursionError: one is no UTF-8, or no JSON.
        StopIteration: one is no JSON.
    """
    texts = column.dictionary.take(column.indices.unique().drop_null()).to_pylist()
    # No character takes more than four bytes.
    if any(4 * len(text) > TEXT_LIMIT_BYTES for text in texts):
        return False
    if name not in {"prompts", "responses"}:
        return True
    return all(text[:1] == "[" and _SCAN(text, 0)[1] == len(text) for text in texts)


_DECODER = json.JSONDecoder(parse_constant=refused_constant)
_SCAN: Any = _DECODER.scan_once  # type: ignore[attr-defined]
"""Returns the value that begins at a place of a text, and where it ends; in C."""
