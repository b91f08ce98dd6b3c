"""The runner against the bare `lm_eval run` command: cold, warm, resumed, repeated.

The same model, items, batch size, type of number and threads on the same machine, one after the
other. The runner is driven as the worker drives it, by `RunnerProcess`; what the platform adds
(claim, upload, signature) is measured by `against_bare`. Times of the runner begin where its
process begins, unless it is warm.

Ratios of processor time stand beside those of the clock: they hold on a busy machine, too.

Set BENCH_THREADS where other programs use the machine: with as many threads as cores each waits for
the slowest. BENCH_LARGE changes the size of the large suite.
"""

import json
import os
import resource
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from bench.parts import WORKER_PYTHON, run, small_model
from bench.result import Figure, Result, table
from evals.samples import Sample, read_samples
from evals.worker.process import RunnerProcess
from evals.worker.runner.protocol import Command, Load, Loaded, Progress, Ready, Run

SMALL, LARGE = 200, int(os.environ.get("BENCH_LARGE", "2000"))
BATCH = 16
REPEATS = 3
"""How often what takes a second is measured; the median counts."""


@dataclass(frozen=True)
class Suite:
    """A task of sums that are right or wrong, made for this benchmark."""

    name: str
    items: int
    start: int
    folder: Path

    def write(self) -> "Suite":
        """Write its data and its task."""
        self.folder.mkdir(parents=True)
        rows = (_item(number) for number in range(self.start, self.start + self.items))
        data = self.folder / "data.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        metric = {"metric": "acc", "aggregation": "mean", "higher_is_better": True}
        task = {
            "task": self.name,
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": str(data)}},
            "test_split": "test",
            "output_type": "multiple_choice",
            "doc_to_text": "{{question}}",
            "doc_to_choice": ["yes", "no"],
            "doc_to_target": "{{answer}}",
            "metric_list": [metric],
        }
        (self.folder / f"{self.name}.yaml").write_text(yaml.safe_dump(task))
        return self


@dataclass(frozen=True)
class Cost:
    """What something took."""

    clock: float
    processor: float

    def to(self, other: "Cost", what: str, at_most: float) -> list[Figure]:
        """Return the ratios of this to another."""
        return [
            Figure(what, self.clock / other.clock, "ratio", at_most=at_most),
            Figure(f"{what}, processor time", self.processor / other.processor, "ratio"),
        ]

    def told(self, what: str) -> list[Figure]:
        """Return both as figures."""
        return [
            Figure(what, self.clock, "s"),
            Figure(f"{what}, processor time", self.processor, "s"),
        ]


@dataclass
class Bench:
    """One model, one folder, and what was measured so far."""

    model: Path
    folder: Path
    threads: int

    def bare(self, suite: Suite) -> tuple[Cost, dict[int, Any]]:
        """Run the harness's own command; return what it took and its samples."""
        out = self.folder / f"bare-{suite.name}"
        arguments = f"pretrained={self.model},dtype=float32"
        command = [WORKER_PYTHON.parent / "lm_eval", "run", "--model", "hf", "--device", "cpu"]
        command += ["--model_args", arguments, "--batch_size", str(BATCH), "--tasks", suite.name]
        command += ["--include_path", suite.folder, "--log_samples", "--output_path", out]
        cache = str(self.folder / f"cache-{suite.name}")
        began, before = time.monotonic(), _children_seconds()
        run(command, OMP_NUM_THREADS=str(self.threads), HF_DATASETS_CACHE=cache)
        cost = Cost(time.monotonic() - began, _children_seconds() - before)
        (file,) = out.rglob("samples_*.jsonl")
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        return cost, {row["doc_id"]: row for row in rows}

    @contextmanager
    def runner(self) -> Iterator[RunnerProcess]:
        """Start a runner; kill it in the end."""
        process = RunnerProcess(
            self.folder, threads=self.threads, online=False, python=str(WORKER_PYTHON)
        )
        try:
            yield process
        finally:
            process.kill()

    def ours(
        self, runner: RunnerProcess, suite: Suite, *, stop_at: float = 1.0, fresh: bool = False
    ) -> dict[str, Any]:
        """Load the model if it is not loaded and run a suite; kill the runner at `stop_at`."""
        load = Load(str(self.model), "sha256:bench", "hf", "float32", "cpu", BATCH)
        _follow(runner, load)
        scratch = Path(tempfile.mkdtemp(dir=self.folder))
        command = Run(
            task=suite.name,
            folder=str(suite.folder),
            metrics=["acc"],
            group_field=None,
            num_fewshot=None,
            apply_chat_template=False,
            seeds=[1234, 1234, 1234, 1234],
            limit=None,
            scratch=str(scratch),
            samples=str(scratch / "samples.parquet"),
            result=str(scratch / "result.json"),
            journals=None if fresh else str(self.folder / "journals"),
        )
        if _follow(runner, command, stop_at):
            return {}
        found: dict[str, Any] = json.loads((scratch / "result.json").read_text())
        return found | {"samples": list(read_samples(scratch / "samples.parquet"))}


