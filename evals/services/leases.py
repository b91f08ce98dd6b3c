"""Handing out task runs and taking them back: lease, fencing token, heartbeat.

The lease lives in the task run's row. Whoever holds the newest token may report until the lease
ends; the sweep gives expired leases back to the queue, with bounded attempts.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from evals.choices import RunState, TaskRunState
from evals.models import Run, TaskRun, Worker
from evals.services.moves import move, move_run
from evals.services.runs import settle_run
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict

STAGES = ("preparing", "loading", "running", "uploading")
MAY_NOT_RETRY = frozenset(
    {"weights-changed", "weights-missing", "task-refused", "bad-result", "budget-spent"}
)
ELSEWHERE = frozenset({"weights-missing", "setting-refused", "out-of-memory", "endpoint-forbidden"})
"""What one host lacks and another may have: tried again, but not by the worker that said so."""
PRESENT_SECONDS = 300
"""A worker heard of within this time counts as one that could take over."""
CLAIM_TRIES = 5
"""How often a claim looks again when others took what it had chosen."""
GIVEN_BACK = "worker-stopping"
"""The code of a worker that is being stopped: it says nothing about the task run."""


class _TakenElsewhere(Exception):  # noqa: N818 - it is news, not a fault
    """What a claim had chosen now belongs to somebody else."""


def claim(*, worker: Worker, boot_id: str, resource_classes: Sequence[str]) -> TaskRun | None:
    """Lease the best waiting task run to a worker, or return None when there is none.

    Two workers never get the same one: each skips rows the other has locked. A worker that is
    paused gets none, nor one whose key was revoked since it called.
    """
    for _ in range(CLAIM_TRIES):
        try:
            return _claim(worker, boot_id, resource_classes)
        except _TakenElsewhere:
            continue
        except IntegrityError as error:
            if "run_once_per_organisation" not in str(error):
                raise
    return None


@transaction.atomic(durable=True)
def _claim(worker: Worker, boot_id: str, resource_classes: Sequence[str]) -> TaskRun | None:
    now = database_now()
    task_run = None if worker.paused_at else _next_for(worker, resource_classes)
    # The task run is locked before the worker, here as in revoking.
    heard = Worker.objects.usable().filter(pk=worker.pk).update(last_seen_at=now)
    if task_run is None or not heard:
        return None
    task_run.worker = worker
    task_run.boot_id = boot_id
    task_run.lease_token += 1
    task_run.lease_until = now + timedelta(seconds=settings.LEASE_SECONDS)
    task_run.attempt += 1
    task_run.stage, task_run.done, task_run.total = "preparing", 0, 0
    task_run.started_at = now
    move(task_run, TaskRunState.RUNNING)
    _begin(task_run.run, worker)
    return task_run


def _next_for(worker: Worker, resource_classes: Sequence[str]) -> TaskRun | None:
    """Return the task run that is due, locked; the line is that of `TaskRunQuerySet.line`.

    Claims at the same instant see the same line, so each may serve who is due: fairness lags behind
    by no more claims than there are at once.
    """
    allowed = [c for c in resource_classes if c in worker.resource_classes]
    for group in TaskRun.objects.line(allowed, worker.capacity):
        found = (
            TaskRun.objects.of_group(group, worker.capacity)
            .open_to(worker.organisation)
            .exclude(worker=worker, reason_code__in=ELSEWHERE)
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("run__suite_version__suite", "run__model_version__model")
            .first()
        )
        if found is not None:
            return found
    return None


def _begin(run: Run, worker: Worker) -> None:
    """Note that a run is under way, and whose it is where that matters.

    Raises:
        _TakenElsewhere: another organisation took the run of a replication at the same instant.
        IntegrityError: another worker of the same organisation took another run of it.
    """
    if run.state == RunState.RUNNING and (run.replication_id is None or run.organisation_id):
        return
    locked = Run.objects.select_for_update().get(pk=run.pk)
    if locked.replication_id is not None:
        if locked.organisation_id not in {None, worker.organisation_id}:
            raise _TakenElsewhere
        locked.organisation = worker.organisation
        locked.save(update_fields=["organisation"])
    move_run(locked, RunState.RUNNING)


@transaction.atomic(durable=True)
def hear_heartbeat(
    *, worker: Worker, task_run_id: UUID, token: int, stage: str, done: int, total: int
) -> bool:
    """Extend the lease and note progress; return whether the worker should stop.

    Waits for nobody: while the result is being stored, which may take a while, the row is locked,
    no sweep can take the lease back, and there is nothing to note.

    Raises:
        Conflict: the lease is not the worker's any more.
    """
    rows = TaskRun.objects.select_related("run").filter(pk=task_run_id)
    task_run = rows.select_for_update(of=("self",), skip_locked=True).first()
    if task_run is None and _holds(rows.first(), worker, token):
        return False
    _require_held(task_run, worker, token)
    assert task_run is not None  # noqa: S101 - what is held is there
    now = database_now()
    task_run.lease_until = now + timedelta(seconds=settings.LEASE_SECONDS)
    task_run.stage = stage if stage in STAGES else task_run.stage
    task_run.total = max(0, min(total, 2_000_000_000))
    task_run.done = max(0, min(done, task_run.total or done))
    task_run.save(update_fields=["lease_until", "stage", "done", "total"])
    Worker.objects.filter(pk=worker.pk).update(last_seen_at=now)
    return task_run.run.cancel_requested_at is not None


@transaction.atomic(durable=True)
def hear_failure(
    *,
    worker: Worker,
    task_run_id: UUID,
    token: int,
    code: str,
    message: str,
    log_tail: str = "",
    may_retry: bool = True,
) -> TaskRun:
    """Take a worker's word that it could not finish: retry while attempts last, else fail.

    Work that a worker gives back because it is being stopped is not an attempt that failed.
    """
    task_run = locked_lease(worker=worker, task_run_id=task_run_id, token=token)
    if code == GIVEN_BACK:
        task_run.attempt -= 1
    task_run.log_tail = log_tail[-20_000:].replace("\x00", "")
    retry = may_retry and code not in MAY_NOT_RETRY
    if code in ELSEWHERE:
        retry = _somebody_else_is_there(worker, task_run)
    give_back(task_run, code=code[:40], reason=message[:2000].replace("\x00", ""), may_retry=retry)
    return task_run


@transaction.atomic(durable=True)
def requeue_expired() -> int:
    """Give leases back whose worker fell silent; return how many."""
    moment = database_now()
    expired = list(
        TaskRun.objects.with_expired_lease(moment)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("run")
    )
    for task_run in expired:
        give_back(
            task_run,
            code="lease-expired",
            reason=f"The worker was not heard of for {settings.LEASE_SECONDS} seconds.",
        )
    return len(expired)


def _somebody_else_is_there(worker: Worker, task_run: TaskRun) -> bool:
    lately = database_now() - timedelta(seconds=PRESENT_SECONDS)
    others = Worker.objects.able_to_run(task_run).seen_since(lately).exclude(pk=worker.pk)
    return others.exists()


def locked_lease(*, worker: Worker, task_run_id: UUID, token: int) -> TaskRun:
    """Return the task run, locked, if this worker holds its newest lease.

    A lease that has run out holds until the sweep takes it back: nobody else had the work yet.

    Raises:
        Conflict: it was given to somebody else, given back, or is over.
    """
    task_run = (
        TaskRun.objects.select_for_update(of=("self",))
        .select_related("run")
        .filter(pk=task_run_id)
        .first()
    )
    _require_held(task_run, worker, token)
    assert task_run is not None  # noqa: S101 - what is held is there
    return task_run


def _holds(task_run: TaskRun | None, worker: Worker, token: int) -> bool:
    return (
        task_run is not None
        and task_run.state == TaskRunState.RUNNING
        and task_run.worker_id == worker.pk
        and task_run.lease_token == token
    )


def _require_held(task_run: TaskRun | None, worker: Worker, token: int) -> None:
    if not _holds(task_run, worker, token):
        raise Conflict(
            "This lease is not yours any more: the task run was given back, given to another "
            "worker, or is over. Drop the work and claim again."
        )


def give_back(task_run: TaskRun, *, code: str, reason: str, may_retry: bool = True) -> None:
    """Return a leased task run to the queue, or end it; the caller holds its row lock."""
    # Read again under the lock: who cancelled while we waited for it has written this since.
    task_run.run.refresh_from_db(fields=["cancel_requested_at"])
    if task_run.run.cancel_requested_at is not None:
        move(
            task_run,
            TaskRunState.CANCELLED,
            code="cancelled",
            reason="Cancelled on request while it ran.",
        )
    elif may_retry and task_run.attempt < settings.MAX_ATTEMPTS:
        move(task_run, TaskRunState.QUEUED, code=code, reason=reason)
    else:
        if may_retry:
            reason = f"{reason} Given up after {task_run.attempt} attempts."
        move(task_run, TaskRunState.FAILED, code=code, reason=reason)
    settle_run(task_run.run)
