"""Batches, order, damage, and a crash at every step: nothing is lost, doubled or contradicted."""

import threading

import pytest
from django.db import connection, transaction

from oversight.ledger import (
    durable,
    fsck,
    merkle,
    queries,
    sequencer,
    services,
    signer,
)
from oversight.ledger.encoding import from_digest
from oversight.ledger.models import Checkpoint, Head, LedgerEntry, PendingLeaf, Tile
from oversight.ledger.sequencer import make_signer, sequence_once
from tests.ledger.crashes import assert_all_checkpoints_are_consistent
from tests.ledger.tampering import set_back_to, triggers_off


class Killed(BaseException):
    """The process is gone: no handler of ours may see it coming."""


def assert_record_is_whole(leaf_ids):
    """Assert that exactly these leaves are on the record, in order, each with a good receipt."""
    assert PendingLeaf.objects.count() == 0
    entries = LedgerEntry.objects.order_by("index").values_list("index", "leaf_id")
    assert list(entries) == list(enumerate(leaf_ids))
    for leaf_id in leaf_ids:
        assert services.check_receipt(queries.receipt(leaf_id).text).ok
    assert fsck.check_record().entries == len(leaf_ids)


def ids_of(made):
    return [leaf.id for leaf in made]


def ids_on_record():
    return list(LedgerEntry.objects.order_by("index").values_list("leaf_id", flat=True))


@pytest.mark.django_db
def test_an_empty_log_signs_the_empty_tree():
    assert sequence_once() == 0
    first = Checkpoint.objects.get()
    assert (first.size, from_digest(first.root)) == (0, merkle.EMPTY_ROOT)
    assert sequence_once() == 0
    assert Checkpoint.objects.count() == 1


@pytest.mark.django_db
def test_a_batch_goes_on_the_record_in_the_order_of_the_acts(make_leaves):
    leaves = ids_of(make_leaves(5))
    assert sequence_once() == 5
    assert_record_is_whole(leaves)
    assert Head.objects.get().size == 5
    assert list(Checkpoint.objects.order_by("size").values_list("size", flat=True)) == [0, 5]


@pytest.mark.django_db
def test_a_full_batch_leaves_the_rest_for_the_next_one(make_leaves, monkeypatch):
    monkeypatch.setattr(sequencer, "BATCH_LEAVES", 3)
    leaves = ids_of(make_leaves(7))
    assert [sequence_once() for _ in range(4)] == [3, 3, 1, 0]
    assert_record_is_whole(leaves)
    assert_all_checkpoints_are_consistent()


@pytest.mark.django_db
def test_the_bytes_on_the_record_are_those_of_the_act(make_leaves):
    body = bytes(make_leaves(1)[0].body)
    sequence_once()
    entry = LedgerEntry.objects.get()
    assert bytes(entry.body) == body
    assert entry.content["subject"] == entry.subject == "thing:0"


@pytest.mark.django_db
def test_two_acts_with_the_same_bytes_are_two_entries(make_leaves):
    same = {"subject": "thing:x", "facts": {}, "at": services.timezone.now()}
    leaves = ids_of([*make_leaves(1, **same), *make_leaves(1, **same)])
    sequence_once()
    assert_record_is_whole(leaves)
    assert len(set(LedgerEntry.objects.values_list("leaf_hash", flat=True))) == 1


STEPS_BEFORE_THE_COMMIT = [
    "_store_entries",
    "_hash_stored_bytes",
    "_extend_tiles",
    "_store_tiles",
    "_move_head",
    "_remove_pending",
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS_BEFORE_THE_COMMIT)
def test_a_crash_after_a_step_before_the_commit_leaves_all_leaves_pending(
    step, make_leaves, make_record, monkeypatch
):
    make_record(2)
    leaves = [*ids_on_record(), *ids_of(make_leaves(3))]
    tiles_before = list(Tile.objects.values())
    crash_after(monkeypatch, sequencer, step)
    with pytest.raises(Killed):
        sequence_once()
    assert (PendingLeaf.objects.count(), LedgerEntry.objects.count()) == (3, 2)
    assert (Head.objects.get().size, list(Tile.objects.values())) == (2, tiles_before)
    recover(monkeypatch, leaves)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("where", "step", "signed"),
    [
        (sequencer, "store_batch", 2),
        (durable, "write_durably", 2),
        (signer.Signer, "_keep", 5),
        (signer.Signer, "_signature", 5),
        (signer.Signer, "sign", 5),
    ],
)
def test_a_crash_between_the_commit_and_the_checkpoint_is_made_good_by_the_next_round(
    where, step, signed, make_leaves, make_record, monkeypatch
):
    make_record(2)
    leaves = [*ids_on_record(), *ids_of(make_leaves(3))]
    crash_after(monkeypatch, where, step)
    with pytest.raises(Killed):
        sequence_once()
    assert (PendingLeaf.objects.count(), LedgerEntry.objects.count()) == (0, 5)
    assert queries.newest_checkpoint().size == 2
    assert queries.receipt(leaves[-1]) is None
    monkeypatch.undo()
    assert make_signer().signed_size() == signed
    recover(monkeypatch, leaves)


