"""The record as files: complete, in order, byte-identical when rebuilt, and never half written."""

import random

import pytest

from oversight.ledger import durable, public_folder, queries
from oversight.ledger.public_folder import PublicFolder
from tests.ledger.crashes import contents
from tests.ledger.test_startup import make_record_further

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process is gone."""


def test_the_files_are_what_the_log_answers(client, make_record, tmp_path):
    make_record(1, 255, 256, 257, 700)
    folder = tmp_path / "public"
    assert PublicFolder(folder).publish() == 700
    found = contents(folder)
    for path, data in found.items():
        answer = client.get(f"/log/{path}")
        assert answer.status_code == 200, path
        assert answer.content == data, path
    tiles = {path for path in found if path.startswith("tile/")}
    assert tiles == {
        *(f"tile/{kind}/{n}" for kind in ("0", "entries") for n in ("000", "001")),
        "tile/0/002.p/188",
        "tile/entries/002.p/188",
        "tile/1/000.p/1",
        "tile/1/000.p/2",
    }


def test_a_folder_that_grew_is_the_folder_built_at_once(make_record, tmp_path):
    drawn = random.Random(5)
    make_record(1)
    grown = PublicFolder(tmp_path / "grown")
    size = 1
    while size < 800:
        grown.publish()
        size += drawn.choice((1, 2, 7, 40, 150))
        make_record_further(size)
    grown.publish()
    PublicFolder(tmp_path / "at-once").publish()
    assert contents(tmp_path / "grown") == contents(tmp_path / "at-once")


def test_partial_tiles_stay_until_the_full_one_stands(make_record, tmp_path):
    make_record(3, 5)
    folder = tmp_path / "public"
    PublicFolder(folder).publish()
    assert sorted(p.name for p in (folder / "tile/0/000.p").iterdir()) == ["3", "5"]
    make_record_further(256)
    PublicFolder(folder).publish()
    assert not (folder / "tile/0/000.p").exists()
    assert not (folder / "tile/entries/000.p").exists()
    assert (folder / "tile/0/000").stat().st_size == 8192


@pytest.mark.parametrize("step", range(40))
def test_killed_at_any_step_it_ends_as_if_nothing_had_happened(
    step, make_record, tmp_path, monkeypatch
):
    """Each write is a step before, in and after which the process can be gone."""
    make_record(2, 255, 300)
    folder = tmp_path / "public"
    at = {"left": step}
    original_write, original_sync = durable.write_durably, durable.sync_folder

    def count():
        at["left"] -= 1
        if at["left"] < 0:
            raise Killed

    def write(path, data, *rest):
        if at["left"] == 0:
            path.write_bytes(data[: len(data) // 2])
        count()
        original_write(path, data, *rest)

    def sync(path):
        count()
        original_sync(path)

    monkeypatch.setattr(durable, "write_durably", write)
    monkeypatch.setattr(durable, "sync_folder", sync)
    monkeypatch.setattr(public_folder, "sync_folder", sync)
    try:
        PublicFolder(folder).publish()
    except Killed:
        published = PublicFolder(folder).checkpoint()
        # What is published is complete, or nothing is.
        assert published in (None, queries.newest_checkpoint().note)
    monkeypatch.undo()
    PublicFolder(folder).publish()
    PublicFolder(tmp_path / "fresh").publish()
    found = contents(folder)
    assert {path: data for path, data in found.items() if not path.endswith(".draft")} == contents(
        tmp_path / "fresh"
    )


def test_nothing_is_written_when_nothing_is_new(make_record, tmp_path, monkeypatch):
    make_record(10)
    folder = PublicFolder(tmp_path / "public")
    folder.publish()
    monkeypatch.setattr(public_folder, "replace_durably", None)
    assert folder.publish() == 10
