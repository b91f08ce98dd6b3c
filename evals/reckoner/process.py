"""One reckoner as its owner sees it: started, asked, ended."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from evals.reckoner.refusals import Refused
from evals.reckoner.wire import Gone, Line

PROJECT = Path(__file__).resolve().parents[2]
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")
_FRUGAL = {
    # One thread and one arena each: a reckoner is one of several processes on a machine.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


class ReckonerProcess:
    """A process that reads and reckons for one request at a time, until it is closed.

    It gets one socket, and neither the environment nor any open file of its owner: no connection
    to the database, and no secret.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            environment = {k: v for k, v in os.environ.items() if k in _PASSED_ON}
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", "evals.reckoner", str(theirs.fileno())],
                env=environment | _FRUGAL | {"PYTHONPATH": str(PROJECT)},
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        self._socket = ours
        self._line = Line(ours)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def ask(
        self, job: str, arguments: dict[str, Any], pieces: Iterable[bytes], seconds: float
    ) -> tuple[Any, Iterator[bytes]]:
        """Return what a job answers, and its pieces, which come within the same `seconds`.

        Raises:
            Refused: what was handed in cannot be used; the process can be asked again.
            Gone, TimeoutError: it is of no use any more; close it.
        """
        self._line.deadline = time.monotonic() + seconds
        self._line.send({"job": job, "arguments": arguments}, pieces)
        answer, found = self._line.receive()
        if not isinstance(answer, dict):
            raise Gone("not an answer")
        if "refused" in answer:
            for _ in found:
                pass
            raise Refused(str(answer["refused"]), answer.get("problems", ()))
        return answer.get("found"), found

    def close(self) -> None:
        """End it at once."""
        self._socket.close()
        self._process.kill()
        self._process.wait()