def measure() -> Result:
    """Measure all and compare every sample with the bare command's."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        bench = Bench(
            small_model(), folder, int(os.environ.get("BENCH_THREADS", os.cpu_count() or 1))
        )
        small = Suite("sums_small", SMALL, 0, folder / "small").write()
        second = Suite("sums_second", SMALL, 5_000, folder / "second").write()
        large = Suite("sums_large", LARGE, 10_000, folder / "large").write()
        figures, usages = _small(bench, small, second)
        more, whole = _large(bench, large)
    return Result(
        "runner",
        f"The runner against the bare command, {SMALL} and {LARGE} items",
        figures + more,
        {
            "model": "SmolLM2-135M-Instruct, float32",
            "batch_size": BATCH,
            "threads": bench.threads,
            "usage_small": usages,
            "usage_large": whole,
        },
    )


def _small(bench: Bench, small: Suite, second: Suite) -> tuple[list[Figure], dict[str, Any]]:
    bare_cost, bare = bench.bare(small)
    began = time.monotonic()
    with bench.runner() as runner:
        cold = bench.ours(runner, small)
        cold_cost = Cost(time.monotonic() - began, _seconds_of(runner))
        warm_cost, _ = _timed(runner, lambda: bench.ours(runner, second, fresh=True))
        again = [_timed(runner, lambda: bench.ours(runner, small)) for _ in range(REPEATS)]
    repeat_cost, repeated = sorted(again, key=lambda one: one[0].clock)[REPEATS // 2]
    known = repeated["usage"]["fromJournal"] / repeated["usage"]["requests"]
    return _said(
        [
            *bare_cost.told(f"bare command, {small.items} items"),
            *cold_cost.told(f"cold runner, {small.items} items"),
            *cold_cost.to(bare_cost, "cold to bare, small suite", 0.90),
            *warm_cost.to(bare_cost, "second suite, warm, to bare", 0.65),
            *repeat_cost.to(bare_cost, "repeated, to bare", 0.15),
            Figure("answers from the journal when repeated", 100 * known, "%", at_least=100),
            *_differences("small suite", cold["samples"], bare),
            *_differences("repeated", repeated["samples"], bare),
        ]
    ), cold["usage"]


def _large(bench: Bench, large: Suite) -> tuple[list[Figure], dict[str, Any]]:
    bare_cost, bare = bench.bare(large)
    began = time.monotonic()
    with bench.runner() as runner:
        whole = bench.ours(runner, large, fresh=True)
        cold_cost = Cost(time.monotonic() - began, _seconds_of(runner))
    with bench.runner() as runner:
        bench.ours(runner, large, stop_at=0.5)
    began = time.monotonic()
    with bench.runner() as runner:
        resumed = bench.ours(runner, large)
        resume_cost = Cost(time.monotonic() - began, _seconds_of(runner))
    known = resumed["usage"]["fromJournal"] / resumed["usage"]["requests"]
    return _said(
        [
            *bare_cost.told(f"bare command, {large.items} items"),
            *cold_cost.told(f"cold runner, {large.items} items"),
            *cold_cost.to(bare_cost, "cold to bare, large suite", 1.00),
            *resume_cost.to(cold_cost, "resumed after kill -9 at half, to the full run", 0.65),
            Figure("answers from the journal when resumed", 100 * known, "%"),
            *_differences("large suite", whole["samples"], bare),
            *_differences("resumed", resumed["samples"], bare),
        ]
    ), whole["usage"]


def _said(figures: list[Figure]) -> list[Figure]:
    """Print figures as soon as they are there: the rest takes minutes."""
    print(table(figures), flush=True)
    return figures


def _follow(runner: RunnerProcess, command: Command, stop_at: float = 1.0) -> bool:
    """Carry a command out; return whether it was killed on its way."""
    runner.tell(command)
    for event in runner.events(0.1):
        if isinstance(event, Progress) and stop_at < 1.0 and event.done >= stop_at * event.total:
            os.killpg(runner.process.pid, signal.SIGKILL)
            runner.process.wait()
            return True
        if not isinstance(event, Progress | Ready | Loaded):
            break
    return False


def _differences(what: str, ours: list[Sample], bare: dict[int, Any]) -> list[Figure]:
    """Return how far samples are from the bare command's.

    Raises:
        ValueError: they are not the same samples.
    """
    if [sample.doc_id for sample in ours] != sorted(bare):
        raise ValueError(f"{what}: other samples than the bare command's")
    metric = sum(sample.scores["acc"] != float(bare[sample.doc_id]["acc"]) for sample in ours)
    away = max(
        abs(mine["loglikelihood"] - float(theirs[0][0]))
        for sample in ours
        for mine, theirs in zip(sample.responses, bare[sample.doc_id]["resps"], strict=True)
    )
    return [
        Figure(f"{what}: samples with another metric value", metric, "count", at_most=0),
        Figure(f"{what}: largest difference of a log-likelihood", away, "", at_most=1e-4),
    ]


def _item(number: int) -> dict[str, str]:
    one, other = number * 7 % 83 + 10, number * 13 % 89 + 10
    said = one + other + (number % 2) * (number % 9 + 1)
    return {
        "id": str(number),
        "question": f"Is {one} plus {other} equal to {said}? Sum {number}. Answer yes or no:",
        "answer": "yes" if said == one + other else "no",
    }


def _timed(runner: RunnerProcess, act: Callable[[], Any]) -> tuple[Cost, Any]:
    began, before = time.monotonic(), _seconds_of(runner)
    result = act()
    return Cost(time.monotonic() - began, _seconds_of(runner) - before), result


def _seconds_of(runner: RunnerProcess) -> float:
    """Return the processor time of a runner since it began."""
    spent = psutil.Process(runner.process.pid).cpu_times()
    return float(spent.user + spent.system)


def _children_seconds() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
