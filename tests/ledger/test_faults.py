"""Faults by the hundred: killed at every step by chance, many sequencers, and a clock set back.

`LEDGER_FAULT_SEEDS=500 pytest tests/ledger/test_faults.py` is the long run; the usual one is short.
"""

import os
import random
import threading

import pytest
from django.db import connection, transaction

from oversight.ledger import (
    durable,
    fsck,
    public_folder,
    queries,
    recovery,
    sequencer,
    services,
    signer,
)
from oversight.ledger.models import LedgerEntry, PendingLeaf
from oversight.ledger.public_folder import PublicFolder
from oversight.ledger.sequencer import make_signer, sequence_once
from oversight.ledger.sequencer_process import SequencerBusy, SequencerProcess
from tests.ledger.test_public_folder import contents
from tests.ledger.test_sequencer import assert_all_checkpoints_are_consistent

pytestmark = pytest.mark.django_db(transaction=True)

SEEDS = int(os.environ.get("LEDGER_FAULT_SEEDS", "6"))


class Killed(BaseException):
    """The process is gone: no handler of ours may see it coming."""


FAILPOINTS = [
    (services, "append"),
    (sequencer, "_store_entries"),
    (sequencer, "_hash_stored_bytes"),
    (sequencer, "_extend_tiles"),
    (sequencer, "_store_tiles"),
    (sequencer, "_move_head"),
    (sequencer, "_remove_pending"),
    (sequencer, "store_batch"),
    (signer.Signer, "_keep"),
    (signer.Signer, "_signature"),
    (signer.Signer, "sign"),
    (sequencer, "keep_checkpoint"),
    (durable, "write_durably"),
    (durable, "sync_folder"),
    (public_folder.PublicFolder, "_write_tiles"),
    (public_folder.PublicFolder, "_write_entries"),
    (public_folder.PublicFolder, "_remove_partials"),
]


@pytest.fixture
def failing(monkeypatch):
    """Return a function that lets the process die before or after the n-th call of a failpoint."""

    def arm(drawn):
        where, step = drawn.choice(FAILPOINTS)
        left, before = drawn.randrange(3), drawn.random() < 0.5
        original = getattr(where, step)
        calls = {"left": left}

        def crash(*args, **kwargs):
            calls["left"] -= 1
            if calls["left"] < 0 and before:
                raise Killed
            result = original(*args, **kwargs)
            if calls["left"] < 0:
                raise Killed
            return result

        monkeypatch.setattr(where, step, crash)

    return arm


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_dies_when_no_act_is_lost_and_the_tree_is_one(
    seed, failing, monkeypatch, settings, tmp_path
):
    drawn = random.Random(seed)
    monkeypatch.setattr(sequencer, "BATCH_LEAVES", drawn.choice((1, 3, 100)))
    acknowledged, receipts = [], []
    for _ in range(drawn.randint(4, 9)):
        failing(drawn)
        try:
            start_and_work(drawn, settings, acknowledged, receipts)
        except Killed:
            connection.close()
        monkeypatch.undo()
    start_and_work(random.Random(0), settings, acknowledged, receipts)
    while sequence_once():
        pass
    on_record = list(LedgerEntry.objects.order_by("index").values_list("leaf_id", flat=True))
    # An act is on the record exactly if its transaction was committed, once and in order.
    assert on_record == acknowledged
    assert not PendingLeaf.objects.exists()
    assert fsck.check_record().entries == len(on_record)
    assert_all_checkpoints_are_consistent()
    assert all(services.check_receipt(each).ok for each in receipts)
    folder = PublicFolder(settings.LEDGER_PUBLIC_DIR)
    folder.publish()
    PublicFolder(tmp_path / "fresh").publish()
    published = contents(settings.LEDGER_PUBLIC_DIR)
    assert {
        path: data for path, data in published.items() if not path.endswith(".draft")
    } == contents(tmp_path / "fresh")


def start_and_work(drawn, settings, acknowledged, receipts):
    """Do what a process does from its start on: compare, act, sequence, publish."""
    made, folder = make_signer(), PublicFolder(settings.LEDGER_PUBLIC_DIR)
    recovery.begin(made, folder, lambda line: None)
    for _ in range(drawn.randint(1, 4)):
        for _ in range(drawn.randint(0, 6)):
            with transaction.atomic():
                leaf = services.append(
                    type="tests.thing.done",
                    actor="system:tests",
                    subject=f"thing:{len(acknowledged)}",
                )
            acknowledged.append(leaf.id)
        sequence_once(made)
        if acknowledged and (found := queries.receipt(acknowledged[-1])):
            receipts.append(found.text)
        folder.publish()


def test_of_sixteen_sequencers_one_works_and_the_record_is_whole(make_leaves, settings):
    leaves = [leaf.id for leaf in make_leaves(30)]
    busy, processes = [], [SequencerProcess(say=lambda line: None) for _ in range(16)]

    def run(process):
        try:
            process.run()
        except SequencerBusy:
            busy.append(process)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[process]) for process in processes]
    for thread in threads:
        thread.start()
    for leaf_id in leaves:
        assert services.wait_for_receipt(leaf_id, timeout_seconds=30) is not None
    for process in processes:
        process.stop()
    for thread in threads:
        thread.join(30)
    assert len(busy) >= 15
    assert set(LedgerEntry.objects.values_list("leaf_id", flat=True)) == set(leaves)
    assert fsck.check_record().entries == 30


def test_sixteen_without_the_lock_cannot_give_an_index_twice(make_leaves):
    """The lock taken away: primary key and compare-and-swap alone must hold."""
    leaves = [leaf.id for leaf in make_leaves(40)]
    sequence_once()
    more = [leaf.id for leaf in make_leaves(40)]
    barrier, refused = threading.Barrier(16), []

    def store():
        barrier.wait(20)
        try:
            sequencer.store_batch()
        except Exception as error:  # noqa: BLE001 - any refusal is what is wanted
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=store) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    while sequence_once():
        pass
    on_record = list(LedgerEntry.objects.order_by("index").values_list("leaf_id", flat=True))
    assert on_record == leaves + more
    assert fsck.check_record().entries == 80


def test_a_clock_that_goes_back_an_hour_changes_no_signature(make_record, make_leaves, monkeypatch):
    make_record(3)
    stamped = make_signer()._load().signed_at
    monkeypatch.setattr(signer.time, "time", lambda: stamped - 3600)
    make_leaves(2)
    assert sequence_once() == 2
    assert make_signer()._load().signed_at == stamped
    assert_all_checkpoints_are_consistent()
    assert fsck.check_record().entries == 5
