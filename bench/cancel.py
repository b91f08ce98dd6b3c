"""From the cancel of a run to the end of the process that was computing it.

A real worker computes a suite of long questions; once it has answered some of them, the run is
cancelled as its page does it, and the clock stops when the runner's process is gone.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.both import worker_beside
from bench.parts import environment_of, inside, manage, small_model
from bench.result import Figure, Result
from oversight.embedded.session import running_system

ROUNDS = 5
ITEMS = 2_000
AIM_SECONDS = 5.0
PATIENCE_SECONDS = 300.0


def measure() -> Result:
    """Start and cancel a run again and again; read how long its runner lived on."""
    model = small_model()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        var = Path(scratch) / "var"
        file = Path(scratch) / "long.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in _rows()))
        manage(var, "import_suite", file, "--format", "multiple-choice", "--slug", "long")
        with (
            running_system(var=var, worker=False, environment=environment_of(var)) as url,
            worker_beside(var, url),
        ):
            seconds = [_cancelled(var, url, model) for _ in range(ROUNDS)]
    return Result(
        "cancel",
        f"From the cancel of a run to the end of its runner, {ROUNDS} times in mid-work",
        [
            Figure("slowest", max(seconds), "s", at_most=AIM_SECONDS),
            Figure("median", sorted(seconds)[ROUNDS // 2], "s"),
        ],
        {"seconds": [round(each, 2) for each in seconds]},
    )


def _rows() -> Iterator[dict[str, Any]]:
    for n in range(ITEMS):
        told = " ".join(f"Box {k} holds {k * n % 97} stamps." for k in range(40))
        yield {
            "id": str(n),
            "question": f"{told} How many stamps does box 7 hold?",
            "choices": [str(7 * n % 97), str(7 * n % 97 + 1)],
            "answer": 0,
        }


def _cancelled(var: Path, url: str, model: Path) -> float:
    """Start a run, cancel it in mid-work, and return how long its runner was there still."""
    said = manage(var, "evaluate", "--model", model, "--suite", "long", "--fresh", "--json")
    ref = json.loads(said)["run"]
    address = f"{url}/api/v1/runs/{ref}/"
    _await(lambda: httpx.get(address).json()["tasks"][0]["done"], "the work")
    runner = _runner()
    cancelled_at = float(inside("cancel", ref, **environment_of(var)).splitlines()[-1])
    runner.wait(timeout=PATIENCE_SECONDS)
    seconds = time.time() - cancelled_at
    _await(lambda: httpx.get(address).json()["state"] == "cancelled", "the end of the run")
    return seconds


def _runner() -> psutil.Process:
    """Return the runner of the worker that this process has started."""
    for process in psutil.Process().children(recursive=True):
        if "evals.worker.runner" in process.cmdline():
            return process
    raise RuntimeError("no runner is at work")


def _await(condition: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come about")
        time.sleep(0.2)
