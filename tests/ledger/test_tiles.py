"""Tile paths, contents and bundles; node hashes read from tiles equal those of the tree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.ledger import merkle, tiles
from oversight.ledger.tiles import TileId, TilePath

SEVENTY_THOUSAND = 70_000


def leaf_hashes(start, end):
    return [merkle.leaf_hash(str(number).encode()) for number in range(start, end)]


def grow(sizes):
    """Return all tiles of a tree that grew through these sizes."""
    stored = {}
    size = 0
    for target in sizes:
        growing = {tile: stored[tile] for tile in tiles.growing_tiles(size)}
        stored |= tiles.extend(size, growing, leaf_hashes(size, target))
        size = target
    return stored


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (TilePath(0, 0), "0/000"),
        (TilePath(0, 5), "0/005"),
        (TilePath(2, 1_234_067), "2/x001/x234/067"),
        (TilePath(0, 1000), "0/x001/000"),
        (TilePath(63, 999, 255), "63/999.p/255"),
        (TilePath(None, 273, 112), "entries/273.p/112"),
        (TilePath(None, 1_234_067), "entries/x001/x234/067"),
    ],
)
def test_paths_are_written_and_read_as_the_format_says(path, text):
    assert tiles.format_path(path) == text
    assert tiles.parse_path(text) == path


@given(
    st.none() | st.integers(0, 63),
    st.integers(0, 10**15),
    st.integers(1, 256),
)
def test_every_path_reads_back(level, index, width):
    path = TilePath(level, index, width)
    assert tiles.parse_path(tiles.format_path(path)) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0/5",
        "0/0005",
        "0/1000",
        "0/x000/005",
        "0/x001",
        "0/001/005",
        "0/X001/005",
        "00/005",
        "64/000",
        "-1/000",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "0/000.p/",
        "0/000.p",
        "0/000/",
        "0/../000",
        "0/000\n",
        "0/٠٠٠",
        "entries/",
        "entries/000.p/999",
        "0/x001/x001/x001/x001/x001/x001/x001/001",
    ],
)
def test_any_other_spelling_of_a_path_is_refused(text):
    with pytest.raises(tiles.TileError):
        tiles.parse_path(text)


def test_a_tree_of_seventy_thousand_has_the_tiles_the_format_counts():
    assert tiles.growing_tiles(SEVENTY_THOUSAND) == [TileId(0, 273), TileId(1, 1), TileId(2, 0)]
    widths = [
        [tiles.width_at(TileId(level, index), SEVENTY_THOUSAND) for index in range(275)]
        for level in range(4)
    ]
    assert widths[0] == [256] * 273 + [112, 0]
    assert widths[1][:3] == [256, 17, 0]
    assert widths[2][:2] == [1, 0]
    assert widths[3][0] == 0


@given(st.lists(st.integers(0, 700), max_size=6))
def test_a_tree_that_grew_in_steps_has_the_tiles_of_one_that_grew_at_once(steps):
    sizes = sorted(steps)
    assert grow(sizes) == grow(sizes[-1:])


def test_tiles_of_a_large_tree_hold_the_hashes_of_full_tiles_below():
    stored = grow([65_600])
    assert stored[TileId(2, 0)] == merkle.root(tiles.split_hashes(stored[TileId(1, 0)]))
    assert TileId(1, 1) not in stored
    assert len(stored[TileId(0, 256)]) == 64 * 32


@given(st.data())
def test_proofs_read_from_tiles_verify_against_the_root_of_the_leaves(data):
    size = data.draw(st.integers(1, 700))
    stored = grow([size])
    asked = []

    def read(wanted):
        asked.append(wanted)
        return {tile: stored[tile] for tile in wanted}

    hashes = leaf_hashes(0, size)
    root = merkle.root(hashes)
    nodes = tiles.TileNodes(read)
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.prove_inclusion(index, size, nodes)
    merkle.verify_inclusion(index, size, hashes[index], proof, root)
    old = data.draw(st.integers(0, size))
    consistency = merkle.prove_consistency(old, size, tiles.TileNodes(read))
    merkle.verify_consistency(old, size, merkle.root(hashes[:old]), root, consistency)
    assert merkle.right_edge(size, nodes).root() == root
    assert len(asked) <= 3  # each proof asks for all its tiles at once


def test_an_older_tree_is_provable_from_tiles_that_have_grown_since():
    stored = grow([700])
    nodes = tiles.TileNodes(lambda wanted: {tile: stored[tile] for tile in wanted})
    hashes = leaf_hashes(0, 300)
    proof = merkle.prove_inclusion(299, 300, nodes)
    merkle.verify_inclusion(299, 300, hashes[299], proof, merkle.root(hashes))


def test_a_tile_of_a_wrong_width_is_not_extended():
    with pytest.raises(tiles.TileError, match="0/000"):
        tiles.extend(3, {TileId(0, 0): bytes(64)}, leaf_hashes(3, 4))
    with pytest.raises(tiles.TileError, match="0/001"):
        tiles.extend(257, {TileId(1, 0): bytes(32)}, leaf_hashes(257, 258))


def test_a_missing_or_short_tile_is_named():
    with pytest.raises(tiles.TileError, match="0/000"):
        tiles.TileNodes(lambda wanted: {})([merkle.Node(0, 0)])
    with pytest.raises(tiles.TileError, match="0/000"):
        tiles.TileNodes(lambda wanted: {TileId(0, 0): bytes(32)})([merkle.Node(1, 0)])


@given(st.lists(st.binary(max_size=90), max_size=256))
def test_entries_read_back_from_their_bundle(entries):
    assert tiles.parse_bundle(tiles.format_bundle(entries)) == entries


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x02a", b"\x00\x01ab"])
def test_a_bundle_cut_short_is_refused(data):
    with pytest.raises(tiles.TileError, match="middle of an entry"):
        tiles.parse_bundle(data)


def test_a_bundle_holds_at_most_256_entries_of_at_most_65535_bytes():
    with pytest.raises(tiles.TileError, match="at most 256"):
        tiles.parse_bundle(b"\x00\x00" * 257)
    with pytest.raises(tiles.TileError, match="too long"):
        tiles.format_bundle([bytes(65_536)])
    assert tiles.format_bundle([bytes(65_535)])[:2] == b"\xff\xff"
