"""One line in a terminal that says how far the reading of large files is."""

import threading
import time
from typing import Self, TextIO

EVERY_SECONDS = 0.2


class Meter:
    """Counts bytes from several threads; writes only where somebody looks, in a terminal."""

    def __init__(self, total: int, out: TextIO) -> None:
        self._total, self._out = total, out
        self._lock = threading.Lock()
        self._done = 0
        self._began = time.monotonic()
        self._next = 0.0
        self._shows = out.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        """Leave the line clean for what is said next."""
        if self._shows:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def count(self, read: int) -> None:
        """Add bytes that were read."""
        with self._lock:
            self._done += read
            now = time.monotonic()
            if not self._shows or (now < self._next and self._done < self._total):
                return
            self._next = now + EVERY_SECONDS
            self._out.write(f"\r\x1b[K{self.said(now - self._began)}")
            self._out.flush()

    def said(self, seconds: float) -> str:
        """Return how far it is, how fast, and how long it takes at that pace."""
        share = 100 * self._done // self._total if self._total else 100
        words = f"Hashing: {_size(self._done)} of {_size(self._total)}, {share} %"
        if seconds <= 0 or self._done <= 0:
            return words
        pace = self._done / seconds
        left = max(0, self._total - self._done) / pace
        return f"{words}, {_size(round(pace))}/s, {_time(left)} left"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
