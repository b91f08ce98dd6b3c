"""Parquet files of authors and benchmarks as plain rows; run by a reckoner only.

pyarrow is imported inside the functions, so that other processes stay small.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from evals.suites.checking import Problem, SuiteError
from evals.suites.document import FILE_LIMIT_BYTES, ROWS_LIMIT

Row = dict[str, Any]


def rows(name: str, content: bytes) -> Iterator[tuple[str, Row]]:
    """Yield the rows of an uploaded file, each after its place.

    Raises:
        SuiteError: naming what was found and the way out.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(io.BytesIO(content))
        schema = metadata.schema.to_arrow_schema()
        for field in schema:
            _refuse_odd_type(name, field)
        size = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
        if metadata.num_rows > ROWS_LIMIT or size > 2 * FILE_LIMIT_BYTES:
            found = f"it says {metadata.num_rows:,} rows of {size:,} bytes unpacked."
            _refuse(name, found, f"Keep it to {ROWS_LIMIT:,} rows; split it.")
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        # As dictionaries, a short file that repeats a huge text is never spread out in memory.
        file = pq.ParquetFile(io.BytesIO(content), metadata=metadata, read_dictionary=texts)
        place, unpacked = 0, 0
        for batch in file.iter_batches(batch_size=500, use_threads=False):
            for row in batch.to_pylist():
                place += 1
                unpacked += sum(len(value) for value in row.values() if isinstance(value, str))
                if unpacked > 2 * FILE_LIMIT_BYTES:
                    _refuse(name, "it unpacks to far more than it weighs.", "Split it.")
                yield f"{name} row {place}", row
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        _refuse(name, f"this is not a sound Parquet file ({reason}).", "Write it again.")


def _refuse_odd_type(name: str, field: Any) -> None:
    import pyarrow as pa

    kind = field.type
    is_named = bool(field.metadata and b"ARROW:extension:name" in field.metadata)
    if not is_named and not isinstance(kind, pa.BaseExtensionType):
        if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_dictionary(kind):
            kind = kind.value_type
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
            return
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return
    _refuse(
        f"{name}, column {field.name}",
        f"it has the Parquet type {field.type}.",
        "Use texts, numbers, truth values or lists of texts.",
    )


def records(path: Path) -> Iterator[Row]:
    """Yield the records of a benchmark's own file.

    Raises:
        OSError: it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=1_000, use_threads=False):
            yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise OSError(" ".join(str(error).split())[:200]) from None


def _refuse(where: str, message: str, fix: str) -> NoReturn:
    raise SuiteError([Problem(where, message, fix)])
