"""The log over HTTP: what is served parses and verifies with the pure code alone."""

import pytest
from django.core.management import call_command

from oversight.ledger import checkpoint, merkle, note, proof, tiles
from oversight.ledger.models import Checkpoint, LedgerEntry
from oversight.ledger.tiles import TileId, TilePath

pytestmark = pytest.mark.django_db

SIZES = (1, 255, 256, 257, 700)


class LogReader:
    """A stranger who knows the address of the log and nothing else."""

    def __init__(self, client):
        self.client = client
        self.key = note.VerifierKey.parse(self.get("vkey").content.decode().removesuffix("\n"))
        self.head = checkpoint.open_signed(self.get("checkpoint").content, [self.key])

    def get(self, path):
        response = self.client.get(f"/log/{path}")
        assert response.status_code == 200, path
        return response

    def tile(self, level, index):
        width = tiles.width_at(TileId(level or 0, index), self.head.size)
        return self.get(f"tile/{tiles.format_path(TilePath(level, index, width))}").content

    def nodes(self):
        def read(wanted):
            return {tile: self.tile(tile.level, tile.index) for tile in wanted}

        return tiles.TileNodes(read)

    def entries(self):
        bundles = range(-(-self.head.size // 256))
        return [entry for n in bundles for entry in tiles.parse_bundle(self.tile(None, n))]


@pytest.mark.parametrize("size", SIZES)
def test_a_stranger_rebuilds_the_signed_root_from_entries_and_from_tiles(size, client, make_record):
    make_record(size)
    reader = LogReader(client)
    assert reader.head.size == size
    entries = reader.entries()
    hashes = [merkle.leaf_hash(each) for each in entries]
    assert merkle.root(hashes) == reader.head.root
    assert merkle.right_edge(size, reader.nodes()).root() == reader.head.root
    stored = b"".join(reader.tile(0, n) for n in range(-(-size // 256)))
    assert stored == b"".join(hashes)


def test_receipts_of_a_growing_log_verify_and_its_checkpoints_are_consistent(client, make_record):
    make_record(*SIZES)
    reader = LogReader(client)
    entries = reader.entries()
    for index in (0, 1, 254, 255, 256, 699):
        receipt = proof.parse(reader.get(f"proof/{index}").content.decode())
        assert receipt.index == index
        assert receipt.verify(entries[index], [reader.key]) == reader.head
    for row in Checkpoint.objects.order_by("size"):
        old = checkpoint.open_signed(row.note.encode(), [reader.key])
        path = merkle.prove_consistency(old.size, reader.head.size, reader.nodes())
        merkle.verify_consistency(old.size, reader.head.size, old.root, reader.head.root, path)


def test_partial_tiles_of_earlier_checkpoints_stay_served(client, make_record):
    make_record(3, 300)
    full = client.get("/log/tile/0/000").content
    assert len(full) == 8192
    assert client.get("/log/tile/0/000.p/3").content == full[:96]
    assert len(tiles.parse_bundle(client.get("/log/tile/entries/000.p/3").content)) == 3
    assert client.get("/log/tile/1/000.p/1").content == merkle.root(tiles.split_hashes(full))


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000",
        "tile/0/000.p/8",
        "tile/0/001.p/1",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/000.p/8",
        "tile/entries/001",
        "tile/0/0",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/64/000",
        "tile/0/x000/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/nonsense",
        "tile/0/../../checkpoint",
        "proof/7",
        "proof/99999999999999999999999",
        "proof/-1",
        "proof/x",
    ],
)
def test_what_the_checkpoint_does_not_cover_is_not_found(path, client, make_record):
    make_record(7)
    assert client.get(f"/log/{path}").status_code == 404


def test_entries_that_are_not_signed_yet_are_not_served(client, make_record, make_leaves):
    make_record(2)
    make_leaves(1)
    from oversight.ledger.sequencer import store_batch

    store_batch()
    assert LedgerEntry.objects.count() == 3
    assert client.get("/log/tile/0/000.p/2").status_code == 200
    for path in ("tile/0/000.p/3", "tile/entries/000.p/3", "proof/2"):
        assert client.get(f"/log/{path}").status_code == 404


@pytest.mark.parametrize("path", ["checkpoint", "vkey", "tile/0/000.p/1", "proof/0"])
def test_before_the_first_checkpoint_nothing_is_found(path, client):
    assert client.get(f"/log/{path}").status_code == 404


@pytest.mark.parametrize(
    ("path", "content_type", "caching"),
    [
        ("checkpoint", "text/plain; charset=utf-8", "max-age=2"),
        ("vkey", "text/plain; charset=utf-8", "max-age=2"),
        ("proof/0", "text/plain; charset=utf-8", "max-age=2"),
        ("tile/0/000.p/2", "application/octet-stream", "immutable"),
        ("tile/entries/000.p/2", "application/octet-stream", "immutable"),
    ],
)
def test_anyone_may_read_with_the_right_headers_and_nobody_may_write(
    path, content_type, caching, client, make_record
):
    make_record(2)
    address = f"/log/{path}"
    response = client.get(address)
    assert response.status_code == 200
    assert response["Content-Type"] == content_type
    assert caching in response["Cache-Control"]
    assert response["Access-Control-Allow-Origin"] == "*"
    head = client.head(address)
    assert (head.status_code, head.content) == (200, b"")
    for method in (client.post, client.put, client.patch, client.delete):
        assert method(address).status_code == 405


def test_tiles_are_read_with_few_queries(client, make_record, django_assert_max_num_queries):
    make_record(300)
    for path, most in [
        ("checkpoint", 1),
        ("tile/0/001.p/44", 2),
        ("tile/entries/000", 2),
        ("proof/17", 4),
    ]:
        with django_assert_max_num_queries(most):
            assert client.get(f"/log/{path}").status_code == 200


def test_the_served_key_is_the_one_the_command_prints(client, make_record, capsys):
    make_record(1)
    call_command("log_key")
    assert capsys.readouterr().out == client.get("/log/vkey").content.decode()
