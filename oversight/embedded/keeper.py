"""The process that keeps PostgreSQL running for as long as somebody uses it.

Everyone who uses the server holds a shared lock on one file. The keeper waits for that lock
exclusively: when it gets it, the last user has stopped, crashed or been killed, and the server is
shut down. So several commands can share a server, none has to stop last, and nothing is left
behind. Started by `postgres.py`; prints `ready` once the server answers.

What a crash here leaves: the server gets the keeper's parent-death signal and shuts down by itself.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from oversight.embedded.leash import leashed
from oversight.embedded.locks import FileLock

START_SECONDS = 60.0
"""Longest wait for readiness: after a crash, what a checkpoint had not reached is replayed."""


def main(arguments: list[str]) -> int:
    """Run the server given after `--`, and stop it when its last user is gone."""
    options = _options(arguments)
    keeping = FileLock(options.keeping)
    # The starter made sure that there is no other keeper; it waits only for those who just look.
    keeping.acquire()
    server = _start(options)
    # An interrupt asks PostgreSQL for its fast shutdown: clients are cut off, nothing is lost.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.send_signal(signal.SIGINT))
    if not _becomes_ready(server, options.data / "postmaster.pid"):
        server.send_signal(signal.SIGINT)
        server.wait()
        return 1
    print("ready", flush=True)
    _let_go_of_starter()
    threading.Thread(
        target=_stop_after_last_user, args=(options.users, server), daemon=True
    ).start()
    status = server.wait()
    # Before the users' lock, which goes with this process: who gets that one must not find this one
    # still held, or it would take the server for running. The kernel promises no order.
    keeping.release()
    return status


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Keep PostgreSQL running while it is used.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keeping", type=Path, required=True, help="locked while a keeper lives")
    parser.add_argument("--users", type=Path, required=True, help="locked by every user")
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("server", nargs="+")
    return parser.parse_args(arguments)


def _start(options: argparse.Namespace) -> "subprocess.Popen[bytes]":
    command = leashed(options.server, signal_name="SIGINT", uid=options.uid, gid=options.gid)
    # The log is our own standard error; standard output belongs to the starter.
    return subprocess.Popen(command, cwd=options.data, stdin=subprocess.DEVNULL, stdout=2)


def _becomes_ready(server: "subprocess.Popen[bytes]", pid_file: Path) -> bool:
    """Wait until the server says in its pid file that it takes connections."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            lines = pid_file.read_text().splitlines()
        except FileNotFoundError:
            lines = []
        # Line 1 is the pid, line 8 the state; a file from before a crash names another pid.
        if len(lines) >= 8 and lines[0] == str(server.pid) and lines[7].strip() == "ready":
            return True
        time.sleep(0.03)
    return False


def _let_go_of_starter() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _stop_after_last_user(users: Path, server: "subprocess.Popen[bytes]") -> None:
    # Kept until this process ends: who comes now waits until the server is really down.
    FileLock(users).acquire()
    server.send_signal(signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
