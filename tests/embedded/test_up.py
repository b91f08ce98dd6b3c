import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from oversight.celery import app, transport_options
from oversight.embedded.addresses import free_port
from oversight.embedded.health import health
from oversight.embedded.postgres import EmbeddedPostgres
from oversight.embedded.preflight import PreflightError, take_port
from oversight.embedded.presence import Presence
from oversight.embedded.session import NotRunningError, running_system
from tests.embedded.conftest import PROJECT


def environment(var: Path, port: int, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "BROKER_URL"}}
    return {**kept, "OVERSIGHT_ENV": "test", "OVERSIGHT_VAR": str(var), "PORT": str(port), **more}


def refused_up(var: Path, port: int, **more: str) -> str:
    """Run `up`, which must refuse with exit code 1, and return what it said."""
    ran = subprocess.run(
        [sys.executable, "manage.py", "up", "--without-worker"],
        cwd=PROJECT,
        env=environment(var, port, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("var")


@pytest.fixture(scope="module")
def url(var: Path) -> Iterator[str]:
    with running_system(var=var, worker=False, environment=environment(var, free_port())) as url:
        yield url


def test_the_whole_system_answers(url: str) -> None:
    status, answer = health(url)
    assert status == 200, answer
    assert answer["status"] == "ok"


def test_published_tasks_are_taken_by_the_tasks_process(url: str, var: Path) -> None:
    broker = EmbeddedPostgres(var).info().broker_url
    with app.connection_for_write(broker) as connection:
        connection.transport_options = transport_options(broker)
        app.send_task("accounts.send_notices", connection=connection)
    query = "SELECT count(*) FROM pgmq.q_oversight"
    deadline = time.monotonic() + 15
    with psycopg.connect(broker.replace("pgmq://", "postgresql://"), autocommit=True) as database:
        while database.execute(query).fetchone() != (0,) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert database.execute(query).fetchone() == (0,)


def test_a_second_supervisor_refuses_and_names_the_first(url: str, var: Path) -> None:
    system = Presence(var).other()
    assert system is not None
    said = refused_up(var, free_port())
    assert f"process {system.pid}, {url}" in said
    assert health(url)[0] == 200


def test_a_running_system_is_used_and_left_running(url: str, var: Path) -> None:
    with running_system(var=var, worker=False) as other:
        assert other == url
    assert health(url)[0] == 200
    with_worker = running_system(var=var, worker=True)
    with pytest.raises(NotRunningError, match="without an evaluation worker"):
        with_worker.__enter__()


def test_a_killed_web_process_is_started_anew_and_answers(url: str, var: Path) -> None:
    system = Presence(var).other()
    assert system is not None
    supervisor = psutil.Process(system.pid)
    parts, family = supervisor.children(), supervisor.children(recursive=True)
    web = {process.pid: process for process in family if "granian" in process.cmdline()}
    # The one that answers is the child of the one that keeps the address.
    answering = next(process for process in web.values() if process.ppid() in web)
    answering.kill()
    psutil.wait_procs([answering], timeout=10)
    deadline = time.monotonic() + 60
    while health(url)[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert health(url)[0] == 200
    assert not answering.is_running()
    assert [part for part in parts if not part.is_running()] == []


def test_every_part_goes_when_one_dies_and_that_one_is_named(url: str, var: Path) -> None:
    system = Presence(var).other()
    assert system is not None
    supervisor = psutil.Process(system.pid)
    family = supervisor.children(recursive=True)
    sequencer = next(p for p in family if "sequencer" in p.cmdline())
    sequencer.kill()
    psutil.wait_procs([supervisor, *family], timeout=40)
    assert not [process for process in family if process.is_running()]
    log = (var / "run" / "system.log").read_text()
    assert "sequencer stopped (killed by SIGKILL)" in log
    assert not EmbeddedPostgres(var).is_running()
    assert Presence(var).other() is None


def test_a_killed_database_server_stops_everything_and_shows_its_log(var: Path) -> None:
    with running_system(var=var, worker=False, environment=environment(var, free_port())):
        system = Presence(var).other()
        pid = EmbeddedPostgres(var).pid()
        assert system is not None
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        psutil.wait_procs([psutil.Process(system.pid)], timeout=40)
        log = (var / "run" / "system.log").read_text()
    assert "database stopped. It said last:" in log
    assert "ready to accept connections" in log


def test_it_stops_cleanly_on_a_signal_and_starts_again(var: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    command = [sys.executable, "manage.py", "up", "--without-worker", "--ready-file", str(ready)]
    settings = environment(var, free_port())
    with subprocess.Popen(command, cwd=PROJECT, env=settings, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 180
        while not ready.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert health(json.loads(ready.read_text())["url"])[0] == 200
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=90) == 0
    assert not [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert not ready.exists()
    assert not EmbeddedPostgres(var).is_running()


def test_a_killed_supervisor_takes_everything_along(var: Path) -> None:
    settings = environment(var, free_port())
    with running_system(var=var, worker=False, environment=settings):
        system = Presence(var).other()
        assert system is not None
        supervisor = psutil.Process(system.pid)
        family = supervisor.children(recursive=True)
        supervisor.kill()
        psutil.wait_procs(family, timeout=40)
        assert not [process for process in family if process.is_running()]


def test_a_taken_port_is_named_with_another_to_choose(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = refused_up(tmp_path, port)
    assert f"Port {port} on 127.0.0.1 is taken by" in said
    assert f"(process {os.getpid()})" in said
    assert "PORT=" in said
    assert not EmbeddedPostgres(tmp_path).is_running()


def test_two_systems_that_start_together_cannot_take_one_port() -> None:
    port = free_port()
    with take_port("127.0.0.1", port):
        with pytest.raises(PreflightError, match=f"Port {port} on 127.0.0.1 is taken"):
            take_port("127.0.0.1", port)
        # The web server, which shares its port between its own processes, can still listen.
        with socket.socket() as web:
            web.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            web.bind(("127.0.0.1", port))
            web.listen()
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                web.accept()[0].close()


def test_a_database_that_does_not_answer_is_one_clear_line(tmp_path: Path) -> None:
    said = refused_up(
        tmp_path,
        free_port(),
        DATABASE_URL=f"postgresql://someone:hidden@127.0.0.1:{free_port()}/oversight",
        BROKER_URL="memory://",
    )
    assert len(said.splitlines()) == 1
    assert "DATABASE_URL=postgresql://127.0.0.1:" in said
    assert "does not answer" in said
    assert "hidden" not in said


def test_a_broker_that_does_not_answer_is_one_clear_line(tmp_path: Path) -> None:
    said = refused_up(
        tmp_path, free_port(), BROKER_URL=f"amqp://someone:hidden@127.0.0.1:{free_port()}//"
    )
    assert len(said.splitlines()) == 1
    assert "BROKER_URL=amqp://127.0.0.1:" in said
    assert "hidden" not in said
