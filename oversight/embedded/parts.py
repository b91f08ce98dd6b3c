"""The parts of the system: which program each one is and how one knows that it is ready."""

import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from oversight import env

PROJECT = Path(__file__).resolve().parents[2]
_FRUGAL = {
    "MALLOC_ARENA_MAX": "2",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "OPENBLAS_NUM_THREADS": "1",
}
"""For a process with many threads that computes little: memory that is freed goes back."""

SERVER_ONLY = ("DATABASE_URL", "BROKER_URL", "SECRET_KEY", "EMAIL_URL", "DJANGO_SETTINGS_MODULE")
"""Environment variables that an evaluation worker must not see; its own BROKER_URL replaces one."""

_OUTPUT = {"PYTHONUNBUFFERED": "1", "CELERY_SKIP_CHECKS": "1"}
"""Lines appear when they are written; Django's checks, which load all pages, are left out."""


@dataclass(frozen=True)
class Part:
    """One program of the system."""

    name: str
    command: list[str]
    ready_when: str = ""
    """What a line of its output contains once it works; empty when it says nothing."""
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ, **_OUTPUT))
    """All that it sees of the environment."""
    stop_signal: signal.Signals = signal.SIGTERM
    ready_seconds: float = 120.0
    grace_seconds: float = 10.0
    """How long it may take to stop before it is killed."""


def web(host: str, port: int) -> Part:
    """Return the web server: one process unless more are asked for, with eight threads each."""
    processes = env.integer("WEB_PROCESSES", 1, low=1, high=64)
    threads = env.integer("WEB_THREADS", 8, low=1, high=64)
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host]
    command += [
        "--port",
        str(port),
        "--workers",
        str(processes),
        "--blocking-threads",
        str(threads),
        "--no-ws",
    ]
    # Less than errors is a line about the number of threads at every start.
    # Killed at any moment, the process that answers is started anew; without it all parts stopped.
    command += ["--respawn-failed-workers", "--respawn-interval", "0.5"]
    command += ["--workers-kill-timeout", "5", "--log-level", "error"]
    return Part(
        "web",
        [*command, "oversight.wsgi:application"],
        environment={**_FRUGAL, **os.environ, **_OUTPUT},
    )


def sequencer() -> Part:
    """Return the only process that extends the public log."""
    command = [sys.executable, "manage.py", "sequencer"]
    return Part("sequencer", command, "sequencer ready")


def tasks() -> Part:
    """Return the worker for the server's own short tasks."""
    command = _celery(sys.executable, "oversight.celery:app", "worker")
    command += ["--pool", "threads", "--concurrency", "2", "--queues", "oversight"]
    return Part("tasks", [*command, *_LONELY, "--hostname", "tasks@%h"], " ready.")


def clock(var: Path) -> Part:
    """Return the process that starts scheduled tasks."""
    command = _celery(sys.executable, "oversight.celery:app", "beat")
    schedule = var / "run" / "clock"
    return Part(
        "clock",
        [*command, "--schedule", str(schedule), "--pidfile="],
    )


def worker(python: str, environment: dict[str, str]) -> Part:
    """Return one evaluation worker for this machine's processors.

    It sees nothing of the server's secrets: its own address of the queue, key and token are in
    `environment`.
    """
    command = _celery(python, "evals.worker.app", "worker")
    command += ["--pool", "threads", "--concurrency", "1", "--queues", "evals_cpu"]
    inherited = {k: v for k, v in os.environ.items() if k not in SERVER_ONLY}
    return Part(
        "worker",
        [*command, *_LONELY, "--hostname", "embedded-cpu@%h"],
        " ready.",
        environment=inherited | _OUTPUT | environment,
        ready_seconds=120.0,
    )


_LONELY = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
"""Celery's processes know nothing of each other: PGMQ cannot name the queues for replies."""


def _celery(python: str, app: str, command: str) -> list[str]:
    # As root it would warn at each start; containers often are root, and only JSON is accepted.
    quiet = ["-W", "ignore:You're running the worker with superuser"]
    return [python, *quiet, "-m", "celery", "--app", app, "--quiet", command, "--loglevel", "INFO"]
