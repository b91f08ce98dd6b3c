"""Reads for the gate: from the writer, or from a replica while the writer is down.

A replica says by itself how old it is: the time of the last commit that it has replayed. The clock
makes an empty commit twice a minute (`tasks.tick`), so a replica of an idle writer does not look
old. Beyond the age that is allowed it is not believed: a revocation could be missing from it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections

from oversight.ledger import queries

Read = TypeVar("Read")

REPLICA = "replica"
WAIT_SECONDS = 5.0
"""How long a writer that did not answer is left alone; the replica answers meanwhile."""


_LOST = (OperationalError, InterfaceError)


class CannotTell(RuntimeError):  # noqa: N818 - an answer, not a fault
    """The gate cannot judge; whoever asked must take it for a no. The message says why."""


def steady() -> float:
    """Return seconds on a clock that nobody sets and that also runs while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Source:
    """Where this process reads from just now."""

    def __init__(self) -> None:
        self.down_until = 0.0
        self.seen_size = 0
        """The largest tree under which the gate has answered: no replica may know less."""

    def read(self, work: Callable[[], Read]) -> tuple[Read, bool]:
        """Return what some reads return, and whether a replica answered them.

        Raises:
            CannotTell: neither the writer nor a replica that is young enough answers.
        """
        if steady() >= self.down_until:
            try:
                return work(), False
            except _LOST:
                _give_back(connection)
                self.down_until = steady() + WAIT_SECONDS if _has_replica() else 0.0
        if not _has_replica():
            raise CannotTell("The database does not answer, and there is no replica of it.")
        try:
            with replica():
                require_young()
                self._require_all_seen()
                return work(), True
        except _LOST:
            raise CannotTell("Neither the database nor its replica answers.") from None

    def _require_all_seen(self) -> None:
        size = queries.published_size()
        if size < self.seen_size:
            raise CannotTell(
                f"The database does not answer, and its replica lacks acts: it holds {size} of "
                f"{self.seen_size} that this gate has seen."
            )


@contextmanager
def replica() -> Iterator[None]:
    """Let every question of this thread go to the replica; it is opened for reading only."""
    writer = connections["default"]
    standby = connections[REPLICA]
    connections["default"] = standby
    try:
        yield
    except _LOST:
        _give_back(standby)
        raise
    finally:
        connections["default"] = writer


def require_young() -> None:
    """Refuse a replica whose last news of the writer are older than the settings allow.

    A server that is no replica any more, because it was promoted, is as good as the writer.

    Raises:
        CannotTell: naming the age.
    """
    is_replica, replayed, now = _age()
    if not is_replica:
        return
    latest = max(now, datetime.now(UTC))
    age = (latest - replayed).total_seconds() if replayed else None
    allowed = settings.GATE_REPLICA_MAX_AGE_SECONDS
    if age is None or age > allowed:
        said = "has no news at all" if age is None else f"has had no news for {age:.0f} s"
        raise CannotTell(
            f"The database does not answer, and its replica {said}; it is believed for {allowed} s."
        )


def _age() -> tuple[bool, datetime | None, datetime]:
    """Return whether the server follows another, its newest commit, and its clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_is_in_recovery(), pg_last_xact_replay_timestamp(), clock_timestamp()"
        )
        is_replica, replayed, now = cursor.fetchone()
    return is_replica, replayed, now


def tidy() -> None:
    """Close this thread's connections that are broken or too old, as Django does at a request."""
    for each in connections.all(initialized_only=True):
        if not each.in_atomic_block:
            each.close_if_unusable_or_obsolete()


def _has_replica() -> bool:
    return REPLICA in connections.settings


def _give_back(broken: object) -> None:
    """Close a connection whose server is gone, so that the next question opens another."""
    if not getattr(broken, "in_atomic_block", False):
        broken.close()  # type: ignore[attr-defined]


source = Source()
