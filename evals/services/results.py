"""Accepting results: the signature is checked, the numbers recomputed, then the leaf is written."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext

from evals import artefacts
from evals.choices import Leaf, TaskRunState
from evals.models import Aggregate as AggregateRow
from evals.models import Artefact, TaskRun, Worker
from evals.reckoner import asking
from evals.reckoner.asking import Summed
from evals.reckoner.recompute import Expected
from evals.reckoner.refusals import Refused
from evals.services.leases import locked_lease
from evals.services.moves import move
from evals.services.runs import settle_run
from evals.services.usage import keep_usage
from evals.statement import StatementError, verify_envelope
from evals.statistics import Aggregate
from evals.suites.document import digest as document_digest
from oversight.ledger import services as ledger
from oversight.web.refusals import Conflict, Invalid

if TYPE_CHECKING:
    from evals.suites.document import Task

TOLERANCE = Decimal("1e-9")


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
        raise Invalid(
            gettext("The signed statement does not hold: %(error)s") % {"error": error}
        ) from None
    payload = base64.b64decode(envelope["payload"])
    digest = f"sha256:{hashlib.sha256(payload).hexdigest()}"
    task_run = TaskRun.objects.select_related("run__suite_version__suite", "run__model_version")
    known = task_run.filter(pk=task_run_id).first()
    if known is None:
        raise Conflict(gettext("There is no such task run."))
    if known.state == TaskRunState.SUCCEEDED and known.statement_digest == digest:
        return known, False
    require_lease(worker=worker, task_run_id=task_run_id, token=token)
    predicate = statement.get("predicate", {})
    _require_bound(known, worker, statement, predicate)
    samples = _samples_artefact(predicate)
    # The bytes are held against their digest before they are read: what was altered in the store
    # since the upload is no evidence.
    artefacts.require_unchanged(samples)
    try:
        with asking.recomputed(
            artefacts.path_of(samples.sha256),
            task_run=str(known.pk),
            expected=_expected(known),
        ) as summed:
            _require_supported(predicate, summed.aggregates)
            return _accept(
                worker=worker,
                known=known,
                token=token,
                envelope=dict(envelope),
                digest=digest,
                samples=samples,
                summed=summed,
            )
    except Refused as refused:
        raise Invalid(str(refused)) from None


@transaction.atomic(durable=True)
def _accept(
    *,
    worker: Worker,
    known: TaskRun,
    token: int,
    envelope: dict[str, Any],
    digest: str,
    samples: Artefact,
    summed: Summed,
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
            "scores": summed.scores_digest,
        },
        facts={"task": task_run.task_name, "attempt": task_run.attempt},
    )
    task_run.envelope = envelope
    task_run.statement_digest = digest
    task_run.samples = samples
    task_run.done = task_run.total = summed.rows
    task_run.leaf_id = leaf.id
    move(task_run, TaskRunState.SUCCEEDED)
    _write_scores(task_run, summed)
    settle_run(task_run.run)
    keep_usage(task_run)
    return task_run, True


def _require_key(worker: Worker) -> None:
    """Refuse what was signed with a key that was revoked or replaced since the call began.

    Locks the worker's row, so that the order of the log is the order of what happened.
    """
    rows = Worker.objects.usable().select_for_update(no_key=True)
    if not rows.filter(pk=worker.pk, public_key=worker.public_key).exists():
        raise Conflict(
            gettext("The key that signed this result was revoked or replaced: it is refused.")
        )


def _write_scores(task_run: TaskRun, summed: Summed) -> None:
    """Copy the scores in as the reckoner sends them, and write the aggregates."""
    columns = 'task_run_id, metric, doc_id, "group", score'
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY evals_samplescore ({columns}) FROM STDIN") as copy,
    ):
        for lines in summed.copy_lines:
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
        for (metric, group), summary in summed.aggregates.items()
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
            raise Invalid(
                gettext("The statement's %(name)s is %(found)s; this task run needs %(expected)s.")
                % {
                    "name": name,
                    "found": f"{found!r}",
                    "expected": f"{expected!r}",
                }
            )


def _at(predicate: Mapping[str, Any], outer: str, inner: str) -> Any:
    part = predicate.get(outer)
    return part.get(inner) if isinstance(part, Mapping) else None


def _samples_artefact(predicate: Mapping[str, Any]) -> Artefact:
    sha256 = str(_at(predicate, "samples", "sha256"))
    row = Artefact.objects.filter(sha256=sha256).first()
    if row is None:
        raise Invalid(
            gettext("The samples %(sha256)s were not uploaded: send them before the result.")
            % {
                "sha256": sha256,
            }
        )
    return row


def _expected(task_run: TaskRun) -> Expected:
    """Return what the samples have to be, to be a result of this task."""
    task = task_run.task
    data = task.get("data")
    return Expected(
        metrics=task["metrics"],
        clustered=task.get("clustered", False),
        rows=_expected_rows(task_run),
        data=str(artefacts.path_of(data["sha256"])) if data else None,
        group_field=task["group_field"],
    )


def _require_supported(
    predicate: Mapping[str, Any], found: Mapping[tuple[str, str], Aggregate]
) -> None:
    """Refuse stated aggregates that are not what the samples give."""
    stated = predicate.get("aggregates")
    metrics = {metric for metric, _ in found}
    if not isinstance(stated, list) or {item.get("metric") for item in stated} != metrics:
        raise Invalid(
            gettext("The statement must give one aggregate for every metric of the task.")
        )
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
            gettext(
                "The statement says %(metric)s = %(get)s (n=%(get_2)s), the samples give "
                "%(mean)s (n=%(n)s). The result is refused."
            )
            % {
                "metric": metric,
                "get": stated.get("mean"),
                "get_2": stated.get("n"),
                "mean": f"{summary.mean!r}",
                "n": summary.n,
            }
        )


def _is_near(stated: Any, ours: float | None, metric: str) -> bool:
    if stated is None or ours is None:
        return stated is None and ours is None
    try:
        return abs(Decimal(stated) - Decimal(repr(ours))) <= TOLERANCE
    except (InvalidOperation, TypeError, ValueError):
        raise Invalid(
            gettext("The aggregate of %(metric)s is not written as decimal strings.")
            % {
                "metric": metric,
            }
        ) from None


def statement_of(task_run: TaskRun) -> dict[str, Any]:
    """Return the signed statement of a finished task run, decoded."""
    if task_run.envelope is None:
        return {}
    payload = base64.b64decode(task_run.envelope["payload"])
    return dict(json.loads(payload))
