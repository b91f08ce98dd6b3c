"""A run on the platform against the bare `lm_eval run` command: wall time, and every sample.

The same model, items, batch size, type of number and machine; the command is the one that the
suite's own download names. Three starts of the platform are timed:

- *from nothing*: one `manage.py evaluate --wait`, which starts database, queue, web server,
  sequencer and worker, evaluates, and stops them again;
- *cold*: the site is up, no worker is; the clock starts with the worker's process;
- *warm*: the worker has the model loaded.

All three compute every answer: the first finds no journal, the others leave it aside. What a
journal saves stands apart, as *repeated*.

Set BENCH_CROWS_PAIRS to the published `crows_pairs_anonymized.csv` to measure on its first 200
pairs; without it the project's own suite is taken.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.parts import (
    WORKER_PYTHON,
    environment_of,
    manage,
    run,
    samples,
    small_model,
    task_folder,
)
from bench.result import PROJECT, Figure, Result
from evals.suites.readme import commands
from oversight.embedded.parts import worker
from oversight.embedded.session import running_system

LIMIT = 200


@dataclass(frozen=True)
class Work:
    """What is evaluated."""

    slug: str
    limit: int | None
    file: str = ""
    """The published file, in the format of the suite's name; empty for the project's own suite."""


def measure() -> Result:
    """Time the bare command and the platform, then compare their samples one by one."""
    work, model = _work(), small_model()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        var = folder / "var"
        _publish(var, work)
        from_nothing, _ = _timed(lambda: _evaluate(var, work, model, fresh=False))
        with running_system(var=var, worker=False, environment=environment_of(var)) as url:
            tasks = task_folder(url, work.slug, _made(folder / "tasks"))
            bare_seconds, _ = _timed(lambda: _bare(tasks, work, model))
            began = time.monotonic()
            with _worker(var, url):
                reference = _evaluate(var, work, model)["run"]
                cold_seconds = time.monotonic() - began
                warm_seconds, _ = _timed(lambda: _evaluate(var, work, model))
                repeat_seconds, _ = _timed(lambda: _evaluate(var, work, model, fresh=False))
            differences = compare(_bare_samples(tasks), samples(url, reference), work.slug)
    return Result(
        "against_bare",
        f"Platform against the bare command on `{work.slug}`, {differences['samples']} samples",
        [
            Figure("bare command", bare_seconds, "s"),
            Figure("platform, from nothing", from_nothing, "s"),
            Figure("platform, cold worker", cold_seconds, "s"),
            Figure("platform, warm worker", warm_seconds, "s"),
            Figure("platform, repeated from the journal", repeat_seconds, "s"),
            Figure("cold to bare", cold_seconds / bare_seconds, "ratio", at_most=1.0),
            Figure("from nothing to bare", from_nothing / bare_seconds, "ratio"),
            Figure("warm to bare", warm_seconds / bare_seconds, "ratio"),
            Figure("repeated to bare", repeat_seconds / bare_seconds, "ratio"),
            Figure("samples with another metric value", differences["metric"], "count", at_most=0),
            Figure("samples with another text", differences["text"], "count", at_most=0),
            Figure(
                "largest difference of a log-likelihood",
                differences["log_likelihood"],
                "",
                at_most=1e-4,
            ),
        ],
        {"model": "SmolLM2-135M-Instruct, float32", "batch_size": 16, "limit": work.limit},
    )


def compare(
    bare: dict[tuple[str, int], dict[str, Any]], ours: list[Any], slug: str
) -> dict[str, float]:
    """Return how far the platform's samples are from the bare command's.

    Raises:
        ValueError: the two did not answer the same samples.
    """
    from evals.suites.document import harness_task

    keyed = {(harness_task(slug, {"name": row["task"]}), row["doc_id"]): row for row in ours}
    if keyed.keys() != bare.keys():
        raise ValueError(f"other samples: {sorted(keyed.keys() ^ bare.keys())[:5]}")
    metric = text = 0
    log_likelihood = 0.0
    for key, row in keyed.items():
        other = bare[key]
        metric += any(float(other[name]) != value for name, value in row["scores"].items())
        for mine, theirs in zip(row["responses"], other["resps"], strict=True):
            if isinstance(mine, str):
                text += mine != theirs[0]
            else:
                away = abs(mine["loglikelihood"] - float(theirs[0][0]))
                log_likelihood = max(log_likelihood, away)
    return {
        "samples": len(keyed),
        "metric": metric,
        "text": text,
        "log_likelihood": log_likelihood,
    }


def _work() -> Work:
    if path := os.environ.get("BENCH_CROWS_PAIRS"):
        return Work("crows-pairs", LIMIT, path)
    return Work("public-service", None)


def _publish(var: Path, work: Work) -> None:
    if work.file:
        name = ["--format", work.slug, "--slug", work.slug]
        manage(var, "import_suite", work.file, *name)
    else:
        run([sys.executable, "-m", "bench.inside", "publish", work.slug], **environment_of(var))


def _evaluate(var: Path, work: Work, model: Path, *, fresh: bool = True) -> dict[str, Any]:
    chosen = [
        *(["--limit", str(work.limit)] if work.limit else []),
        *(["--fresh"] if fresh else []),
    ]
    options = ["--model", model, "--suite", work.slug, *chosen, "--wait", "--json"]
    found: dict[str, Any] = json.loads(manage(var, "evaluate", *options))
    return found


def _bare(tasks: Path, work: Work, model: Path) -> None:
    document = json.loads((tasks / "suite.json").read_text())
    limit = f" --limit {work.limit}" if work.limit else ""
    path = f"{WORKER_PYTHON.parent}:{os.environ['PATH']}"
    for command in commands(document):
        run(["bash", "-ec", command + limit], cwd=tasks, MODEL=str(model), PATH=path)


def _bare_samples(tasks: Path) -> dict[tuple[str, int], dict[str, Any]]:
    found = {}
    for file in (tasks / "results").rglob("samples_*.jsonl"):
        task = file.name.removeprefix("samples_").rsplit("_", 1)[0]
        for line in file.read_text().splitlines():
            row = json.loads(line)
            found[task, row["doc_id"]] = row
    return found


@contextmanager
def _worker(var: Path, url: str) -> Iterator[None]:
    """Run one evaluation worker beside a site that has none."""
    said = run([sys.executable, "-m", "bench.inside", "enrol", url], **environment_of(var))
    enrolled = json.loads(said.splitlines()[-1])
    part = worker(str(WORKER_PYTHON), enrolled)
    process = subprocess.Popen(
        part.command,
        cwd=PROJECT,
        env=part.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    began = time.monotonic()
    result = act()
    return time.monotonic() - began, result


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
