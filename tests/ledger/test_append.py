"""Appending: in the act's transaction or not at all; openings that can be erased; waiting."""

import json
import time
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from oversight.ledger import commitment, leaf, merkle, queries, services
from oversight.ledger.encoding import to_digest
from oversight.ledger.models import LedgerEntry, Opening, PendingLeaf
from oversight.ledger.sequencer import sequence_once

ACT = {"type": "tests.thing.done", "actor": "person:p1", "subject": "thing:1"}
DIGEST = "sha256:" + "0f" * 32


@pytest.mark.django_db(transaction=True)
def test_append_outside_a_transaction_is_refused_and_says_how_to_mend_it():
    with pytest.raises(services.OutsideTransaction, match=r"transaction\.atomic"):
        services.append(**ACT)
    assert PendingLeaf.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_an_act_that_is_rolled_back_leaves_no_leaf():
    with transaction.atomic():
        services.append(**ACT)
        transaction.set_rollback(True)
    assert PendingLeaf.objects.count() == 0
    assert sequence_once() == 0


@pytest.mark.django_db
def test_a_pending_leaf_holds_the_canonical_bytes_and_their_hash():
    pending = services.append(**ACT, digests={"text": DIGEST}, facts={"n": 1})
    stored = PendingLeaf.objects.get()
    body = bytes(stored.body)
    assert stored.id == pending.id
    assert json.loads(body)["digests"] == {"text": DIGEST}
    assert stored.leaf_hash == to_digest(merkle.leaf_hash(body))
    assert (stored.type, stored.actor, stored.subject) == tuple(ACT.values())


@pytest.mark.django_db
def test_a_leaf_that_breaks_a_rule_is_not_written():
    with pytest.raises(leaf.LeafError, match=r"facts\.share is a float"):
        services.append(**ACT, facts={"share": 0.5})
    assert PendingLeaf.objects.count() == 0


@pytest.mark.django_db
def test_the_database_too_refuses_a_leaf_of_four_kilobytes():
    with pytest.raises(IntegrityError, match="ledger_pendingleaf_is_short"), transaction.atomic():
        PendingLeaf.objects.create(body=bytes(4096), leaf_hash=DIGEST, **ACT)


@pytest.mark.django_db(transaction=True)
def test_leaves_are_ordered_as_they_were_written_and_notify_on_commit_only():
    with connection.cursor() as cursor:
        cursor.execute("LISTEN ledger_pending")
    with transaction.atomic():
        first = services.append(**ACT)
        second = services.append(**ACT)
        heard = list(connection.connection.notifies(timeout=0.05))
    assert heard == []
    assert len(list(connection.connection.notifies(timeout=1, stop_after=1))) == 1
    assert [each.id for each in PendingLeaf.objects.in_order()] == [first.id, second.id]


@pytest.mark.django_db
def test_an_opening_is_kept_only_for_what_the_leaf_commits_to():
    committed = services.commit_to({"choice": "yes"})
    pending = services.append(**ACT, commits={"choice": committed.digest})
    services.keep_opening(pending, "choice", committed)
    kept = queries.opening(pending.id, "choice")
    digest = pending.content["commits"]["choice"]
    assert commitment.opens(digest, bytes(kept.salt), kept.value)
    for field, other in [("name", committed), ("choice", services.commit_to({"choice": "no"}))]:
        with pytest.raises(commitment.CommitmentError, match="does not commit"):
            services.keep_opening(pending, field, other)


@pytest.mark.django_db
def test_an_erased_opening_is_gone_and_the_receipt_still_proves_the_leaf():
    committed = services.commit_to("Ada Lovelace")
    pending = services.append(**ACT, commits={"name": committed.digest})
    services.keep_opening(pending, "name", committed)
    sequence_once()
    assert services.erase_opening(pending.id, "name") is True
    assert services.erase_opening(pending.id, "name") is False
    assert Opening.objects.count() == 0
    assert services.check_receipt(queries.receipt(pending.id).text).ok


@pytest.mark.django_db
def test_waiting_for_a_receipt_ends_at_the_timeout_when_nobody_sequences():
    pending = services.append(**ACT)
    start = time.monotonic()
    assert services.wait_for_receipt(pending.id, timeout_seconds=0.15) is None
    assert 0.1 < time.monotonic() - start < 1
    assert services.wait_for_receipt(uuid4(), timeout_seconds=0) is None


@pytest.mark.django_db
def test_waiting_returns_the_receipt_at_once_when_it_is_there(inline_sequencer):
    pending = services.append(**ACT)
    receipt = services.wait_for_receipt(pending.id)
    entry = LedgerEntry.objects.get()
    assert (receipt.index, receipt.leaf_hash, receipt.tree_size) == (0, entry.leaf_hash, 1)
    assert entry.leaf_id == pending.id
    assert bytes(entry.body) == bytes(pending.body)
    assert receipt == queries.receipt_at(0)
