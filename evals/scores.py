"""The scores of one result as one document: what the record holds a digest of, and bundles carry.

The samples of a result are a Parquet file, which takes a library to read. This is the part of it
that every published number comes from, as canonical JSON (RFC 8785) in plain ASCII:
`{"metrics":[…],"rows":[[doc_id,"score",…],…],"v":1}`, metrics sorted by name, rows by `doc_id`, one
decimal as text for each metric. Where samples come in clusters, `"clusters":[…]` stands before the
metrics: of each row, the number of its cluster. Pure functions.
"""

import hashlib
import json
from collections.abc import Hashable, Iterable, Iterator, Sequence

from evals.decimals import decimal_text

Row = tuple[int, Sequence[float]]
"""A sample's `doc_id` and its scores, in the order of the metrics."""


def write(
    metrics: Sequence[str], rows: Iterable[Row], clusters: Sequence[int] | None = None
) -> Iterator[bytes]:
    """Yield the document piece by piece; the rows come sorted, each `doc_id` once.

    Written by hand, because two million rows are too many for a general writer: nothing in it can
    be spelled in more than one way. `clusters` are the numbers of each row's cluster, as
    `cluster_numbers` has them; None where each stands for itself.
    """
    yield b"{"
    if clusters is not None:
        yield f'"clusters":[{",".join(map(str, clusters))}],'.encode()
    yield b'"metrics":' + json.dumps(list(metrics), separators=(",", ":")).encode() + b',"rows":['
    comma = ""
    for doc_id, scores in rows:
        texts = "".join(f',"{decimal_text(score)}"' for score in scores)
        yield f"{comma}[{doc_id}{texts}]".encode()
        comma = ","
    yield b'],"v":1}'


def cluster_numbers(groups: Iterable[Hashable]) -> list[int]:
    """Return the number of each sample's cluster, from 0 in the order in which they come.

    What has no group (an empty name, or place 0 of a list of names) is a cluster of its own.
    """
    numbers: dict[Hashable, int] = {}
    found = []
    for place, group in enumerate(groups):
        label = group or ("alone", place)
        found.append(numbers.setdefault(label, len(numbers)))
    return found


def digest(
    metrics: Sequence[str], rows: Iterable[Row], clusters: Sequence[int] | None = None
) -> str:
    """Return the digest of the document, `sha256:<hex>`."""
    found = hashlib.sha256()
    for piece in write(metrics, rows, clusters):
        found.update(piece)
    return f"sha256:{found.hexdigest()}"
