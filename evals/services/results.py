"""Accepting results: the signature is checked, the numbers recomputed, then the leaf is written."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.db import transaction

from evals import artefacts
from evals.choices import Leaf, TaskRunState
from evals.models import Aggregate, Artefact, SampleScore, TaskRun, Worker
from evals.samples import Sample, SamplesError, read_samples
from evals.scores import digest as scores_digest
from evals.services.leases import locked_lease
from evals.services.moves import move
from evals.services.runs import settle_run
from evals.statement import StatementError, verify_envelope
from evals.statistics import mean, summarise
from evals.suites.document import digest as document_digest
from oversight.ledger import services as ledger
from oversight.web.refusals import Conflict, Invalid

if TYPE_CHECKING:
    from evals.suites.document import Task

TOLERANCE = Decimal("1e-9")
MAX_SAMPLES = 2_000_000


@dataclass
class Recomputed:
    """What the server itself finds in the samples: scores by metric, in sample order."""

    scores: dict[str, list[tuple[int, str, float]]] = field(default_factory=dict)
    rows: int = 0

    def add(self, sample: Sample) -> None:
        """Take one sample's scores in."""
        self.rows += 1
        for metric, score in sample.scores.items():
            self.scores.setdefault(metric, []).append((sample.doc_id, sample.group or "", score))

    def digest(self) -> str:
        """Return the digest of the scores alone, which anyone can recount without a library."""
        metrics = sorted(self.scores)
        samples = zip(*(self.scores[metric] for metric in metrics), strict=True)
        return scores_digest(metrics, ((row[0][0], [cell[2] for cell in row]) for row in samples))

    def groups(self, metric: str) -> dict[str, list[float]]:
        """Return the scores by group; the empty name holds all samples."""
        found: dict[str, list[float]] = {"": []}
        for _, group, score in self.scores[metric]:
            found[""].append(score)
            if group:
                found.setdefault(group, []).append(score)
        return found


def receive_artefact(
    *, worker: Worker, task_run_id: UUID, token: int, sha256: str, chunks: Iterable[bytes]
) -> Artefact:
    """Store a file a worker uploads for the task run it holds."""
    require_lease(worker=worker, task_run_id=task_run_id, token=token)
    return artefacts.store(
        chunks, media_type="application/vnd.apache.parquet", expected_sha256=sha256
    )


@transaction.atomic
def require_lease(*, worker: Worker, task_run_id: UUID, token: int) -> None:
    """Refuse (409) unless the worker holds the lease now."""
    locked_lease(worker=worker, task_run_id=task_run_id, token=token)


def accept_result(
    *, worker: Worker, task_run_id: UUID, token: int, envelope: Mapping[str, Any]
) -> tuple[TaskRun, bool]:
    """Accept a signed result; return the task run and whether this call changed it.

    The same result sent twice is accepted once and answered as such both times.

    Raises:
        Conflict: the lease is not the worker's any more, or another result was accepted.
        Invalid: signature, bindings or numbers do not hold; nothing is kept.
    """
    try:
        statement = verify_envelope(dict(envelope), bytes.fromhex(worker.public_key))
    except StatementError as error:
        raise Invalid(f"The signed statement does not hold: {error}") from None
    payload = base64.b64decode(envelope["payload"])
    digest = f"sha256:{hashlib.sha256(payload).hexdigest()}"
    task_run = TaskRun.objects.select_related("run__suite_version__suite", "run__model_version")
    known = task_run.filter(pk=task_run_id).first()
    if known is None:
        raise Conflict("There is no such task run.")
    if known.state == TaskRunState.SUCCEEDED and known.statement_digest == digest:
        return known, False
    require_lease(worker=worker, task_run_id=task_run_id, token=token)
    predicate = statement.get("predicate", {})
    _require_bound(known, worker, statement, predicate)
    samples = _samples_artefact(predicate)
    recomputed = _recompute(known, samples, predicate)
    return _accept(
        worker=worker,
        known=known,
        token=token,
        envelope=dict(envelope),
        digest=digest,
        samples=samples,
        recomputed=recomputed,
    )


@transaction.atomic(durable=True)
def _accept(
    *,
    worker: Worker,
    known: TaskRun,
    token: int,
    envelope: dict[str, Any],
    digest: str,
    samples: Artefact,
    recomputed: Recomputed,
) -> tuple[TaskRun, bool]:
    """Write result, scores and leaf.

    The lease is checked again under its lock: the checks before took time, and a sweep may have
    given the task run to somebody else.
    """
    task_run = locked_lease(worker=worker, task_run_id=known.pk, token=token)
    leaf = ledger.append(
        type=Leaf.RESULT_ACCEPTED,
        actor=worker.actor,
        subject=task_run.run.subject,
        digests={
            "statement": digest,
            "samples": f"sha256:{samples.sha256}",
            "scores": recomputed.digest(),
        },
        facts={"task": task_run.task_name, "attempt": task_run.attempt},
    )
    task_run.envelope = envelope
    task_run.statement_digest = digest
    task_run.samples = samples
    task_run.done = task_run.total = recomputed.rows
    task_run.leaf_id = leaf.id
    move(task_run, TaskRunState.SUCCEEDED)
    _write_scores(task_run, recomputed)
    settle_run(task_run.run)
    return task_run, True


