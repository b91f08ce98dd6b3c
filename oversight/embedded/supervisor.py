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
from oversight.embedded.guard import Guard, descendants, kill
from oversight.embedded.parts import Part
from oversight.embedded.process import Ended, RunningPart

CAUSE_SECONDS = 1.0
"""How long after one end others are looked at, to name what came first and not what followed."""


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
        self._grounds: set[str] = set()
        self._guard: Guard | None = None
        self._asked_at: float | None = None
        self._in_a_hurry = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def start(self, part: Part, *, answers: Callable[[], bool] = lambda: True) -> None:
        """Start a part and return once it says, and `answers` confirms, that it works.

        Raises:
            PartFailedError: when it ends or takes longer than it may.
            Interrupted: when we were told to stop.
        """
        if self._guard is None:
            self._guard = Guard()
        running = RunningPart(part, self._console, self._events)
        self._running.append(running)
        self._guard.watch(running.process.pid, part.stop_signal)
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

    def watch(
        self, name: str, wait_for_end: Callable[[], None], last_lines: Callable[[], list[str]]
    ) -> None:
        """Treat the end of something that is not our child like the end of a part.

        The parts stand on it: where it and they end together, it is named.
        """

        def report() -> None:
            wait_for_end()
            self._events.put(Ended(name, None, tuple(last_lines())))

        self._grounds.add(name)
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
        stragglers = descendants([running.process.pid for running in self._running])
        first, others = self._running[:1], self._running[1:]
        for group in (others, first):
            for running in reversed(group):
                running.ask_to_stop()
            for running in reversed(group):
                running.stop(in_a_hurry=lambda: self._in_a_hurry)
        self._running.clear()
        kill(stragglers)
        if self._guard:
            self._guard.dismiss()
            self._guard = None

    def _look_out(self, seconds: float) -> None:
        try:
            event = self._events.get(block=seconds > 0, timeout=seconds or None)
        except Empty:
            return
        if isinstance(event, Ended):
            raise PartFailedError(str(self._cause(event)))
        raise Interrupted

    def _cause(self, ended: Ended) -> Ended:
        """Return what a part's end follows from: the database, if that has gone as well."""
        deadline = time.monotonic() + CAUSE_SECONDS
        other: Ended | int = ended
        while (left := deadline - time.monotonic()) > 0:
            if isinstance(other, Ended) and other.name in self._grounds:
                return other
            try:
                other = self._events.get(timeout=left)
            except Empty:
                break
        return ended

    def _on_signal(self, number: int, _frame: Any) -> None:
        """Stop in order; asked again a second later or more, at once."""
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
            self._events.put(number)
        # A parent that dies sends its signal once for each of its threads.
        self._in_a_hurry = now - self._asked_at > 1.0
