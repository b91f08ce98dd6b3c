"""A worker with its key: claims, uploads and signs as the real one does, over scores we choose."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evals import artefacts
from evals.decimals import decimal_text
from evals.models import TaskRun, Worker
from evals.samples import Sample, write_samples
from evals.services import claims, results, workers
from evals.statement import build_statement, sign_statement
from evals.statistics import summarise
from evals.suites.document import digest
from oversight.accounts.models import Organisation, Person

PREDICATE_TYPE = "http://localhost:8000/ns/evaluation-result/v1"
PARQUET = "application/vnd.apache.parquet"


@dataclass
class Machine:
    """One enrolled worker, its token, and the key it signs with."""

    worker: Worker
    token: str
    key: Ed25519PrivateKey
    boot_id: str = "boot-1"
    resource_classes: Sequence[str] = ("cpu",)

    def claim(self) -> TaskRun | None:
        """Lease the next waiting task run, if there is one."""
        order = claims.claim(
            token_digest=self.worker.token_digest,
            boot_id=self.boot_id,
            resource_classes=self.resource_classes,
        )
        return None if order is None else TaskRun.objects.get(pk=order.task_run)

    def samples(self, task_run: TaskRun, right: int) -> tuple[bytes, dict[str, Any]]:
        """Return a samples file in which the first `right` items score 1, and its reference."""
        metrics = task_run.task["metrics"]
        samples = [
            _sample(task_run, n, row, dict.fromkeys(metrics, float(n < right)))
            for n, row in enumerate(_rows(task_run))
        ]
        with TemporaryDirectory() as folder:
            path = Path(folder) / "samples.parquet"
            write_samples(path, metrics, samples)
            data = path.read_bytes()
        reference = {
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "rows": len(samples),
            "mediaType": PARQUET,
        }
        return data, reference

    def envelope(
        self, task_run: TaskRun, reference: dict[str, Any], right: int, **changes: Any
    ) -> dict[str, Any]:
        """Return a signed statement about these samples; `changes` replaces predicate fields."""
        predicate = self._predicate(task_run, reference, right) | changes
        return sign_statement(
            build_statement(predicate_type=PREDICATE_TYPE, predicate=predicate), self.key
        )

    def upload(self, task_run: TaskRun, data: bytes, sha256: str) -> None:
        """Send a file under a digest."""
        results.receive_artefact(
            worker=self.worker,
            task_run_id=task_run.pk,
            token=task_run.lease_token,
            sha256=sha256,
            chunks=[data],
        )

    def finish(self, task_run: TaskRun, right: int = 15, *, is_recalled: bool = False) -> TaskRun:
        """Upload samples and deliver a result for a claimed task run, computed or remembered."""
        data, reference = self.samples(task_run, right)
        usage = self._predicate(task_run, reference, right)["usage"]
        if is_recalled:
            usage["fromJournal"] = usage["requests"]
        self.upload(task_run, data, reference["sha256"])
        accepted, _ = results.accept_result(
            worker=self.worker,
            task_run_id=task_run.pk,
            token=task_run.lease_token,
            envelope=self.envelope(task_run, reference, right, usage=usage),
        )
        return accepted

    def _predicate(self, task_run: TaskRun, reference: dict[str, Any], right: int) -> Any:
        run, task = task_run.run, task_run.task
        suite, model = run.suite_version, run.model_version
        groups = None
        if task.get("clustered"):
            groups = [str(row[task["group_field"]]) for row in _rows(task_run)]
        found = summarise([1.0] * right + [0.0] * (reference["rows"] - right), groups)
        return {
            "run": run.ref,
            "taskRun": str(task_run.pk),
            "attempt": task_run.attempt,
            "evaluator": {
                "worker": self.worker.public_id,
                "organisation": self.worker.organisation.slug,
            },
            "evaluatedAt": "2026-11-23T10:00:00Z",
            "suite": {"slug": suite.suite.slug, "version": suite.number, "digest": suite.digest},
            "task": {"name": task["name"], "digest": digest(task)},
            "dataset": [{"name": task["data"]["name"], "sha256": task["data"]["sha256"]}],
            "model": {"digest": model.digest, "label": model.label},
            "settings": dict(run.settings),
            "harness": {"name": "lm-eval", "version": "0.4.13", "digest": "sha256:" + "0" * 64},
            "environment": {"python": "3.11"},
            "aggregates": [
                {
                    "metric": metric,
                    "n": found.n,
                    "mean": _text(found.mean),
                    "stderr": _text(found.stderr),
                    "low": _text(found.low),
                    "high": _text(found.high),
                    "method": found.method,
                }
                for metric in task["metrics"]
            ],
            "samples": reference,
            "usage": {
                "wallSeconds": "12.5",
                "tokens": 900,
                "requests": 2 * reference["rows"],
                "energyJoules": "300",
                "energyMethod": "estimated",
            },
        }


def enrol_machine(
    by: Person, organisation: Organisation, name: str, key: Ed25519PrivateKey | None = None
) -> Machine:
    """Enrol a worker that signs with `key`, by default one of its own."""
    own = key or Ed25519PrivateKey.generate()
    public_key = own.public_key().public_bytes_raw().hex()
    worker, token = workers.enrol_worker(
        by=by, organisation=organisation, name=name, public_key=public_key
    )
    return Machine(worker, token, own)


def _text(number: float | None) -> str | None:
    return None if number is None else decimal_text(number)


def _rows(task_run: TaskRun) -> list[dict[str, Any]]:
    """Return the rows of the task's data file that the run is about."""
    lines = artefacts.path_of(task_run.task["data"]["sha256"]).read_text().splitlines()
    return [json.loads(line) for line in lines[: task_run.run.settings["limit"]]]


def _sample(task_run: TaskRun, n: int, row: dict[str, Any], scores: dict[str, float]) -> Sample:
    group_field = task_run.task["group_field"]
    return Sample(
        doc_id=n,
        item_id=str(row.get("id", n)),
        group=str(row[group_field]) if group_field else None,
        target=str(row["answer"]),
        prompts=[[row["question"], f" {choice}"] for choice in row["choices"]],
        responses=[
            {"loglikelihood": -1.5 - n, "is_greedy": n == 0} for n, _ in enumerate(row["choices"])
        ],
        scores=scores,
    )