def crash_after(monkeypatch, where, step):
    original = getattr(where, step)

    def crash(*args, **kwargs):
        original(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(where, step, crash)


def recover(monkeypatch, leaves):
    """Start anew: the normal round puts everything right, once."""
    monkeypatch.undo()
    sequence_once()
    assert sequence_once() == 0
    assert_record_is_whole(leaves)
    assert_all_checkpoints_are_consistent()


@pytest.mark.django_db(transaction=True)
def test_a_crash_after_the_checkpoint_loses_nothing(make_leaves, monkeypatch):
    leaves = ids_of(make_leaves(3))
    sequence_once()
    newest = queries.newest_checkpoint()
    assert sequence_once() == 0
    assert queries.newest_checkpoint() == newest
    recover(monkeypatch, leaves)


@pytest.mark.django_db(transaction=True)
def test_two_sequencers_at_once_cannot_give_an_index_twice(make_leaves, make_record):
    """Without the lock that keeps a second one away: the database alone must decide."""
    make_record(1)
    leaves = ids_of(make_leaves(3))
    read, go_on = threading.Event(), threading.Event()
    caught = []
    original = sequencer._store_entries

    def slow(size, batch):
        read.set()
        go_on.wait(5)
        original(size, batch)

    def second():
        try:
            sequencer.store_batch()
        except Exception as error:  # noqa: BLE001 - any refusal is kept for the assertion
            caught.append(error)
        finally:
            connection.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequencer, "_store_entries", slow)
        thread = threading.Thread(target=second)
        thread.start()
        assert read.wait(5)
        patch.undo()
        assert sequence_once() == 3
        go_on.set()
        thread.join(10)
    assert len(caught) == 1
    assert_record_is_whole([*ids_on_record()[:1], *leaves])


@pytest.mark.django_db
def test_a_head_that_moved_meanwhile_rolls_the_batch_back(make_record, make_leaves, monkeypatch):
    make_record(2)
    make_leaves(1)
    original = sequencer._extend_tiles

    def extend(head, hashes):
        root = original(head, hashes)
        Head.objects.update(size=7, root="sha256:" + "0" * 64)
        return root

    monkeypatch.setattr(sequencer, "_extend_tiles", extend)
    with pytest.raises(sequencer.HeadMoved, match="another sequencer"), transaction.atomic():
        sequence_once()
    assert (LedgerEntry.objects.count(), PendingLeaf.objects.count()) == (2, 1)


@pytest.mark.django_db
def test_bytes_that_come_back_changed_stop_the_batch(make_leaves, monkeypatch):
    leaf = make_leaves(1)[0]
    with triggers_off() as cursor:
        cursor.execute("UPDATE ledger_pendingleaf SET body = set_byte(body, 3, 65)")
    with pytest.raises(sequencer.RecordDamaged, match=str(leaf.id)), transaction.atomic():
        sequence_once()
    assert LedgerEntry.objects.count() == 0


@pytest.mark.django_db
def test_damaged_tiles_stop_the_batch(make_record, make_leaves):
    make_record(3)
    make_leaves(1)
    with triggers_off() as cursor:
        cursor.execute("UPDATE ledger_tile SET data = set_byte(data, 3, get_byte(data, 3) # 1)")
    with pytest.raises(sequencer.RecordDamaged, match="log_fsck"), transaction.atomic():
        sequence_once()
    with triggers_off() as cursor:
        cursor.execute("UPDATE ledger_tile SET data = substring(data FROM 1 FOR 64)")
    with pytest.raises(sequencer.RecordDamaged, match="too short"), transaction.atomic():
        sequence_once()
    assert LedgerEntry.objects.count() == 3


@pytest.mark.django_db
def test_a_lost_head_is_not_taken_for_an_empty_log(make_record):
    make_record(3)
    with triggers_off() as cursor:
        cursor.execute("DELETE FROM ledger_head")
    with pytest.raises(sequencer.RecordDamaged, match="no head"):
        sequence_once()


@pytest.mark.django_db
def test_a_restored_smaller_database_is_refused_before_it_grows(make_record, make_leaves):
    make_record(5, 9)
    root = Checkpoint.objects.get(size=5).root
    set_back_to(5, root)
    make_leaves(1)
    with pytest.raises(signer.SignerRefusal, match=r"9 were already signed.*older backup"):
        sequence_once()
    assert LedgerEntry.objects.count() == 5
    assert queries.newest_checkpoint().size == 5


@pytest.mark.django_db
def test_a_restored_database_that_has_grown_elsewhere_is_refused(
    make_record, make_leaves, settings, own_log
):
    make_record(5, 9)
    set_back_to(5, Checkpoint.objects.get(size=5).root)
    other = make_signer()
    state = settings.LEDGER_SIGNER_STATE_PATH
    settings.LEDGER_SIGNER_STATE_PATH = own_log / "elsewhere.json"
    sequencer.adopt_head(make_signer())
    make_leaves(10)
    assert sequence_once() == 10
    settings.LEDGER_SIGNER_STATE_PATH = state
    make_leaves(1)
    assert other.signed_size() == 9
    sequencer.store_batch()
    with pytest.raises(signer.SignerRefusal, match="does not continue the signed tree of 9"):
        sequence_once()


@pytest.mark.django_db
def test_another_tree_of_the_same_size_is_refused(make_record):
    make_record(4)
    with triggers_off() as cursor:
        cursor.execute("UPDATE ledger_head SET root = %s", ["sha256:" + "ab" * 32])
    with pytest.raises(signer.SignerRefusal, match="changed or replaced"):
        sequence_once()


@pytest.mark.django_db
def test_a_lost_signer_state_is_adopted_only_when_an_operator_says_so(
    make_record, make_leaves, settings
):
    make_record(4)
    settings.LEDGER_SIGNER_STATE_PATH.unlink()
    make_leaves(1)
    with pytest.raises(signer.SignerRefusal, match="--adopt"):
        sequence_once()
    assert sequencer.adopt_head(make_signer()).size == 4
    assert sequence_once() == 1
    with pytest.raises(signer.SignerRefusal, match="nothing needs to be adopted"):
        sequencer.adopt_head(make_signer())
    assert_all_checkpoints_are_consistent()
