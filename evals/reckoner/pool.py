"""Who does the next piece of work: a reckoner that is warm, or a new one; two at most at a time.

A reckoner ends by itself when it was idle for a while, so that a quiet site has none. Long work
(a result's samples, a whole export) is done one piece after the other; the second place is always
left to what a reader waits for. Nobody waits for a place with a lock of the database that others
need to give one back: results take theirs before their transaction begins.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from evals.reckoner.process import ReckonerProcess
from evals.reckoner.refusals import ReckonerAway, Refused
from evals.reckoner.wire import Gone

PLACES = 2
QUICK_SECONDS = 30.0
"""For what a reader waits for, with the wait for a place."""
LONG_SECONDS = 600.0
LONG_WAIT_SECONDS = 45.0
"""Less than a worker waits for an answer, so that it hears that it has to come again."""


@dataclass
class Work:
    """What a reckoner has found."""

    found: Any
    _pieces: Iterator[bytes]
    is_over: bool = False
    """Whether every piece was taken."""

    def pieces(self) -> Iterator[bytes]:
        """Yield the pieces as they come.

        Raises:
            ReckonerAway: the reckoner died or took too long.
        """
        try:
            yield from self._pieces
        except (Gone, TimeoutError) as error:
            raise _away(error) from error
        self.is_over = True


class Pool:
    """The reckoners of this process."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: after a fork, the parent's reckoners are not the child's to ask."""
        self._idle: list[ReckonerProcess] = []
        self._places = threading.BoundedSemaphore(PLACES)
        self._long = threading.Lock()

    @contextmanager
    def work(
        self,
        job: str,
        arguments: dict[str, Any],
        pieces: Iterable[bytes] = (),
        *,
        is_long: bool = False,
    ) -> Iterator[Work]:
        """Have a job done; its place is held until the block ends.

        Raises:
            Refused: what was handed in cannot be used.
            ReckonerAway: it was not done; nothing was changed.
        """
        sent = list(pieces)
        seconds = LONG_SECONDS if is_long else QUICK_SECONDS
        with self._place(is_long=is_long):
            process, work = self._begun(job, arguments, sent, seconds)
            try:
                yield work
            finally:
                # One that still has pieces to give cannot be asked for anything else.
                if work.is_over:
                    self._idle.append(process)
                else:
                    process.close()

    def close(self) -> None:
        """End those that are idle."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _place(self, *, is_long: bool) -> Iterator[None]:
        if is_long and not self._long.acquire(timeout=LONG_WAIT_SECONDS):
            raise ReckonerAway("Other results are being read. Nothing was changed; send it again.")
        try:
            if not self._places.acquire(timeout=QUICK_SECONDS):
                raise ReckonerAway("Too much is being read at once. Try again in a minute.")
            try:
                yield
            finally:
                self._places.release()
        finally:
            if is_long:
                self._long.release()

    def _begun(
        self, job: str, arguments: dict[str, Any], pieces: list[bytes], seconds: float
    ) -> tuple[ReckonerProcess, Work]:
        """Ask a warm reckoner, and a new one where that has ended meanwhile."""
        with suppress(Gone):
            while self._idle:
                process = self._idle.pop()
                return process, self._asked(process, job, arguments, pieces, seconds)
        process = ReckonerProcess()
        try:
            return process, self._asked(process, job, arguments, pieces, seconds)
        except Gone as error:
            raise _away(error) from error

    def _asked(
        self,
        process: ReckonerProcess,
        job: str,
        arguments: dict[str, Any],
        pieces: list[bytes],
        seconds: float,
    ) -> Work:
        try:
            found, answered = process.ask(job, arguments, pieces, seconds)
        except Refused:
            self._idle.append(process)
            raise
        except TimeoutError as error:
            process.close()
            raise _away(error) from error
        except Gone:
            process.close()
            raise
        return Work(found, answered)


def _away(error: BaseException) -> ReckonerAway:
    took = "took too long" if isinstance(error, TimeoutError) else "ended before it was done"
    return ReckonerAway(
        f"The process that reads samples {took}. Nothing was changed; try again. If it happens "
        "again, the file itself is what it cannot read."
    )


pool = Pool()
os.register_at_fork(after_in_child=pool.forget)
