"""A log written by another implementation is read and verified by ours, file by file."""

from itertools import pairwise
from pathlib import Path

import pytest

from oversight.ledger import checkpoint, merkle, note, tiles
from oversight.ledger.encoding import to_base64

LOG = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "tessera-log"
SIZES = range(16)

pytestmark = pytest.mark.skipif(
    not LOG.exists(), reason="the shared log is not beside the repository"
)


@pytest.fixture(scope="module")
def key():
    return note.VerifierKey.parse(
        "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
    )


@pytest.fixture(scope="module")
def heads(key):
    return [checkpoint.open_signed((LOG / f"checkpoint.{n}").read_bytes(), [key]) for n in SIZES]


def read_tile(level, size):
    path = tiles.format_path(tiles.TilePath(level, 0, size))
    return (LOG / "tile" / path).read_bytes()


def nodes_at(size):
    return tiles.TileNodes(lambda wanted: {tile: read_tile(tile.level, size) for tile in wanted})


def test_every_checkpoint_is_signed_and_states_its_size(heads, key):
    assert [head.size for head in heads] == list(SIZES)
    assert {head.origin for head in heads} == {"example.com/log/testdata"}
    assert checkpoint.open_signed((LOG / "checkpoint").read_bytes(), [key]) == heads[15]
    assert to_base64(heads[15].root) == "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="


def test_the_entries_of_every_size_give_the_signed_root(heads):
    for head in heads[1:]:
        entries = tiles.parse_bundle(read_tile(None, head.size))
        assert len(entries) == head.size
        hashes = [merkle.leaf_hash(each) for each in entries]
        assert merkle.root(hashes) == head.root
        assert tiles.split_hashes(read_tile(0, head.size)) == hashes
    assert heads[0].root == merkle.EMPTY_ROOT


def test_every_pair_of_checkpoints_is_consistent(heads):
    for new in heads[1:]:
        nodes = nodes_at(new.size)
        for old in heads[: new.size + 1]:
            proof = merkle.prove_consistency(old.size, new.size, nodes)
            merkle.verify_consistency(old.size, new.size, old.root, new.root, proof)
    for old, new in pairwise(heads[1:]):
        with pytest.raises(merkle.ProofError):
            merkle.verify_consistency(old.size, new.size, new.root, old.root, [])


def test_every_entry_is_included_in_every_later_checkpoint(heads):
    entries = tiles.parse_bundle(read_tile(None, 15))
    for head in heads[1:]:
        nodes = nodes_at(head.size)
        for index in range(head.size):
            proof = merkle.prove_inclusion(index, head.size, nodes)
            leaf = merkle.leaf_hash(entries[index])
            merkle.verify_inclusion(index, head.size, leaf, proof, head.root)
