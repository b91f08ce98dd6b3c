"""One evaluation done twice: on the platform, and by the command that its download names."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.parts import WORKER_PYTHON, environment_of, inside, manage, run
from bench.result import PROJECT
from evals.suites.document import harness_task
from evals.suites.readme import commands
from oversight.embedded.parts import worker

SAME = 1e-4
"""How far log-likelihoods of the same text may lie apart in float32."""


def evaluate(
    var: Path, slug: str, model: Path, limit: int | None = None, *, fresh: bool = False
) -> dict[str, Any]:
    """Evaluate on the platform and return what the command says of the run."""
    options = ["--model", model, "--suite", slug, "--wait", "--json"]
    options += ["--limit", str(limit)] if limit else []
    options += ["--fresh"] if fresh else []
    found: dict[str, Any] = json.loads(manage(var, "evaluate", *options))
    return found


def bare(folder: Path, model: Path, results: Path, limit: int | None = None) -> None:
    """Evaluate by the bare command, from inside the unpacked download."""
    document = json.loads((folder / "suite.json").read_text())
    path = f"{WORKER_PYTHON.parent}:{os.environ['PATH']}"
    for command in commands(document):
        words = command.replace("--output_path results", f"--output_path {results}")
        words += f" --limit {limit}" if limit else ""
        run(["bash", "-ec", words], cwd=folder, MODEL=str(model), PATH=path)


def bare_samples(results: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """Return the samples that the bare command has logged, by task and item."""
    found = {}
    for file in results.rglob("samples_*.jsonl"):
        task = file.name.removeprefix("samples_").rsplit("_", 1)[0]
        for line in file.read_text().splitlines():
            row = json.loads(line)
            found[task, row["doc_id"]] = row
    return found


def compare(
    bare: dict[tuple[str, int], dict[str, Any]], ours: list[Any], slug: str
) -> dict[str, float]:
    """Return how far the platform's samples are from the bare command's.

    Raises:
        ValueError: the two did not answer the same samples.
    """
    keyed = {(harness_task(slug, {"name": row["task"]}), row["doc_id"]): row for row in ours}
    if not keyed or keyed.keys() != bare.keys():
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


@contextmanager
def worker_beside(var: Path, url: str) -> Iterator[None]:
    """Run one evaluation worker beside a site that has none."""
    enrolled = json.loads(inside("enrol", url, **environment_of(var)).splitlines()[-1])
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
