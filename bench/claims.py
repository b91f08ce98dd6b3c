"""How many task runs 200 workers claim a second, over HTTP from the real web server; none twice.

The workers live in one process that does nothing but send prepared bytes over 200 connections and
look where an answer ends: a worker of its own would have a machine of its own. Each claims again as
soon as it is answered, until there is nothing left. What is counted is answers with a lease. No
task run ends meanwhile, so that those under way, which fairness counts, become ever more.

Beside the rate stands the processor time that a claim takes of each program: it holds on a busy
machine, too.
"""

import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from bench.parts import environment_of, inside
from bench.result import PROJECT, Figure, Result
from oversight.embedded.session import running_system

WORKERS = 200
TASK_RUNS = 3_200
RATE_AIM = 300
BODY = json.dumps({"boot_id": "bench", "resource_classes": ["cpu"]})
STUCK_SECONDS = 120


def measure() -> Result:
    """Let 200 workers empty a queue of task runs that five evaluators asked for."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        var = Path(scratch) / "var"
        # A lease must not run out meanwhile.
        environment = environment_of(var) | {"LEASE_SECONDS": "3600"}
        inside("queue", str(TASK_RUNS), **environment)
        tokens = json.loads(inside("crowd", str(WORKERS), **environment))
        with running_system(var=var, worker=False, environment=environment) as url:
            load = os.getloadavg()[0]
            before = _spent(var)
            done = subprocess.run(
                [sys.executable, "-m", "bench.claims", url],
                cwd=PROJECT,
                input=json.dumps(tokens),
                capture_output=True,
                text=True,
                check=True,
            )
            after = _spent(var)
            found = json.loads(done.stdout)
    claimed = found["claimed"]
    if len(claimed) != TASK_RUNS:
        raise RuntimeError(f"{len(claimed)} of {TASK_RUNS} task runs were claimed")
    each = {name: 1_000 * (after[name] - before[name]) / len(claimed) for name in before}
    each["workers"] = 1_000 * found["processor"] / len(claimed)
    return Result(
        "claims",
        f"{TASK_RUNS:,} task runs of five evaluators, claimed by {WORKERS} workers over HTTP",
        [*_figures(claimed, found["seconds"]), *_times(each)],
        {"seconds": round(found["seconds"], 2), "load_at_start": load},
    )


def _figures(claimed: list[tuple[str, float]], seconds: float) -> list[Figure]:
    waits = sorted(wait for _, wait in claimed)
    twice = len(claimed) - len({name for name, _ in claimed})
    return [
        Figure("claims a second", len(claimed) / seconds, "/s", at_least=RATE_AIM),
        Figure("task runs given out twice", twice, "count", at_most=0),
        Figure("wait for a claim, median", waits[len(waits) // 2], "s"),
        Figure("wait for a claim, 99 in 100", waits[len(waits) * 99 // 100], "s"),
    ]


def _times(each: dict[str, float]) -> list[Figure]:
    return [
        Figure(f"processor time of a claim, {name}", value, "ms") for name, value in each.items()
    ]


def _spent(var: Path) -> dict[str, float]:
    """Return the seconds of processor time that web server and database have taken so far."""
    spent = {"web server": 0.0, "database": 0.0}
    data = (var / "postgres" / "data").resolve()
    for process in psutil.process_iter():
        try:
            name, folder = " ".join(process.cmdline()), process.cwd()
            if "granian" in name and process.environ().get("OVERSIGHT_VAR") == str(var):
                kind = "web server"
            elif Path(folder) == data:
                kind = "database"
            else:
                continue
            times = process.cpu_times()
        except (OSError, psutil.Error):
            continue
        spent[kind] += times.user + times.system
    return spent


@dataclass
class Caller:
    """One worker's connection, which asks again as soon as it is answered."""

    connection: socket.socket
    request: bytes
    asked_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def ask(self) -> None:
        """Send the claim: few bytes, which always fit into the socket."""
        self.received.clear()
        self.asked_at = time.perf_counter()
        self.connection.sendall(self.request)

    def hear(self) -> bytes | None:
        """Take in what has arrived; return the order once it is whole, empty for none.

        Raises:
            RuntimeError: the server refused or hung up.
        """
        arrived = self.connection.recv(262_144)
        if not arrived:
            raise RuntimeError("the server has hung up")
        self.received += arrived
        head, end, body = self.received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if not end or len(body) < int(length or 0):
            return None
        if (status := int(head[9:12])) not in {200, 204}:
            raise RuntimeError(f"{status}: {bytes(body[:300])!r}")
        return bytes(body)


def _claim_all(url: str, tokens: Sequence[str]) -> dict[str, object]:
    """Claim with every worker at once until the queue is empty."""
    waiting = selectors.DefaultSelector()
    callers = [_caller(url, token) for token in tokens]
    for caller in callers:
        waiting.register(caller.connection, selectors.EVENT_READ, caller)
    claimed = []
    began = time.perf_counter()
    for caller in callers:
        caller.ask()
    while waiting.get_map():
        ready = waiting.select(STUCK_SECONDS)
        if not ready:
            raise RuntimeError(f"no answer in {STUCK_SECONDS} s")
        for key, _ in ready:
            caller = key.data
            order = caller.hear()
            if order:
                name = order[: order.index(b",")].decode()
                claimed.append((name, time.perf_counter() - caller.asked_at))
                caller.ask()
            elif order is not None:
                waiting.unregister(caller.connection)
    seconds = time.perf_counter() - began
    return {"claimed": claimed, "seconds": seconds, "processor": time.process_time()}


def _caller(url: str, token: str) -> Caller:
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname or "", address.port or 80))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    request = (
        f"POST /api/v1/worker/claim HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n{BODY}"
    )
    return Caller(connection, request.encode())


if __name__ == "__main__":
    print(json.dumps(_claim_all(sys.argv[1], json.load(sys.stdin))))
