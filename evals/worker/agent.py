"""The worker's work: claim, fetch, run, sign, deliver, until there is nothing left to claim.

The platform's database says what is to be done; this process only ever asks it. Killed at any
moment it leaves a lease behind, which the platform gives back to the queue.
"""

import errno
import hashlib
import json
import logging
import shutil
import tempfile
import threading
import time
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from evals.decimals import decimal_text
from evals.statement import build_statement, sign_statement
from evals.suites.document import Task, digest
from evals.suites.taskfolder import write_task
from evals.worker.client import Client, LeaseLost, PlatformError
from evals.worker.config import WorkerConfig
from evals.worker.failures import Code, WorkError
from evals.worker.lease import Lease
from evals.worker.models import ModelCache
from evals.worker.orders import needs_weights, require_possible
from evals.worker.probe import look_at
from evals.worker.process import RunnerProcess
from evals.worker.runner.protocol import Load, Progress, Run
from evals.worker.surroundings import device, software

logger = logging.getLogger(__name__)
SPENT_KEPT_SECONDS = 90 * 86_400
"""How long it is remembered what a run has spent at an endpoint: longer than any run lasts."""
LOOK_SECONDS = 0.5
"""How often cancels and lost leases are looked for while the runner works."""
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_RUNNER_IS_SPENT = frozenset({Code.CANCELLED, Code.RUNNER_DIED, Code.OUT_OF_MEMORY})
"""What ends the runner with the work: it is still computing, dead, or has lost memory."""


