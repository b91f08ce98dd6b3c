"""What can be asked of a reckoner, with types: the only way in which pages and services use one.

Each raises `ReckonerAway` (503) where the work was not done.
"""

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evals.reckoner.pool import pool
from evals.reckoner.recompute import Expected
from evals.reckoner.refusals import Refused
from evals.samples import Sample, SamplesError
from evals.scores import cluster_numbers
from evals.statistics import Aggregate, Difference


@dataclass(frozen=True)
class Summed:
    """What the samples of a result say."""

    rows: int
    scores_digest: str
    aggregates: dict[tuple[str, str], Aggregate]
    """By metric and group; the empty group holds all samples."""
    copy_lines: Iterator[bytes]
    """Every score as PostgreSQL's COPY reads it; comes as it is taken."""


@contextmanager
def recomputed(path: Path, *, task_run: str, expected: Expected) -> Iterator[Summed]:
    """Read and sum the samples of a result; the reckoner is held until the block ends.

    Raises:
        Refused: the samples are no result of the task.
    """
    arguments = {"path": str(path), "task_run": task_run, "expected": asdict(expected)}
    with pool.work("recomputed", arguments, is_long=True) as work:
        said = work.found["aggregates"]
        yield Summed(
            rows=work.found["rows"],
            scores_digest=work.found["scores"],
            aggregates={(metric, group): Aggregate(**one) for metric, group, one in said},
            copy_lines=work.pieces(),
        )


@dataclass(frozen=True)
class PageOfSamples:
    """Some of the samples that are looked for."""

    samples: list[Sample]
    number: int
    """Of the page, from 1."""
    total: int
    """How many samples there are on all pages."""


def look(
    path: Path, *, size: int, page: int = 1, words: str = "", allowed: bytes | None = None
) -> PageOfSamples:
    """Return a page of the samples with these words among those allowed, as bytes of int8send.

    Raises:
        SamplesError: the file cannot be read.
    """
    arguments = {"path": str(path), "words": words, "page": page, "size": size}
    sent = [] if allowed is None else [allowed]
    found, lines = _samples_from("looked", arguments, sent)
    return PageOfSamples(lines, found["page"], found["total"])


def blocks_of_samples(path: Path) -> Iterator[list[Sample]]:
    """Yield all samples, some at a time; nothing is held while the caller is busy with them.

    Raises:
        SamplesError: at the first value at fault.
    """
    place: int | None = 0
    while place is not None:
        found, samples = _samples_from("read", {"path": str(path), "place": place}, [])
        place = found["place"]
        if samples:
            yield samples


def _samples_from(
    job: str, arguments: dict[str, Any], sent: list[bytes]
) -> tuple[Any, list[Sample]]:
    try:
        found, pieces = _asked(job, arguments, sent)
    except Refused as refused:
        raise SamplesError(str(refused)) from None
    lines = [line for piece in pieces for line in piece.split(b"\n") if line]
    return found, [Sample(**json.loads(line)) for line in lines]


def export_samples(parts: Sequence[tuple[str, Path]], path: Path) -> None:
    """Write the samples of several tasks, each with its file, as one Parquet file.

    Raises:
        SamplesError: at the first value at fault.
    """
    named = [[task, str(place)] for task, place in parts]
    try:
        _asked("exported", {"parts": named, "path": str(path)}, [], is_long=True)
    except Refused as refused:
        raise SamplesError(str(refused)) from None


def parquet_table(columns: Mapping[str, type], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows as a Parquet file."""
    kinds = {name: kind.__name__ for name, kind in columns.items()}
    _, pieces = _asked("written", {"columns": kinds}, [json.dumps(rows).encode()])
    return b"".join(pieces)


def tabulate(
    lines: Path,
    target: Path,
    *,
    kinds: Mapping[str, str],
    described: Mapping[str, str],
    metadata: Mapping[str, str],
) -> None:
    """Write a file of JSON lines as a Parquet file, some thousand rows at a time.

    Args:
        lines: one row a line, with the names of `kinds`.
        target: the file to write.
        kinds: the kind of each column, as `evals.samples.typed_tables` knows them.
        described: what each column means.
        metadata: of the whole file.
    """
    arguments = {
        "lines": str(lines),
        "target": str(target),
        "kinds": dict(kinds),
        "described": dict(described),
        "metadata": dict(metadata),
    }
    _asked("tabulated", arguments, [], is_long=True)


def uploaded_rows(name: str, content: bytes) -> list[Any]:
    """Return the rows of an uploaded Parquet file, each after its place.

    Raises:
        Refused: with problems that name what was found and the way out.
    """
    return _json_lines(_asked("uploaded", {"name": name}, [content])[1])


def fetched_records(path: Path) -> list[Any]:
    """Return the records of a benchmark's Parquet file.

    Raises:
        Refused: it cannot be read.
    """
    return _json_lines(_asked("fetched", {"path": str(path)}, [])[1])


def _json_lines(pieces: list[bytes]) -> list[Any]:
    return [json.loads(line) for piece in pieces for line in piece.split(b"\n") if line]


def compare(
    first: Sequence[float], second: Sequence[float], groups: Sequence[str] | None = None
) -> Difference:
    """Return `evals.statistics.compare` of two runs."""
    sent = [array("d", first).tobytes(), array("d", second).tobytes()]
    if groups is not None:
        sent.append(array("i", cluster_numbers(groups)).tobytes())
    found, _ = _asked("compared", {"clustered": groups is not None}, sent)
    return Difference(**found)


def _asked(
    job: str, arguments: dict[str, Any], sent: list[bytes], *, is_long: bool = False
) -> tuple[Any, list[bytes]]:
    with pool.work(job, arguments, sent, is_long=is_long) as work:
        return work.found, list(work.pieces())
