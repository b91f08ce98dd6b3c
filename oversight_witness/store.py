"""What a witness remembers, in one SQLite file: the last checkpoint of each log, and forks.

Every change is one transaction with `synchronous=FULL`, so an answer that was sent is on disk.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL,
    time INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS fork (
    origin TEXT NOT NULL, size INTEGER NOT NULL, seen_note TEXT NOT NULL, other_note TEXT NOT NULL,
    request TEXT NOT NULL, time INTEGER NOT NULL, UNIQUE (origin, seen_note, other_note)
);
"""


@dataclass(frozen=True)
class Seen:
    """The last tree of a log that was cosigned; size 0 before the first."""

    size: int
    root: bytes
    note: str
    time: int = 0


class Store:
    """The file; one connection per use, so that any thread or process may use it."""

    def __init__(self, path: Path) -> None:
        """Make the file if there is none."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        with self._connection() as connection:
            connection.executescript(SCHEMA)

    def seen(self, origin: str) -> Seen | None:
        """Return what was last cosigned for a log."""
        with self._connection() as connection:
            return _seen(connection, origin)

    def all_seen(self) -> list[tuple[str, Seen]]:
        """Return what was last cosigned for each log."""
        with self._connection() as connection:
            rows = connection.execute("SELECT origin, size, root, note, time FROM seen").fetchall()
        return [(row[0], Seen(*row[1:])) for row in rows]

    @contextmanager
    def exclusively(self) -> Iterator["Turn"]:
        """Hold the file alone: what is read cannot change before what is written is on disk."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Turn(connection)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            # A crash before this line leaves the old state, and no answer was sent yet; after it
            # the new one is on disk, and the same request again is answered from it.
            connection.execute("COMMIT")

    def forks(self) -> list[dict[str, object]]:
        """Return all evidence: pairs of signed checkpoints that no one honest log can have made."""
        names = ("origin", "size", "seen", "other", "request", "time")
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT origin, size, seen_note, other_note, request, time FROM fork ORDER BY time"
            ).fetchall()
        return [dict(zip(names, row, strict=True)) for row in rows]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            yield connection
        finally:
            connection.close()


class Turn:
    """One exclusive transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take the connection, on which a transaction is open."""
        self._connection = connection

    def seen(self, origin: str) -> Seen | None:
        """Return what was last cosigned for a log."""
        return _seen(self._connection, origin)

    def keep(self, origin: str, size: int, root: bytes, note: str, at: int) -> None:
        """Remember a tree as the last one; the caller has verified that it continues the other."""
        self._connection.execute(
            "INSERT INTO seen VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET "
            "size = excluded.size, root = excluded.root, note = excluded.note, "
            "time = excluded.time",
            (origin, size, root, note, at),
        )

    def keep_fork(self, origin: str, size: int, seen: str, other: str, request: str) -> None:
        """Keep two checkpoints, both signed by the log, that contradict each other."""
        self._connection.execute(
            "INSERT OR IGNORE INTO fork VALUES (?, ?, ?, ?, ?, ?)",
            (origin, size, seen, other, request, int(time.time())),
        )


def _seen(connection: sqlite3.Connection, origin: str) -> Seen | None:
    row = connection.execute(
        "SELECT size, root, note, time FROM seen WHERE origin = ?", (origin,)
    ).fetchone()
    return Seen(*row) if row else None
