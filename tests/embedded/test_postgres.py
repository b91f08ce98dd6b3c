import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import psutil
import psycopg
import pytest

from oversight.embedded.account import ACCOUNT_NAME
from oversight.embedded.addresses import embedded_urls
from oversight.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError
from tests.embedded.conftest import PROJECT, OrdinaryUser

START_AND_ASK = """
import pathlib, sys, psycopg
from oversight.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(pathlib.Path(sys.argv[1]))
with psycopg.connect(server.start().database_url) as connection:
    print(connection.execute("SELECT pg_postmaster_start_time()").fetchone()[0], server.pid())
"""


def value_of(server: EmbeddedPostgres, query: str) -> object:
    with psycopg.connect(server.info().database_url) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def keep(server: EmbeddedPostgres, word: str) -> None:
    with psycopg.connect(server.info().database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [word])


def was_kept(server: EmbeddedPostgres, word: str) -> bool:
    return bool(value_of(server, f"SELECT count(*) = 1 FROM kept WHERE word = '{word}'"))


def test_it_is_postgresql_18_that_loses_nothing_it_acknowledged(server: EmbeddedPostgres) -> None:
    server.start()
    assert int(str(value_of(server, "SHOW server_version_num"))) >= 180000
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert value_of(server, f"SHOW {name}") == "on"
    assert value_of(server, "SHOW listen_addresses") == "127.0.0.1"


def test_a_wrong_password_does_not_get_in(server: EmbeddedPostgres) -> None:
    info = server.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://oversight:guess@127.0.0.1:{info.port}/oversight")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{info.port}/postgres")


def test_a_second_start_reuses_data_port_and_passwords(server: EmbeddedPostgres) -> None:
    before = server.start()
    keep(server, "reused")
    assert server.stop()
    assert not server.is_running()
    assert server.start() == before
    assert was_kept(server, "reused")


def test_the_addresses_are_known_without_starting_anything(tmp_path: Path) -> None:
    urls = embedded_urls(tmp_path)
    assert embedded_urls(tmp_path) == urls
    assert urls["DATABASE_URL"].endswith("/oversight")
    assert urls["BROKER_URL"].startswith("pgmq://oversight:")
    assert urls["WORKER_BROKER_URL"].startswith("pgmq://oversight_worker:")
    assert not EmbeddedPostgres(tmp_path).is_running()
    assert not (tmp_path / "postgres" / "data").exists()


def test_a_killed_server_recovers_with_what_was_committed(server: EmbeddedPostgres) -> None:
    server.start()
    keep(server, "before the crash")
    pid = server.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    server.wait_until_gone()
    assert not server.is_running()
    server.start()
    assert was_kept(server, "before the crash")


def test_a_pid_file_that_names_another_program_is_no_obstacle(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    with subprocess.Popen(["sleep", "60"], user=server.data.stat().st_uid) as bystander:
        path = server.data / "postmaster.pid"
        path.write_text(f"{bystander.pid}\n{server.data}\n1\n1\n\n127.0.0.1\n1 1\nready\n")
        os.chown(path, server.data.stat().st_uid, -1)
        server.start()
        assert bystander.poll() is None
        bystander.kill()
    assert value_of(server, "SELECT 1") == 1


def test_a_port_that_somebody_else_took_meanwhile_is_replaced(server: EmbeddedPostgres) -> None:
    before = server.start()
    server.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", before.port))
        other.listen()
        after = server.start()
    assert after.port != before.port
    assert embedded_urls(server.var)["DATABASE_URL"] == after.database_url
    assert value_of(server, "SELECT 1") == 1


def test_a_killed_keeper_takes_the_server_along_and_a_start_recovers(
    server: EmbeddedPostgres,
) -> None:
    server.start()
    keep(server, "before the keeper died")
    postmaster = psutil.Process(server.pid())
    postmaster.parent().kill()
    postmaster.wait(timeout=20)
    server.start()
    assert was_kept(server, "before the keeper died")


def test_an_unfinished_initialisation_is_thrown_away(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgres" / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18")
    server = EmbeddedPostgres(tmp_path)
    server.start()
    assert value_of(server, "SELECT 1") == 1
    assert not unfinished.exists()
    server.stop()


def test_several_processes_that_start_it_at_once_share_one_server(
    server: EmbeddedPostgres,
) -> None:
    server.stop()
    command = [sys.executable, "-c", START_AND_ASK, str(server.var)]
    crowd = [
        subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    # A fifth user, who stays until all have answered.
    server.start()
    answers = {process.communicate(timeout=60)[0].strip() for process in crowd}
    assert all(process.returncode == 0 for process in crowd)
    assert len(answers) == 1
    assert answers.pop().endswith(f" {server.pid()}")


def test_it_runs_until_its_last_user_is_gone_even_if_killed(server: EmbeddedPostgres) -> None:
    stay = START_AND_ASK + "\nimport time\nsys.stdout.flush()\ntime.sleep(60)\n"
    command = [sys.executable, "-c", stay, str(server.var)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        server.start()
        assert not server.stop(), "it was stopped under another user"
        assert server.is_running()
        other.kill()
    server.wait_until_gone()
    assert not server.is_running()


def test_who_comes_while_it_shuts_down_gets_a_server_that_answers(
    server: EmbeddedPostgres,
) -> None:
    # How far the shutdown is when the next one comes decides, so it comes at several moments.
    for milliseconds in range(0, 60, 10):
        server.start()
        leaving = Thread(target=server.stop)
        leaving.start()
        time.sleep(milliseconds / 1000)
        following = EmbeddedPostgres(server.var)
        following.start()
        assert value_of(following, "SELECT 1") == 1
        following.stop()
        leaving.join()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedPostgresError, match=r"(?s)server\.log.*incompatible"):
        server.start()
    assert not server.is_running()


def test_as_root_the_server_runs_without_rights_behind_closed_folders(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("we are not root")
    server.start()
    assert psutil.Process(server.pid()).username() == ACCOUNT_NAME
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    hidden = EmbeddedPostgres(closed / "project" / "var")
    hidden.start()
    assert value_of(hidden, "SELECT 1") == 1
    hidden.stop()
    # The account may pass; it may not look, and nobody else may even pass.
    assert closed.stat().st_mode & 0o007 == 0
    for user, code in ((65534, 1), (hidden.data.stat().st_uid, 0)):
        probe = ["test", "-x", str(closed)]
        assert subprocess.call(probe, user=user, group=65534, extra_groups=[]) == code


def test_an_ordinary_user_runs_it_as_themselves(
    ordinary_user: OrdinaryUser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    var = Path("/var/tmp") / f"oversight-test-{os.getpid()}"  # a folder that everyone can reach
    var.mkdir()
    os.chown(var, ordinary_user.uid, ordinary_user.gid)
    try:
        ran = ordinary_user.run(START_AND_ASK, str(var))
        assert ran.returncode == 0, ran.stderr
        again = ordinary_user.run(START_AND_ASK, str(var))
        assert again.returncode == 0, again.stderr
        server = EmbeddedPostgres(var)
        server.wait_until_gone()
        assert server.data.stat().st_uid == ordinary_user.uid
        # Root takes it over as its owner, so the owner can go on afterwards.
        server.start()
        assert psutil.Process(server.pid()).uids().real == ordinary_user.uid
        server.stop()
        assert ordinary_user.run(START_AND_ASK, str(var)).returncode == 0
        server.wait_until_gone()
    finally:
        subprocess.run(["rm", "-rf", str(var)], check=True)
