"""The scores of one result as one document: what the record holds a digest of, and bundles carry.

The samples of a result are a Parquet file, which takes a library to read. This is the part of it
that every published number comes from, as canonical JSON (RFC 8785) in plain ASCII:
`{"metrics":[…],"rows":[[doc_id,"score",…],…],"v":1}`, metrics sorted by name, rows by `doc_id`, one
decimal as text for each metric. Pure functions.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence

from evals.statement import decimal_text

Row = tuple[int, Sequence[float]]
"""A sample's `doc_id` and its scores, in the order of the metrics."""


def write(metrics: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the document piece by piece; the rows come sorted, each `doc_id` once.

    Written by hand, because two million rows are too many for a general writer: nothing in it can
    be spelled in more than one way.
    """
    yield b'{"metrics":' + json.dumps(list(metrics), separators=(",", ":")).encode() + b',"rows":['
    comma = ""
    for doc_id, scores in rows:
        texts = "".join(f',"{decimal_text(score)}"' for score in scores)
        yield f"{comma}[{doc_id}{texts}]".encode()
        comma = ","
    yield b'],"v":1}'


def digest(metrics: Sequence[str], rows: Iterable[Row]) -> str:
    """Return the digest of the document, `sha256:<hex>`."""
    found = hashlib.sha256()
    for piece in write(metrics, rows):
        found.update(piece)
    return f"sha256:{found.hexdigest()}"
