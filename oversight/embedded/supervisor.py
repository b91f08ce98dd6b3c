"""Start the parts in order, watch them, and stop them in order.

One rule: if any part ends by itself, everything stops and says why. A restart of the whole is a
path that is taken every day; half a system is not.
"""

import signal
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from oversight.embedded.console import Console
from oversight.embedded.parts import Part
from oversight.embedded.process import Ended, RunningPart


class PartFailedError(RuntimeError):
    """A part ended or did not become ready; the message names it and repeats its last lines."""


class Interrupted(Exception):  # noqa: N818 (it is not an error)
    """Somebody asked us to stop while we were starting."""


class Supervisor:
    """The running parts, in the order in which they were started.

    Must be made in the main thread, for it takes the signals SIGINT, SIGTERM and SIGHUP.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        # SimpleQueue, because a signal handler puts into it while this thread may be getting.
        self._events: SimpleQueue[Ended | int] = SimpleQueue()
        self._running: list[RunningPart] = []
        self._signals = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def start(self, part: Part, *, answers: Callable[[], bool] = lambda: True) -> None:
        """Start a part and return once it says, and `answers` confirms, that it works.

        Raises:
            PartFailedError: when it ends or takes longer than it may.
            Interrupted: when we were told to stop.
        """
        running = RunningPart(part, self._console, self._events)
        self._running.append(running)
        deadline = time.monotonic() + part.ready_seconds
        while not (running.is_ready() and answers()):
            self._look_out(0.1)
            if time.monotonic() > deadline:
                raise PartFailedError(
                    f"{part.name} was not ready within {part.ready_seconds:.0f} s."
                )

    def check(self) -> None:
        """Raise what `start` raises if something happened meanwhile."""
        self._look_out(0)

    def watch(self, name: str, wait_for_end: Callable[[], None]) -> None:
        """Treat the end of something that is not our child like the end of a part."""

        def report() -> None:
            wait_for_end()
            self._events.put(Ended(name, 0, ()))

        threading.Thread(target=report, daemon=True).start()

    def run(self) -> None:
        """Return when we are told to stop.

        Raises:
            PartFailedError: when a part ends by itself.
        """
        try:
            while True:
                self._look_out(3600)
        except Interrupted:
            return

    def stop(self) -> None:
        """Stop the last started parts together and then the first, which all others talk to."""
        stragglers = _descendants([running.process.pid for running in self._running])
        first, others = self._running[:1], self._running[1:]
        for group in (others, first):
            for running in reversed(group):
                running.ask_to_stop()
            for running in reversed(group):
                running.stop(in_a_hurry=lambda: self._signals > 1)
        self._running.clear()
        _end(stragglers)

    def _look_out(self, seconds: float) -> None:
        try:
            event = self._events.get(block=seconds > 0, timeout=seconds or None)
        except Empty:
            return
        if isinstance(event, Ended):
            raise PartFailedError(str(event))
        raise Interrupted

    def _on_signal(self, number: int, _frame: Any) -> None:
        """Stop in order; a second signal means at once."""
        self._signals += 1
        self._events.put(number)


def _descendants(pids: list[int]) -> list[Any]:
    """Return the processes started by our parts, some of which live in sessions of their own."""
    import psutil

    found = []
    for pid in pids:
        try:
            found += psutil.Process(pid).children(recursive=True)
        except psutil.NoSuchProcess:
            continue
    return found


def _end(stragglers: list[Any]) -> None:
    import psutil

    for process in stragglers:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
