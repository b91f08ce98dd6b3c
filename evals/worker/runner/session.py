"""One loaded model and the tasks run on it: what the runner's process does with its commands.

The result of a task is a JSON file with

| field | meaning |
|---|---|
| `rows` | samples written |
| `aggregates` | metric, n, mean and stderr of each, as numbers |
| `settings` | what was in force: backend, dtype, batch size, device, limit, seeds |
| `harness`, `environment` | names, versions and the digest of the harness's installed files |
| `usage` | wall seconds, requests, tokens, energy with how it was found |
"""

import errno
import hashlib
import json
import math
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from evals.samples import Sample, SamplesError, write_samples
from evals.statistics import summarise
from evals.worker.failures import Code, WorkError
from evals.worker.runner.energy import EnergyMeter
from evals.worker.runner.protocol import Finished, Load, Loaded, Progress, Run
from evals.worker.weights import fault_of

AGREEMENT = 1e-9
"""How far the harness's own mean may be from ours: both are means of the same scores."""
REPORT_SECONDS = 0.5

Send = Callable[[Progress], None]


class Session:
    """Holds at most one model; imports torch and the harness when it is made."""

    def __init__(self, *, threads: int = 0) -> None:
        import datasets.config
        import torch
        from lm_eval.tasks import TaskManager

        from evals.worker.runner.measured import MeasuredModel, Watch

        if threads:
            torch.set_num_threads(threads)
        self._torch = torch
        self._task_manager = TaskManager
        self._measured_model = MeasuredModel
        self._watch = Watch
        self._datasets_cache = datasets.config.HF_DATASETS_CACHE
        self._loaded: Load | None = None
        self._model: Any = None

    def load(self, command: Load) -> Loaded:
        """Load a model, unless exactly this one is loaded already.

        Raises:
            WorkError: the weights cannot be read, or do not fit into memory.
        """
        began = time.monotonic()
        if command == self._loaded:
            return Loaded(str(self._model.device), 0.0, was_loaded=True)
        self._forget()
        if command.backend != "hf":
            raise WorkError(Code.SETTING_REFUSED, f"This worker has no backend {command.backend}.")
        try:
            self._model = self._measured_model(
                pretrained=command.model,
                dtype=command.dtype,
                device=self._device(command.device),
                batch_size=command.batch_size,
                trust_remote_code=False,
            )
        except self._torch.OutOfMemoryError as error:
            raise WorkError(Code.OUT_OF_MEMORY, f"The model does not fit: {error}") from error
        except Exception as error:
            fault = fault_of(Path(command.model)) or f"{type(error).__name__}: {error}"
            reason = f"The weights cannot be read: {fault}"
            raise WorkError(Code.WEIGHTS_UNREADABLE, reason) from error
        self._loaded = command
        return Loaded(str(self._model.device), time.monotonic() - began, was_loaded=False)

    def run(self, command: Run, send: Send) -> Finished:
        """Run one task and write its samples and result.

        Raises:
            WorkError: the harness refuses the task, or what came out cannot be used.
        """
        if self._loaded is None:
            raise WorkError(Code.INTERNAL, "No model is loaded.")
        self._require_chat_template(command)
        began = time.monotonic()
        meter = EnergyMeter(uses_gpu=str(self._model.device).startswith("cuda"))
        watch = self._watch(_seldom(send))
        self._model.set_watch(watch)
        found = self._evaluate(command, watch)
        samples = found["samples"][command.task]
        self._write(command, samples)
        scores = {m: [float(sample[m]) for sample in samples] for m in command.metrics}
        _require_agreement(command, found["results"][command.task], scores)
        energy = meter.read()
        result = {
            "rows": len(samples),
            "aggregates": [_aggregate(metric, values) for metric, values in scores.items()],
            "settings": self._settings(command),
            "harness": _harness(),
            "environment": self._environment() | {"energy": energy.how},
            "usage": {
                "wallSeconds": time.monotonic() - began,
                "requests": watch.answered,
                "tokens": watch.tokens,
                "energyJoules": energy.joules,
                "energyMethod": energy.method,
            },
        }
        Path(command.result).write_text(json.dumps(result))
        send(Progress(watch.answered, watch.asked))
        return Finished()

    def _require_chat_template(self, command: Run) -> None:
        if command.apply_chat_template and not self._model.tokenizer.chat_template:
            raise WorkError(
                Code.CHAT_TEMPLATE_MISSING,
                f"The task {command.task} is asked in the model's chat template, and this model "
                "has none. Evaluate it with tasks that need none, or register a version of the "
                "model whose tokenizer has one.",
            )

    def _evaluate(self, command: Run, watch: Any) -> Mapping[str, Any]:
        """Let the harness run the task; its own bootstrap, caches and cards stay off."""
        import datasets.config
        from lm_eval import simple_evaluate

        # A suite's data is read once: what the library unpacks of it goes away with the work. What
        # the harness fetches for its own tasks is kept.
        own = command.folder is not None
        cache = Path(command.scratch) / "datasets" if own else self._datasets_cache
        datasets.config.HF_DATASETS_CACHE = cache
        try:
            manager = self._task_manager(
                include_path=command.folder, include_defaults=command.folder is None
            )
        except Exception as error:
            raise WorkError(Code.TASK_REFUSED, f"lm-eval refuses the task: {error}") from error
        seeds = command.seeds
        try:
            found = simple_evaluate(
                model=self._model,
                tasks=[command.task],
                num_fewshot=command.num_fewshot,
                limit=command.limit,
                bootstrap_iters=0,
                log_samples=True,
                apply_chat_template=command.apply_chat_template,
                task_manager=manager,
                random_seed=seeds[0],
                numpy_random_seed=seeds[1],
                torch_random_seed=seeds[2],
                fewshot_random_seed=seeds[3],
            )
        except self._torch.OutOfMemoryError as error:
            raise WorkError(
                Code.OUT_OF_MEMORY, f"The batch does not fit into memory: {error}"
            ) from error
        except Exception as error:
            raise _trouble(error, command, has_begun=watch.asked > 0) from error
        if not found or command.task not in found["samples"]:
            raise WorkError(Code.TASK_REFUSED, "lm-eval gave no samples for the task.")
        return dict(found)

    def _write(self, command: Run, samples: list[dict[str, Any]]) -> None:
        samples.sort(key=lambda sample: int(sample["doc_id"]))
        try:
            rows = (_sample(raw, command) for raw in samples)
            write_samples(Path(command.samples), command.metrics, rows)
        except (KeyError, SamplesError) as error:
            raise WorkError(Code.BAD_RESULT, f"The samples cannot be used: {error}") from error
        except OSError as error:
            raise WorkError(Code.DISK_FULL, f"The samples cannot be written: {error}") from error

    def _settings(self, command: Run) -> dict[str, Any]:
        assert self._loaded is not None  # noqa: S101 - `run` has looked
        return {
            "backend": self._loaded.backend,
            "dtype": self._loaded.dtype,
            "batch_size": self._loaded.batch_size,
            "device": str(self._model.device),
            "limit": command.limit,
            "seeds": command.seeds,
            "apply_chat_template": command.apply_chat_template,
        }

    def _environment(self) -> dict[str, str]:
        torch = self._torch
        cuda = torch.cuda.is_available()
        return {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": metadata.version("transformers"),
            "tokenizers": metadata.version("tokenizers"),
            "device": torch.cuda.get_device_name(0) if cuda else platform.machine(),
            "driver": str(torch.version.cuda) if cuda else "",
            "threads": str(torch.get_num_threads()),
        }

    def _device(self, wanted: str) -> str:
        has_cuda = self._torch.cuda.is_available()
        if wanted == "auto":
            return "cuda" if has_cuda else "cpu"
        if wanted == "cuda" and not has_cuda:
            raise WorkError(Code.SETTING_REFUSED, "This host has no CUDA device.")
        return wanted

    def _forget(self) -> None:
        """Give the last model's memory back before the next one is loaded."""
        self._loaded = self._model = None
        if self._torch.cuda.is_available():
            self._torch.cuda.empty_cache()


