"""One thread per process that does, one after the other, what nobody should wait for.

It starts with the first job, so a process that was forked has its own, and ends with its database
connections when nothing came for a while. What it is asked beyond its room is refused, and whoever
asked does it later or goes without: nothing is lost that was promised to anybody.
"""

import atexit
import logging
import os
from collections.abc import Callable
from queue import Empty, Full, Queue
from threading import Lock, Thread

from django.db import connections

logger = logging.getLogger(__name__)

MOST_WAITING = 100
IDLE_SECONDS = 20.0
"""After so long without a job the thread ends."""
STOP_SECONDS = 2.0
"""How long the end of the process waits for the job that is being done."""

Job = Callable[[], None]


class Background:
    """Jobs that wait, and the thread that does them while there are any."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self.begin()

    def begin(self) -> None:
        """Begin with no job and no thread, as a process that was just forked must."""
        self.jobs: Queue[Job] = Queue(MOST_WAITING)
        self._lock = Lock()
        self._thread: Thread | None = None
        self._is_over = False

    def do(self, job: Job) -> bool:
        """Take a job, and return at once; False says that there is no room for it now."""
        with self._lock:
            if self._is_over:
                return False
            try:
                self.jobs.put_nowait(job)
            except Full:
                return False
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._work, name="drawing", daemon=True)
                self._thread.start()
        return True

    def stop(self) -> None:
        """Drop what waits, and wait a little for what is being done."""
        with self._lock:
            self._is_over, thread = True, self._thread
        self._drop()
        if thread is not None and thread.is_alive():
            self.jobs.put(lambda: None)
            thread.join(STOP_SECONDS)

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                try:
                    job()
                except Exception:
                    logger.exception("What was to be done in the background failed")
        finally:
            connections.close_all()

    def _next(self) -> Job | None:
        """Wait for a job; None when none came, after which another thread may be started."""
        while not self._is_over:
            try:
                return self.jobs.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if self.jobs.empty():
                        self._thread = None
                        return None
        return None

    def _drop(self) -> None:
        try:
            while True:
                self.jobs.get_nowait()
        except Empty:
            return


background = Background()
atexit.register(background.stop)
os.register_at_fork(after_in_child=background.begin)
