"""Servers of the tests' own, so that they can be killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oversight.embedded.postgres import EmbeddedPostgres

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Return a server that is running at the start of a module and may be mistreated."""
    own = EmbeddedPostgres(tmp_path_factory.mktemp("var"))
    own.start()
    yield own
    own.stop()


class OrdinaryUser:
    """Runs Python as a user without rights."""

    uid = gid = 65534

    def __init__(self) -> None:
        site = next(p for p in map(Path, sys.path) if (p / "psycopg").exists())
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{PROJECT}{os.pathsep}{site}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.python = self._find_python()

    def _find_python(self) -> str:
        """Return an interpreter of our version that this user may run; our own may lie in /root."""
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        for candidate in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
            self.python = candidate
            try:
                if self.run("import psycopg, oversight.embedded.postgres").returncode == 0:
                    return candidate
            except OSError:
                continue
        pytest.skip("an ordinary user can run no Python of this version with these packages here")

    def run(self, code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `code` and return what came of it."""
        return subprocess.run(
            [self.python, "-c", code, *arguments],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="session")
def ordinary_user() -> OrdinaryUser:
    """Return somebody without rights; only root can become somebody else."""
    if os.geteuid() != 0:
        pytest.skip("we are an ordinary user ourselves: the other tests cover it")
    return OrdinaryUser()
