"""The gate on a real streaming replica, with the writer gone."""

import json
import os
import shutil
import subprocess
import time
from contextlib import suppress

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, connections

from oversight.embedded.account import open_way, server_account
from oversight.embedded.addresses import free_port
from oversight.embedded.cluster import binary, clean_environment
from oversight.ledger.sequencer import sequence_once
from oversight.registry.choices import AuthorisationState
from oversight.registry.gate import answers, reading
from oversight.registry.tasks import tick
from tests.registry.test_gate_answers import ask, change, grant
from tests.scenes import make_deployment, make_model_version

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gate_key")]


@pytest.fixture(scope="module")
def replica_port(embedded_server, tmp_path_factory):
    """Copy the running server, let the copy follow it, and return the copy's port."""
    data, port = tmp_path_factory.mktemp("replica") / "data", free_port()
    copy = [binary("pg_basebackup"), "--dbname", embedded_server.info().superuser_url]
    copy += ["--pgdata", data, "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
    subprocess.run([*copy, "--write-recovery-conf"], check=True, env=clean_environment())
    account = server_account(data)
    who = {}
    if account is not None:
        for folder, names, files in os.walk(data):
            for name in (folder, *names, *files):
                shutil.chown(os.path.join(folder, name), account.uid, account.gid)  # noqa: PTH118
        open_way(account, data)
        who = {"user": account.uid, "group": account.gid, "extra_groups": []}
    options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
    command = [binary("postgres"), "-D", data]
    command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with (data.parent / "log").open("w") as log:
        server = subprocess.Popen(command, env=clean_environment(), stderr=log, **who)
    url = embedded_server.info().superuser_url
    address = psycopg.conninfo.make_conninfo(url, port=port)
    _until(lambda: psycopg.connect(address, connect_timeout=1).close(), data.parent / "log")
    yield port
    server.terminate()
    server.wait(30)


def _until(attempt, log):
    for _ in range(600):
        with suppress(psycopg.OperationalError):
            attempt()
            return
        time.sleep(0.05)
    pytest.fail(log.read_text()[-2000:])


@pytest.fixture
def replica(replica_port, settings):
    """Give the gate the replica, and return a function that takes the writer away."""
    writer = connections["default"]
    found = connections.settings["default"] | {"PORT": str(replica_port), "CONN_MAX_AGE": 0}
    connections.settings["replica"] = found | {
        "NAME": writer.settings_dict["NAME"],
        "OPTIONS": found["OPTIONS"] | {"options": "-c default_transaction_read_only=on"},
    }
    # Django's tests let no other name connect.
    connections["replica"].alias = "default"
    port = writer.settings_dict["PORT"]

    def lose_the_writer():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_lsn()")
            (written,) = cursor.fetchone()
        with reading.replica():
            for _ in range(600):
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [written])
                    if cursor.fetchone()[0]:
                        break
                time.sleep(0.05)
        writer.close()
        writer.settings_dict["PORT"] = str(free_port())
        answers.forget()

    yield lose_the_writer
    writer.close()
    writer.settings_dict["PORT"] = port
    connections["replica"].close()
    del connections["replica"], connections.settings["replica"]
    answers.forget()


def ready(row):
    return json.loads(answers.ready_answer(row.version.digest, row.deployment.slug).body)


def test_it_answers_from_the_replica_what_the_writer_would_have_said(client, replica, settings):
    row, other = (grant(make_deployment(), make_model_version()) for _ in range(2))
    change(other, AuthorisationState.SUSPENDED)
    sequence_once()
    replica()
    yes, no = (ask(client, each).json() for each in (row, other))
    assert (yes["allowed"], yes["answered_by"]) == (True, "replica")
    assert (no["allowed"], no["code"]) == (False, "suspended")
    assert yes["record"]["acts"][0]["receipt"]
    settings.GATE_REPLICA_MAX_AGE_SECONDS = -1
    answers.forget()
    refused = ask(client, row)
    assert (refused.status_code, refused.json()["allowed"]) == (503, False)
    assert "has had no news for" in refused.json()["detail"]


def test_nothing_can_be_written_there_and_the_writer_is_asked_again_when_it_is_back(replica):
    row = grant(make_deployment(), make_model_version())
    sequence_once()
    tick()
    with reading.replica(), pytest.raises(DatabaseError, match="read-only"):
        tick_there()
    assert ready(row)["answered_by"] == "writer"
    replica()
    assert ready(row)["answered_by"] == "replica"
    with pytest.raises(OperationalError):
        tick_there()


def tick_there():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE anything (id int)")
