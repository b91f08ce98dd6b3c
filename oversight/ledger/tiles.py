"""Tiles and entry bundles (c2sp.org/tlog-tiles): paths, contents, and node hashes read from them.

A tile of level L holds up to 256 consecutive hashes of subtrees of `256**L` leaves. Only full tiles
are hashed upwards, so a tile's content at a smaller tree size is a prefix of its content now.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from oversight.ledger.merkle import HASH_BYTES, Node

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_LEVEL = 63
MAX_ENTRY_BYTES = 0xFFFF

_ENTRIES = "entries"
_PATH = re.compile(
    r"(?P<level>entries|0|[1-9][0-9]?)/(?P<groups>(x[0-9]{3}/){0,6}[0-9]{3})"
    r"(\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class TileError(ValueError):
    """A path or content that is not of a tile; the message says why."""


@dataclass(frozen=True, slots=True, order=True)
class TileId:
    """One tile, full or growing: the `index`-th of its `level`."""

    level: int
    index: int


@dataclass(frozen=True, slots=True)
class TilePath:
    """What a path under `tile/` asks for; `level` is None for an entry bundle."""

    level: int | None
    index: int
    width: int = WIDTH


TileReader = Callable[[Collection[TileId]], Mapping[TileId, bytes]]
"""Returns the stored content of each asked tile."""


def format_path(path: TilePath) -> str:
    """Return the path below `tile/`, for example `0/x001/x234/067.p/8`."""
    groups = [f"{path.index % 1000:03}"]
    rest = path.index // 1000
    while rest:
        groups.append(f"x{rest % 1000:03}")
        rest //= 1000
    level = _ENTRIES if path.level is None else str(path.level)
    partial = "" if path.width == WIDTH else f".p/{path.width}"
    return f"{level}/{'/'.join(reversed(groups))}{partial}"


def parse_path(text: str) -> TilePath:
    """Return what the path below `tile/` asks for.

    Raises:
        TileError: when it is not spelled in the one way that the format has for it.
    """
    match = _PATH.fullmatch(text)
    if match is None:
        raise TileError(f"{text[:60]!r} is not the path of a tile.")
    level = None if match["level"] == _ENTRIES else int(match["level"])
    index = int(match["groups"].replace("x", "").replace("/", ""))
    path = TilePath(level, index, int(match["width"] or WIDTH))
    # Writing it again refuses superfluous groups (`x000/005`) and a partial width of 256 or more.
    if path.width > WIDTH or (level or 0) > MAX_LEVEL or format_path(path) != text:
        raise TileError(f"{text[:60]!r} is not the usual spelling of a tile's path.")
    return path


def path_of(tile: TileId) -> str:
    """Return the path of the whole tile, to name it in messages."""
    return format_path(TilePath(tile.level, tile.index))


def width_at(tile: TileId, size: int) -> int:
    """Return how many hashes the tile has in a tree of `size` leaves: 0 to 256."""
    return max(0, min(WIDTH, (size >> (HEIGHT * tile.level)) - tile.index * WIDTH))


def growing_tiles(size: int) -> list[TileId]:
    """Return the tiles that are partly filled in a tree of `size` leaves, lowest level first."""
    tiles = []
    level, count = 0, size
    while count:
        if count % WIDTH:
            tiles.append(TileId(level, count // WIDTH))
        level, count = level + 1, count // WIDTH
    return tiles


def extend(
    size: int, growing: Mapping[TileId, bytes], leaf_hashes: Sequence[bytes]
) -> dict[TileId, bytes]:
    """Return the whole new content of every tile that changes when leaves are added.

    Args:
        size: the tree size before.
        growing: the content of `growing_tiles(size)`.
        leaf_hashes: the new leaf hashes, in order.

    Raises:
        TileError: when a growing tile is missing or has another width than the size says.
    """
    changed: dict[TileId, bytes] = {}
    level, hashes = 0, list(leaf_hashes)
    while hashes:
        upwards: list[bytes] = []
        for tile, first, piece in _by_tile(level, size >> (HEIGHT * level), hashes):
            before = growing.get(tile, b"")
            if len(before) != first * HASH_BYTES:
                path = path_of(tile)
                raise TileError(
                    f"Tile {path} holds {len(before)} bytes; a tree of {size} leaves needs "
                    f"{first * HASH_BYTES}."
                )
            changed[tile] = before + b"".join(piece)
            if first + len(piece) == WIDTH:
                upwards.append(perfect_root(changed[tile]))
        level, hashes = level + 1, upwards
    return changed


def _by_tile(
    level: int, position: int, hashes: Sequence[bytes]
) -> Iterator[tuple[TileId, int, Sequence[bytes]]]:
    """Yield each tile that takes some of the hashes, where they begin in it, and the hashes."""
    taken = 0
    while taken < len(hashes):
        index, first = divmod(position + taken, WIDTH)
        piece = hashes[taken : taken + WIDTH - first]
        yield TileId(level, index), first, piece
        taken += len(piece)


def split_hashes(data: bytes) -> list[bytes]:
    """Return the hashes of a tile's content, in order.

    Raises:
        TileError: when it is not 1 to 256 whole hashes.
    """
    if not data or len(data) % HASH_BYTES or len(data) > WIDTH * HASH_BYTES:
        raise TileError(f"{len(data)} bytes are not the content of a tile.")
    return [data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES)]


class TileNodes:
    """Reads the hashes of perfect subtrees out of tiles; keeps what it has read and hashed.

    An instance is a `merkle.ReadNodes`. Each call fetches all tiles it lacks at once.
    """

    def __init__(self, read_tiles: TileReader, known: Mapping[TileId, bytes] | None = None) -> None:
        """Take the reader of tiles, and contents that need not be read."""
        self._read_tiles = read_tiles
        self._tiles = dict(known or {})
        self._hashed: dict[Node, bytes] = {}

    def __call__(self, nodes: Sequence[Node]) -> list[bytes]:
        """Return the hash of each node.

        Raises:
            TileError: when a stored tile is too short to hold a node.
        """
        new = [node for node in nodes if node not in self._hashed]
        missing = {_tile_of(node) for node in new} - self._tiles.keys()
        if missing:
            self._tiles.update(self._read_tiles(missing))
        self._hashed.update({node: self._hash_of(node) for node in new})
        return [self._hashed[node] for node in nodes]

    def _hash_of(self, node: Node) -> bytes:
        tile = _tile_of(node)
        height = node.level % HEIGHT
        count = 1 << height
        first = (node.index << height) % WIDTH
        data = self._tiles.get(tile, b"")[first * HASH_BYTES : (first + count) * HASH_BYTES]
        if len(data) != count * HASH_BYTES:
            raise TileError(f"Tile {path_of(tile)} is too short or missing.")
        return perfect_root(data)


def perfect_root(hashes: bytes) -> bytes:
    """Return the root over a power of two of joined hashes, one level at a time.

    The same as `merkle.root` of them and several times as fast; proofs read little else.
    """
    while len(hashes) > HASH_BYTES:
        hashes = b"".join(
            sha256(b"\x01" + hashes[start : start + 2 * HASH_BYTES]).digest()
            for start in range(0, len(hashes), 2 * HASH_BYTES)
        )
    return hashes


def _tile_of(node: Node) -> TileId:
    level, height = divmod(node.level, HEIGHT)
    return TileId(level, (node.index << height) // WIDTH)


def format_bundle(entries: Iterable[bytes]) -> bytes:
    """Return the entry bundle of these entries: each with its length before it.

    Raises:
        TileError: when an entry is longer than 65,535 bytes.
    """
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise TileError(f"An entry of {len(entry)} bytes is too long for a bundle.")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def parse_bundle(data: bytes) -> list[bytes]:
    """Return the entries of an entry bundle.

    Raises:
        TileError: when it ends in the middle of an entry or holds more than 256.
    """
    entries = []
    position = 0
    while position < len(data):
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if start > len(data) or position > len(data):
            raise TileError("The entry bundle ends in the middle of an entry.")
        entries.append(data[start:position])
    if len(entries) > WIDTH:
        raise TileError(f"An entry bundle holds at most {WIDTH} entries.")
    return entries
