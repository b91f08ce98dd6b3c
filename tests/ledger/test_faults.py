"""Faults: killed at every step by chance, many sequencers at once, and a clock set back.

The long run of kills, with hundreds of seeds, is `python -m bench crashes`.
"""

import threading

import pytest
from django.db import connection

from oversight.ledger import fsck, sequencer, services, signer
from oversight.ledger.models import LedgerEntry
from oversight.ledger.sequencer import make_signer, sequence_once
from oversight.ledger.sequencer_process import SequencerBusy, SequencerProcess
from tests.ledger.crashes import assert_all_checkpoints_are_consistent, crash_and_recover

pytestmark = pytest.mark.django_db(transaction=True)

SEEDS = 6


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_dies_when_no_act_is_lost_and_the_tree_is_one(seed, tmp_path):
    found = crash_and_recover(seed, tmp_path / "rebuilt")
    assert found.acknowledged
    assert found.killed_at


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
