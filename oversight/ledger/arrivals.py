"""Waiting for the log to grow: one thread of a process looks, for all that wait.

Each act waits for the checkpoint that covers it. Were everybody to look again and again, a rush
would ask the database mostly whether there is nothing yet.
"""

import threading
import time
from collections.abc import Callable

FIRST_PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 0.02


class Arrivals:
    """Knows the size of the newest checkpoint that some thread of this process has seen."""

    def __init__(self, look: Callable[[], int], pause: Callable[[float], None]) -> None:
        """Take how to ask for the newest size, and how to let time pass between two looks."""
        self._look = look
        self._pause = pause
        self._changed = threading.Condition()
        self._size = 0
        self._is_looking = False

    @property
    def size(self) -> int:
        """The size seen last; there may be a larger one by now."""
        return self._size

    def wait_for_another(self, size: int, deadline: float) -> int:
        """Return the newest size once it is another than `size`, or at the deadline.

        Args:
            size: what the caller knows already.
            deadline: a moment of `time.monotonic`.
        """
        with self._changed:
            while self._size == size and self._is_looking:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return self._size
            if self._size != size:
                return self._size
            self._is_looking = True
        found = size
        try:
            found = self._look_until(size, deadline)
        finally:
            # Whatever ended the look, the others are woken, and one of them looks on.
            with self._changed:
                self._is_looking = False
                self._size = found
                self._changed.notify_all()
        return found

    def _look_until(self, size: int, deadline: float) -> int:
        pause = FIRST_PAUSE_SECONDS
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return size
            self._pause(min(pause, left))
            found = self._look()
            if found != size:
                return found
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
