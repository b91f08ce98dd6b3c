"""Samples and results as plain tables, for people's own tools: what the exports hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from evals.samples.reading import read_samples
from evals.samples.values import Sample

COLUMNS = ("task", "doc_id", "id", "group", "target", "prompts", "responses", "scores")
"""`prompts`, `responses` and `scores` are JSON in text: tasks differ in what they ask and score."""
GROUP_ROWS = 2_000


def flat_row(task: str, sample: Sample) -> dict[str, Any]:
    """Return a sample as one row of `COLUMNS`."""
    return {
        "task": task,
        "doc_id": sample.doc_id,
        "id": sample.item_id,
        "group": sample.group,
        "target": sample.target,
        "prompts": _json(sample.prompts),
        "responses": _json(sample.responses),
        "scores": _json(dict(sample.scores)),
    }


def write_samples_table(parts: Sequence[tuple[str, Path]], path: Path) -> None:
    """Write the samples of several tasks, each with its file, as one Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"doc_id": pa.int64()}
    schema = pa.schema([pa.field(name, kinds.get(name, pa.string())) for name in COLUMNS])
    found = _rows(parts)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while block := list(islice(found, GROUP_ROWS)):
            writer.write_table(pa.Table.from_pylist(block, schema=schema))


def write_table(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows as a Parquet file; the kind of a column is `str`, `int` or `float`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"str": pa.string(), "int": pa.int64(), "float": pa.float64()}
    schema = pa.schema([pa.field(name, kinds[kind]) for name, kind in columns.items()])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), sink)
    return bytes(sink.getvalue())


def _rows(parts: Sequence[tuple[str, Path]]) -> Iterator[dict[str, Any]]:
    for task, path in parts:
        for sample in read_samples(path):
            yield flat_row(task, sample)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
