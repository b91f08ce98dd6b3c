"""Where the embedded PostgreSQL listens and who may log in, known without starting it.

One server on a loopback port holds two databases: `oversight`, the record, and `oversight_broker`,
the queue. Evaluation workers get a role that can take messages from the queue and cannot connect
to the record.
"""

import os
import random
import socket
from dataclasses import dataclass
from pathlib import Path

from oversight.embedded import secrets
from oversight.embedded.locks import FileLock

HOST = "127.0.0.1"
PORTS = range(20000, 32000)
"""Where a port is drawn from: above the well-known ones, below those given to outgoing calls."""

SUPERUSER = "postgres"
ROLE = "oversight"
WORKER_ROLE = "oversight_worker"
DATABASE = "oversight"
BROKER_DATABASE = "oversight_broker"


class EmbeddedPostgresError(RuntimeError):
    """The embedded server cannot run; the message names the cause and the fix in a few lines."""


@dataclass(frozen=True)
class ConnectionInfo:
    """How to reach the server that runs now."""

    host: str
    port: int
    database_url: str
    """The record, for the server's own processes."""
    broker_url: str
    """The queue, for the server's own processes."""
    worker_broker_url: str
    """The queue, for evaluation workers."""
    superuser_url: str
    """Everything, for maintenance and tests."""


def embedded_urls(var: Path) -> dict[str, str]:
    """Return DATABASE_URL, BROKER_URL and WORKER_BROKER_URL of the embedded server.

    Starts nothing: they hold for the port that is remembered, or chosen now if there is none.
    """
    info = information(var, remembered_port(var))
    return {
        "DATABASE_URL": info.database_url,
        "BROKER_URL": info.broker_url,
        "WORKER_BROKER_URL": info.worker_broker_url,
    }


def remembered_port(var: Path) -> int:
    """Return the server's port, chosen and written to `var/postgres/port` the first time."""
    path = var / "postgres" / "port"
    if not path.exists():
        with FileLock(var / "postgres" / "port.lock"):
            if not path.exists():
                remember_port(var, free_port())
    return int(path.read_text())


def free_port() -> int:
    """Return a port on which nobody listens on the loopback address."""
    candidates = random.sample(PORTS, 200)  # a port is no secret
    for port in candidates:
        if is_free(port):
            return port
    raise EmbeddedPostgresError(f"No free port between {PORTS.start} and {PORTS.stop}.")


def is_free(port: int, host: str = HOST) -> bool:
    """Say whether a server could listen on `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def remember_port(var: Path, port: int) -> None:
    """Write down the port that the server will listen on from now."""
    path = var / "postgres" / "port"
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(f"{port}\n")
    draft.replace(path)


def information(var: Path, port: int) -> ConnectionInfo:
    """Return the addresses for a server on `port`."""
    server = secrets.read_or_create(var, "postgres-oversight")
    worker = secrets.read_or_create(var, "postgres-worker")
    superuser = secrets.read_or_create(var, "postgres-superuser")
    where = f"{HOST}:{port}"
    return ConnectionInfo(
        host=HOST,
        port=port,
        database_url=f"postgresql://{ROLE}:{server}@{where}/{DATABASE}",
        broker_url=f"pgmq://{ROLE}:{server}@{where}/{BROKER_DATABASE}",
        worker_broker_url=f"pgmq://{WORKER_ROLE}:{worker}@{where}/{BROKER_DATABASE}",
        superuser_url=f"postgresql://{SUPERUSER}:{superuser}@{where}/postgres",
    )
