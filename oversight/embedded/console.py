"""Lines from many processes on one terminal, each prefixed by who says it."""

import os
import sys
import threading
from typing import TextIO

OURSELVES = "oversight"
_COLOURS = (36, 32, 33, 35, 34, 31)
"""Terminal colours, given to names in the order in which they first speak."""


class Console:
    """Prints whole lines from any thread; in colour on a terminal unless NO_COLOR is set."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._coloured = self._stream.isatty() and not os.environ.get("NO_COLOR")
        self._names: list[str] = []
        self._lock = threading.Lock()

    def line(self, name: str, text: str) -> None:
        """Print what the part `name` said."""
        with self._lock:
            prefix = f"{name:<9} | "
            if self._coloured:
                prefix = f"\x1b[{self._colour(name)}m{prefix}\x1b[0m"
            try:
                print(f"{prefix}{text}", file=self._stream, flush=True)
            except (BrokenPipeError, ValueError):
                # Nobody reads any more (a closed terminal or pipe): the parts go on regardless.
                self._stream = self._nowhere()

    def say(self, text: str) -> None:
        """Print something of our own, which may have several lines."""
        for line in text.splitlines():
            self.line(OURSELVES, line)

    def _colour(self, name: str) -> int:
        if name == OURSELVES:
            return 1
        if name not in self._names:
            self._names.append(name)
        return _COLOURS[self._names.index(name) % len(_COLOURS)]

    @staticmethod
    def _nowhere() -> TextIO:
        return open(os.devnull, "w")  # noqa: PTH123 (kept until the process ends)
