"""The message queue inside PostgreSQL: PGMQ's schema, our queues, and who may touch them.

Messages are nudges: what is true stands in the record, and sweeps publish again what is lost. So
the whole schema may be thrown away and made anew, which is how a new PGMQ version is installed.
"""

from urllib.parse import urlsplit

import psycopg
from psycopg import sql

SERVER_QUEUE = "oversight"
"""Work of the server itself; a worker has no right to it."""
WORKER_QUEUES = ("evals_cpu", "evals_gpu")
"""One queue per class of evaluation hardware."""

_MARK = "PGMQ installed by oversight, version "
"""The comment on a schema that we made, and may replace, with the version after it."""
_LOCK = 0x6F766572_62726F6B
"""Advisory lock under which the schema is installed: the letters `overbrok`."""


def install(url: str, *, worker_role: str | None = None) -> None:
    """Install PGMQ and our queues in the database at `url` (pgmq:// or postgresql://).

    Safe to repeat and to run from several processes at once. `worker_role` gets just enough to
    consume the workers' queues: it can read and delete there, publish nowhere, and see no other.
    """
    address = url.replace("pgmq://", "postgresql://", 1)
    with psycopg.connect(address, connect_timeout=10) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        _install_schema(connection)
        for queue in (SERVER_QUEUE, *WORKER_QUEUES):
            connection.execute("SELECT pgmq.create(%s)", [queue])
        if worker_role:
            _admit(connection, worker_role)


def password_free(url: str) -> str:
    """Return `url` for people: without its password."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host).geturl()


def _install_schema(connection: psycopg.Connection) -> None:
    from pgmq.install import get_embedded_install_sql, get_embedded_sql_version

    wanted = f"{_MARK}{get_embedded_sql_version()}"
    row = connection.execute(
        "SELECT coalesce(obj_description(oid, 'pg_namespace'), '')"
        " FROM pg_namespace WHERE nspname = 'pgmq'"
    ).fetchone()
    if row == (wanted,):
        return
    if row and not str(row[0]).startswith(_MARK):
        return  # an extension or somebody else's installation: theirs to keep and to upgrade
    # The notices name each dropped table; nobody needs to read them.
    connection.execute("SET LOCAL client_min_messages = warning")
    connection.execute("DROP SCHEMA IF EXISTS pgmq CASCADE")
    connection.execute(get_embedded_install_sql())
    connection.execute(sql.SQL("COMMENT ON SCHEMA pgmq IS {}").format(sql.Literal(wanted)))
    # Whoever declares a queue, the schema's owner owns it. For a queue that exists it does nothing,
    # which is what lets a consumer without rights declare the queue that it reads.
    connection.execute("ALTER FUNCTION pgmq.create(text) SECURITY DEFINER SET search_path = pgmq")


def _admit(connection: psycopg.Connection, role: str) -> None:
    name = sql.Identifier(role)
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA pgmq TO {}").format(name))
    connection.execute(sql.SQL("GRANT SELECT ON pgmq.meta TO {}").format(name))
    for queue in WORKER_QUEUES:
        table = sql.Identifier("pgmq", f"q_{queue}")
        sequence = sql.Identifier("pgmq", f"q_{queue}_msg_id_seq")
        connection.execute(sql.SQL("GRANT SELECT, UPDATE, DELETE ON {} TO {}").format(table, name))
        connection.execute(sql.SQL("GRANT SELECT ON SEQUENCE {} TO {}").format(sequence, name))
