"""The sequencer as a process: one per database, woken by notifications, at home with lost servers.

One session holds the lock, hears the notifications and does the work, so a process that lost the
lock cannot go on writing.
"""

import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.utils.translation import gettext as _

from oversight.ledger import queries
from oversight.ledger.public_folder import PublicFolder
from oversight.ledger.publisher import PublisherThread
from oversight.ledger.recovery import begin
from oversight.ledger.sequencer import BATCH_LEAVES, make_signer, sequence_once
from oversight.ledger.services import PENDING_CHANNEL
from oversight.ledger.signer import Signer
from oversight.ledger.timestamps import TimestampThread, authority
from oversight.ledger.witnesses import WitnessThreads
from oversight.web import prepared

logger = logging.getLogger(__name__)

LOCK = (0x6C65_6467, 1)
"""Two numbers that name the advisory lock of the one sequencer: the letters `ledg`, and 1."""

CEILING_SECONDS = 0.1
"""The longest pause between two looks, should a notification be lost."""

CROWD_LEAVES = 8
CROWD_SECONDS = 0.025
"""When so many came at once, the next batch begins no sooner: a batch of one costs what a batch of
many costs, and the processor is better spent on those who act than on signatures."""

FIRST_PATIENCE_SECONDS = 30.0
"""How long a starting process waits for the database or for the lock of a dying predecessor."""

FIRST_BACKOFF_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 5.0

UNSAFE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""How the server must not be set: what it acknowledged would not survive a power cut.

