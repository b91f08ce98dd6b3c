"""Reading samples from someone else: the form is checked on opening, each value as it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from evals.samples.blocks import is_sound, row_values
from evals.samples.values import (
    SCORE_PREFIX,
    TEXT_COLUMNS,
    Sample,
    SamplesError,
    check_order,
    checked_doc_id,
    checked_list,
    checked_score,
    checked_text,
    one_line,
)

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from numpy.typing import NDArray

ROWS_LIMIT = 5_000_000
GROUPS_LIMIT = 20_000
GROUP_LIMIT_ROWS = 20_000
GROUP_LIMIT_BYTES = 256 * 1024 * 1024
METRICS_LIMIT = 32

_READ_BATCH_ROWS = 500
_BLOCK_ROWS = 2_000


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
            raise SamplesError(f"not a Parquet file: {one_line(error)}") from error
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
        for batch in self.batches(["doc_id", *TEXT_COLUMNS, *scores]):
            for index in range(batch.num_rows):
                sample = self._sample(place, row_values(place, batch, index))
                check_order(place, sample.doc_id, last)
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
        for batch in self.batches(["doc_id", *TEXT_COLUMNS, *scores], _BLOCK_ROWS):
            if not is_sound(batch, last):
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
            sample = self._sample(place + index, row_values(place + index, batch, index))
            last = check_order(place + index, sample.doc_id, last)

    def scores(self) -> dict[str, list[float]]:
        """Return the scores by metric, in order, without reading the texts.

        Raises:
            SamplesError: at the first value at fault, with its row and column.
        """
        found: dict[str, list[float]] = {metric: [] for metric in self.metrics}
        place, last = 0, -1
        columns = ["doc_id", *(SCORE_PREFIX + metric for metric in self.metrics)]
        for batch in self.batches(columns):
            for offset, doc_id in enumerate(batch.column(0).to_pylist()):
                last = check_order(place + offset, checked_doc_id(place + offset, doc_id), last)
            for number, metric in enumerate(self.metrics, start=1):
                values = batch.column(number).to_pylist()
                for offset, value in enumerate(values):
                    found[metric].append(checked_score(place + offset, metric, value))
            place += batch.num_rows
        return found

    def beginning_at(self, place: int) -> Iterator[Sample]:
        """Yield the samples from a place in the file on; the groups of rows before it stay packed.

        Raises:
            SamplesError: at the first value at fault, with its row and column.
        """
        columns = ["doc_id", *TEXT_COLUMNS, *(SCORE_PREFIX + metric for metric in self.metrics)]
        first, group = 0, 0
        sizes = [self._file.metadata.row_group(n).num_rows for n in range(self.row_groups)]
        while group < len(sizes) and first + sizes[group] <= place:
            first, group = first + sizes[group], group + 1
        for batch in self.batches(columns, groups=range(group, len(sizes))):
            for index in range(max(0, place - first), batch.num_rows):
                yield self._sample(first + index, row_values(first + index, batch, index))
            first += batch.num_rows

    @property
    def row_groups(self) -> int:
        """How many groups of rows there are."""
        return int(self._file.metadata.num_row_groups)

    def batches(
        self,
        columns: list[str],
        rows: int = _READ_BATCH_ROWS,
        groups: Sequence[int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows, in batches of at most `rows`, of all groups of rows or of some.

        Raises:
            SamplesError: the file cannot be read, or has another number of rows than it says.
        """
        import pyarrow as pa

        read = 0
        try:
            # Group by group: a reader over all groups at once keeps state for every one of them.
            for group in range(self.row_groups) if groups is None else groups:
                for batch in self._file.iter_batches(
                    batch_size=rows, row_groups=[group], columns=columns, use_threads=False
                ):
                    if batch.num_rows:
                        yield batch.select(columns)
                    read += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise SamplesError(f"row {read}: cannot be read: {one_line(error)}") from error
        if groups is None and read != self.rows:
            raise SamplesError(f"the file says {self.rows} rows and has {read}")

    def _sample(self, place: int, values: list[Any]) -> Sample:
        doc_id, item_id, group, target, prompts, responses, *scores = values
        return Sample(
            doc_id=checked_doc_id(place, doc_id),
            item_id=checked_text(place, "item_id", item_id),
            group=None if group is None else checked_text(place, "group", group),
            target=checked_text(place, "target", target),
            prompts=checked_list(place, "prompts", prompts),
            responses=checked_list(place, "responses", responses),
            scores={
                metric: checked_score(place, metric, score)
                for metric, score in zip(self.metrics, scores, strict=True)
            },
        )


def read_samples(source: Path | BinaryIO) -> Iterator[Sample]:
    """Yield the samples of a file in order; see `SamplesReader`."""
    with SamplesReader(source) as reader:
        yield from reader


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
