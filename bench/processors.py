"""Whose processor time it was, part by part of a system that runs; and when all are at rest."""

import contextlib
import time
from pathlib import Path

import psutil


def web_processes(up: psutil.Process) -> list[psutil.Process]:
    """Return the processes that answer requests; their parent only keeps them."""
    found = [each for each in up.children(recursive=True) if "granian" in _command(each)]
    return [each for each in found if each.ppid() in {other.pid for other in found}]


def _command(process: psutil.Process) -> str:
    """Return a process's command line; nothing of one that has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def settle(up: psutil.Process, processes: int) -> None:
    """Wait until the process that replaced the killed one has loaded and all are at rest."""
    while True:
        before = {each: sum(each.cpu_times()[:2]) for each in web_processes(up)}
        time.sleep(1)
        spent = [sum(each.cpu_times()[:2]) - taken for each, taken in before.items()]
        if len(spent) == processes and max(spent) < 0.05:
            return


def processor_seconds(up: psutil.Process, folder: Path) -> dict[str, float]:
    """Return the processor time that each part has taken so far, and the crowd itself."""
    found = {"web": 0.0, "sequencer": 0.0, "tasks": 0.0, "database": 0.0, "crowd": 0.0}
    found["crowd"] = time.process_time()
    server = [each for each in psutil.process_iter() if str(folder) in _command(each)]
    everything = {*up.children(recursive=True), *server}
    for each in server:
        with contextlib.suppress(psutil.NoSuchProcess):
            everything |= {*each.children(recursive=True)}
    for process in everything:
        command = _command(process)
        part = next((name for word, name in _PARTS if word in command), "tasks")
        with contextlib.suppress(psutil.NoSuchProcess):
            # With what its ended children took: connections to the database come and go.
            found[part] += sum(process.cpu_times()[:4])
    return found


_PARTS = (("postgres", "database"), ("granian", "web"), ("sequencer", "sequencer"))
"""Words of a command line, and whose it is."""
