"""How many task runs 200 workers claim a second, over HTTP from the real web server; none twice.

The workers are threads of a process of their own: each claims until there is nothing left, over a
connection that it keeps. What is counted is answers with a lease.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from bench.parts import environment_of, run
from bench.result import PROJECT, Figure, Result
from oversight.embedded.session import running_system

WORKERS = 200
TASK_RUNS = 6_400
RATE_AIM = 300
BODY = json.dumps({"boot_id": "bench", "resource_classes": ["cpu"]})


def measure() -> Result:
    """Let 200 workers empty a queue of task runs that five evaluators asked for."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        var = Path(scratch) / "var"
        # A lease must not run out meanwhile, and workers are not told to slow down.
        environment = environment_of(var) | {
            "LEASE_SECONDS": "3600",
            "API_WRITES_PER_MINUTE": "1000000",
        }
        run([sys.executable, "-m", "bench.inside", "queue", str(TASK_RUNS)], **environment)
        tokens = json.loads(
            run([sys.executable, "-m", "bench.inside", "crowd", str(WORKERS)], **environment)
        )
        with running_system(var=var, worker=False, environment=environment) as url:
            load = os.getloadavg()[0]
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "bench.claims", url],
                cwd=PROJECT,
                input=json.dumps(tokens),
                capture_output=True,
                text=True,
                check=True,
            )
            claimed, seconds = json.loads(done.stdout)
            whole = time.perf_counter() - began
    if len(claimed) != TASK_RUNS:
        raise RuntimeError(f"{len(claimed)} of {TASK_RUNS} task runs were claimed")
    waits = sorted(wait for _, wait in claimed)
    return Result(
        "claims",
        f"{TASK_RUNS:,} task runs of five evaluators, claimed by {WORKERS} workers over HTTP",
        [
            Figure("claims a second", len(claimed) / seconds, "/s", at_least=RATE_AIM),
            Figure(
                "task runs given out twice",
                len(claimed) - len({name for name, _ in claimed}),
                "count",
                at_most=0,
            ),
            Figure("wait for a claim, median", waits[len(waits) // 2], "s"),
            Figure("wait for a claim, 99 in 100", waits[len(waits) * 99 // 100], "s"),
        ],
        {"seconds": round(seconds, 2), "with_start": round(whole, 2), "load_at_start": load},
    )


def _claim_all(url: str, tokens: Sequence[str]) -> tuple[list[tuple[str, float]], float]:
    """Claim with every worker at once until the queue is empty."""
    claimed: list[tuple[str, float]] = []
    start = threading.Barrier(len(tokens) + 1)
    threads = [
        threading.Thread(target=_claim, args=(url, token, claimed, start)) for token in tokens
    ]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return claimed, time.perf_counter() - began


def _claim(
    url: str, token: str, claimed: list[tuple[str, float]], start: threading.Barrier
) -> None:
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=120)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.connect()
    start.wait()
    while True:
        began = time.perf_counter()
        connection.request("POST", "/api/v1/worker/claim", BODY, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status == 204:
            return
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {content[:300]!r}")
        name = content[: content.index(b",")].decode()
        claimed.append((name, time.perf_counter() - began))


if __name__ == "__main__":
    print(json.dumps(_claim_all(sys.argv[1], json.load(sys.stdin))))
