"""How long a receipt takes in a log of a million entries, and how many hashes it holds.

The log is built from hashes alone: tiles and head are real, and so are the entries whose receipts
are made; the bytes of the others play no part in a receipt.
"""

import os
import random
import statistics
import time
from typing import Any

from bench.record import in_own_site
from bench.result import Figure, Result

ENTRIES = 1_000_000
RECEIPTS = 300
SEED = 7


def measure() -> Result:
    """Build the tree and make receipts at random indexes."""
    found = in_own_site("bench.receipts")
    return Result(
        "receipts",
        f"Receipts from a log of {ENTRIES:,} entries; load of the machine {os.getloadavg()[0]:.1f}",
        [
            Figure("one receipt, median", found["median_ms"], "ms", at_most=10),
            Figure("one receipt, 99 of 100 within", found["p99_ms"], "ms"),
            Figure("one receipt, processor time of this program", found["cpu_ms"], "ms"),
            Figure("hashes in a receipt, most", found["hashes"], "count", at_most=20),
            Figure("one receipt verified, median", found["verified_ms"], "ms"),
        ],
        found,
    )


def inside() -> dict[str, Any]:
    """Measure on the database of this process."""
    from django.utils import timezone

    from oversight.ledger import proof, queries
    from oversight.ledger.encoding import to_digest
    from oversight.ledger.models import Checkpoint, Head, LedgerEntry
    from oversight.ledger.sequencer import make_signer

    drawn = random.Random(SEED)
    wanted = {0, ENTRIES - 1, *drawn.sample(range(ENTRIES), RECEIPTS)}
    edge = _build_tiles()
    root = to_digest(edge.root())
    Head.objects.update_or_create(id=1, defaults={"size": ENTRIES, "root": root})
    signer = make_signer()
    note = signer.adopt(edge)
    Checkpoint.objects.create(
        size=ENTRIES, root=root, note=note, vkey=signer.vkey, signed_at=timezone.now()
    )
    LedgerEntry.objects.bulk_create(_entry(index, LedgerEntry) for index in sorted(wanted))
    keys = queries.keys_of_log()
    queries.receipt_at(0)
    made, verified, most, cpu = [], [], 0, 0.0
    for index in wanted:
        began, before = time.perf_counter(), time.process_time()
        receipt = queries.receipt_at(index)
        made.append(time.perf_counter() - began)
        cpu += time.process_time() - before
        assert receipt is not None
        began = time.perf_counter()
        parsed = proof.parse(receipt.text)
        parsed.verify(_body(index), keys)
        verified.append(time.perf_counter() - began)
        most = max(most, len(parsed.hashes))
    made.sort()
    return {
        "median_ms": statistics.median(made) * 1e3,
        "p99_ms": made[int(len(made) * 0.99)] * 1e3,
        "cpu_ms": cpu / len(wanted) * 1e3,
        "hashes": most,
        "verified_ms": statistics.median(verified) * 1e3,
    }


def _body(index: int) -> bytes:
    return f'{{"n":{index}}}'.encode()


def _entry(index: int, model: Any) -> Any:
    import uuid

    from django.utils import timezone

    from oversight.ledger import merkle
    from oversight.ledger.encoding import to_digest

    body = _body(index)
    digest = to_digest(merkle.leaf_hash(body))
    names = {"type": "bench.thing.done", "actor": "system:bench", "subject": "thing:n"}
    return model(
        index=index,
        leaf_id=uuid.uuid4(),
        body=body,
        leaf_hash=digest,
        sequenced_at=timezone.now(),
        **names,
    )


def _build_tiles() -> Any:
    """Store the tiles of the whole tree; return its right edge."""
    from oversight.ledger import merkle, tiles
    from oversight.ledger.models import Tile

    growing: dict[tiles.TileId, bytes] = {}
    for start in range(0, ENTRIES, 65_536):
        end = min(ENTRIES, start + 65_536)
        hashes = [merkle.leaf_hash(_body(index)) for index in range(start, end)]
        changed = tiles.extend(start, growing, hashes)
        Tile.objects.bulk_create(
            [Tile(level=t.level, index=t.index, data=data) for t, data in changed.items()],
            update_conflicts=True,
            update_fields=["data"],
            unique_fields=["level", "index"],
        )
        growing = {
            tile: changed.get(tile, growing.get(tile, b"")) for tile in tiles.growing_tiles(end)
        }
    known = tiles.TileNodes(_read_tiles)
    return merkle.right_edge(ENTRIES, known)


def _read_tiles(wanted: Any) -> Any:
    from oversight.ledger import queries

    return queries.read_tiles(wanted)
