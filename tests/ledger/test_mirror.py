"""Mirrors verify as they follow; lost entries come back from them, or nothing does."""

import re
import zipfile

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from oversight.ledger import bundle, fsck, mirror, note, queries, recovery, restoring, services
from oversight.ledger.mirror import Mirror, MirrorRefusal
from oversight.ledger.models import Checkpoint, LedgerEntry, PendingLeaf
from oversight.ledger.public_folder import PublicFolder
from oversight.ledger.sequencer import make_signer, sequence_once
from tests.ledger.crashes import contents
from tests.ledger.tampering import set_back_to, triggers_off
from tests.ledger.test_startup import make_record_further

pytestmark = pytest.mark.django_db


@pytest.fixture
def fetch(client):
    """Return a reader of the log as it is served."""

    def read(name):
        answer = client.get(f"/log/{name}")
        if answer.status_code != 200:
            raise OSError(f"{name}: {answer.status_code}")
        return answer.content

    return read


def keys():
    return [note.VerifierKey.parse(make_signer().vkey)]


def test_a_mirror_follows_a_growing_log_and_is_what_the_log_publishes(make_record, fetch, tmp_path):
    make_record(1)
    copy = Mirror(tmp_path / "copy", keys(), fetch)
    size = 1
    for target in (1, 3, 255, 256, 257, 700, 700):
        make_record_further(target)
        found = copy.follow()
        assert (found.size, found.new) == (target, target - size if target != 1 else 1)
        size = target
        assert copy.check().size == target
    published = tmp_path / "published"
    PublicFolder(published).publish()
    mine, theirs = contents(tmp_path / "copy"), contents(published)
    whole = [path for path in theirs if ".p/" not in path and path != "vkey"]
    assert {path: mine[path] for path in whole} == {path: theirs[path] for path in whole}


@pytest.mark.parametrize("name", ["tile/entries/000", "tile/entries/001.p/44", "checkpoint"])
def test_a_changed_source_is_refused_and_nothing_taken_over(name, make_record, fetch, tmp_path):
    make_record(300)

    def lying(path):
        data = fetch(path)
        return (
            data.replace(b"thing", b"thong", 1).replace(b"\n300\n", b"\n299\n")
            if path == name
            else data
        )

    copy = Mirror(tmp_path / "copy", keys(), lying)
    with pytest.raises(MirrorRefusal):
        copy.follow()
    assert not (tmp_path / "copy" / "checkpoint").exists()
    assert Mirror(tmp_path / "copy", keys(), fetch).follow().size == 300


def test_a_log_that_was_set_back_is_kept_as_evidence(make_record, fetch, tmp_path):
    make_record(5, 9)
    copy = Mirror(tmp_path / "copy", keys(), fetch)
    copy.follow()
    set_back_to(5, Checkpoint.objects.get(size=5).root)
    with pytest.raises(MirrorRefusal, match="had 9 entries and shows 5"):
        copy.follow()
    kept = next((tmp_path / "copy").glob("refused-5-*"))
    assert kept.read_text() == Checkpoint.objects.get(size=5).note
    assert copy.check().size == 9


def test_a_bit_that_flips_in_the_copy_is_found(make_record, fetch, tmp_path):
    make_record(300)
    copy = Mirror(tmp_path / "copy", keys(), fetch)
    copy.follow()
    path = tmp_path / "copy" / "tile/entries/000"
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    with pytest.raises(MirrorRefusal, match="do not give the root"):
        copy.check()


