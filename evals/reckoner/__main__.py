"""`python -m evals.reckoner DESCRIPTOR`: answer one request after the other, within limits."""

import os
import resource
import select
import socket
import sys
import threading
from collections.abc import Iterable
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

from evals.reckoner.jobs import JOBS
from evals.reckoner.refusals import Refused
from evals.reckoner.wire import Gone, Line
from evals.samples import SamplesError
from evals.suites.checking import SuiteError

MEMORY_LIMIT_MB = 768
"""An allocation beyond it fails, and so does the job; no other process pays for it."""
PROCESSOR_LIMIT_SECONDS = 600
"""For one job; past it the process is killed."""
WORN_OUT_MB = 260
"""A process that grew beyond it ends after its job: a new one begins small."""
IDLE_SECONDS = 20.0


class _WithoutPandas(MetaPathFinder):
    """pyarrow loads pandas where it is installed, and 45 MB with it that nothing here needs."""

    def find_spec(self, fullname: str, *_others: object) -> None:
        """Say of pandas alone that it is not there."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)


def main() -> None:
    """Serve until the owner closes the socket, has nothing to ask for a while, or is gone."""
    end = socket.socket(fileno=int(sys.argv[1]))
    sys.meta_path.insert(0, _WithoutPandas())
    _limit(resource.RLIMIT_DATA, MEMORY_LIMIT_MB * 1024 * 1024)
    _limit(resource.RLIMIT_CORE, 0)
    threading.Thread(target=_end_with_the_owner, args=(end,), daemon=True).start()
    line = Line(end)
    try:
        while select.select([end], [], [], IDLE_SECONDS)[0]:
            _serve(line)
            if _resident_mb() > WORN_OUT_MB:
                return
    except Gone:
        return


def _serve(line: Line) -> None:
    request, sent = line.receive()
    pieces = list(sent)
    spent = resource.getrusage(resource.RUSAGE_SELF)
    used = int(spent.ru_utime + spent.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + PROCESSOR_LIMIT_SECONDS, hard))
    answer, found = _answered(request, pieces)
    line.send(answer, found)


def _answered(request: Any, pieces: list[bytes]) -> tuple[Any, Iterable[bytes]]:
    try:
        found, produced = JOBS[request["job"]](request["arguments"], pieces)
    except Refused as refused:
        return {"refused": str(refused)}, ()
    except SuiteError as error:
        told = [[p.where, p.message, p.fix] for p in error.problems]
        return {"refused": str(error), "problems": told}, ()
    except (SamplesError, OSError) as error:
        return {"refused": str(error)}, ()
    except MemoryError:
        return {"refused": f"The file takes more than {MEMORY_LIMIT_MB} MB of memory to read."}, ()
    return {"found": found}, produced


def _limit(kind: int, value: int) -> None:
    resource.setrlimit(kind, (value, value))


def _end_with_the_owner(end: socket.socket) -> None:
    """End in mid-job, too, once nobody waits for it."""
    poll = select.poll()
    poll.register(end, getattr(select, "POLLRDHUP", select.POLLHUP))
    poll.poll()
    os._exit(1)


def _resident_mb() -> float:
    # The peak that getrusage knows begins with that of the process it was started by.
    place = Path("/proc/self/statm")
    pages = int(place.read_text().split()[1]) if place.exists() else 0
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
