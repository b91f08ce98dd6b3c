"""The database itself refuses to change or remove what is on the record."""

import pytest
from django.db import IntegrityError, connection, transaction

from oversight.ledger.models import Checkpoint, Head, LedgerEntry, PendingLeaf, Tile

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def record(make_record, make_leaves):
    make_record(3)
    make_leaves(1)


def refused(statement, *parameters):
    with (
        pytest.raises(IntegrityError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, parameters)
    return str(caught.value)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_ledgerentry SET body = 'x' WHERE index = 1",
        "UPDATE ledger_ledgerentry SET subject = 'thing:other'",
        "DELETE FROM ledger_ledgerentry WHERE index = 2",
        "TRUNCATE ledger_ledgerentry",
        "UPDATE ledger_checkpoint SET note = 'x'",
        "DELETE FROM ledger_checkpoint",
        "TRUNCATE ledger_checkpoint",
        "DELETE FROM ledger_tile",
        "TRUNCATE ledger_tile",
        "DELETE FROM ledger_head",
        "TRUNCATE ledger_head",
        "UPDATE ledger_pendingleaf SET body = 'x'",
        "TRUNCATE ledger_pendingleaf",
        "TRUNCATE ledger_head, ledger_tile, ledger_ledgerentry CASCADE",
    ],
)
def test_no_statement_changes_or_removes_what_is_on_the_record(statement):
    before = everything()
    assert "append-only" in refused(statement)
    assert everything() == before


def everything():
    models = (LedgerEntry, Checkpoint, Tile, Head, PendingLeaf)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_the_orm_cannot_either():
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        LedgerEntry.objects.get(index=0).delete()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        LedgerEntry.objects.filter(index=0).update(actor="person:nobody")


@pytest.mark.parametrize(
    "change",
    [
        "data = substring(data FROM 1 FOR 64)",
        "data = set_byte(data, 5, get_byte(data, 5) # 1)",
        "data = ''",
        "level = 1",
        "index = 1",
    ],
)
def test_a_tile_can_only_grow(change):
    assert "can only grow" in refused(f"UPDATE ledger_tile SET {change}")


def test_a_tile_may_grow_at_its_end():
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_tile SET data = data || %s", [bytes(32)])
        assert cursor.rowcount == 1


@pytest.mark.parametrize("change", ["size = 2", "root = 'sha256:other'"])
def test_the_head_can_only_grow(change):
    assert "can only grow" in refused(f"UPDATE ledger_head SET {change}")


def test_there_is_one_head_only():
    assert "one_row" in refused("INSERT INTO ledger_head VALUES (2, 0, '')")


def test_a_pending_leaf_cannot_be_lost_before_it_is_on_the_record():
    assert "not on the record yet" in refused("DELETE FROM ledger_pendingleaf")
    assert PendingLeaf.objects.count() == 1


def test_a_pending_leaf_cannot_be_lost_for_an_entry_with_other_bytes():
    pending = PendingLeaf.objects.get()
    entry = LedgerEntry.objects.get(index=2)
    LedgerEntry.objects.create(
        index=3,
        leaf_id=pending.id,
        body=entry.body,
        leaf_hash=entry.leaf_hash,
        sequenced_at=entry.sequenced_at,
    )
    assert "not on the record yet" in refused("DELETE FROM ledger_pendingleaf")


def test_an_index_is_given_only_once():
    entry = LedgerEntry.objects.get(index=2)
    entry.pk = 1
    with pytest.raises(IntegrityError, match="duplicate key"), transaction.atomic():
        entry.save(force_insert=True)
