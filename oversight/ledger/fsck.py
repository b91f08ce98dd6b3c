"""Re-reads the whole record and rebuilds everything that follows from its bytes.

One flipped bit at rest leaves all proofs between checkpoints valid, so only this finds it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models.functions import Length

from oversight.ledger import checkpoint, merkle, queries, tiles
from oversight.ledger.encoding import to_digest
from oversight.ledger.models import Checkpoint, LedgerEntry, Tile
from oversight.ledger.sequencer import stored_head
from oversight.ledger.tiles import TileId


class BadRecord(Exception):  # noqa: N818 - the finding that this module exists for
    """The first thing that does not hold; `index` is the first bad entry where one is known."""

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


@dataclass(frozen=True, slots=True)
class Sound:
    """What was re-read and found sound."""

    entries: int
    tiles: int
    checkpoints: int
    root: str


def check_record() -> Sound:
    """Rebuild tree, tiles and checkpoints from the entries' bytes and compare with what is stored.

    Reads up to the head as it is at the start, so the log may grow meanwhile.

    Raises:
        BadRecord: naming the first entry, tile or checkpoint that does not hold.
    """
    head = stored_head()
    edge = merkle.RightEdge()
    growing: dict[TileId, bytes] = {}
    checkpoints = _Checkpoints(head.size)
    checkpoints.compare(edge)
    checked_tiles = 0
    for group in _groups(head.size):
        hashes = [_leaf_hash(entry, edge.size + n) for n, entry in enumerate(group)]
        changed = tiles.extend(edge.size, growing, hashes)
        _compare_tiles(changed)
        checked_tiles += len(changed)
        growing.update(changed)
        for each in hashes:
            edge.append(each)
            checkpoints.compare(edge)
    if to_digest(edge.root()) != head.root:
        raise BadRecord(f"The {head.size} entries do not give the root {head.root} of the head.")
    _require_nothing_beyond(head.size)
    return Sound(head.size, checked_tiles, checkpoints.count, head.root)


def _groups(size: int) -> Iterator[list[LedgerEntry]]:
    """Yield the entries below `size`, one full tile's worth at a time."""
    for start in range(0, size, tiles.WIDTH):
        end = min(size, start + tiles.WIDTH)
        group = list(LedgerEntry.objects.between(start, end))
        for expected, entry in enumerate(group, start=start):
            if entry.index != expected:
                raise BadRecord(f"Entry {expected} is missing.", expected)
        if len(group) < end - start:
            raise BadRecord(f"Entry {start + len(group)} is missing.", start + len(group))
        yield group


def _leaf_hash(entry: LedgerEntry, index: int) -> bytes:
    """Return the hash of the entry's bytes, if its other columns agree with them."""
    found = merkle.leaf_hash(bytes(entry.body))
    if to_digest(found) != entry.leaf_hash:
        raise BadRecord(
            f"Entry {index}: its bytes hash to {to_digest(found)}, but its leaf hash is recorded "
            f"as {entry.leaf_hash}.",
            index,
        )
    try:
        content = entry.content
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise BadRecord(f"Entry {index}: its bytes are not JSON.", index) from None
    for name in ("type", "actor", "subject"):
        if content.get(name) != getattr(entry, name):
            raise BadRecord(f"Entry {index}: its {name} is not the one in its bytes.", index)
    return found


def _compare_tiles(changed: dict[TileId, bytes]) -> None:
    """Compare tiles as far as the entries read so far fill them."""
    stored = queries.read_tiles(changed)
    for tile, data in sorted(changed.items()):
        found = stored.get(tile, b"")[: len(data)]
        if found == data:
            continue
        path = tiles.path_of(tile)
        if tile.level > 0:
            raise BadRecord(f"Tile {path} does not follow from the tiles below it.")
        index = tile.index * tiles.WIDTH + _first_difference(found, data)
        raise BadRecord(
            f"Entry {index}: its bytes do not give the hash that stands in tile {path}.", index
        )


def _first_difference(found: bytes, expected: bytes) -> int:
    """Return the position of the first hash that differs."""
    for position, pair in enumerate(zip(found, expected, strict=False)):
        if pair[0] != pair[1]:
            return position // merkle.HASH_BYTES
    return len(found) // merkle.HASH_BYTES


def _require_nothing_beyond(size: int) -> None:
    """Refuse entries and tiles that no head covers.

    They are read before the head, so what the sequencer adds meanwhile is covered.
    """
    beyond = LedgerEntry.objects.filter(index__gte=size)
    last = beyond.order_by("index").values_list("index", flat=True).last()
    widths = list(
        Tile.objects.annotate(bytes=Length("data"))
        .order_by("level", "index")
        .values_list("level", "index", "bytes")
    )
    now = stored_head().size
    if last is not None and last >= now:
        raise BadRecord(f"There are entries beyond the head of {now}.", now)
    for level, index, stored_bytes in widths:
        tile = TileId(level, index)
        if stored_bytes > tiles.width_at(tile, now) * merkle.HASH_BYTES:
            raise BadRecord(f"Tile {tiles.path_of(tile)} is wider than a head of {now} allows.")


def _checkpoints(size: int) -> Iterator[Checkpoint]:
    """Yield the checkpoints up to `size`, some hundred at a time.

    Pages instead of a cursor on the server: one left open by an early finding would be closed by
    the garbage collector, perhaps in the middle of another query on the same connection.
    """
    after = -1
    while page := list(
        Checkpoint.objects.filter(size__gt=after, size__lte=size).order_by("size")[:500]
    ):
        yield from page
        after = page[-1].size


class _Checkpoints:
    """Compares each signed checkpoint with the tree when the tree has reached its size."""

    def __init__(self, size: int) -> None:
        newest = queries.newest_signed_checkpoint()
        if newest is not None and newest.size > size:
            raise BadRecord(
                f"The newest checkpoint covers {newest.size} entries, the head only {size}."
            )
        self._keys = queries.keys_of_log()
        self._waiting = _checkpoints(size)
        self._next = next(self._waiting, None)
        self.count = 0

    def compare(self, edge: merkle.RightEdge) -> None:
        """Check the checkpoint of exactly this tree, if there is one."""
        if self._next is None or self._next.size != edge.size:
            return
        stored = self._next
        try:
            signed = checkpoint.open_signed(stored.note.encode(), self._keys)
        except checkpoint.CheckpointError as error:
            raise BadRecord(f"The checkpoint of {stored.size} entries: {error}") from None
        if (signed.size, signed.root) != (edge.size, edge.root()):
            raise BadRecord(
                f"The entries below {edge.size} no longer give the root that was signed for them."
            )
        if stored.root != to_digest(signed.root):
            raise BadRecord(f"The checkpoint of {stored.size} entries has another root beside it.")
        self.count += 1
        self._next = next(self._waiting, None)
