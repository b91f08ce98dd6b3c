"""One loaded model and the tasks run on it: what the runner's process does with its commands."""

import errno
import gc
import json
import logging
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

from evals.worker.failures import Code, WorkError
from evals.worker.runner.answers import Asking, Watch
from evals.worker.runner.backends import journal_key, journal_max_age, make_model
from evals.worker.runner.energy import EnergyMeter
from evals.worker.runner.journal import Journal, JournalBusy
from evals.worker.runner.memory import MemoryMeter
from evals.worker.runner.protocol import Finished, Load, Loaded, Progress, Run
from evals.worker.runner.result import aggregates, harness, write_rows

REPORT_SECONDS = 0.5
logger = logging.getLogger(__name__)

Send = Callable[[Progress], None]


class Session:
    """Holds at most one model; imports torch and the harness when it is made."""

    def __init__(self, *, threads: int = 0) -> None:
        import datasets.config
        import torch
        from lm_eval.tasks import TaskManager

        import evals.worker.runner.measured  # noqa: F401 - its imports take seconds, and are done now

        if threads:
            torch.set_num_threads(threads)
        self._torch = torch
        self._task_manager = TaskManager
        self._datasets_cache = datasets.config.HF_DATASETS_CACHE
        self._loaded: Load | None = None
        self._model: Any = None
        self._journal_key: dict[str, Any] = {}

    def load(self, command: Load) -> Loaded:
        """Load a model, unless exactly this one is loaded already.

        Raises:
            WorkError: the weights cannot be read, or do not fit into memory.
        """
        began = time.monotonic()
        if self._loaded is not None and _is_same_model(command, self._loaded):
            self._set_batch_size(command)
            return Loaded(self._device(), 0.0, was_loaded=True)
        self._forget()
        self._model = make_model(command, self._torch)
        self._journal_key = journal_key(command, self._model)
        self._loaded = command
        return Loaded(self._device(), time.monotonic() - began, was_loaded=False)

    def run(self, command: Run, send: Send) -> Finished:
        """Run one task and write its samples and result.

        Raises:
            WorkError: the harness refuses the task, or what came out cannot be used.
        """
        if self._loaded is None:
            raise WorkError(Code.INTERNAL, "No model is loaded.")
        self._require_chat_template(command)
        began = time.monotonic()
        memory = MemoryMeter(self._torch)
        meter = EnergyMeter(uses_gpu=self._device().startswith("cuda"))
        watch = Watch(_seldom(send))
        with self._journal(command) as journal:
            asking = Asking(command.task, tuple(command.seeds), once=journal is not None)
            self._model.begin(watch, asking, journal)
            self._set_budget(command)
            found = self._evaluate(command, watch)
        samples = found["samples"][command.task]
        write_rows(command, samples)
        energy = meter.read()
        result = {
            "rows": len(samples),
            "aggregates": aggregates(command, samples, found["results"][command.task]),
            "settings": self._settings(command, uses_journal=journal is not None),
            "harness": harness(),
            "environment": self._environment() | {"energy": energy.how},
            "usage": {
                "wallSeconds": time.monotonic() - began,
                "requests": watch.answered,
                "fromJournal": watch.from_journal,
                "tokens": watch.tokens,
                "energyJoules": energy.joules,
                "energyMethod": energy.method,
                **memory.read(),
                **self._endpoint_usage(),
            },
        }
        Path(command.result).write_text(json.dumps(result))
        send(Progress(watch.finished, watch.samples))
        return Finished()

    def _require_chat_template(self, command: Run) -> None:
        # A chat endpoint has its tokenizer to itself.
        tokenizer = getattr(self._model, "tokenizer", None)
        if command.apply_chat_template and tokenizer is not None and not tokenizer.chat_template:
            raise WorkError(
                Code.CHAT_TEMPLATE_MISSING,
                f"The task {command.task} is asked in the model's chat template, and this model "
                "has none. Evaluate it with tasks that need none, or register a version of the "
                "model whose tokenizer has one.",
            )

    @contextmanager
    def _journal(self, command: Run) -> Iterator[Journal | None]:
        """Open the model's journal while a task runs; none where the run wants fresh answers."""
        assert self._loaded is not None  # noqa: S101 - `run` has looked
        journal = None
        if command.journals is not None:
            journal = _opened(command, self._journal_key, journal_max_age(self._loaded))
        try:
            yield journal
        finally:
            if journal is not None:
                journal.close()

    def _evaluate(self, command: Run, watch: Watch) -> Mapping[str, Any]:
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
        except WorkError:
            raise
        except Exception as error:
            raise _trouble(error, command, has_begun=watch.samples > 0) from error
        if not found or command.task not in found["samples"]:
            raise WorkError(Code.TASK_REFUSED, "lm-eval gave no samples for the task.")
        return dict(found)

    def _settings(self, command: Run, *, uses_journal: bool) -> dict[str, Any]:
        assert self._loaded is not None  # noqa: S101 - `run` has looked
        return {
            "backend": self._loaded.backend,
            "dtype": self._loaded.dtype,
            # What it came down to where memory did not suffice for what was asked.
            "batch_size": self._model.batch_size,
            "requested_batch_size": self._loaded.batch_size,
            "device": self._device(),
            "devices": self._loaded.devices,
            "limit": command.limit,
            "seeds": command.seeds,
            "apply_chat_template": command.apply_chat_template,
            "journal": "used" if uses_journal else "off",
            **self._endpoint_settings(),
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

    def _device(self) -> str:
        return str(self._model.device)

    def _set_budget(self, command: Run) -> None:
        assert self._loaded is not None  # noqa: S101 - `run` has looked
        if self._loaded.endpoint is not None:
            from evals.worker.runner.remote import make_budget

            self._model.budget = make_budget(self._loaded, command.budget, _path(command.spent))

    def _endpoint_settings(self) -> dict[str, Any]:
        assert self._loaded is not None  # noqa: S101 - `run` has looked
        endpoint = self._loaded.endpoint
        if endpoint is None:
            return {}
        return {"endpoint": {name: endpoint[name] for name in ("slug", "base_url", "model")}}

    def _endpoint_usage(self) -> dict[str, Any]:
        """Return what this task took of an endpoint, and what that cost where it has prices."""
        if self._loaded is None or self._loaded.endpoint is None:
            return {}
        budget = self._model.budget
        found = {
            "inputTokens": budget.task.given,
            "outputTokens": budget.task.made,
            "endpointRequests": budget.task.requests,
            "retries": budget.retries,
        }
        if budget.prices is None:
            return found
        cost = budget.prices.of(budget.task.given, budget.task.made)
        return found | {"money": f"{cost.normalize():f}", "currency": budget.prices.currency}

    def _set_batch_size(self, command: Load) -> None:
        """Take on another batch size; the same one stays at what memory has sufficed for."""
        assert self._loaded is not None  # noqa: S101 - `load` has looked
        if command.batch_size != self._loaded.batch_size:
            self._model.set_batch_size(command.batch_size)
            self._loaded = command

    def _forget(self) -> None:
        """Give the last model's memory back before the next one is loaded."""
        self._loaded = self._model = None
        # The model knows itself as the hook that hears its answers: a circle.
        gc.collect()
        if self._torch.cuda.is_available():
            self._torch.cuda.empty_cache()


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _is_same_model(one: Load, other: Load) -> bool:
    return replace(one, batch_size=1) == replace(other, batch_size=1)


def _opened(command: Run, key: dict[str, Any], max_age: float | None) -> Journal | None:
    """Open the journal; without one where it cannot be had: it saves work and decides nothing."""
    try:
        return Journal(
            Path(command.journals or ""),
            key,
            limit_bytes=command.journals_bytes,
            max_age_seconds=max_age,
        )
    except (JournalBusy, OSError) as error:
        logger.warning("Without the journal: %s", error)
        return None


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