The sequencer's own commits are safe either way, but not those of acts that still wait.
"""

TROUBLE = (OperationalError, InterfaceError, InternalError, OSError)
"""What a later attempt may find mended: server gone, read-only, disk full."""


class SequencerBusy(RuntimeError):  # noqa: N818 - says what is wrong, not that it is one
    """Another process is the sequencer of this database; the message names it."""


class UnsafeDatabase(RuntimeError):  # noqa: N818
    """The database would acknowledge what it can lose."""


class SequencerProcess:
    """Runs batches until asked to stop. Made once per process, in the main thread."""

    def __init__(
        self,
        *,
        ceiling_seconds: float = CEILING_SECONDS,
        patience_seconds: float = FIRST_PATIENCE_SECONDS,
        say: Callable[[str], None] = logger.info,
    ) -> None:
        """Take the longest pause between looks, that at the first start, and where to report."""
        self._ceiling_seconds = ceiling_seconds
        self._patience_seconds = patience_seconds
        self._say = say
        self._stopping = threading.Event()
        self._was_ready = False
        self._backoff_seconds = FIRST_BACKOFF_SECONDS
        self._reported = ""
        self._folder = PublicFolder(settings.LEDGER_PUBLIC_DIR)

    def stop(self) -> None:
        """Finish the batch at hand and return from `run`. Safe to call from a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Sequence until `stop`; wait and reconnect when the database or the disk is in trouble.

        Raises:
            SequencerBusy: when another sequencer holds the lock.
            OperationalError: when the database cannot be reached at the first start.
            UnsafeDatabase: in production, when the server runs without fsync.
            SignerRefusal, RecordDamaged, HeadMoved: see `sequence_once`.
        """
        started = time.monotonic()
        while not self._stopping.is_set():
            try:
                self._serve()
            except TROUBLE as error:
                if not self._was_ready and time.monotonic() - started > self._patience_seconds:
                    raise
                self._report(f"waiting: {_first_line(error)}")
                self._stopping.wait(self._backoff_seconds)
                self._backoff_seconds = min(2 * self._backoff_seconds, LONGEST_BACKOFF_SECONDS)
            finally:
                # The server drops lock and notifications with the session.
                connection.close()

    def _serve(self) -> None:
        self._open_session()
        signer = make_signer()
        begin(signer, self._folder, self._say)
        # The first round, with or without leaves, also signs what a crash left unsigned.
        sequence_once(signer)
        self._report(f"ready: {signer.vkey}")
        self._was_ready = True
        # They work beside the sequencer and on what is committed: no receipt waits for them.
        publisher = PublisherThread(self._folder, self._say)
        witnesses = WitnessThreads(queries.witness_policy(), self._say)
        stamps = TimestampThread(authority(), self._say)
        beside = (publisher, witnesses, stamps)
        for each in beside:
            each.start()
        try:
            self._sequence(signer, [each.wake for each in beside])
        finally:
            for each in beside:
                each.stop()

    def _sequence(self, signer: Signer, after_batch: Sequence[Callable[[], None]]) -> None:
        while not self._stopping.is_set():
            if prepared.one("SELECT FROM ledger_pendingleaf LIMIT 1") is not None:
                began = time.monotonic()
                count = sequence_once(signer)
                self._backoff_seconds = FIRST_BACKOFF_SECONDS
                for wake in after_batch:
                    wake()
                if CROWD_LEAVES <= count < BATCH_LEAVES:
                    self._stopping.wait(began + CROWD_SECONDS - time.monotonic())
            else:
                self._wait()

    def _report(self, change: str) -> None:
        """Say what has changed; the same trouble again is no news."""
        if change != self._reported:
            self._say(change)
        self._reported = change

    def _open_session(self) -> None:
        connection.ensure_connection()
        name = f"oversight sequencer, process {os.getpid()} on {socket.gethostname()}"
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('application_name', %s, false)", [name[:63]])
            # What this session commits must be on disk before anyone gets a receipt for it.
            cursor.execute("SET synchronous_commit = on")
        _require_durable_server(self._say)
        self._take_lock()
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {PENDING_CHANNEL}")

    def _take_lock(self) -> None:
        """Become the one sequencer; after a lost connection wait for the old session to vanish."""
        patience = FIRST_PATIENCE_SECONDS if self._was_ready else 0.0
        deadline = time.monotonic() + patience
        while not _try_lock():
            if time.monotonic() >= deadline or self._stopping.wait(0.2):
                raise SequencerBusy(
                    f"Another sequencer works on this database: {_lock_holder()}. There must be "
                    "exactly one; stop that one first, or leave it to it."
                )

    def _wait(self) -> None:
        """Pause until a leaf is committed, at most the ceiling."""
        session = connection.connection
        assert session is not None  # noqa: S101 - opened above, or an error was raised
        with connection.wrap_database_errors:  # the driver's own errors, as Django's
            heard = next(session.notifies(timeout=self._ceiling_seconds, stop_after=1), None)
            if heard is not None:
                # Those of leaves that went into earlier batches must not each ask for a look.
                deque(session.notifies(timeout=0), maxlen=0)


@contextmanager
def alone() -> Iterator[None]:
    """Hold the sequencer's lock for a ceremony; no sequencer can run meanwhile.

    Raises:
        SequencerBusy: when one is running.
    """
    if not _try_lock():
        raise SequencerBusy(
            f"Another sequencer works on this database: {_lock_holder()}. Stop it first, do this, "
            "and start it again."
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", LOCK)


def _try_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK)
        return bool(cursor.fetchone()[0])


def _lock_holder() -> str:
    """Say who holds the lock, as far as the server tells."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.pid, a.application_name, a.client_addr, a.backend_start "
            "FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
            "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 "
            "AND l.classid = %s AND l.objid = %s AND a.datname = current_database()",
            LOCK,
        )
        row = cursor.fetchone()
    if row is None:
        return "one that has just gone; try again"
    pid, name, address, since = row
    where = f" from {address}" if address else ""
    return f"{name or 'unnamed'}{where}, server process {pid}, since {since:%Y-%m-%d %H:%M:%S %Z}"


def _require_durable_server(say: Callable[[str], None]) -> None:
    with connection.cursor() as cursor:
        # What every session begins with; this one may have been set otherwise by itself.
        cursor.execute(
            "SELECT name, reset_val FROM pg_settings WHERE name = ANY(%s) ORDER BY name",
            [list(UNSAFE)],
        )
        unsafe = [name for name, setting in cursor.fetchall() if setting == UNSAFE[name]]
    if not unsafe:
        return
    message = _(
        "the database server runs with %(unsafe)s off: a power cut can lose entries "
        "that people hold receipts for. Switch it on in postgresql.conf."
    ) % {
        "unsafe": " and ".join(unsafe),
    }
    if settings.PRODUCTION:
        raise UnsafeDatabase(f"Refusing to start: {message}")
    say(f"warning: {message}")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
