"""Accepting results: the signature is checked, the numbers recomputed, then the leaf is written."""

import base64
import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.db import connection, transaction

from evals import artefacts
from evals.choices import Leaf, TaskRunState
from evals.models import Aggregate as AggregateRow
from evals.models import Artefact, TaskRun, Worker
from evals.samples import Block, SamplesError, SamplesReader
from evals.scores import cluster_numbers
from evals.scores import digest as scores_digest
from evals.services.leases import locked_lease
from evals.services.moves import move
from evals.services.runs import settle_run
from evals.statement import StatementError, verify_envelope
from evals.statistics import Aggregate, summarise
from evals.suites.document import digest as document_digest
from oversight.ledger import services as ledger
from oversight.web.refusals import Conflict, Invalid

if TYPE_CHECKING:
    from evals.suites.document import Task

TOLERANCE = Decimal("1e-9")
MAX_SAMPLES = 2_000_000
MAX_GROUPS = 2_000
COPY_ROWS = 5_000

Aggregates = dict[tuple[str, str], Aggregate]
"""By metric and group; the empty group holds all samples."""


@dataclass
class Recomputed:
    """What the server itself finds in the samples, held compactly: a million take some 40 MB."""

    doc_ids: "array[int]" = field(default_factory=lambda: array("q"))
    groups: "array[int]" = field(default_factory=lambda: array("i"))
    """Of each sample, a place in `group_names`."""
    group_names: dict[str, int] = field(default_factory=lambda: {"": 0})
    scores: "dict[str, array[float]]" = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many samples there are."""
        return len(self.doc_ids)

    def add(self, block: Block) -> None:
        """Take some samples' scores in."""
        names = self.group_names
        self.doc_ids.frombytes(block.doc_ids.tobytes())
        self.groups.extend(names.setdefault(group or "", len(names)) for group in block.groups)
        for metric, scores in block.scores.items():
            self.scores.setdefault(metric, array("d")).frombytes(scores.tobytes())

    def digest(self, *, clustered: bool) -> str:
        """Return the digest of the scores alone, which anyone can recount without a library."""
        metrics = sorted(self.scores)
        scores = zip(*(self.scores[metric] for metric in metrics), strict=True)
        clusters = cluster_numbers(self.groups) if clustered else None
        return scores_digest(metrics, zip(self.doc_ids, scores, strict=True), clusters)

    @property
    def labels(self) -> list[str]:
        """The name of each sample's group; empty where it has none."""
        names = list(self.group_names)
        return [names[place] for place in self.groups]

    def by_group(self, metric: str) -> "Iterator[tuple[str, array[float]]]":
        """Yield the scores of all samples under the empty name, then those of each group."""
        scores = self.scores[metric]
        yield "", scores
        named = {place: name for name, place in self.group_names.items() if name}
        if not named:
            return
        found = {place: array("d") for place in self.group_names.values()}
        for group, score in zip(self.groups, scores, strict=True):
            found[group].append(score)
        for place, name in named.items():
            yield name, found[place]

    def lines(self, task_run: UUID, metric: str) -> Iterator[bytes]:
        """Yield the metric's scores as rows of PostgreSQL's COPY in text form, many at a time."""
        names = [_copy_text(name) for name in self.group_names]
        head, middle = f"{task_run}\t{_copy_text(metric)}\t", "\t"
        rows = zip(self.doc_ids, self.groups, self.scores[metric], strict=True)
        while block := list(islice(rows, COPY_ROWS)):
            yield "".join(
                f"{head}{doc_id}{middle}{names[group]}{middle}{score!r}\n"
                for doc_id, group, score in block
            ).encode()


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
    recomputed = _recompute(known, samples)
    clustered = known.task.get("clustered", False)
    found = _aggregated(recomputed, clustered=clustered)
    _require_supported(predicate, found)
    return _accept(
        worker=worker,
        known=known,
        token=token,
        envelope=dict(envelope),
        digest=digest,
        samples=samples,
        recomputed=recomputed,
        found=found,
        scores_digest=recomputed.digest(clustered=clustered),
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
    found: Aggregates,
    scores_digest: str,
) -> tuple[TaskRun, bool]:
    """Write result, scores and leaf.

    The lease is checked again under its lock: the checks before took time, and a sweep may have
    given the task run to somebody else.
    """
    task_run = locked_lease(worker=worker, task_run_id=known.pk, token=token)
    _require_key(worker)
    leaf = ledger.append(
        type=Leaf.RESULT_ACCEPTED,
        actor=worker.actor,
        subject=task_run.run.subject,
        digests={
            "statement": digest,
            "samples": f"sha256:{samples.sha256}",
            "scores": scores_digest,
        },
        facts={"task": task_run.task_name, "attempt": task_run.attempt},
    )
    task_run.envelope = envelope
    task_run.statement_digest = digest
    task_run.samples = samples
    task_run.done = task_run.total = recomputed.rows
    task_run.leaf_id = leaf.id
    move(task_run, TaskRunState.SUCCEEDED)
    _write_scores(task_run, recomputed, found)
    settle_run(task_run.run)
    return task_run, True


