"""A copy of a log that verifies as it follows: from a web address, a folder, or an audit bundle.

Free of Django. A mirror's folder has the layout of the log's own, so any web server can serve it,
and the log's operator can recover lost entries from it.
"""

import urllib.request
import zipfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from oversight.ledger import checkpoint, merkle, note, tiles
from oversight.ledger.checkpoint import TreeHead
from oversight.ledger.durable import replace_durably
from oversight.ledger.tiles import WIDTH, TileId, TilePath

TIMEOUT_SECONDS = 15
MAX_FILE_BYTES = WIDTH * (tiles.MAX_ENTRY_BYTES + 2)
READABLE = 0o644

Fetch = Callable[[str], bytes]
"""Returns the file at a path such as `tile/entries/000`.

Raises:
    OSError: when it cannot be had.
"""


class MirrorRefusal(Exception):  # noqa: N818 - the finding that a mirror exists for
    """The source contradicts itself, its key, or what this mirror holds; nothing was taken over."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What one round brought: the tree's size now, and how many entries were new."""

    size: int
    new: int


def open_source(where: str) -> Fetch:
    """Return a reader of a log at an http(s) address, in a folder, or in an audit bundle.

    Raises:
        OSError: when there is nothing there.
    """
    if where.startswith(("https://", "http://")):
        return _Web(where.rstrip("/")).read
    path = Path(where)
    if path.is_file():
        return _Bundle(zipfile.ZipFile(path)).read
    if not path.is_dir():
        raise FileNotFoundError(f"{where} is no address, folder or bundle")
    return lambda name: (path / name).read_bytes()


def read_head(fetch: Fetch, keys: Sequence[note.VerifierKey]) -> tuple[TreeHead, str]:
    """Return the source's verified tree head and the signed text.

    Raises:
        MirrorRefusal: when it is not signed by one of the keys.
    """
    text = fetch("checkpoint")
    try:
        return checkpoint.open_signed(text, keys), text.decode()
    except checkpoint.CheckpointError as error:
        raise MirrorRefusal(str(error)) from error


