"""Fixtures for every test that touches the record: emptying it, its own signer, a quick sequencer.

The record refuses to be emptied, which is what Django does between transactional tests. So for the
time of that one statement, and in its transaction only, the tables' triggers are switched off.
"""

import uuid

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations

APPEND_ONLY = (
    "ledger_checkpoint",
    "ledger_head",
    "ledger_ledgerentry",
    "ledger_pendingleaf",
    "ledger_tile",
)


@pytest.fixture(scope="session", autouse=True)
def record_can_be_emptied_between_tests():
    """Let Django's flush past the append-only triggers; nothing else gets past them."""
    original = DatabaseOperations.sql_flush

    def sql_flush(self, style, tables, **options):
        statements = original(self, style, tables, **options)
        guarded = [table for table in APPEND_ONLY if table in tables]
        return [
            *(f"ALTER TABLE {table} DISABLE TRIGGER USER;" for table in guarded),
            *statements,
            *(f"ALTER TABLE {table} ENABLE TRIGGER USER;" for table in guarded),
        ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield


@pytest.fixture(scope="session")
def _log_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ledger")


@pytest.fixture(autouse=True)
def own_log(settings, _log_folder):
    """Give each test a key and a signer state of its own, as each begins with an empty record."""
    folder = _log_folder / uuid.uuid4().hex
    settings.LEDGER_ORIGIN = "localhost:8000/log"
    settings.LEDGER_KEY_PATH = folder / "log-key.pem"
    settings.LEDGER_SIGNER_STATE_PATH = folder / "signer.json"
    settings.LEDGER_PUBLIC_DIR = folder / "public"
    settings.LEDGER_POLICY_PATH = None
    settings.GATE_KEY_PATH = folder / "gate-key.pem"
    return folder


@pytest.fixture
def gate_key(own_log, db):
    """Give the gate a key that the record knows, and nothing kept from another test."""
    from oversight.ledger import sequencer
    from oversight.registry.gate import answers, ceremony

    answers.forget()
    public = ceremony.adopt_key()
    while sequencer.sequence_once():
        pass
    return public


@pytest.fixture
def inline_sequencer(monkeypatch):
    """Put leaves on the record whenever someone waits for a receipt: no process, no waiting."""
    from oversight.ledger import sequencer, services

    monkeypatch.setattr(services, "pause_for", lambda seconds: sequencer.sequence_once())
