"""Run a program that gets a signal when its parent dies, as another user if asked.

Called by its path, without the rest of the package, because it must start in milliseconds:

    python -I -S leash.py --parent PID [--signal SIGTERM] [--uid UID --gid GID] -- PROGRAM …

It replaces itself by the program, so it costs no memory and passes exit codes and signals through.
Where the system has no such signal (it is Linux only) the program runs without it.
"""

import argparse
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>."""


def leashed(
    program: list[str],
    *,
    signal_name: str = "SIGTERM",
    uid: int | None = None,
    gid: int | None = None,
) -> list[str]:
    """Return the command line that runs `program` on a leash held by the calling process."""
    command = [sys.executable, "-I", "-S", __file__, "--parent", str(os.getpid())]
    command += ["--signal", signal_name]
    if uid is not None:
        command += ["--uid", str(uid), "--gid", str(gid)]
    return [*command, "--", *program]


def main(arguments: list[str]) -> None:
    """Drop privileges, tie the process to its parent, become the program."""
    parser = argparse.ArgumentParser(description="Run a program that its parent takes along.")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", default="SIGTERM")
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("program", nargs="+")
    options = parser.parse_args(arguments)
    if options.uid is not None:
        # The kernel forgets the parent-death signal when credentials change: drop them first.
        os.setgroups([])
        os.setgid(options.gid)
        os.setuid(options.uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.Signals[options.signal])
        if os.getppid() != options.parent:
            sys.exit(f"{options.program[0]}: not started, its parent is gone")
    os.execvp(options.program[0], options.program)  # noqa: S606 (becoming the program is the job)


if __name__ == "__main__":
    main(sys.argv[1:])
