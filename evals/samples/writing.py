"""Writing samples, group of rows by group of rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.samples.values import (
    SCORE_PREFIX,
    TEXT_COLUMNS,
    Sample,
    SamplesError,
    check_order,
    checked_doc_id,
    checked_score,
    checked_text,
)

if TYPE_CHECKING:
    import pyarrow as pa

_WRITTEN_GROUP_ROWS = 2_000
_WRITTEN_GROUP_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SamplesFile:
    """A file of samples as an artefact."""

    path: Path
    sha256: str
    size: int
    rows: int


def write_samples(path: Path, metrics: Sequence[str], samples: Iterable[Sample]) -> SamplesFile:
    """Write samples as they come, in bounded memory, and return the file's digest.

    Args:
        path: the file to make; what is there is replaced. It is removed again on an error.
        metrics: the metrics that every sample has a score in.
        samples: sorted by `doc_id`, each once.

    Raises:
        SamplesError: a sample has a value that `SamplesReader` would refuse.
        OSError: the disk is full or the folder cannot be written.
    """
    import pyarrow.parquet as pq

    schema = _schema(metrics)
    rows = 0
    try:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for group in _groups(samples, metrics):
                writer.write_table(_table(group, schema, metrics), row_group_size=len(group))
                rows += len(group)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return SamplesFile(path, digest, path.stat().st_size, rows)


def _schema(metrics: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    if not metrics or len(set(metrics)) < len(metrics) or "" in metrics:
        raise SamplesError("samples need at least one metric, each once and with a name")
    texts = [pa.field(name, pa.string(), nullable=name == "group") for name in TEXT_COLUMNS]
    scores = [pa.field(SCORE_PREFIX + metric, pa.float64(), nullable=False) for metric in metrics]
    return pa.schema([pa.field("doc_id", pa.int64(), nullable=False), *texts, *scores])


Row = dict[str, Any]


def _groups(samples: Iterable[Sample], metrics: Sequence[str]) -> Iterator[list[Row]]:
    """Collect rows into groups that stay small both in rows and in bytes."""
    group: list[Row] = []
    size, last = 0, -1
    for place, sample in enumerate(samples):
        row = _row(place, sample, metrics)
        last = check_order(place, sample.doc_id, last)
        size += len(row["prompts"]) + len(row["responses"])
        group.append(row)
        if len(group) >= _WRITTEN_GROUP_ROWS or size >= _WRITTEN_GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _row(place: int, sample: Sample, metrics: Sequence[str]) -> Row:
    """Return the values of one row, checked as a reader will check them."""
    if sample.scores.keys() != set(metrics):
        raise SamplesError(f"row {place}: has scores in {sorted(sample.scores)}, not {metrics}")
    group = sample.group
    row: Row = {
        "doc_id": checked_doc_id(place, sample.doc_id),
        "item_id": checked_text(place, "item_id", sample.item_id),
        "group": None if group is None else checked_text(place, "group", group),
        "target": checked_text(place, "target", sample.target),
    }
    for name, value in (("prompts", sample.prompts), ("responses", sample.responses)):
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError) as error:
            raise SamplesError(f"row {place}, {name}: {error}") from error
        row[name] = checked_text(place, name, text)
    for metric in metrics:
        row[SCORE_PREFIX + metric] = checked_score(place, metric, sample.scores[metric])
    return row


def _table(group: list[Row], schema: pa.Schema, metrics: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    names = ["doc_id", *TEXT_COLUMNS, *(SCORE_PREFIX + metric for metric in metrics)]
    columns = {name: [row[name] for row in group] for name in names}
    return pa.table(columns, schema=schema)
