"""The worked example, up and complete, for benchmarks that read its pages."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.parts import environment_of
from bench.result import PROJECT

ADDRESS = re.compile(r"http://localhost:(\d+)(/\S*)")


@dataclass(frozen=True)
class Example:
    """A running site with one decision in it."""

    port: int
    paths: tuple[str, ...]
    """The addresses that it told while it came about, in that order."""

    def path(self, pattern: str) -> str:
        """Return the first of them that a pattern describes."""
        return next(path for path in self.paths if re.fullmatch(pattern, path))


@contextmanager
def worked_example(var: Path, **environment: str) -> Iterator[Example]:
    """Run the worked example to its end in a folder of its own, and stop it after the block.

    Raises:
        SystemExit: it ended before its end; the message repeats what it said.
    """
    settings = environment_of(var) | {"PORT": str(free_port())} | environment
    running = subprocess.Popen(
        [sys.executable, "manage.py", "demo"],
        cwd=PROJECT,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        found = ADDRESS.findall(_told(running))
        yield Example(int(found[0][0]), tuple(path for _, path in found))
    finally:
        running.terminate()
        running.wait(60)


def _told(running: subprocess.Popen[str]) -> str:
    """Return what it says until it is complete."""
    assert running.stdout is not None
    told = []
    for line in running.stdout:
        told.append(line)
        if "The path is complete" in line:
            return "".join(told)
    raise SystemExit("The example ended before its end:\n" + "".join(told))


def free_port() -> int:
    """Return a port of loopback that nobody holds now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
