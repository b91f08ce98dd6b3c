"""Finding samples: by score, group, words and change, and reading only the rows that are shown.

Scores and groups are looked up in the database, words in the file of samples, one group of rows at
a time. A row is then read from its place; the rows before it are never unpacked.
"""

import json
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from evals import artefacts
from evals.models import SampleScore, TaskRun
from evals.samples import SCORE_PREFIX, TEXT_COLUMNS, Sample, SamplesError

WORDS_LIMIT = 200
_SEARCHED = ("item_id", "target", "prompts", "responses")
ONLY = {
    "right": "scored above 0",
    "wrong": "scored 0 or less",
    "changed": "scored differently in the other run",
    "gained": "scored higher here than in the other run",
    "lost": "scored lower here than in the other run",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader looks for."""

    only: str = ""
    group: str = ""
    words: str = ""

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return not (self.only or self.group or self.words)


def matching_places(task_run: TaskRun, wanted: Wanted, against: TaskRun | None) -> Sequence[int]:
    """Return the places in the file, from 0, of the samples that are wanted.

    Raises:
        SamplesError: the file cannot be read.
    """
    path = artefacts.path_of(str(task_run.samples_id))
    if wanted.is_all:
        return range(_rows_in(path))
    allowed = _by_score(task_run, wanted, against)
    found = []
    for place, doc_id, text in _scan(path, with_text=bool(wanted.words), words=wanted.words):
        if (allowed is None or doc_id in allowed) and text:
            found.append(place)
    return found


def _by_score(task_run: TaskRun, wanted: Wanted, against: TaskRun | None) -> Collection[int] | None:
    """Return the samples that score and group let through; None for all."""
    if not (wanted.only or wanted.group):
        return None
    metric = task_run.task["metric"]
    rows = SampleScore.objects.filter(task_run=task_run, metric=metric)
    if wanted.group:
        rows = rows.filter(group=wanted.group)
    if wanted.only in {"right", "wrong"}:
        rows = rows.filter(score__gt=0) if wanted.only == "right" else rows.filter(score__lte=0)
    here = dict(rows.values_list("doc_id", "score"))
    if wanted.only not in {"changed", "gained", "lost"}:
        return here.keys()
    if against is None:
        return frozenset()
    there = dict(
        SampleScore.objects.filter(task_run=against, metric=metric).values_list("doc_id", "score")
    )
    changes = {doc_id: score - there[doc_id] for doc_id, score in here.items() if doc_id in there}
    signs = {"changed": (-1, 1), "gained": (1,), "lost": (-1,)}[wanted.only]
    return {doc_id for doc_id, change in changes.items() if (change > 0) - (change < 0) in signs}


def _rows_in(path: Path) -> int:
    return int(_open(path).metadata.num_rows)


def _open(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SamplesError(f"not a Parquet file: {' '.join(str(error).split())[:200]}") from error


def _scan(path: Path, *, with_text: bool, words: str) -> Iterator[tuple[int, int, bool]]:
    """Yield place, doc_id and whether the words are in the row's texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    file = _open(path)
    # The texts are JSON: words are looked for as JSON writes them.
    pattern = json.dumps(words, ensure_ascii=False)[1:-1]
    columns = ["doc_id", *(_SEARCHED if with_text else ())]
    place = 0
    try:
        for batch in file.iter_batches(batch_size=2_000, columns=columns, use_threads=False):
            hits = [True] * batch.num_rows
            if with_text:
                found = [
                    pc.match_substring(batch.column(name), pattern, ignore_case=True)
                    for name in _SEARCHED
                ]
                any_of = found[0]
                for mask in found[1:]:
                    any_of = pc.or_kleene(any_of, mask)
                hits = any_of.to_pylist()
            for doc_id, hit in zip(batch.column("doc_id").to_pylist(), hits, strict=True):
                yield place, doc_id, bool(hit)
                place += 1
    except (pa.ArrowException, OSError) as error:
        raise SamplesError(f"row {place}: cannot be read") from error


def read_places(task_run: TaskRun, places: Sequence[int]) -> list[Sample]:
    """Return the samples at these places, unpacking only the groups of rows they lie in.

    Raises:
        SamplesError: the file cannot be read.
    """
    import pyarrow as pa

    file = _open(artefacts.path_of(str(task_run.samples_id)))
    sizes = [file.metadata.row_group(n).num_rows for n in range(file.metadata.num_row_groups)]
    ends = list(accumulate(sizes))
    found: dict[int, Sample] = {}
    try:
        for group in sorted({bisect_right(ends, place) for place in places}):
            start = ends[group] - sizes[group]
            inside = [place for place in places if start <= place < ends[group]]
            table = file.read_row_group(group, use_threads=False)
            rows = table.take([place - start for place in inside]).to_pylist()
            found |= {place: _sample(row) for place, row in zip(inside, rows, strict=True)}
    except (pa.ArrowException, OSError, ValueError, KeyError, IndexError) as error:
        raise SamplesError("the samples cannot be read") from error
    return [found[place] for place in places]


def read_docs(task_run: TaskRun, doc_ids: Collection[int]) -> dict[int, Sample]:
    """Return the samples of these items, by item; those that are not there are left out."""
    path = artefacts.path_of(str(task_run.samples_id))
    places = [p for p, doc_id, _ in _scan(path, with_text=False, words="") if doc_id in doc_ids]
    return {sample.doc_id: sample for sample in read_places(task_run, places)}


def _sample(row: dict[str, Any]) -> Sample:
    texts = {name: row[name] for name in TEXT_COLUMNS}
    for name in ("prompts", "responses"):
        texts[name] = json.loads(texts[name])
    scores = {
        name.removeprefix(SCORE_PREFIX): value
        for name, value in row.items()
        if name.startswith(SCORE_PREFIX)
    }
    return Sample(doc_id=row["doc_id"], scores=scores, **texts)
