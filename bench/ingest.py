"""A million samples over HTTP: how fast they are checked and stored, in how much memory.

The real web server on a database of its own; the client is this process. What is timed is all that
the worker waits for: the upload of the samples file, and the result, which the server answers only
when it has read every sample, recomputed every number and written all scores and the leaf.
"""

import hashlib
import json
import re
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bench.parts import environment_of, inside
from bench.result import Figure, Result
from evals.decimals import decimal_text
from evals.samples import Sample, write_samples
from evals.statement import build_statement, sign_statement
from evals.statistics import summarise
from evals.suites.document import digest
from oversight.embedded.session import running_system

SAMPLES = 1_000_000
METRICS = ("acc", "acc_norm")
MEMORY_AIM_MB = 300
RATE_AIM = 20_000
TIMEOUT = httpx.Timeout(600.0)


def measure() -> Result:
    """Deliver one task run of a million samples, two scores each, and read the server's peak."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        var, samples = Path(scratch) / "var", Path(scratch) / "samples.parquet"
        write_samples(samples, METRICS, _samples())
        environment = environment_of(var)
        inside("queue", "1", **environment)
        with running_system(var=var, worker=False, environment=environment) as url:
            identity = json.loads(inside("enrol", url, **environment))
            before = _peaks(var).get("web", 0.0)
            with _watched(var) as peaks:
                upload, result = _deliver(url, identity, samples)
        size = samples.stat().st_size
    seconds = upload + result
    return Result(
        "ingest",
        f"{SAMPLES:,} samples with {len(METRICS)} scores each, over HTTP, checked and stored",
        [
            Figure("samples a second, all in all", SAMPLES / seconds, "/s", at_least=RATE_AIM),
            Figure(
                "largest web process and its reckoner",
                sum(peaks.values()),
                "MB",
                at_most=MEMORY_AIM_MB,
            ),
            Figure("largest web process", peaks["web"], "MB"),
            Figure("the same, before", before, "MB"),
            Figure("reckoner", peaks["reckoner"], "MB"),
            Figure("upload", upload, "s"),
            Figure("result: read, recompute, store, answer", result, "s"),
        ],
        {"file_mb": round(size / 1e6, 1), "client_peak_mb": _own_peak()},
    )


def _samples() -> Iterator[Sample]:
    """Yield samples as long as those of a multiple-choice task, in a hundred groups."""
    for n in range(SAMPLES):
        context = f"Question: Which of these is the sum of {n} and {n % 97}?\nAnswer:"
        yield Sample(
            doc_id=n,
            item_id=f"item-{n}",
            group=f"group {n % 100}",
            target="0",
            prompts=[[context, f" {n + n % 97}"], [context, f" {n + n % 89}"]],
            responses=[
                {"loglikelihood": -(n % 1013) / 97, "is_greedy": n % 3 == 0},
                {"loglikelihood": -(n % 1009) / 89, "is_greedy": n % 3 == 1},
            ],
            scores={"acc": float(n % 3 != 0), "acc_norm": float(n % 7 != 0)},
        )


def _deliver(url: str, identity: dict[str, str], samples: Path) -> tuple[float, float]:
    """Claim, upload, deliver as a worker does; return the seconds of the last two."""
    token = Path(identity["OVERSIGHT_WORKER_TOKEN_FILE"]).read_text().strip()
    key: Any = load_pem_private_key(
        Path(identity["OVERSIGHT_WORKER_KEY_FILE"]).read_bytes(), password=None
    )
    client = httpx.Client(
        base_url=f"{url}/api/v1/worker/",
        headers={"Authorization": f"Bearer {token}"},
        timeout=TIMEOUT,
    )
    hello = {"boot_id": "bench", "software": {}, "device": {}, "resource_classes": ["cpu"]}
    platform = client.post("hello", json=hello).raise_for_status().json()
    claim = {"boot_id": "bench", "resource_classes": ["cpu"]}
    order = client.post("claim", json=claim).raise_for_status().json()
    with samples.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    statement = build_statement(
        predicate_type=platform["predicate_type"],
        predicate=_predicate(platform, order, sha256, samples.stat().st_size),
    )
    work = f"task-runs/{order['task_run']}"
    began = time.perf_counter()
    content = samples.read_bytes()
    client.put(
        f"{work}/artefacts/{sha256}", params={"token": order["token"]}, content=content
    ).raise_for_status()
    uploaded = time.perf_counter()
    body = {"token": order["token"], "envelope": sign_statement(statement, key)}
    client.post(f"{work}/result", json=body).raise_for_status()
    return uploaded - began, time.perf_counter() - uploaded


def _predicate(platform: dict[str, Any], order: dict[str, Any], sha256: str, size: int) -> Any:
    scores = {
        "acc": [float(n % 3 != 0) for n in range(SAMPLES)],
        "acc_norm": [float(n % 7 != 0) for n in range(SAMPLES)],
    }
    found = {metric: summarise(values) for metric, values in scores.items()}
    return {
        "run": order["run"],
        "taskRun": order["task_run"],
        "attempt": order["attempt"],
        "evaluator": {
            "worker": platform["worker"],
            "organisation": platform["organisation"],
        },
        "evaluatedAt": "2026-11-23T10:00:00Z",
        "suite": order["suite"],
        "task": {"name": order["task"]["name"], "digest": digest(order["task"])},
        "dataset": [],
        "model": {"digest": order["model"]["digest"], "label": order["model"]["label"]},
        "settings": order["settings"],
        "harness": {"name": "lm-eval", "version": "0.4.13", "digest": "sha256:" + "0" * 64},
        "environment": {},
        "aggregates": [
            {
                "metric": metric,
                "n": one.n,
                "mean": decimal_text(one.mean or 0.0),
                "stderr": decimal_text(one.stderr or 0.0),
            }
            for metric, one in found.items()
        ],
        "samples": {
            "sha256": sha256,
            "size": size,
            "rows": SAMPLES,
            "mediaType": "application/vnd.apache.parquet",
        },
        "usage": {
            "wallSeconds": "1",
            "tokens": 1,
            "requests": 1,
            "energyJoules": "1",
            "energyMethod": "estimated",
        },
    }


@contextmanager
def _watched(var: Path) -> Iterator[dict[str, float]]:
    """Note the largest peak of each part while the block runs: a reckoner ends when it is worn."""
    peaks: dict[str, float] = {}
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.05):
            for part, peak in _peaks(var).items():
                peaks[part] = max(peak, peaks.get(part, 0.0))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peaks
    finally:
        is_over.set()
        thread.join()


_web: list[psutil.Process] = []


def _peaks(var: Path) -> dict[str, float]:
    """Return the largest peak of resident memory, in MB, of the web server and of its reckoners."""
    if not _web:
        _web.extend(process for process in psutil.process_iter() if _serves(process, var))
    peaks: dict[str, float] = {}
    for process in _web:
        for one in (process, *process.children()):
            try:
                part = "reckoner" if "evals.reckoner" in one.cmdline() else "web"
                status = Path(f"/proc/{one.pid}/status").read_text()
            except (OSError, psutil.Error):
                continue
            if peak := re.search(r"VmHWM:\s+(\d+) kB", status):
                peaks[part] = max(int(peak[1]) * 1024 / 1e6, peaks.get(part, 0.0))
    return peaks


def _serves(process: psutil.Process, var: Path) -> bool:
    try:
        return "granian" in " ".join(process.cmdline()) and (
            process.environ().get("OVERSIGHT_VAR") == str(var)
        )
    except (OSError, psutil.Error):
        return False


def _own_peak() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, 1)
