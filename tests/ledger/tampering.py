"""What an intruder or a bad disk does: change the record behind the database's back."""

from contextlib import contextmanager

from django.db import connection

from tests.ledger.record_fixtures import APPEND_ONLY


@contextmanager
def triggers_off():
    """Change tables as their owner can: with the append-only triggers switched off."""
    with connection.cursor() as cursor:
        for table in APPEND_ONLY:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        for table in APPEND_ONLY:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def set_back_to(size, root):
    """Make the database what a backup from that size would restore (below 256 entries)."""
    with triggers_off() as cursor:
        cursor.execute("DELETE FROM ledger_ledgerentry WHERE index >= %s", [size])
        cursor.execute("DELETE FROM ledger_checkpoint WHERE size > %s", [size])
        cursor.execute(
            "UPDATE ledger_tile SET data = substring(data FROM 1 FOR %s) WHERE level = 0",
            [size * 32],
        )
        cursor.execute("UPDATE ledger_head SET size = %s, root = %s", [size, root])
