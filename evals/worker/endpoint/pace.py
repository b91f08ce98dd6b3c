"""How often an endpoint is called: so many requests a minute, evenly."""

import threading
import time
from collections.abc import Callable


class Pace:
    """Lets callers through one by one, so that no minute has more of them than allowed."""

    def __init__(
        self,
        per_minute: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Wait for one's turn."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._gap
        if turn > now:
            self._sleep(turn - now)

    def pause(self, seconds: float) -> None:
        """Let nobody through for so long: the endpoint has asked for it."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)
