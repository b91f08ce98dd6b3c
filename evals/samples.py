"""Read and write the samples of a task run: a Parquet file with one row a sample.

The columns are those of `Sample`; `prompts` and `responses` are JSON in text, and each metric has a
column `score:<metric>`. Rows are sorted by `doc_id`, each once. Reading and writing go by group of
rows, so that a million samples need no more memory than a thousand. What comes from a worker is
not trusted: every value is checked, and an error names the row and the column.

pyarrow is imported inside the functions, so that a process that never reads samples stays small.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from numpy.typing import NDArray

SCORE_PREFIX = "score:"
TEXT_COLUMNS = ("item_id", "group", "target", "prompts", "responses")

ROWS_LIMIT = 5_000_000
TEXT_LIMIT_BYTES = 4 * 1024 * 1024
"""Of one value; a prompt with many examples is far below it."""
GROUPS_LIMIT = 20_000
GROUP_LIMIT_ROWS = 20_000
GROUP_LIMIT_BYTES = 256 * 1024 * 1024
METRICS_LIMIT = 32
DOC_ID_LIMIT = 2**53 - 1

_WRITTEN_GROUP_ROWS = 2_000
_WRITTEN_GROUP_BYTES = 8 * 1024 * 1024
_READ_BATCH_ROWS = 500
_BLOCK_ROWS = 2_000


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


@dataclass(frozen=True, slots=True)
class Block:
    """Some consecutive samples without their texts."""

    doc_ids: NDArray[np.int64]
    groups: list[str | None]
    scores: Mapping[str, NDArray[np.float64]]
    """`(n,)` by metric."""


class SamplesReader:
    """A file of samples from someone else, opened and checked; iterate over it for `Sample`s.

    The form is checked on opening and each value as it is read. Close it, or use it as a context.
    """

    def __init__(self, source: Path | BinaryIO) -> None:
        """Open a file.

        Raises:
            SamplesError: it is not Parquet, lacks a column, has one too many, or is too large.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            metadata = pq.read_metadata(source)
            schema = metadata.schema.to_arrow_schema()
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SamplesError(f"not a Parquet file: {_one_line(error)}") from error
        self.metrics: tuple[str, ...] = _checked_metrics(schema)
        self.rows: int = metadata.num_rows
        _check_sizes(metadata)
        # Texts are read as dictionaries: a short file that repeats a huge text a million times is
        # then never spread out in memory.
        self._file: pq.ParquetFile = pq.ParquetFile(
            source, metadata=metadata, read_dictionary=list(TEXT_COLUMNS)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples in order.

        Raises:
            SamplesError: at the first value at fault, with its row and column.
        """
        scores = [SCORE_PREFIX + metric for metric in self.metrics]
        place, last = 0, -1
        for batch in self._batches(["doc_id", *TEXT_COLUMNS, *scores]):
            for index in range(batch.num_rows):
                sample = self._sample(place, _values(place, batch, index))
                _check_order(place, sample.doc_id, last)
                last = sample.doc_id
                place += 1
                yield sample

    def blocks(self) -> Iterator[Block]:
        """Yield every sample's place, group and scores in blocks, having checked the texts, too.

        What `__iter__` would refuse is refused here in the same words, at a tenth of its cost: a
        block is checked as a whole, and read row by row only where something in it is at fault.

        Raises:
            SamplesError: at the first value at fault, with its row and column.
        """
        scores = [SCORE_PREFIX + metric for metric in self.metrics]
        place, last = 0, -1
        for batch in self._batches(["doc_id", *TEXT_COLUMNS, *scores], _BLOCK_ROWS):
            if not _is_sound(batch, last):
                self._look_closer(batch, place, last)
            yield Block(
                doc_ids=batch.column("doc_id").to_numpy(),
                groups=batch.column("group").to_pylist(),
                scores={m: batch.column(SCORE_PREFIX + m).to_numpy() for m in self.metrics},
            )
            place += batch.num_rows
            last = batch.column("doc_id")[-1].as_py()

    def _look_closer(self, batch: pa.RecordBatch, place: int, last: int) -> None:
        """Find what is at fault in a block, and say so; it may be no more than white space."""
        for index in range(batch.num_rows):
            sample = self._sample(place + index, _values(place + index, batch, index))
            last = _check_order(place + index, sample.doc_id, last)

    def scores(self) -> dict[str, list[float]]:
        """Return the scores by metric, in order, without reading the texts.

        Raises:
            SamplesError: at the first value at fault, with its row and column.
        """
        found: dict[str, list[float]] = {metric: [] for metric in self.metrics}
        place, last = 0, -1
        columns = ["doc_id", *(SCORE_PREFIX + metric for metric in self.metrics)]
        for batch in self._batches(columns):
            for offset, doc_id in enumerate(batch.column(0).to_pylist()):
                last = _check_order(place + offset, _checked_doc_id(place + offset, doc_id), last)
            for number, metric in enumerate(self.metrics, start=1):
                values = batch.column(number).to_pylist()
                for offset, value in enumerate(values):
                    found[metric].append(_checked_score(place + offset, metric, value))
            place += batch.num_rows
        return found

    def _batches(
        self, columns: list[str], rows: int = _READ_BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        read = 0
        try:
            # Group by group: a reader over all groups at once keeps state for every one of them.
            for group in range(self._file.metadata.num_row_groups):
                for batch in self._file.iter_batches(
                    batch_size=rows, row_groups=[group], columns=columns, use_threads=False
                ):
                    if batch.num_rows:
                        yield batch.select(columns)
                    read += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise SamplesError(f"row {read}: cannot be read: {_one_line(error)}") from error
        if read != self.rows:
            raise SamplesError(f"the file says {self.rows} rows and has {read}")

    def _sample(self, place: int, values: list[Any]) -> Sample:
        doc_id, item_id, group, target, prompts, responses, *scores = values
        return Sample(
            doc_id=_checked_doc_id(place, doc_id),
            item_id=_checked_text(place, "item_id", item_id),
            group=None if group is None else _checked_text(place, "group", group),
            target=_checked_text(place, "target", target),
            prompts=_checked_list(place, "prompts", prompts),
            responses=_checked_list(place, "responses", responses),
            scores={
                metric: _checked_score(place, metric, score)
                for metric, score in zip(self.metrics, scores, strict=True)
            },
        )


def read_samples(source: Path | BinaryIO) -> Iterator[Sample]:
    """Yield the samples of a file in order; see `SamplesReader`."""
    with SamplesReader(source) as reader:
        yield from reader


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
        last = _check_order(place, sample.doc_id, last)
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
        "doc_id": _checked_doc_id(place, sample.doc_id),
        "item_id": _checked_text(place, "item_id", sample.item_id),
        "group": None if group is None else _checked_text(place, "group", group),
        "target": _checked_text(place, "target", sample.target),
    }
    for name, value in (("prompts", sample.prompts), ("responses", sample.responses)):
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError) as error:
            raise SamplesError(f"row {place}, {name}: {error}") from error
        row[name] = _checked_text(place, name, text)
    for metric in metrics:
        row[SCORE_PREFIX + metric] = _checked_score(place, metric, sample.scores[metric])
    return row


def _table(group: list[Row], schema: pa.Schema, metrics: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    names = ["doc_id", *TEXT_COLUMNS, *(SCORE_PREFIX + metric for metric in metrics)]
    columns = {name: [row[name] for row in group] for name in names}
    return pa.table(columns, schema=schema)


def _checked_metrics(schema: pa.Schema) -> tuple[str, ...]:
    """Check the columns by name and type, and return the metrics that have one."""
    types = {name: str(kind) for name, kind in zip(schema.names, schema.types, strict=True)}
    if len(types) < len(schema.names):
        raise SamplesError("a column is there twice")
    scores = [name for name in types if name.startswith(SCORE_PREFIX) and name != SCORE_PREFIX]
    if not 1 <= len(scores) <= METRICS_LIMIT:
        raise SamplesError(f"columns {SCORE_PREFIX}…: needs 1 to {METRICS_LIMIT}")
    expected = {"doc_id": "int64"} | dict.fromkeys(TEXT_COLUMNS, "string")
    expected |= dict.fromkeys(scores, "double")
    for name in types.keys() - expected.keys():
        raise SamplesError(f"column {name}: not known")
    for name, kind in expected.items():
        if name not in types:
            raise SamplesError(f"column {name}: missing")
        if types[name] != kind:
            raise SamplesError(f"column {name}: has the type {types[name]}, needs {kind}")
    return tuple(name.removeprefix(SCORE_PREFIX) for name in scores)


def _check_sizes(metadata: pq.FileMetaData) -> None:
    """Refuse, before anything is read, a file that could not be read in bounded memory."""
    if metadata.num_rows > ROWS_LIMIT:
        raise SamplesError(f"{metadata.num_rows} rows are more than {ROWS_LIMIT}")
    if metadata.num_row_groups > GROUPS_LIMIT:
        raise SamplesError(f"{metadata.num_row_groups} row groups are more than {GROUPS_LIMIT}")
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        if group.num_rows > GROUP_LIMIT_ROWS or group.total_byte_size > GROUP_LIMIT_BYTES:
            raise SamplesError(
                f"row group {number}: {group.num_rows} rows with {group.total_byte_size} bytes are "
                f"more than {GROUP_LIMIT_ROWS} rows or {GROUP_LIMIT_BYTES} bytes"
            )


def _check_order(place: int, doc_id: int, last: int) -> int:
    if doc_id <= last:
        raise SamplesError(f"row {place}, doc_id: {doc_id} does not come after {last}")
    return doc_id


def _values(place: int, batch: pa.RecordBatch, index: int) -> list[Any]:
    """Return one row of a batch as Python values."""
    import pyarrow as pa

    try:
        return [column[index].as_py() for column in batch.columns]
    except (UnicodeDecodeError, pa.ArrowException) as error:
        raise SamplesError(f"row {place}: cannot be read: {_one_line(error)}") from error


def _is_sound(batch: pa.RecordBatch, last: int) -> bool:
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


def _checked_doc_id(place: int, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= DOC_ID_LIMIT:
        raise SamplesError(f"row {place}, doc_id: {value!r} is not a place in the data")
    return value


def _checked_text(place: int, name: str, value: object) -> str:
    if not isinstance(value, str):
        raise SamplesError(f"row {place}, {name}: has no text")
    try:
        size = len(value.encode())
    except UnicodeEncodeError as error:
        raise SamplesError(f"row {place}, {name}: is not UTF-8") from error
    if size > TEXT_LIMIT_BYTES:
        raise SamplesError(f"row {place}, {name}: {size} bytes are more than {TEXT_LIMIT_BYTES}")
    return value


def _checked_list(place: int, name: str, value: object) -> list[Any]:
    text = _checked_text(place, name, value)
    try:
        found = json.loads(text, parse_constant=_refused_constant)
    except (ValueError, RecursionError) as error:
        raise SamplesError(f"row {place}, {name}: is not JSON") from error
    if not isinstance(found, list):
        raise SamplesError(f"row {place}, {name}: has to be a list")
    return found


def _refused_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refused_constant)
_SCAN: Any = _DECODER.scan_once  # type: ignore[attr-defined]
"""Returns the value that begins at a place of a text, and where it ends; in C."""


def _checked_score(place: int, metric: str, value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise SamplesError(f"row {place}, {SCORE_PREFIX}{metric}: {value!r} is not a finite number")
    return float(value)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
