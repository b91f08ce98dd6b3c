"""One running part: its process, its output, and its end."""

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue

from oversight.embedded.console import Console
from oversight.embedded.parts import PROJECT, Part

KEPT_LINES = 15
"""How much of its output is repeated when a part dies."""


@dataclass(frozen=True)
class Ended:
    """A part's process is gone."""

    name: str
    code: int | None
    """Its exit code; below 0 the signal that killed it; None when it was not our child."""
    last_lines: tuple[str, ...]

    def __str__(self) -> str:
        """Say how it ended, in words, and what it said last."""
        how = "" if self.code is None else f" (exit code {self.code})"
        if self.code and self.code < 0:
            how = f" (killed by {signal.Signals(-self.code).name})"
        said = "\n".join(f"    {line}" for line in self.last_lines)
        return f"{self.name} stopped{how}." + (f" It said last:\n{said}" if said else "")


class RunningPart:
    """A part from its start to its end; the end is put into `events`."""

    def __init__(self, part: Part, console: Console, events: "SimpleQueue[Ended | int]") -> None:
        self.part = part
        self._console = console
        self._events = events
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._ready = threading.Event()
        # A session of its own: Ctrl-C in the terminal reaches us only, and we stop in order.
        self.process = subprocess.Popen(
            part.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=PROJECT,
            env=part.environment,
            start_new_session=True,
            text=True,
            errors="replace",
        )
        if not part.ready_when:
            self._ready.set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._await_end, daemon=True).start()

    def is_ready(self) -> bool:
        """Say whether the part said that it works."""
        return self._ready.is_set()

    def ask_to_stop(self) -> None:
        """Send the part its signal to stop."""
        if self.process.poll() is None:
            self.process.send_signal(self.part.stop_signal)

    def stop(self, *, in_a_hurry: Callable[[], bool]) -> None:
        """Wait for the part to end; after its grace, or in a hurry, kill all of its group."""
        deadline = time.monotonic() + self.part.grace_seconds
        while self.process.poll() is None:
            if in_a_hurry() or time.monotonic() > deadline:
                self._console.say(f"{self.part.name} is killed: it did not stop by itself.")
                break
            time.sleep(0.02)
        # Also after a good end: what it may have left in its group.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 (for the type checker)
        for raw in self.process.stdout:
            line = raw.rstrip()
            if not line:
                continue
            self._lines.append(line)
            self._console.line(self.part.name, line)
            if self.part.ready_when and self.part.ready_when in line:
                self._ready.set()

    def _await_end(self) -> None:
        code = self.process.wait()
        # Its last words are still in the pipe; a grandchild may hold that open for ever.
        self._reader.join(timeout=1.0)
        self._events.put(Ended(self.part.name, code, tuple(self._lines)))
