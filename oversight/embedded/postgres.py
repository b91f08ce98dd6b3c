"""A real PostgreSQL of our own in `var/postgres`, for those who have none to offer.

Free of Django: the settings file asks here for the addresses (`embedded_urls`), and the supervisor
and single commands start and stop the server (`EmbeddedPostgres`).
"""

import subprocess
import sys
import time
from pathlib import Path

from oversight.embedded import secrets
from oversight.embedded.addresses import (
    HOST,
    ConnectionInfo,
    EmbeddedPostgresError,
    embedded_urls,
    free_port,
    information,
    is_free,
    remember_port,
    remembered_port,
)
from oversight.embedded.locks import FileLock

__all__ = ["ConnectionInfo", "EmbeddedPostgres", "EmbeddedPostgresError", "embedded_urls"]

PROJECT = Path(__file__).resolve().parents[2]
LOG_BYTES = 5_000_000
"""A server log longer than this is moved aside (one is kept) when the server starts."""

PASSING_TROUBLE = ("could not bind", "pre-existing shared memory block")
"""Said of a port taken in this very moment, or of a killed server's children still going."""

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "io_method": "sync",
    "jit": "off",
    # What was acknowledged is on disk. These are the defaults; said here so that no file undoes it.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """One user of the server in `var`: it runs from the first `start` to the last user's `stop`.

    A user that ends without `stop`, even by `kill -9`, counts as having stopped.
    """

    def __init__(self, var: Path) -> None:
        self.var = var.resolve()
        self.folder = self.var / "postgres"
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self._use = FileLock(self.folder / "users.lock")
        self._starting = FileLock(self.folder / "start.lock")
        self._keeping = FileLock(self.folder / "keeper.lock")

    def start(self) -> ConnectionInfo:
        """Return once the server answers and has its databases; any number may call it at once.

        Starts it if it is not running, recovers it if it crashed, takes another port if somebody
        else has taken ours, and initialises it if it is new (about two seconds).

        Raises:
            EmbeddedPostgresError: with the last lines of the server's log when it does not start.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._use.acquire(shared=True)
        try:
            with self._starting:
                if not self.is_running():
                    self._start_server()
        except BaseException:
            self._use.release()
            raise
        return self.info()

    def stop(self) -> bool:
        """End our use; return True when the server is down, False when others go on using it."""
        alone = self._use.acquire(wait=False)
        self._use.release()
        if not alone and self._use.acquire(shared=True, wait=False):
            self._use.release()
            return False
        self.wait_until_gone()
        return True

    def is_running(self) -> bool:
        """Say whether the server is up (or, for a moment, on its way up or down)."""
        if not self.folder.exists():
            return False
        # Shared, so that two who ask at once do not take each other for a keeper.
        nobody = self._keeping.acquire(shared=True, wait=False)
        self._keeping.release()
        return not nobody

    def wait_until_gone(self) -> None:
        """Return when no server is running any more, for whatever reason."""
        keeping = FileLock(self._keeping.path)
        keeping.acquire(shared=True)
        keeping.release()

    def pid(self) -> int | None:
        """Return the server's process id, or None when it is not running."""
        return int(self._pid_lines()[0]) if self.is_running() and self._pid_lines() else None

    def info(self) -> ConnectionInfo:
        """Return how to reach the server, running or not."""
        return information(self.var, remembered_port(self.var))

    def urls(self) -> dict[str, str]:
        """Return what `embedded_urls` returns for this folder."""
        return embedded_urls(self.var)

    def last_lines(self) -> list[str]:
        """Return the end of the server's log."""
        return self.log.read_text(errors="replace").splitlines()[-15:] if self.log.exists() else []

    def _start_server(self) -> None:
        """Bring the server up. The caller holds the start lock and a use."""
        from oversight.embedded import cluster, provision

        account = cluster.prepare(self.data, self._superuser_password)
        for patience in (0.3, 0.6, 1.2, 2.4, 0.0):
            cluster.clear_stale_pid(self.data)
            if not is_free(remembered_port(self.var)):
                remember_port(self.var, free_port())
            if self._launch(cluster.keeper_arguments(account)):
                break
            end = "\n".join(self.last_lines())
            if not patience or not any(sign in end for sign in PASSING_TROUBLE):
                raise EmbeddedPostgresError(
                    f"The embedded PostgreSQL did not start. Its log, {self.log}, ends with:\n{end}"
                )
            time.sleep(patience)
        provision.provision(self.info(), self.var)

    def _launch(self, account: list[str]) -> bool:
        """Start a keeper with its server; return whether it became ready."""
        from oversight.embedded import cluster

        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        settings = SETTINGS | {"port": str(remembered_port(self.var))}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [sys.executable, "-m", "oversight.embedded.keeper", "--data", str(self.data)]
        command += ["--keeping", str(self._keeping.path), "--users", str(self._use.path), *account]
        command += ["--", str(cluster.binary("postgres")), "-D", str(self.data), *options]
        with self.log.open("ab") as log:
            keeper = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=PROJECT,
                env=cluster.clean_environment(),
                start_new_session=True,
            )
        assert keeper.stdout is not None  # noqa: S101 (for the type checker)
        with keeper.stdout:
            ready = keeper.stdout.readline().strip() == b"ready"
        if not ready:
            keeper.wait()
        return ready

    def _superuser_password(self) -> str:
        return secrets.read_or_create(self.var, "postgres-superuser")

    def _pid_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []
