"""Who runs the system on a `var` folder: at most one supervisor, and where it serves."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from oversight.embedded.locks import FileLock


@dataclass(frozen=True)
class System:
    """A supervisor and what it offers."""

    pid: int
    url: str
    has_worker: bool
    is_ready: bool


class Presence:
    """The claim of one supervisor on a `var` folder, gone when its process is gone."""

    def __init__(self, var: Path) -> None:
        self._lock = FileLock(var / "run" / "supervisor.lock")

    def claim(self, system: System) -> bool:
        """Become this folder's supervisor; False when there is one already."""
        if not self._lock.acquire(wait=False):
            return False
        self.announce(system)
        return True

    def announce(self, system: System) -> None:
        """Tell others what is true now; only for the one who claimed."""
        self._lock.write(json.dumps(asdict(system)))

    def other(self) -> System | None:
        """Return the system that another supervisor runs here, or None."""
        if not self._lock.path.exists():
            return None
        if self._lock.acquire(wait=False):
            self._lock.release()
            return None
        try:
            return System(**json.loads(self._lock.read()))
        except ValueError:
            # It has the lock and has not written yet.
            return System(pid=0, url="", has_worker=False, is_ready=False)

    def end(self) -> None:
        """Give the folder up."""
        self._lock.release()


def ourselves(url: str, *, has_worker: bool, is_ready: bool = False) -> System:
    """Return the description of a system that this process supervises."""
    return System(os.getpid(), url, has_worker, is_ready)
