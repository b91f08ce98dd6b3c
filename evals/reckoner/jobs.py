"""The jobs a reckoner does: each takes JSON and pieces of bytes, and gives the same."""

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from itertools import islice
from pathlib import Path
from typing import Any

from evals.reckoner.recompute import Expected, as_answer, recompute
from evals.samples import Sample, SamplesReader
from evals.samples.looking import look
from evals.samples.tables import write_samples_table, write_table
from evals.samples.typed_tables import write_typed_table
from evals.statistics import compare

Found = tuple[Any, Iterable[bytes]]

_FIELDS = tuple(field.name for field in fields(Sample))
_READ_ROWS = 2_000
_READ_BYTES = 4 * 1024 * 1024


def recomputed(arguments: dict[str, Any], _pieces: list[bytes]) -> Found:
    """Return what the samples of a result say, and its scores as lines of COPY."""
    expected = Expected(**arguments["expected"])
    found = recompute(Path(arguments["path"]), expected)
    answer = as_answer(found, clustered=expected.clustered)
    return answer, found.lines(arguments["task_run"])


def looked(arguments: dict[str, Any], pieces: list[bytes]) -> Found:
    """Return one page of the samples that a reader looks for.

    The piece, if there is one, holds the places in the data to choose from, as PostgreSQL sends
    whole numbers: eight bytes each, the first one first.
    """
    import numpy as np

    allowed = np.frombuffer(pieces[0], dtype=">i8").astype(np.int64) if pieces else None
    samples, page, total = look(
        Path(arguments["path"]),
        allowed=allowed,
        words=arguments["words"],
        page=arguments["page"],
        size=arguments["size"],
    )
    return {"page": page, "total": total}, [_line(sample) for sample in samples]


def read(arguments: dict[str, Any], _pieces: list[bytes]) -> Found:
    """Return some samples from a place on, as lines of JSON, and the place of the next one."""
    place, lines, size = int(arguments["place"]), [], 0
    coming = _coming.at(arguments["path"], place)
    for sample in islice(coming, _READ_ROWS):
        lines.append(_line(sample))
        size += len(lines[-1])
        if size >= _READ_BYTES:
            break
    following = place + len(lines)
    _coming.keep(arguments["path"], following, coming)
    return {"place": following if lines else None}, [b"\n".join(lines)]


class _Coming:
    """Where a file was read to, so that who reads on does not begin anew."""

    def __init__(self) -> None:
        self._where: tuple[str, int] | None = None
        self._coming: Iterator[Sample] = iter(())

    def at(self, path: str, place: int) -> Iterator[Sample]:
        if self._where == (path, place):
            return self._coming
        return _from(Path(path), place)

    def keep(self, path: str, place: int, coming: Iterator[Sample]) -> None:
        self._where, self._coming = (path, place), coming


_coming = _Coming()


def _from(path: Path, place: int) -> Iterator[Sample]:
    with SamplesReader(path) as reader:
        yield from reader.beginning_at(place)


def _line(sample: Sample) -> bytes:
    value = {name: getattr(sample, name) for name in _FIELDS}
    return json.dumps(value, ensure_ascii=False).encode()


def uploaded(arguments: dict[str, Any], pieces: list[bytes]) -> Found:
    """Return the rows of an uploaded Parquet file as lines of JSON, each after its place."""
    from evals.suites import parquet

    return None, _in_pieces(parquet.rows(arguments["name"], pieces[0]))


def fetched(arguments: dict[str, Any], _pieces: list[bytes]) -> Found:
    """Return the records of a benchmark's Parquet file as lines of JSON."""
    from evals.suites import parquet

    return None, _in_pieces(parquet.records(Path(arguments["path"])))


def _in_pieces(rows: Iterable[Any]) -> list[bytes]:
    # Read to the end before anything is answered: what is at fault is then an answer, too.
    lines = [json.dumps(row, ensure_ascii=False, default=str).encode() for row in rows]
    return [b"\n".join(lines[n : n + _READ_ROWS]) for n in range(0, len(lines), _READ_ROWS)]


def written(arguments: dict[str, Any], pieces: list[bytes]) -> Found:
    """Return a table as a Parquet file: the kind of each column, and rows as JSON."""
    return None, [write_table(arguments["columns"], json.loads(pieces[0]))]


def tabulated(arguments: dict[str, Any], _pieces: list[bytes]) -> Found:
    """Write a file of JSON lines as a Parquet file."""
    write_typed_table(
        Path(arguments["lines"]),
        Path(arguments["target"]),
        kinds=arguments["kinds"],
        described=arguments["described"],
        metadata=arguments["metadata"],
    )
    return None, ()


def exported(arguments: dict[str, Any], _pieces: list[bytes]) -> Found:
    """Write the samples of several tasks as one Parquet file."""
    parts = [(task, Path(place)) for task, place in arguments["parts"]]
    write_samples_table(parts, Path(arguments["path"]))
    return None, ()


def compared(arguments: dict[str, Any], pieces: list[bytes]) -> Found:
    """Return what a second run scores above a first one."""
    first, second = (array("d", piece) for piece in pieces[:2])
    clusters = array("i", pieces[2]) if arguments["clustered"] else None
    return asdict(compare(first, second, clusters)), ()


JOBS: Mapping[str, Callable[[dict[str, Any], list[bytes]], Found]] = {
    "recomputed": recomputed,
    "looked": looked,
    "read": read,
    "compared": compared,
    "uploaded": uploaded,
    "fetched": fetched,
    "written": written,
    "exported": exported,
    "tabulated": tabulated,
}
