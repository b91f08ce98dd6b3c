"""Append-only in the database itself, as a seat belt: the proof is the tree.

What a trigger refuses is an integrity error (SQLSTATE 23001). Only the tables' owner can switch them
off, as the tests do to empty the tables between two tests (`tests/ledger/record_fixtures.py`).
"""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the public record is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION ledger_pending_leaves_become_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM ledger_ledgerentry e WHERE e.leaf_id = OLD.id AND e.body = OLD.body
    ) THEN
        RAISE EXCEPTION 'pending leaf % is not on the record yet and cannot be deleted', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;

CREATE FUNCTION ledger_tiles_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.level <> OLD.level OR NEW.index <> OLD.index
        OR length(NEW.data) < length(OLD.data)
        OR substring(NEW.data FROM 1 FOR length(OLD.data)) <> OLD.data
    THEN
        RAISE EXCEPTION 'tile %/% can only grow', OLD.level, OLD.index
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION ledger_head_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root) THEN
        RAISE EXCEPTION 'the head of % entries can only grow', OLD.size
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_entry_is_final BEFORE UPDATE OR DELETE ON ledger_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_entry_is_not_emptied BEFORE TRUNCATE ON ledger_ledgerentry
    EXECUTE FUNCTION ledger_refuse();

CREATE TRIGGER ledger_checkpoint_is_final BEFORE UPDATE OR DELETE ON ledger_checkpoint
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_checkpoint_is_not_emptied BEFORE TRUNCATE ON ledger_checkpoint
    EXECUTE FUNCTION ledger_refuse();

CREATE TRIGGER ledger_tile_grows BEFORE UPDATE ON ledger_tile
    FOR EACH ROW EXECUTE FUNCTION ledger_tiles_only_grow();
CREATE TRIGGER ledger_tile_stays BEFORE DELETE ON ledger_tile
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_tile_is_not_emptied BEFORE TRUNCATE ON ledger_tile
    EXECUTE FUNCTION ledger_refuse();

CREATE TRIGGER ledger_head_grows BEFORE UPDATE ON ledger_head
    FOR EACH ROW EXECUTE FUNCTION ledger_head_only_grows();
CREATE TRIGGER ledger_head_stays BEFORE DELETE ON ledger_head
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_head_is_not_emptied BEFORE TRUNCATE ON ledger_head
    EXECUTE FUNCTION ledger_refuse();

CREATE TRIGGER ledger_pending_is_final BEFORE UPDATE ON ledger_pendingleaf
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_pending_becomes_entry BEFORE DELETE ON ledger_pendingleaf
    FOR EACH ROW EXECUTE FUNCTION ledger_pending_leaves_become_entries();
CREATE TRIGGER ledger_pending_is_not_emptied BEFORE TRUNCATE ON ledger_pendingleaf
    EXECUTE FUNCTION ledger_refuse();

-- Hashes do not compress; kept uncompressed, a prefix is read without reading the rest.
ALTER TABLE ledger_tile ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER SEQUENCE ledger_pending_position OWNED BY ledger_pendingleaf.position;
"""

BACKWARDS = """
ALTER SEQUENCE ledger_pending_position OWNED BY NONE;
ALTER TABLE ledger_tile ALTER COLUMN data SET STORAGE EXTENDED;
DROP FUNCTION ledger_refuse() CASCADE;
DROP FUNCTION ledger_pending_leaves_become_entries() CASCADE;
DROP FUNCTION ledger_tiles_only_grow() CASCADE;
DROP FUNCTION ledger_head_only_grows() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