@pytest.mark.parametrize("kind", ["mirror", "published", "bundle"])
def test_lost_entries_come_back_and_the_log_goes_on(
    kind, make_record, make_leaves, fetch, tmp_path, settings
):
    make_record(5, 300)
    receipt = queries.receipt_at(250).text
    bodies = list(LedgerEntry.objects.order_by("index").values_list("body", flat=True))
    source = str(tmp_path / kind)
    if kind == "mirror":
        Mirror(tmp_path / kind, keys(), fetch).follow()
    elif kind == "published":
        PublicFolder(tmp_path / kind).publish()
    else:
        write_bundle(tmp_path / kind)
    lose_entries_from(5)
    with pytest.raises(Exception, match=r"already signed"):
        sequence_once()
    assert restoring.recover(mirror.open_source(source), make_signer().vkey) == 295
    assert list(LedgerEntry.objects.order_by("index").values_list("body", flat=True)) == bodies
    assert fsck.check_record().entries == 300
    assert services.check_receipt(receipt).ok
    recovery.begin(make_signer(), PublicFolder(settings.LEDGER_PUBLIC_DIR), lambda line: None)
    make_leaves(1)
    assert sequence_once() == 1
    assert restoring.recover(mirror.open_source(source), make_signer().vkey) == 0


def write_bundle(path):
    """Write an audit bundle of the whole log."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in bundle.log_files(bundle.newest_head()):
            archive.writestr(name, data)


def lose_entries_from(size):
    """Make the database what a backup from that size would restore, upper tiles included."""
    with triggers_off() as cursor:
        cursor.execute("DELETE FROM ledger_tile WHERE level > 0 OR index > 0")
    set_back_to(size, Checkpoint.objects.get(size=size).root)


def test_a_leaf_that_waits_again_keeps_its_name(make_record, make_leaves, tmp_path):
    make_record(5)
    leaf = make_leaves(1)[0]
    sequence_once()
    PublicFolder(tmp_path / "published").publish()
    root = Checkpoint.objects.get(size=5).root
    set_back_to(5, root)
    with transaction.atomic():
        PendingLeaf.objects.create(
            id=leaf.id,
            body=leaf.body,
            leaf_hash=leaf.leaf_hash,
            type=leaf.type,
            actor=leaf.actor,
            subject=leaf.subject,
        )
    restoring.recover(mirror.open_source(str(tmp_path / "published")), make_signer().vkey)
    assert LedgerEntry.objects.get(index=5).leaf_id == leaf.id
    assert not PendingLeaf.objects.exists()


def test_a_source_that_does_not_continue_the_stored_tree_brings_nothing_back(
    make_record, tmp_path, settings
):
    make_record(5, 9)
    PublicFolder(tmp_path / "published").publish()
    set_back_to(5, Checkpoint.objects.get(size=5).root)
    path = tmp_path / "published/tile/entries/000.p/9"
    path.write_bytes(path.read_bytes().replace(b"thing:7", b"thing:8"))
    with pytest.raises(MirrorRefusal, match="Nothing was taken over"):
        restoring.recover(mirror.open_source(str(tmp_path / "published")), make_signer().vkey)
    assert LedgerEntry.objects.count() == 5
    settings.LEDGER_KEY_PATH.unlink()
    settings.LEDGER_SIGNER_STATE_PATH.unlink()
    Checkpoint.objects.none()
    other = note.VerifierKey.parse(make_signer().vkey)
    with pytest.raises(MirrorRefusal, match="not signed by a known key"):
        mirror.read_head(mirror.open_source(str(tmp_path / "published")), [other])


def test_the_commands_say_what_they_did(make_record, tmp_path, capsys, settings):
    make_record(5)
    call_command("log", "publish", str(tmp_path / "files"))
    call_command("log", "fsck")
    source, copy = str(tmp_path / "files"), str(tmp_path / "copy")
    call_command("log", "mirror", source, copy, "--vkey", make_signer().vkey, "--check")
    call_command("log", "recover", copy)
    said = capsys.readouterr().out
    assert re.search(r"holds 5 entries", said)
    assert "The record holds: 5 entries" in said
    assert "5 entries verified, 5 of them new" in said
    assert "0 entries are back" in said
    with pytest.raises(CommandError, match="no address, folder or bundle"):
        call_command("log", "recover", "/nowhere")
