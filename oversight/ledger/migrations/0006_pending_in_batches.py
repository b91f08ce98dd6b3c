"""Pending leaves are checked a batch at a time when they leave: one join instead of a thousand looks.

What it demands stays the same: only a leaf whose very bytes stand on the record may be deleted.
"""

from django.db import migrations

FORWARDS = """
DROP TRIGGER ledger_pending_becomes_entry ON ledger_pendingleaf;

CREATE OR REPLACE FUNCTION ledger_pending_leaves_become_entries() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    lost uuid;
BEGIN
    SELECT gone.id INTO lost FROM gone
        LEFT JOIN ledger_ledgerentry e ON e.leaf_id = gone.id AND e.body = gone.body
        WHERE e.leaf_id IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'pending leaf % is not on the record yet and cannot be deleted', lost
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_pending_becomes_entry AFTER DELETE ON ledger_pendingleaf
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_pending_leaves_become_entries();
"""

BACKWARDS = """
DROP TRIGGER ledger_pending_becomes_entry ON ledger_pendingleaf;

CREATE OR REPLACE FUNCTION ledger_pending_leaves_become_entries() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM ledger_ledgerentry e WHERE e.leaf_id = OLD.id AND e.body = OLD.body
    ) THEN
        RAISE EXCEPTION 'pending leaf % is not on the record yet and cannot be deleted', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER ledger_pending_becomes_entry BEFORE DELETE ON ledger_pendingleaf
    FOR EACH ROW EXECUTE FUNCTION ledger_pending_leaves_become_entries();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_timestamps")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
