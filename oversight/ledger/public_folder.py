"""The record as files: what any plain web server or mirror can serve in our stead.

The folder holds what `/log/` answers: full tiles and entry bundles, the partial ones of every
checkpoint until the full one stands, and the newest checkpoint, always written last. It follows
from the database alone, so a folder that was lost is rebuilt byte for byte.
"""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from oversight.ledger import queries, tiles
from oversight.ledger.durable import replace_durably, sync_folder
from oversight.ledger.merkle import HASH_BYTES
from oversight.ledger.models import Checkpoint, LedgerEntry, Tile
from oversight.ledger.note import NoteError
from oversight.ledger.note import parse as parse_note
from oversight.ledger.tiles import HEIGHT, WIDTH, TileId, TilePath

READABLE = 0o644


class PublicFolder:
    """Writes the record into a folder. One process at a time: the sequencer, or an operator."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, which need not exist yet."""
        self._folder = folder
        self._known_folders: set[Path] = set()

    def checkpoint(self) -> str | None:
        """Return the published checkpoint's text, unverified; None before the first."""
        try:
            return (self._folder / "checkpoint").read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return None

    def publish(self) -> int | None:
        """Write all that the newest published checkpoint covers and the folder lacks.

        Returns the size up to which the folder now goes, None when there is no checkpoint yet.
        """
        newest = queries.newest_checkpoint()
        if newest is None:
            return None
        note = queries.published_note(newest)
        published = self.checkpoint()
        before = _size_of(published)
        if published != note:
            if newest.size > before:
                self._write_tiles(before, newest.size)
            # A crash before this line leaves files that no published checkpoint covers; the next
            # attempt writes the same ones again.
            self._write(Path("checkpoint"), note.encode())
            self._remove_partials(before, newest.size)
        self._write_if_changed(Path("vkey"), f"{newest.vkey}\n".encode())
        return newest.size

    def _write_tiles(self, before: int, size: int) -> None:
        for level, index in _changed_tiles(before, size):
            tile = TileId(level, index)
            width = tiles.width_at(tile, size)
            data = bytes(Tile.objects.values_list("data", flat=True).get(level=level, index=index))
            for each in self._widths(tile, before, size, width):
                self._write(_path(TilePath(level, index, each)), data[: each * HASH_BYTES])
            if level == 0:
                self._write_entries(index, self._widths(tile, before, size, width))

    def _write_entries(self, index: int, widths: Iterable[int]) -> None:
        start = index * WIDTH
        stored = LedgerEntry.objects.between(start, start + WIDTH).values_list("body", flat=True)
        bodies = [bytes(body) for body in stored]
        for width in widths:
            data = tiles.format_bundle(bodies[:width])
            self._write(_path(TilePath(None, index, width)), data)

    def _widths(self, tile: TileId, before: int, size: int, width: int) -> list[int]:
        """Return the widths to write: the full tile alone, or one for each new checkpoint."""
        if width == WIDTH:
            return [WIDTH]
        first = (tile.index * WIDTH) << (HEIGHT * tile.level)
        sizes = Checkpoint.objects.filter(size__gt=max(first, before), size__lte=size)
        found = {tiles.width_at(tile, each) for each in sizes.values_list("size", flat=True)}
        return sorted(found - {0})

    def _remove_partials(self, before: int, size: int) -> None:
        """Remove the partial tiles whose full tile is published: readers then ask for that."""
        for level, index in _changed_tiles(before, size):
            if tiles.width_at(TileId(level, index), size) < WIDTH:
                continue
            for kind in (level, None) if level == 0 else (level,):
                partials = self._folder / _path(TilePath(kind, index, 1)).parent
                shutil.rmtree(partials, ignore_errors=True)

    def _write_if_changed(self, path: Path, data: bytes) -> None:
        target = self._folder / path
        if not target.exists() or target.read_bytes() != data:
            self._write(path, data)

    def _write(self, path: Path, data: bytes) -> None:
        target = self._folder / path
        self._make_folder(target.parent)
        replace_durably(target, data, READABLE)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and have its name on disk, once in this object's life."""
        if folder in self._known_folders and folder.exists():
            return
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for each in reversed(missing):
            sync_folder(each.parent)
        self._known_folders.add(folder)


def _changed_tiles(before: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield level and index of each tile that grows from the one size to the other."""
    level = 0
    while size >> (HEIGHT * level):
        old, new = before >> (HEIGHT * level), size >> (HEIGHT * level)
        if new > old:
            for index in range(old // WIDTH, -(-new // WIDTH)):
                yield level, index
        level += 1


def _path(path: TilePath) -> Path:
    return Path("tile") / tiles.format_path(path)


def _size_of(published: str | None) -> int:
    """Return the size that a published checkpoint states; 0 for what is not one, to begin anew."""
    if published is None:
        return 0
    try:
        return int(parse_note(published.encode()).text.split("\n")[1])
    except (NoteError, ValueError, IndexError):
        return 0