def _write_scores(task_run: TaskRun, recomputed: Recomputed) -> None:
    for metric, rows in recomputed.scores.items():
        SampleScore.objects.bulk_create(
            (
                SampleScore(
                    task_run=task_run, doc_id=doc_id, metric=metric, group=group, score=score
                )
                for doc_id, group, score in rows
            ),
            batch_size=2000,
        )
        for group, scores in recomputed.groups(metric).items():
            found = summarise(scores)
            Aggregate.objects.create(
                task_run=task_run,
                metric=metric,
                group=group,
                n=found.n,
                mean=mean(scores),
                stderr=found.stderr,
                low=found.low,
                high=found.high,
                method=found.method,
            )


def _require_bound(
    task_run: TaskRun, worker: Worker, statement: Mapping[str, Any], predicate: Mapping[str, Any]
) -> None:
    """Refuse a statement about anything but this task run, model, suite, task and data."""
    run = task_run.run
    task = task_run.task
    model_hex = run.model_version.digest.removeprefix("sha256:")
    subjects = [item.get("digest", {}).get("sha256") for item in statement.get("subject", [])]
    wanted: list[tuple[str, Any, Any]] = [
        ("subject", subjects, [model_hex]),
        ("taskRun", predicate.get("taskRun"), str(task_run.pk)),
        ("run", predicate.get("run"), run.ref),
        ("attempt", predicate.get("attempt"), task_run.attempt),
        ("evaluator.worker", _at(predicate, "evaluator", "worker"), worker.public_id),
        ("suite.digest", _at(predicate, "suite", "digest"), run.suite_version.digest),
        ("task.name", _at(predicate, "task", "name"), task["name"]),
        ("task.digest", _at(predicate, "task", "digest"), document_digest(cast("Task", task))),
        ("model.digest", _at(predicate, "model", "digest"), run.model_version.digest),
        ("settings.limit", _at(predicate, "settings", "limit"), run.settings["limit"]),
        ("settings.dtype", _at(predicate, "settings", "dtype"), run.settings["dtype"]),
    ]
    if "data" in task:
        found = [item.get("sha256") for item in predicate.get("dataset", [])]
        wanted.append(("dataset", found, [task["data"]["sha256"]]))
    for name, found, expected in wanted:
        if found != expected:
            raise Invalid(f"The statement's {name} is {found!r}; this task run needs {expected!r}.")


def _at(predicate: Mapping[str, Any], outer: str, inner: str) -> Any:
    part = predicate.get(outer)
    return part.get(inner) if isinstance(part, Mapping) else None


def _samples_artefact(predicate: Mapping[str, Any]) -> Artefact:
    sha256 = str(_at(predicate, "samples", "sha256"))
    row = Artefact.objects.filter(sha256=sha256).first()
    if row is None:
        raise Invalid(f"The samples {sha256} were not uploaded: send them before the result.")
    return row


def _recompute(task_run: TaskRun, samples: Artefact, predicate: Mapping[str, Any]) -> Recomputed:
    """Read the samples and compare the stated aggregates with what they really give."""
    found = Recomputed()
    try:
        for sample in read_samples(artefacts.path_of(samples.sha256)):
            found.add(sample)
            if found.rows > MAX_SAMPLES:
                raise Invalid(f"A task may have at most {MAX_SAMPLES} samples.")
    except SamplesError as error:
        raise Invalid(f"The samples cannot be read: {error}") from None
    metrics = set(task_run.task["metrics"])
    if set(found.scores) != metrics or not found.rows:
        names = ", ".join(sorted(metrics))
        raise Invalid(f"The samples must score {names} and nothing else.")
    expected = _expected_rows(task_run)
    if expected is not None and found.rows != expected:
        raise Invalid(f"The samples hold {found.rows} of {expected} items.")
    stated = predicate.get("aggregates")
    if not isinstance(stated, list) or {item.get("metric") for item in stated} != metrics:
        raise Invalid("The statement must give one aggregate for every metric of the task.")
    for item in stated:
        _require_same(item, found)
    return found


def _expected_rows(task_run: TaskRun) -> int | None:
    """Return how many samples the task has, or None where only the worker knows (stock tasks)."""
    data = task_run.task.get("data")
    limit = task_run.run.settings["limit"]
    if data is None:
        return None
    return min(int(data["rows"]), limit) if limit else int(data["rows"])


def _require_same(stated: Mapping[str, Any], found: Recomputed) -> None:
    metric = stated["metric"]
    try:
        summary = summarise([score for _, _, score in found.scores[metric]])
    except ValueError as error:
        raise Invalid(f"The scores of {metric} cannot be used: {error}.") from None
    try:
        stated_mean, stderr = Decimal(stated["mean"]), Decimal(stated.get("stderr") or 0)
    except (InvalidOperation, KeyError, TypeError, ValueError):
        raise Invalid(f"The aggregate of {metric} is not written as decimal strings.") from None
    ours = Decimal(repr(summary.mean)), Decimal(repr(summary.stderr or 0.0))
    same = abs(ours[0] - stated_mean) <= TOLERANCE and abs(ours[1] - stderr) <= TOLERANCE
    if stated.get("n") != summary.n or not same:
        raise Invalid(
            f"The statement says {metric} = {stated_mean} (n={stated.get('n')}), the samples give "
            f"{summary.mean!r} (n={summary.n}). The result is refused."
        )


def statement_of(task_run: TaskRun) -> dict[str, Any]:
    """Return the signed statement of a finished task run, decoded."""
    if task_run.envelope is None:
        return {}
    payload = base64.b64decode(task_run.envelope["payload"])
    return dict(json.loads(payload))
