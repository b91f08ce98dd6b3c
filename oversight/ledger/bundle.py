"""Packs log material into a bundle: a zip whose bytes follow from the record alone.

The same record gives the same bytes on every machine: files in the order given, one fixed time,
stored without compression (compressed bytes differ between versions of the compressor). The format
is in `docs/reference/bundle.md`; what verifies it, `verify.py`, shares no code with this.
"""

import hashlib
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

import rfc8785

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

FORMAT = "oversight-audit-bundle"
VERSION = 1
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can name; every file has it."""

READABLE = 0o100644 << 16
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


class BundleWriter:
    """A bundle under way: add files, then `close` writes the manifest over all of them."""

    def __init__(self, target: BinaryIO) -> None:
        """Write to `target`, a file that can seek."""
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED)
        self._files: list[dict[str, str | int]] = []

    def add(self, path: str, data: bytes) -> None:
        """Add a file; its path is relative, ASCII, and new."""
        self._files.append(
            {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        )
        self._write(path, data)

    def close(self, about: Mapping[str, str]) -> None:
        """Write the manifest, which says what the bundle is about, and finish the zip."""
        manifest = {"v": VERSION, "format": FORMAT, "about": dict(about), "files": self._files}
        self._write("manifest.json", rfc8785.dumps(manifest))  # type: ignore[arg-type]
        self._zip.close()

    def _write(self, path: str, data: bytes) -> None:
        entry = zipfile.ZipInfo(path, EARLIEST)
        entry.create_system = 3  # Unix, whatever this machine is
        entry.external_attr = READABLE
        self._zip.writestr(entry, data)


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