def _seldom(send: Send) -> Callable[[int, int], None]:
    """Return a report that sends at most one message in half a second."""
    last = 0.0

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= REPORT_SECONDS:
            last = now
            send(Progress(done, total))

    return report


def _sample(raw: Mapping[str, Any], command: Run) -> Sample:
    doc = raw["doc"] if isinstance(raw["doc"], Mapping) else {}
    group = doc.get(command.group_field) if command.group_field else None
    return Sample(
        doc_id=int(raw["doc_id"]),
        item_id=str(doc.get("id", raw["doc_id"])),
        group=None if group is None else str(group),
        target=str(raw["target"]),
        prompts=[list(arguments) for arguments in raw["arguments"]],
        responses=[_response(answers) for answers in raw["resps"]],
        scores={metric: float(raw[metric]) for metric in command.metrics},
    )


def _response(answers: Any) -> Any:
    """Return the first answer to a request: a log-likelihood with its greedy flag, or a text."""
    first = answers[0]
    if isinstance(first, tuple | list) and len(first) == 2:
        return {"loglikelihood": float(first[0]), "is_greedy": bool(first[1])}
    return first if isinstance(first, str) else float(first)


def _require_agreement(
    command: Run, theirs: Mapping[str, Any], scores: Mapping[str, list[float]]
) -> None:
    """Refuse a result whose samples do not give the mean that the harness states."""
    for metric, values in scores.items():
        stated = [v for k, v in theirs.items() if k.split(",")[0] == metric]
        ours = math.fsum(values) / len(values)
        if len(stated) != 1 or abs(float(stated[0]) - ours) > AGREEMENT:
            raise WorkError(
                Code.BAD_RESULT,
                f"lm-eval states {metric} of {command.task} as {stated}; the samples say {ours!r}.",
            )


def _aggregate(metric: str, values: list[float]) -> dict[str, Any]:
    found = summarise(values)
    return {"metric": metric, "n": found.n, "mean": found.mean, "stderr": found.stderr}


def _trouble(error: Exception, command: Run, *, has_begun: bool) -> WorkError:
    """Return what an error of the harness means: it refused, could not fetch, or broke down."""
    words = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return WorkError(Code.DISK_FULL, f"A file cannot be written: {error}")
    if has_begun:
        return WorkError(Code.EVALUATION_FAILED, f"lm-eval broke off the task: {words}")
    if isinstance(error, ConnectionError) and command.folder is None:
        return WorkError(Code.DATA_UNAVAILABLE, f"lm-eval cannot fetch the data: {words}")
    # Before the first question to the model it reads the task: it cannot use what it read.
    return WorkError(Code.TASK_REFUSED, f"lm-eval refuses the task: {words}")


def _harness() -> dict[str, str]:
    """Name the harness by its version and the digest of the list of its installed files."""
    distribution = metadata.distribution("lm_eval")
    record = distribution.read_text("RECORD") or ""
    # What was compiled or written at installation differs from host to host.
    lines = sorted(_hashed_lines(record))
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return {"name": "lm-eval", "version": distribution.version, "digest": f"sha256:{digest}"}


def _hashed_lines(record: str) -> Iterator[str]:
    for line in record.splitlines():
        if "sha256=" in line and ".dist-info/" not in line and not line.startswith(".."):
            yield line
