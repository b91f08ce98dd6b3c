"""The log's own part of an audit bundle: checkpoint, keys, entries and tiles as of one state."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from oversight.ledger import queries
from oversight.ledger.models import Checkpoint, LedgerEntry, Tile
from oversight.ledger.tiles import (
    WIDTH,
    TileId,
    TilePath,
    format_bundle,
    format_path,
    width_at,
)

MAX_LEVEL = 7
"""Tile levels above it would need more than 2^64 entries."""


class NothingPublished(RuntimeError):  # noqa: N818 - says what is wrong
    """There is no signed checkpoint yet, so there is nothing to prove."""


@dataclass(frozen=True, slots=True)
class Head:
    """The signed state of the log that a bundle is made at."""

    size: int
    note: str
    vkeys: tuple[str, ...]
    """Every key that has signed, oldest first; the last one signed this state."""


def newest_head() -> Head:
    """Return the newest signed state.

    Raises:
        NothingPublished: before the first checkpoint.
    """
    newest = queries.newest_checkpoint()
    if newest is None:
        raise NothingPublished("No checkpoint has been signed yet.")
    keys = Checkpoint.objects.order_by("size").values_list("vkey", flat=True)
    return Head(newest.size, newest.note, tuple(dict.fromkeys(keys)))


def log_files(head: Head) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of everything about the log itself: checkpoint, keys, entries, tiles.

    All entries, whatever the bundle is about: that an act is *not* on the log (another ballot, a
    later charter) can be seen only in a log that is whole.
    """
    yield "checkpoint", head.note.encode()
    yield "policy", f"log {head.vkeys[-1]}\nquorum none\n".encode()
    yield "keys/log.vkeys", "".join(f"{key}\n" for key in head.vkeys).encode()
    yield from _entry_files(head.size)
    yield from _tile_files(head.size)


def _entry_files(size: int) -> Iterator[tuple[str, bytes]]:
    for first in range(0, size, WIDTH):
        width = min(WIDTH, size - first)
        bodies = LedgerEntry.objects.between(first, first + width).values_list("body", flat=True)
        path = format_path(TilePath(None, first // WIDTH, width))
        yield f"log/tile/{path}", format_bundle(bytes(body) for body in bodies)


def _tile_files(size: int) -> Iterator[tuple[str, bytes]]:
    rows = Tile.objects.filter(level__lte=MAX_LEVEL).order_by("level", "index")
    for level, index, data in rows.values_list("level", "index", "data").iterator(chunk_size=256):
        width = width_at(TileId(level, index), size)
        if width:
            # A tile may have grown since; what stood in it at `size` is its beginning.
            yield (
                f"log/tile/{format_path(TilePath(level, index, width))}",
                bytes(data)[: 32 * width],
            )


def indexes_of(leaf_ids: Collection[UUID], size: int) -> dict[UUID, int]:
    """Return the index of each of these leaves that stands among the first `size` entries."""
    rows = LedgerEntry.objects.filter(leaf_id__in=leaf_ids, index__lt=size)
    return dict(rows.values_list("leaf_id", "index"))
