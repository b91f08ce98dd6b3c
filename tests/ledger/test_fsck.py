"""The nightly check: it passes a sound record and names the first thing that does not hold."""

import pytest
from django.core.management import CommandError, call_command

from oversight.ledger import fsck
from oversight.ledger.models import Checkpoint
from oversight.ledger.sequencer import sequence_once
from tests.ledger.tampering import set_back_to, triggers_off

pytestmark = pytest.mark.django_db


def check(capsys):
    call_command("log_fsck")
    return capsys.readouterr().out


def finding():
    with pytest.raises(CommandError) as caught:
        call_command("log_fsck")
    assert caught.value.returncode == 1
    return str(caught.value)


def tamper(statement, *parameters):
    with triggers_off() as cursor:
        cursor.execute(statement, parameters)
        assert cursor.rowcount > 0


def test_an_empty_record_holds(capsys):
    assert "0 entries, 0 tiles, 0 checkpoints" in check(capsys)
    sequence_once()
    assert "0 entries, 0 tiles, 1 checkpoints" in check(capsys)


def test_a_sound_record_holds_also_with_entries_not_signed_yet(make_record, make_leaves, capsys):
    make_record(1, 255, 256, 257, 700)
    assert "700 entries, 5 tiles, 6 checkpoints" in check(capsys)
    make_leaves(1)
    assert "700 entries" in check(capsys)


@pytest.mark.parametrize("index", [0, 255, 256, 299])
def test_one_flipped_bit_in_a_row_is_found_and_named(index, make_record):
    make_record(300)
    tamper(
        "UPDATE ledger_ledgerentry SET body = set_byte(body, 20, get_byte(body, 20) # 1) "
        "WHERE index = %s",
        index,
    )
    assert f"First bad index: {index}." in finding()


def test_a_row_rewritten_together_with_its_hash_is_found_and_named(make_record):
    make_record(300)
    tamper(
        "UPDATE ledger_ledgerentry SET (body, leaf_hash, type, actor, subject) = "
        "(SELECT body, leaf_hash, type, actor, subject FROM ledger_ledgerentry WHERE index = 4) "
        "WHERE index = 270"
    )
    message = finding()
    assert "First bad index: 270." in message
    assert "tile 0/001" in message


def test_columns_beside_the_bytes_must_say_what_the_bytes_say(make_record):
    make_record(5)
    tamper("UPDATE ledger_ledgerentry SET actor = 'person:other' WHERE index = 2")
    assert "First bad index: 2. Entry 2: its actor" in finding()


@pytest.mark.parametrize(("removed", "named"), [(0, 0), (2, 2), (4, 4)])
def test_a_missing_entry_is_named(removed, named, make_record):
    make_record(5)
    tamper("DELETE FROM ledger_ledgerentry WHERE index = %s", removed)
    assert f"Entry {named} is missing" in finding()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE ledger_tile SET data = set_byte(data, 70, 0) WHERE level = 0", "index: 2."),
        ("DELETE FROM ledger_tile WHERE level = 0 AND index = 1", "index: 256."),
        ("UPDATE ledger_tile SET data = set_byte(data, 7, 0) WHERE level = 1", "Tile 1/000"),
        ("UPDATE ledger_tile SET data = data || data WHERE level = 1", "Tile 1/000 is wider"),
        ("INSERT INTO ledger_tile VALUES (5, 9, '\\x00')", "Tile 5/009 is wider"),
    ],
)
def test_tiles_that_do_not_follow_from_the_entries_are_found(statement, named, make_record):
    make_record(300)
    tamper(statement)
    assert named in finding()


def test_a_wrong_head_is_found(make_record):
    make_record(5)
    tamper("UPDATE ledger_head SET root = %s", "sha256:" + "0" * 64)
    assert "do not give the root" in finding()


def test_entries_beyond_the_head_are_found(make_record):
    make_record(3, 5)
    tamper("DELETE FROM ledger_checkpoint WHERE size = 5")
    tamper(
        "UPDATE ledger_head SET (size, root) = (SELECT size, root FROM ledger_checkpoint "
        "WHERE size = 3)"
    )
    assert "First bad index: 3." in finding()


def test_a_checkpoint_beyond_the_head_is_found(make_record):
    make_record(3, 5)
    tamper(
        "UPDATE ledger_head SET (size, root) = (SELECT size, root FROM ledger_checkpoint "
        "WHERE size = 3)"
    )
    assert "newest checkpoint covers 5" in finding()


def test_a_changed_checkpoint_is_found(make_record):
    make_record(3, 5)
    tamper(
        "UPDATE ledger_checkpoint SET note = replace(note, chr(10) || '3' || chr(10), "
        "chr(10) || '4' || chr(10)) WHERE size = 3"
    )
    assert "checkpoint of 3 entries: The signature" in finding()


def test_a_past_that_was_rewritten_with_all_its_tiles_contradicts_the_checkpoints(make_record):
    make_record(3, 5)
    tamper(
        "UPDATE ledger_checkpoint SET note = "
        "(SELECT note FROM ledger_checkpoint WHERE size = 5) WHERE size = 3"
    )
    assert "no longer give the root that was signed" in finding()


def test_a_database_older_than_its_signer_is_reported(make_record):
    make_record(3, 5)
    set_back_to(3, Checkpoint.objects.get(size=3).root)
    assert "5 were already signed" in finding()


def test_a_damaged_signer_state_is_reported(make_record, settings):
    make_record(3)
    state = settings.LEDGER_SIGNER_STATE_PATH
    state.write_text(state.read_text().replace('"size": 3', '"size": 4'))
    assert "signer's state" in finding()


def test_the_check_reads_up_to_the_head_it_began_with(make_record, make_leaves, monkeypatch):
    make_record(3)
    make_leaves(2)
    original = fsck._compare_tiles

    def grow_meanwhile(changed):
        sequence_once()
        original(changed)

    monkeypatch.setattr(fsck, "_compare_tiles", grow_meanwhile)
    assert fsck.check_record().entries == 3
