"""A small process that stops the parts when their supervisor was killed.

The supervisor tells it of every part through a pipe; the pipe's end without a farewell means that
the supervisor is gone. A parent-death signal from the kernel would be simpler, but a parent with
several threads sends it several times, and not every program survives being asked twice to stop.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import psutil

PROJECT = Path(__file__).resolve().parents[2]
FAREWELL = "farewell"
GRACE_SECONDS = 10.0


class Guard:
    """The supervisor's end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "oversight.embedded.guard"],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def watch(self, pid: int, stop_signal: signal.Signals) -> None:
        """Have the process, its group and its descendants ended if we are killed."""
        self._tell(f"{pid} {stop_signal.value}")

    def dismiss(self) -> None:
        """Let the guard go: the parts have been stopped in order."""
        self._tell(FAREWELL)
        assert self._process.stdin is not None  # noqa: S101 (for the type checker)
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 (for the type checker)
        with suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()


def descendants(pids: list[int]) -> list[psutil.Process]:
    """Return the processes below these, some of which may live in sessions of their own."""
    found: list[psutil.Process] = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            found += psutil.Process(pid).children(recursive=True)
    return found


def kill(processes: list[psutil.Process]) -> None:
    """Kill those of the processes that are still there."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def main(orders: TextIO) -> None:
    """Remember the parts named in `orders`, and end them when it breaks off."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched: list[tuple[psutil.Process, int]] = []
    for line in orders:
        if line.strip() == FAREWELL:
            return
        pid, number = map(int, line.split())
        with suppress(psutil.NoSuchProcess):
            watched.append((psutil.Process(pid), number))
    parts = [process for process, _ in watched]
    family = [*parts, *descendants([process.pid for process in parts])]
    for process, number in watched:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    deadline = time.monotonic() + GRACE_SECONDS
    while any(map(_is_alive, parts)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in parts:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    kill(family)


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


if __name__ == "__main__":
    main(sys.stdin)
