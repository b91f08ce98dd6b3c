"""Looking for samples: by their places in the data and by words, and reading only those shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.samples.reading import SamplesReader
from evals.samples.values import Sample, SamplesError, one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SEARCHED = ("item_id", "target", "prompts", "responses")
_BATCH_ROWS = 2_000


def look(
    path: Path, *, allowed: NDArray[np.int64] | None, words: str, page: int, size: int
) -> tuple[list[Sample], int, int]:
    """Return one page of the samples that are looked for, its number, and how many there are.

    Args:
        path: the file of samples.
        allowed: the `doc_id`s to choose from; None for all.
        words: what has to be in their texts, in large or small letters; empty for anything.
        page: from 1; one past the last is the last.
        size: samples on a page.

    Raises:
        SamplesError: the file cannot be read.
    """
    with SamplesReader(path) as reader:
        is_all = allowed is None and not words
        places: Sequence[int] = range(reader.rows) if is_all else _places(reader, allowed, words)
        last = max(1, -(-len(places) // size))
        page = min(max(1, page), last)
        wanted = places[(page - 1) * size : page * size]
        return _at(reader, wanted), page, len(places)


def _at(reader: SamplesReader, places: Sequence[int]) -> list[Sample]:
    """Return the samples at these places of the file, which ascend."""
    found: list[Sample] = []
    at, coming = 0, iter(())  # type: tuple[int, Any]
    for place in places:
        # Near ones are read through to; for others the groups of rows between stay packed.
        if not found or place - at > _BATCH_ROWS:
            at, coming = place, reader.beginning_at(place)
        found += islice(coming, place - at, place - at + 1)
        at = place + 1
    return found


def _places(reader: SamplesReader, allowed: NDArray[np.int64] | None, words: str) -> list[int]:
    """Return the places in the file of the samples that are allowed and hold the words."""
    import numpy as np
    import pyarrow as pa

    # The texts are JSON: words are looked for as JSON writes them.
    pattern = json.dumps(words, ensure_ascii=False)[1:-1]
    columns = ["doc_id", *(_SEARCHED if words else ())]
    found: list[NDArray[np.int64]] = []
    place = 0
    try:
        for batch in reader.batches(columns, _BATCH_ROWS):
            hits = np.ones(batch.num_rows, dtype=bool)
            if allowed is not None:
                hits &= np.isin(batch.column("doc_id").to_numpy(), allowed)
            if words and hits.any():
                hits &= _with_words(batch, pattern)
            found.append(np.flatnonzero(hits) + place)
            place += batch.num_rows
    except pa.ArrowException as error:
        raise SamplesError(f"row {place}: cannot be read: {one_line(error)}") from error
    return [int(each) for each in np.concatenate(found)] if found else []


def _with_words(batch: Any, pattern: str) -> NDArray[np.bool_]:
    """Say of each row whether the pattern is in one of its texts."""
    import numpy as np
    import pyarrow.compute as pc

    hits = np.zeros(batch.num_rows, dtype=bool)
    for name in _SEARCHED:
        # Each text that occurs is looked at once, however often it does.
        column = batch.column(name)
        said = pc.match_substring(column.dictionary, pattern, ignore_case=True)
        hits |= said.take(column.indices).to_numpy(zero_copy_only=False)
    return hits
