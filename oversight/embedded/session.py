"""A running system, or only its database, for the time of one command or test."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from oversight.embedded.addresses import ConnectionInfo, free_port
from oversight.embedded.leash import leashed
from oversight.embedded.parts import PROJECT
from oversight.embedded.postgres import EmbeddedPostgres
from oversight.embedded.presence import Presence, System

OURS = "oversight | "
"""What the supervisor's own lines begin with in the log of a system."""

START_SECONDS = 300.0
"""Longest wait for a whole system to be ready, with a first start on a busy machine in mind."""


class NotRunningError(RuntimeError):
    """The system could not be had; the message repeats what it said last."""


@contextmanager
def running_system(
    *,
    var: Path | None = None,
    port: int = 0,
    worker: bool = True,
    environment: Mapping[str, str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[str]:
    """Yield the base URL of a system on `var`, ready to use.

    One that runs already is used and left running. Else one is started on `port` (0: any free one)
    and stopped in the end; it also ends when this process dies. `environment` adds to or replaces
    variables for one that is started; `say` is told each line of how far the start is.

    Raises:
        NotRunningError: when it does not become ready, or has no worker and one is asked for.
    """
    var = (var or default_var()).resolve()
    if found := Presence(var).other():
        yield _await_other(var, found, worker=worker).url
        return
    (var / "run").mkdir(parents=True, exist_ok=True)
    # Beside what else the system says of itself: a process that is killed leaves nothing elsewhere.
    ready_file = var / "run" / "ready"
    ready_file.unlink(missing_ok=True)
    command = [sys.executable, "manage.py", "up", "--ready-file", str(ready_file)]
    command += [] if worker else ["--without-worker"]
    settings = {"OVERSIGHT_VAR": str(var), "PORT": str(port or free_port())}
    log = var / "run" / "system.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            leashed(command),
            cwd=PROJECT,
            env={**os.environ, **settings, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield _await_ready(process, ready_file, log, say)
    finally:
        process.terminate()
        process.wait()


def ensure_database(var: Path | None = None) -> None:
    """Have the embedded database running until this process ends; call it before any query.

    Does nothing where DATABASE_URL is set. When the server had to take another port than the one
    that Django's settings were loaded with, the settings are corrected.
    """
    from django.conf import settings

    if not settings.DATABASE_IS_EMBEDDED:
        return
    # Never stopped by name: the server goes when its last user, here this process, is gone.
    adopt(server_of(var or default_var()).start())


def server_of(var: Path) -> EmbeddedPostgres:
    """Return this process's use of the server in `var`; one process is one user of it."""
    return _servers.setdefault(var.resolve(), EmbeddedPostgres(var))


_servers: dict[Path, EmbeddedPostgres] = {}


def default_var() -> Path:
    """Return the folder of the present settings."""
    from django.conf import settings

    return Path(settings.OVERSIGHT_VAR)


def adopt(info: ConnectionInfo) -> None:
    """Correct settings that were loaded before the server had to choose another port."""
    from django.conf import settings
    from django.db import connections

    port = str(info.port)
    if settings.DATABASES["default"]["PORT"] == port:
        return
    settings.DATABASES["default"]["PORT"] = port
    connections["default"].close()
    connections["default"].settings_dict["PORT"] = port
    if settings.BROKER_IS_EMBEDDED:
        from oversight.celery import use_broker

        settings.BROKER_URL = settings.CELERY_BROKER_URL = info.broker_url
        use_broker(info.broker_url)


def _await_ready(
    process: "subprocess.Popen[bytes]", ready_file: Path, log: Path, say: Callable[[str], None]
) -> str:
    deadline = time.monotonic() + START_SECONDS
    told = 0
    while time.monotonic() < deadline:
        news = [line for line in log.read_text(errors="replace").split("\n")[:-1] if OURS in line]
        for line in news[told:]:
            say(line.partition(OURS)[2])
        told = len(news)
        if ready_file.exists():
            return str(json.loads(ready_file.read_text())["url"])
        if process.poll() is not None:
            break
        time.sleep(0.1)
    said = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
    raise NotRunningError(f"The system did not start. Its log, {log}, ends with:\n{said}")


def _await_other(var: Path, found: System | None, *, worker: bool) -> System:
    deadline = time.monotonic() + START_SECONDS
    while found and not found.is_ready and time.monotonic() < deadline:
        time.sleep(0.2)
        found = Presence(var).other()
    if not found or not found.is_ready:
        raise NotRunningError(
            f"Another command started the system on {var}, which did not become ready."
        )
    if worker and not found.has_worker:
        raise NotRunningError(
            f"The system on {var} (process {found.pid}) runs without an evaluation worker. Stop it"
            " and start it without --without-worker, or connect a worker of your own."
        )
    return found