class Agent:
    """One worker process with at most one runner."""

    def __init__(self, config: WorkerConfig) -> None:
        self._config = config
        self._stopping = threading.Event()
        self._client = Client(config.url, config.token, self._stopping)
        self._models = ModelCache(config.directory / "models")
        self._boot_id = uuid.uuid4().hex
        self._runner: RunnerProcess | None = None
        self._platform: dict[str, Any] = {}
        self._turn = threading.Lock()
        self._asked = threading.Event()
        self._order: dict[str, Any] | None = None

    def work(self) -> int:
        """Take task runs until there are none; return how many were taken.

        Nudges may come in any number: only one thread works, the others leave word that it should
        look once more before it rests.

        Raises:
            PlatformError: the token is wrong, or the platform does not answer.
        """
        taken = 0
        self._asked.set()
        while self._asked.is_set() and self._turn.acquire(blocking=False):
            try:
                self._asked.clear()
                taken += self._take_all()
            finally:
                self._turn.release()
        return taken

    def look_at_endpoints(self) -> int:
        """Look whether endpoints answer whose turn it is; return how many were looked at.

        A platform that is older than this worker has no such turns.

        Raises:
            PlatformError: the platform does not answer.
        """
        keys = str(self._config.endpoint_keys) if self._config.endpoint_keys else None
        seen = []
        try:
            due = self._client.probes()
        except PlatformError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return 0
            raise
        for endpoint in due:
            if self._stopping.is_set():
                break
            found = look_at(endpoint["base_url"], allow_hosts=self._config.allow_hosts, keys=keys)
            if found is not None:
                seen.append(found | {"endpoint": endpoint["slug"]})
        if seen:
            self._client.report_probes(seen)
        return len(seen)

    def stop(self) -> None:
        """Take nothing more, kill the runner and give back what is under way; returns at once."""
        self._stopping.set()
        if (runner := self._runner) is not None:
            runner.kill()

    def rest(self, seconds: float) -> bool:
        """Wait until nothing is under way; where it lasts too long, give the work back from here.

        Returns whether the work ended by itself: a file being read or a call that hangs cannot be
        interrupted.
        """
        if self._turn.acquire(timeout=seconds):
            self._turn.release()
            return True
        if (order := self._order) is not None:
            self._report(order, WorkError(Code.WORKER_STOPPING, "The worker is being stopped."))
        return False

    def _take_all(self) -> int:
        taken = 0
        if not self._platform:
            self._hello()
            # Its imports take seconds: begun now, they are done when the first work comes.
            self._have_runner(online=False)
        while not self._stopping.is_set() and (order := self._claim()) is not None:
            taken += 1
            self._order = order
            self._take(order)
            self._order = None
            if self._runner is not None:
                self._runner.begin_log()
        return taken

    def _hello(self) -> None:
        self._platform = self._client.hello(
            {
                "boot_id": self._boot_id,
                "software": software(),
                "device": device(),
                "resource_classes": list(self._config.resource_classes),
            }
        )

    def _claim(self) -> dict[str, Any] | None:
        try:
            return self._client.claim(
                boot_id=self._boot_id, resource_classes=list(self._config.resource_classes)
            )
        except PlatformError:
            # Enrolled anew, it may be another worker to the platform: introduce ourselves again.
            self._platform = {}
            raise

    def _take(self, order: dict[str, Any]) -> None:
        """Do one task run; whatever goes wrong is told to the platform, or it knows already."""
        name = f"{order['run']} {order['task']['name']}"
        logger.info("Took %s, attempt %s", name, order["attempt"])
        try:
            pause = self._platform["heartbeat_seconds"]
            with Lease(self._client, order, pause, self._stopping) as lease:
                self._do(order, lease)
        except LeaseLost as lost:
            logger.warning("Dropped %s: %s", name, lost)
            self._drop_runner()
        except Exception as error:  # noqa: BLE001 - told to the platform, whatever it is
            self._fail(name, order, error)
        else:
            logger.info("Delivered %s", name)

    def _fail(self, name: str, order: dict[str, Any], error: Exception) -> None:
        """Tell the platform why it did not work, and keep what is still good of the runner."""
        failure = _failure(error)
        if self._stopping.is_set():
            # Whatever broke, broke because we are being stopped: the runner was killed under it.
            failure = WorkError(Code.WORKER_STOPPING, "The worker is being stopped.")
        unexpected = failure.code in {Code.INTERNAL, Code.BAD_RESULT}
        logger.warning("%s failed: %s %s", name, failure.code, failure.message, exc_info=unexpected)
        self._report(order, failure)
        if failure.code in _RUNNER_IS_SPENT:
            self._drop_runner()

    def _do(self, order: dict[str, Any], lease: Lease) -> None:
        task = cast("Task", order["task"])
        require_possible(order)
        runner = self._have_runner(online="stock" in task)
        with tempfile.TemporaryDirectory(dir=self._config.directory, prefix="work-") as scratch:
            folder = Path(scratch)
            harness_task = self._prepare(order, task, folder)
            model = str(self._models.resolve(order["model"])) if needs_weights(order) else ""
            lease.check()
            lease.at("loading")
            runner.tell(self._load(order, model))
            self._follow(runner, lease)
            lease.at("running")
            command = self._run(order, task, harness_task, folder)
            runner.tell(command)
            self._follow(runner, lease)
            lease.at("uploading")
            self._deliver(order, lease, Path(command.samples), Path(command.result))

    def _prepare(self, order: dict[str, Any], task: Task, folder: Path) -> str:
        """Fetch the task's data and write it down as a task folder; return its harness name."""
        data_path = None
        if "data" in task:
            data_path = self._fetched(task["data"]["name"], task["data"]["sha256"])
        return write_task(order["suite"]["slug"], task, folder / "tasks", data_path)

    def _fetched(self, name: str, sha256: str) -> Path:
        """Return a data file of this digest, fetched once and kept."""
        place = self._config.directory / "data" / sha256 / name
        if place.exists() and _sha256(place) == sha256:
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        incoming = place.with_name(f".{name}.{uuid.uuid4().hex}")
        try:
            self._client.fetch(sha256, incoming)
            if _sha256(incoming) != sha256:
                raise WorkError(Code.DATA_CHANGED, f"{name} arrived with another digest.")
            incoming.replace(place)
        except PlatformError as error:
            raise WorkError(Code.DATA_UNAVAILABLE, f"{name}: {error}") from error
        finally:
            incoming.unlink(missing_ok=True)
        return place

    def _load(self, order: dict[str, Any], model: str) -> Load:
        settings, endpoint = order["settings"], order.get("endpoint")
        if endpoint is not None:
            keys = self._config.endpoint_keys
            endpoint = endpoint | {
                "allow_hosts": list(self._config.allow_hosts),
                "keys": str(keys) if keys else None,
            }
        return Load(
            model=model,
            digest=order["model"]["digest"],
            backend=settings["backend"],
            dtype=settings["dtype"],
            device=settings["device"],
            batch_size=settings["batch_size"],
            devices=settings.get("devices", 1),
            endpoint=endpoint,
        )

    def _run(self, order: dict[str, Any], task: Task, harness_task: str, folder: Path) -> Run:
        settings = order["settings"]
        directory = self._config.directory
        return Run(
            task=harness_task,
            folder=None if "stock" in task else str(folder / "tasks"),
            metrics=list(task["metrics"]),
            group_field=task["group_field"],
            clustered=task.get("clustered", False),
            num_fewshot=task["num_fewshot"] if "stock" in task else None,
            # A chat endpoint is given conversations and nothing else.
            apply_chat_template=task["apply_chat_template"] or settings["backend"] == "chat",
            seeds=[task["seed"]] * 4,
            limit=settings["limit"],
            scratch=str(folder),
            samples=str(folder / "samples.parquet"),
            result=str(folder / "result.json"),
            journals=None if settings.get("fresh") else str(directory / "journals"),
            journals_bytes=self._config.journals_megabytes * 1_000_000,
            budget=order.get("budget") or settings.get("budget"),
            spent=str(directory / "spent" / Path(order["run"]).name),
        )

    def _follow(self, runner: RunnerProcess, lease: Lease) -> None:
        """Pass the runner's progress on until its last word."""
        for event in runner.events(LOOK_SECONDS):
            lease.check()
            if isinstance(event, Progress):
                lease.at("running", event.done, event.total)

    def _deliver(self, order: dict[str, Any], lease: Lease, samples: Path, result: Path) -> None:
        found = json.loads(result.read_text())
        reference = {
            "sha256": _sha256(samples),
            "size": samples.stat().st_size,
            "rows": found["rows"],
            "mediaType": "application/vnd.apache.parquet",
        }
        statement = build_statement(
            predicate_type=self._platform["predicate_type"],
            predicate=self._predicate(order, found, reference),
        )
        envelope = sign_statement(statement, self._config.key)
        lease.check()
        self._client.upload(lease.task_run, lease.token, reference["sha256"], samples)
        self._client.result(lease.task_run, lease.token, envelope)

    def _predicate(
        self, order: dict[str, Any], found: dict[str, Any], samples: dict[str, Any]
    ) -> Any:
        task = cast("Task", order["task"])
        usage = found["usage"]
        return {
            "run": order["run"],
            "taskRun": order["task_run"],
            "attempt": order["attempt"],
            "evaluator": {
                "worker": self._platform["worker"],
                "organisation": self._platform["organisation"],
            },
            "evaluatedAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "suite": order["suite"],
            "task": {"name": task["name"], "digest": digest(task)},
            "dataset": [{"name": f["name"], "sha256": f["sha256"]} for f in order["files"]],
            "model": {"digest": order["model"]["digest"], "label": order["model"]["label"]},
            "settings": found["settings"],
            "harness": found["harness"],
            "environment": found["environment"],
            "aggregates": [_claim_of(row) for row in found["aggregates"]],
            "samples": samples,
            "usage": self._cost(usage)
            | usage
            | {
                "wallSeconds": decimal_text(usage["wallSeconds"]),
                "energyJoules": decimal_text(usage["energyJoules"]),
            },
        }

    def _cost(self, usage: dict[str, Any]) -> dict[str, str]:
        """Return what the host's time cost, where its operator says; an endpoint states its own."""
        price = self._config.price
        if price is None or "money" in usage:
            return {}
        money = price.per_hour * Decimal(usage["wallSeconds"]) / 3600
        return {"money": f"{money:.6f}", "currency": price.currency}

    def _report(self, order: dict[str, Any], error: WorkError) -> None:
        tail = self._runner.log_tail() if self._runner else ""
        body = {
            "token": order["token"],
            "code": str(error.code),
            "message": error.message[:4000] or str(error.code),
            "log_tail": tail.replace("\x00", ""),
            "may_retry": error.may_retry,
        }
        try:
            self._client.failure(order["task_run"], body)
        except PlatformError as refusal:
            # The lease is lost or the platform away: it gives the task run back by itself.
            logger.warning("Could not report the failure: %s", refusal)

    def _have_runner(self, *, online: bool) -> RunnerProcess:
        """Return a living runner; one that may use the network only where the task needs it."""
        if self._stopping.is_set():
            raise WorkError(Code.WORKER_STOPPING, "The worker is being stopped.")
        runner = self._runner
        if runner is not None and runner.is_alive and (runner.online or not online):
            return runner
        self._drop_runner()
        self._config.directory.mkdir(parents=True, exist_ok=True)
        self._runner = RunnerProcess(
            self._config.directory,
            threads=self._config.threads,
            memory_megabytes=self._config.memory_megabytes,
            online=online,
            python=self._config.runner_python,
        )
        return self._runner

    def _drop_runner(self) -> None:
        if self._runner is not None:
            self._runner.kill()
            self._runner = None