def _require_key(worker: Worker) -> None:
    """Refuse what was signed with a key that was revoked or replaced since the call began.

    Locks the worker's row, so that the order of the log is the order of what happened.
    """
    rows = Worker.objects.usable().select_for_update(no_key=True)
    if not rows.filter(pk=worker.pk, public_key=worker.public_key).exists():
        raise Conflict("The key that signed this result was revoked or replaced: it is refused.")


def _write_scores(task_run: TaskRun, recomputed: Recomputed, found: Aggregates) -> None:
    """Copy the scores in as they are read from memory, and write the aggregates."""
    columns = 'task_run_id, metric, doc_id, "group", score'
    with connection.cursor() as cursor:
        for metric in recomputed.scores:
            with cursor.copy(f"COPY evals_samplescore ({columns}) FROM STDIN") as copy:
                for lines in recomputed.lines(task_run.pk, metric):
                    copy.write(lines)
    AggregateRow.objects.bulk_create(
        AggregateRow(
            task_run=task_run,
            metric=metric,
            group=group,
            n=summary.n,
            mean=cast("float", summary.mean),
            stderr=summary.stderr,
            low=summary.low,
            high=summary.high,
            method=summary.method,
            clusters=summary.clusters,
        )
        for (metric, group), summary in found.items()
    )


def _copy_text(text: str) -> str:
    """Return a text as PostgreSQL's COPY reads it."""
    for sign, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(sign, written)
    return text


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


def _recompute(task_run: TaskRun, samples: Artefact) -> Recomputed:
    """Read the samples block by block, and refuse what is not a result of this task.

    The bytes are held against their digest on the way: what was altered in the store since the
    upload is no evidence.
    """
    found = Recomputed()
    path = artefacts.path_of(samples.sha256)
    artefacts.require_unchanged(samples)
    try:
        with SamplesReader(path) as reader:
            if reader.rows > MAX_SAMPLES:
                raise Invalid(f"A task may have at most {MAX_SAMPLES} samples.")
            for block in reader.blocks():
                found.add(block)
    except SamplesError as error:
        raise Invalid(f"The samples cannot be read: {error}") from None
    metrics = set(task_run.task["metrics"])
    if set(found.scores) != metrics or not found.rows:
        names = ", ".join(sorted(metrics))
        raise Invalid(f"The samples must score {names} and nothing else.")
    if len(found.group_names) > MAX_GROUPS or any(len(g) > 80 for g in found.group_names):
        raise Invalid(f"A task has at most {MAX_GROUPS} groups, with names of up to 80 characters.")
    expected = _expected_rows(task_run)
    if expected is not None and found.rows != expected:
        raise Invalid(f"The samples hold {found.rows} of {expected} items.")
    return found


def _aggregated(recomputed: Recomputed, *, clustered: bool) -> Aggregates:
    """Return what the samples say by metric and group; the empty group holds all of them.

    Groups that are clusters are units of the whole's interval and say nothing by themselves.
    """
    found: Aggregates = {}
    for metric, scores in recomputed.scores.items():
        try:
            if clustered:
                found[metric, ""] = summarise(scores, recomputed.labels)
                continue
            for group, its_own in recomputed.by_group(metric):
                found[metric, group] = summarise(its_own)
        except ValueError as error:
            raise Invalid(f"The scores of {metric} cannot be used: {error}.") from None
    return found


def _require_supported(predicate: Mapping[str, Any], found: Aggregates) -> None:
    """Refuse stated aggregates that are not what the samples give."""
    stated = predicate.get("aggregates")
    metrics = {metric for metric, _ in found}
    if not isinstance(stated, list) or {item.get("metric") for item in stated} != metrics:
        raise Invalid("The statement must give one aggregate for every metric of the task.")
    for item in stated:
        _require_same(item, found[item["metric"], ""])


def _expected_rows(task_run: TaskRun) -> int | None:
    """Return how many samples the task has, or None where only the worker knows (stock tasks)."""
    data = task_run.task.get("data")
    limit = task_run.run.settings["limit"]
    if data is None:
        return None
    return min(int(data["rows"]), limit) if limit else int(data["rows"])


def _require_same(stated: Mapping[str, Any], summary: Aggregate) -> None:
    metric = stated["metric"]
    ours = {name: getattr(summary, name) for name in ("mean", "stderr")}
    # A worker of before this was stated leaves the interval to the server.
    ours |= {name: getattr(summary, name) for name in ("low", "high") if name in stated}
    if stated.get("n") != summary.n or not all(
        _is_near(stated.get(name), value, metric) for name, value in ours.items()
    ):
        raise Invalid(
            f"The statement says {metric} = {stated.get('mean')} (n={stated.get('n')}), the "
            f"samples give {summary.mean!r} (n={summary.n}). The result is refused."
        )


def _is_near(stated: Any, ours: float | None, metric: str) -> bool:
    if stated is None or ours is None:
        return stated is None and ours is None
    try:
        return abs(Decimal(stated) - Decimal(repr(ours))) <= TOLERANCE
    except (InvalidOperation, TypeError, ValueError):
        raise Invalid(f"The aggregate of {metric} is not written as decimal strings.") from None


def statement_of(task_run: TaskRun) -> dict[str, Any]:
    """Return the signed statement of a finished task run, decoded."""
    if task_run.envelope is None:
        return {}
    payload = base64.b64decode(task_run.envelope["payload"])
    return dict(json.loads(payload))
