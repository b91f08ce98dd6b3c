"""Statements that PostgreSQL keeps prepared: for the few that thousands ask for within a minute.

For such a question the text that the models make anew each time, and the plan that the database
makes anew each time, cost more than the answer. All others go through the models.
"""

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper

Row = tuple[Any, ...]


def one(statement: str, values: Sequence[Any] = ()) -> Row | None:
    """Return the first row of the answer, None where there is none."""
    with _cursor() as cursor:
        cursor.execute(statement, values)
        found: Row | None = cursor.fetchone()
        return found


def rows(statement: str, values: Sequence[Any] = ()) -> list[Row]:
    """Return all rows of the answer."""
    with _cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def run(statement: str, values: Sequence[Any] = ()) -> int:
    """Do what the statement says; return how many rows it concerned."""
    with _cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def _cursor() -> CursorWrapper:
    """Return a cursor like `connection.cursor()`, but one that leaves the values to the server.

    `DATABASE_PREPARES` says whether its statements are prepared, too. Who has queries logged gets
    the ordinary cursor: only that one can say what it asked.
    """
    # Once by name: each use of Django's stand-in for it looks it up again.
    database = connections[DEFAULT_DB_ALIAS]
    if database.queries_logged:
        return database.cursor()
    database.close_if_health_check_failed()
    database.ensure_connection()
    with database.wrap_database_errors:
        plain = ServerBindingCursor(database.connection)  # type: ignore[call-arg]
    return database.make_cursor(plain)  # type: ignore[arg-type]