def _claim_of(row: dict[str, Any]) -> dict[str, Any]:
    """Return an aggregate as the statement has it: decimals as text."""
    numbers = ("mean", "stderr", "low", "high")
    stated = {name: None if row[name] is None else decimal_text(row[name]) for name in numbers}
    return {"metric": row["metric"], "n": row["n"], **stated, "method": row["method"]}


def _failure(error: Exception) -> WorkError:
    """Return what to tell the platform about an error."""
    if isinstance(error, WorkError):
        return error
    if isinstance(error, PlatformError):
        if 400 <= error.status < 500 and error.status != 429:
            return WorkError(Code.BAD_RESULT, f"The result was refused: {error}")
        return WorkError(Code.PLATFORM_AWAY, f"The result could not be delivered: {error}")
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return WorkError(Code.DISK_FULL, f"A file cannot be written: {error}")
    return WorkError(Code.INTERNAL, f"{type(error).__name__}: {error}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def clear_leftovers(directory: Path) -> None:
    """Remove the scratch folders of processes that were killed, and counts of runs long over."""
    for leftover in directory.glob("work-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    long_ago = time.time() - SPENT_KEPT_SECONDS
    for count in directory.glob("spent/*"):
        if count.stat().st_mtime < long_ago:
            count.unlink(missing_ok=True)
