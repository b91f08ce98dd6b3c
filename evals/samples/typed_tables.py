"""Rows of JSON lines as Parquet with types: exact decimals, moments in UTC, days, lists."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

GROUP_ROWS = 10_000
DECIMAL_DIGITS, DECIMAL_PLACES = 38, 12

_READERS: dict[str, Callable[[Any], Any]] = {
    "decimal": Decimal,
    "moment": datetime.fromisoformat,
    "day": date.fromisoformat,
}


def write_typed_table(
    lines: Path,
    target: Path,
    *,
    kinds: Mapping[str, str],
    described: Mapping[str, str],
    metadata: Mapping[str, str],
) -> None:
    """Write the rows in groups; only one group is in memory.

    Args:
        lines: one object a line.
        target: the Parquet file.
        kinds: text, integer, decimal, number, boolean, moment, day or texts by name of column, in
            the order of the columns.
        described: what each column means, kept beside it.
        metadata: of the whole file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "text": pa.string(),
        "integer": pa.int64(),
        "decimal": pa.decimal128(DECIMAL_DIGITS, DECIMAL_PLACES),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "moment": pa.timestamp("us", tz="UTC"),
        "day": pa.date32(),
        "texts": pa.list_(pa.string()),
    }
    fields = [
        pa.field(name, types[kind], metadata={"description": described.get(name, "")})
        for name, kind in kinds.items()
    ]
    schema = pa.schema(fields, metadata=dict(metadata))
    with (
        lines.open(encoding="utf-8") as file,
        pq.ParquetWriter(target, schema, compression="zstd") as writer,
    ):
        while block := list(islice(file, GROUP_ROWS)):
            rows = [_typed(json.loads(line), kinds) for line in block]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def _typed(row: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    found = {name: row.get(name) for name in kinds}
    for name, kind in kinds.items():
        if found[name] is not None and kind in _READERS:
            found[name] = _READERS[kind](found[name])
    return found
