"""The real process: it wakes, stops, refuses to be second, survives its server and `kill -9`."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction

from oversight.ledger import fsck, queries, sequencer_process, services
from oversight.ledger.models import Checkpoint, LedgerEntry, PendingLeaf
from oversight.ledger.sequencer import sequence_once
from tests.ledger.tampering import set_back_to

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1 << 20


@pytest.fixture
def start(settings):
    """Return a context manager that runs the sequencer on the test database."""
    database = {
        key: connection.settings_dict[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    }
    wanted = {
        "database": database,
        "origin": settings.LEDGER_ORIGIN,
        "key": str(settings.LEDGER_KEY_PATH),
        "state": str(settings.LEDGER_SIGNER_STATE_PATH),
        "public": str(settings.LEDGER_PUBLIC_DIR),
        "policy": str(settings.LEDGER_POLICY_PATH or ""),
    }
    environment = os.environ | {"SEQUENCER_TEST": json.dumps(wanted)}
    paths = [str(ROOT), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))

    @contextmanager
    def run(*arguments):
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "run_sequencer.py"), *arguments],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    return run


def line_of(process, beginning):
    """Return the next line that begins so; fail with all that was said if there is none."""
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith(beginning):
            return line
    pytest.fail(f"no line {beginning!r} in:\n{''.join(said)}")


def ended(process, seconds=20):
    output, _ = process.communicate(timeout=seconds)
    return process.returncode, output


def test_it_signs_what_is_committed_and_stops_at_sigterm(start, make_leaves):
    with start() as process:
        ready = line_of(process, "sequencer ready")
        leaf = make_leaves(1)[0]
        receipt = services.wait_for_receipt(leaf.id, timeout_seconds=10)
        assert services.check_receipt(receipt.text).ok
        assert queries.newest_checkpoint().vkey in ready
        assert resident_bytes(process) < 150 * MEGABYTE
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (0, "sequencer stopped\n")


def resident_bytes(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def test_a_second_one_exits_and_names_the_first(start):
    with start() as first:
        line_of(first, "sequencer ready")
        with start() as second:
            code, output = ended(second)
        assert code == 2
        assert f"process {first.pid} on " in output
        assert "There must be exactly one" in output
        assert "Traceback" not in output
        assert first.poll() is None


def test_it_refuses_a_database_that_was_set_back_and_says_what_to_do(start, make_record):
    make_record(3, 5)
    set_back_to(3, Checkpoint.objects.get(size=3).root)
    with start() as process:
        code, output = ended(process)
    assert code == 3
    assert "Restore a newer backup" in output
    assert "Traceback" not in output


def test_it_comes_back_when_the_server_drops_its_session(start, make_leaves):
    with start() as process:
        line_of(process, "sequencer ready")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name LIKE %s",
                [f"oversight sequencer, process {process.pid} %"],
            )
            assert cursor.rowcount == 1
        line_of(process, "sequencer waiting")
        line_of(process, "sequencer ready")
        leaf = make_leaves(1)[0]
        assert services.wait_for_receipt(leaf.id, timeout_seconds=10) is not None
        process.send_signal(signal.SIGINT)
        assert ended(process)[0] == 0


def test_killed_again_and_again_it_loses_and_doubles_nothing(start):
    random.seed(7)
    appended, done = [], threading.Event()

    def act():
        while not done.is_set():
            with transaction.atomic():
                leaf = services.append(
                    type="tests.thing.done", actor="system:tests", subject=f"thing:{len(appended)}"
                )
            appended.append(leaf.id)
            time.sleep(0.002)
        connection.close()

    thread = threading.Thread(target=act)
    thread.start()
    try:
        for _ in range(4):
            with start() as process:
                line_of(process, "sequencer ready")
                time.sleep(random.uniform(0.05, 0.4))
                os.kill(process.pid, signal.SIGKILL)
                process.wait(10)
    finally:
        done.set()
        thread.join(10)
    assert LedgerEntry.objects.count() > 0
    while sequence_once():
        pass
    assert PendingLeaf.objects.count() == 0
    on_record = LedgerEntry.objects.order_by("index").values_list("leaf_id", flat=True)
    assert list(on_record) == appended
    assert fsck.check_record().entries == len(appended)
    assert services.check_receipt(queries.receipt(appended[-1]).text).ok


@contextmanager
def in_thread(process):
    """Run a sequencer in a thread with a session of its own, which is closed at the end."""
    failures = []

    def run():
        try:
            process.run()
        except BaseException as error:  # noqa: BLE001 - kept for the assertion
            failures.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield failures
    finally:
        process.stop()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify('ledger_pending', '')")
        thread.join(10)
        assert not thread.is_alive()


def test_a_commit_wakes_it_long_before_its_ceiling(make_leaves):
    process = sequencer_process.SequencerProcess(ceiling_seconds=30, say=lambda line: None)
    with in_thread(process) as failures:
        wait_until(Checkpoint.objects.exists)
        time.sleep(0.1)
        for leaf in (make_leaves(1)[0] for _ in range(5)):
            assert services.wait_for_receipt(leaf.id, timeout_seconds=5) is not None
    assert failures == []


def wait_until(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_full_disk_makes_it_wait_and_loses_nothing(make_leaves, monkeypatch):
    from oversight.ledger import durable

    said = []
    original = durable.write_durably

    def full(*arguments):
        raise OSError(28, "No space left on device")

    process = sequencer_process.SequencerProcess(say=said.append)
    with in_thread(process) as failures:
        wait_until(Checkpoint.objects.exists)
        monkeypatch.setattr(durable, "write_durably", full)
        leaf = make_leaves(1)[0]
        wait_until(lambda: any("No space left" in line for line in said))
        assert queries.receipt(leaf.id) is None
        monkeypatch.setattr(durable, "write_durably", original)
        assert services.wait_for_receipt(leaf.id, timeout_seconds=10) is not None
    assert failures == []


def test_a_server_that_loses_what_it_acknowledged_is_refused_in_production(settings):
    """A role that commits without waiting for the disk, as an impatient administrator sets it."""
    said, name = [], connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER ROLE CURRENT_USER IN DATABASE "{name}" SET synchronous_commit = off')
    try:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = on")
        sequencer_process._require_durable_server(said.append)
        assert said[0].startswith("warning: the database server runs with synchronous_commit off")
        settings.PRODUCTION = True
        with pytest.raises(sequencer_process.UnsafeDatabase, match="Refusing to start"):
            sequencer_process._require_durable_server(said.append)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER ROLE CURRENT_USER IN DATABASE "{name}" RESET synchronous_commit')
        connection.close()
    settings.PRODUCTION = True
    sequencer_process._require_durable_server(said.append)
    assert len(said) == 1


def test_a_server_without_fsync_is_refused_in_production(monkeypatch, settings):
    monkeypatch.setattr(sequencer_process, "UNSAFE", {"fsync": "on"})
    settings.PRODUCTION = True
    with pytest.raises(sequencer_process.UnsafeDatabase, match="Refusing to start"):
        sequencer_process._require_durable_server(print)