def read_entries(fetch: Fetch, start: int, end: int) -> Iterator[bytes]:
    """Yield the entries from `start` to `end` (excluded), unverified.

    Raises:
        MirrorRefusal: when a bundle holds another number of entries than it must.
    """
    for index in range(start // WIDTH, -(-end // WIDTH)):
        width = min(WIDTH, end - index * WIDTH)
        path = tiles.format_path(TilePath(None, index, width))
        try:
            found = tiles.parse_bundle(fetch(f"tile/{path}"))
        except tiles.TileError as error:
            raise MirrorRefusal(f"tile/{path}: {error}") from error
        if len(found) != width:
            raise MirrorRefusal(f"tile/{path} holds {len(found)} entries, not {width}.")
        yield from found[max(0, start - index * WIDTH) :]


class Mirror:
    """One log's copy in a folder."""

    def __init__(self, folder: Path, keys: Sequence[note.VerifierKey], fetch: Fetch) -> None:
        """Take the folder, the log's keys as the operator has them, and the source."""
        self._folder = folder
        self._keys = keys
        self._fetch = fetch

    def follow(self) -> Followed:
        """Bring the copy up to the source's newest checkpoint, verifying every entry.

        A crash leaves files beyond the copy's checkpoint, which the next round writes again.

        Raises:
            MirrorRefusal: when the source contradicts what it signed; the evidence is kept.
        """
        head, text = read_head(self._fetch, self._keys)
        mine = self._own_head()
        if mine is not None and head.size < mine.size:
            self._refuse(head, text, f"the log had {mine.size} entries and shows {head.size}")
        size = mine.size if mine else 0
        nodes = tiles.TileNodes(self._read_tiles)
        edge = self._own_edge(mine, nodes)
        growing = dict(self._read_tiles(tiles.growing_tiles(size)))
        for bodies in _grouped(read_entries(self._fetch, size, head.size), size):
            hashes = [merkle.leaf_hash(each) for each in bodies]
            changed = tiles.extend(edge.size, growing, hashes)
            for each in hashes:
                edge.append(each)
            growing.update(changed)
            self._write(changed, edge.size, bodies)
        if edge.root() != head.root:
            self._refuse(head, text, "its entries do not give the root that it signed")
        self._put("checkpoint", text.encode())
        return Followed(head.size, head.size - size)

    def check(self) -> Followed:
        """Read the whole copy again and verify it against its own checkpoint.

        Raises:
            MirrorRefusal: when a byte of it has changed.
        """
        own = open_source(str(self._folder))
        head, _ = read_head(own, self._keys)
        found = merkle.root(merkle.leaf_hash(each) for each in read_entries(own, 0, head.size))
        if found != head.root:
            raise MirrorRefusal("The copy's entries do not give the root of its checkpoint.")
        return Followed(head.size, 0)

    def _own_head(self) -> TreeHead | None:
        if not (self._folder / "checkpoint").exists():
            return None
        return read_head(open_source(str(self._folder)), self._keys)[0]

    def _own_edge(self, mine: TreeHead | None, nodes: tiles.TileNodes) -> merkle.RightEdge:
        """Return the copy's right edge, if its tiles still give the root of its checkpoint."""
        if mine is None:
            return merkle.RightEdge()
        try:
            edge = merkle.right_edge(mine.size, nodes)
        except tiles.TileError as error:
            raise MirrorRefusal(f"The copy is damaged: {error}") from error
        if edge.root() != mine.root:
            raise MirrorRefusal("The copy is damaged: its tiles do not give its own root.")
        return edge

    def _read_tiles(self, wanted: Collection[TileId]) -> dict[TileId, bytes]:
        """Return the widest stored content of each tile."""
        found = {}
        for tile in wanted:
            whole = self._folder / "tile" / tiles.path_of(tile)
            partials = whole.with_name(f"{whole.name}.p")
            if whole.is_file():
                found[tile] = whole.read_bytes()
            elif partials.is_dir():
                widest = max(int(each.name) for each in partials.iterdir() if each.name.isdigit())
                found[tile] = (partials / str(widest)).read_bytes()
        return found

    def _write(self, changed: dict[TileId, bytes], size: int, bodies: list[bytes]) -> None:
        for tile, data in changed.items():
            path = TilePath(tile.level, tile.index, len(data) // merkle.HASH_BYTES)
            self._put(f"tile/{tiles.format_path(path)}", data)
        index = (size - 1) // WIDTH
        width = size - index * WIDTH
        if len(bodies) < width:
            # The bundle began in an earlier round: what was in it then is on disk.
            known = read_entries(open_source(str(self._folder)), index * WIDTH, size - len(bodies))
            bodies = [*known, *bodies]
        path = TilePath(None, index, width)
        self._put(f"tile/{tiles.format_path(path)}", tiles.format_bundle(bodies))

    def _put(self, name: str, data: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(path, data, READABLE)

    def _refuse(self, head: TreeHead, text: str, why: str) -> None:
        """Keep the checkpoint that cannot be true beside the one that was taken over, and stop."""
        name = f"refused-{head.size}-{head.root.hex()[:16]}"
        self._folder.mkdir(parents=True, exist_ok=True)
        replace_durably(self._folder / name, text.encode(), READABLE)
        raise MirrorRefusal(
            f"{why}. Kept as {self._folder / name}; with the copy's own checkpoint it is evidence."
        )


@dataclass(frozen=True, slots=True)
class _Web:
    address: str

    def read(self, name: str) -> bytes:
        url = f"{self.address}/{name}"
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - http(s) by open_source
            data: bytes = answer.read(MAX_FILE_BYTES)
        return data


@dataclass(frozen=True, slots=True)
class _Bundle:
    archive: zipfile.ZipFile

    def read(self, name: str) -> bytes:
        inside = f"log/{name}" if name.startswith("tile/") else name
        try:
            if self.archive.getinfo(inside).file_size > MAX_FILE_BYTES:
                raise OSError(f"{inside} is too large")
            return self.archive.read(inside)
        except KeyError:
            raise FileNotFoundError(f"the bundle holds no {inside}") from None


def _grouped(entries: Iterator[bytes], start: int) -> Iterator[list[bytes]]:
    """Yield the entries in pieces that end where a tile of leaf hashes ends."""
    group: list[bytes] = []
    for position, each in enumerate(entries, start=start + 1):
        group.append(each)
        if position % WIDTH == 0:
            yield group
            group = []
    if group:
        yield group
