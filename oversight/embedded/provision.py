"""Make the databases, roles and queues inside the embedded PostgreSQL; safe to repeat."""

import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from oversight.embedded import broker
from oversight.embedded.addresses import (
    BROKER_DATABASE,
    DATABASE,
    ROLE,
    WORKER_ROLE,
    ConnectionInfo,
    EmbeddedPostgresError,
)

REPLAY_SECONDS = 600.0


def provision(info: ConnectionInfo, var: Path) -> None:
    """Bring roles, passwords, databases and the queue schema to where this version wants them.

    Raises:
        EmbeddedPostgresError: when the superuser's secret does not fit these files.
    """
    try:
        connection = psycopg.connect(info.superuser_url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL runs but does not let us in ({error}). The passwords in"
            f" {var / 'secrets'} do not belong to {var / 'postgres'}: restore both from the same"
            " backup."
        ) from error
    with connection:
        _await_replay(connection)
        _ensure_role(connection, ROLE, _password(info.database_url))
        _ensure_role(connection, WORKER_ROLE, _password(info.worker_broker_url))
        for name in (DATABASE, BROKER_DATABASE):
            _ensure_database(connection, name)
        connection.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                sql.Identifier(BROKER_DATABASE), sql.Identifier(WORKER_ROLE)
            )
        )
        connection.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
        # Where Django goes to create a test database.
        connection.execute(
            sql.SQL("GRANT CONNECT ON DATABASE postgres TO {}").format(sql.Identifier(ROLE))
        )
    broker.install(info.broker_url, worker_role=WORKER_ROLE)


def _await_replay(connection: psycopg.Connection) -> None:
    """Wait until a restored server has replayed its archive; nothing can be written before."""
    deadline = time.monotonic() + REPLAY_SECONDS
    while connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(
                "The embedded PostgreSQL still replays its write-ahead log. It goes on by itself:"
                " wait, and start again."
            )
        time.sleep(0.2)


def _password(url: str) -> str:
    return urlsplit(url).password or ""


def _ensure_role(connection: psycopg.Connection, name: str, password: str) -> None:
    """Create the role if need be; its password is whatever the secret says now."""
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = "ALTER" if found else "CREATE"
    connection.execute(
        sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}").format(
            sql.Identifier(name), sql.Literal(password)
        )
    )


def _ensure_database(connection: psycopg.Connection, name: str) -> None:
    """Create the database, owned by the server's role and closed to everybody else."""
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(ROLE)
            )
        )
    connection.execute(
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name))
    )
