"""A run on the platform against the bare `lm_eval run` command: wall time.

The same model, items, batch size, type of number and machine; the command is the one that the
suite's own download names. Three starts of the platform are timed:

- *from nothing*: one `manage.py evaluate --wait`, which starts database, queue, web server,
  sequencer and worker, evaluates, and stops them again;
- *cold*: the site is up, no worker is; the clock starts with the worker's process;
- *warm*: the worker has the model loaded.

All three compute every answer: the first finds no journal, the others leave it aside. What a
journal saves stands apart, as *repeated*.

Set BENCH_CROWS_PAIRS to the published `crows_pairs_anonymized.csv` to measure on its first 200
pairs; without it the project's own suite is taken. That every sample is the same is `identity`'s.
"""

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.both import SAME, bare, bare_samples, compare, evaluate, worker_beside
from bench.parts import environment_of, inside, manage, samples, small_model, task_folder
from bench.result import Figure, Result
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
    slug, limit = work.slug, work.limit
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        var = folder / "var"
        _publish(var, work)
        from_nothing, _ = _timed(lambda: evaluate(var, slug, model, limit))
        with running_system(var=var, worker=False, environment=environment_of(var)) as url:
            tasks, results = task_folder(url, slug, folder / "tasks"), folder / "results"
            bare_seconds, _ = _timed(lambda: bare(tasks, model, results, limit))
            began = time.monotonic()
            with worker_beside(var, url):
                reference = evaluate(var, slug, model, limit, fresh=True)["run"]
                cold_seconds = time.monotonic() - began
                warm_seconds, _ = _timed(lambda: evaluate(var, slug, model, limit, fresh=True))
                repeat_seconds, _ = _timed(lambda: evaluate(var, slug, model, limit))
            differences = compare(bare_samples(results), samples(url, reference), slug)
    return Result(
        "against_bare",
        f"Platform against the bare command on `{slug}`, {differences['samples']} samples",
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
            *figures_of(differences),
        ],
        {"model": "SmolLM2-135M-Instruct, float32", "batch_size": 16, "limit": limit},
    )


def figures_of(differences: dict[str, float], where: str = "") -> list[Figure]:
    """Return how far two sets of samples lie apart, as figures."""
    away = differences["log_likelihood"]
    return [
        Figure(f"{where}samples with another metric value", differences["metric"], "count", 0),
        Figure(f"{where}samples with another text", differences["text"], "count", 0),
        Figure(f"{where}largest difference of a log-likelihood", away, "", SAME),
    ]


def _work() -> Work:
    if path := os.environ.get("BENCH_CROWS_PAIRS"):
        return Work("crows-pairs", LIMIT, path)
    return Work("public-service", None)


def _publish(var: Path, work: Work) -> None:
    if work.file:
        name = ["--format", work.slug, "--slug", work.slug]
        manage(var, "import_suite", work.file, *name)
    else:
        inside("publish", work.slug, **environment_of(var))


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    began = time.monotonic()
    result = act()
    return time.monotonic() - began, result
