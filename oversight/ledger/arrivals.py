"""Waiting for receipts: one thread of a process looks, for all that wait.

Each act waits for the checkpoint that covers it. Were everybody to look again and again, a rush
would ask the database mostly whether there is nothing yet; and receipts under one checkpoint are
made together for little more than one costs.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Generic, TypeVar
from uuid import UUID

FIRST_PAUSE_SECONDS = 0.012
"""About what a batch takes: sooner there is seldom anything."""
NEXT_PAUSE_SECONDS = 0.004
LONGEST_PAUSE_SECONDS = 0.02

Found = TypeVar("Found")


class Arrivals(Generic[Found]):
    """Hands out, for the leaves that threads of this process wait for, what one of them finds."""

    def __init__(
        self,
        look: Callable[[Collection[UUID]], Mapping[UUID, Found]],
        pause: Callable[[float], None],
    ) -> None:
        """Take how to ask for what there is, and how to let time pass between two looks."""
        self._look = look
        self._pause = pause
        self._changed = threading.Condition()
        self._wanted: Counter[UUID] = Counter()
        self._found: dict[UUID, Found] = {}
        self._asked: frozenset[UUID] = frozenset()
        self._is_looking = False

    def wait_for(self, leaf_id: UUID, deadline: float) -> Found | None:
        """Return what there is for the leaf as soon as it is there; None at the deadline.

        Args:
            leaf_id: of a leaf that is committed.
            deadline: a moment of `time.monotonic`.
        """
        with self._changed:
            self._wanted[leaf_id] += 1
        try:
            while not self._is_settled(leaf_id, deadline):
                # This thread looks; whatever ends that, the others are woken and one looks on.
                try:
                    self._look_until(leaf_id, deadline)
                finally:
                    with self._changed:
                        self._is_looking = False
                        self._changed.notify_all()
                if time.monotonic() >= deadline:
                    break
            return self._found.get(leaf_id)
        finally:
            self._forget(leaf_id)

    def _is_settled(self, leaf_id: UUID, deadline: float) -> bool:
        """Wait while another looks. False when nobody does: then the caller has to."""
        with self._changed:
            while leaf_id not in self._found and self._is_looking:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return True
            if leaf_id in self._found:
                return True
            self._is_looking = True
            return False

    def _look_until(self, leaf_id: UUID, deadline: float) -> None:
        """Look for all that is wanted, again and again, until this leaf is found."""
        pauses = _pauses()
        # If the last look was for this leaf, too, there was nothing: no need to look at once.
        is_early = leaf_id in self._asked
        while True:
            left = deadline - time.monotonic()
            if is_early:
                if left <= 0:
                    return
                self._pause(min(next(pauses), left))
            with self._changed:
                self._asked = frozenset(self._wanted.keys() - self._found.keys())
            found = self._look(self._asked)
            if found:
                self._hand_out(found)
                pauses = _pauses()
            if leaf_id in found:
                return
            is_early = True

    def _hand_out(self, found: Mapping[UUID, Found]) -> None:
        with self._changed:
            # Who has given up meanwhile must leave nothing behind.
            self._found.update({each: found[each] for each in found if each in self._wanted})
            self._changed.notify_all()

    def _forget(self, leaf_id: UUID) -> None:
        with self._changed:
            self._wanted[leaf_id] -= 1
            if not self._wanted[leaf_id]:
                del self._wanted[leaf_id]
                self._found.pop(leaf_id, None)


def _pauses() -> Iterator[float]:
    """Yield how long to wait before each further look, in seconds."""
    yield FIRST_PAUSE_SECONDS
    pause = NEXT_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
