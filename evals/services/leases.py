"""Keeping leases and taking them back: fencing token, heartbeat, failure, expiry.

The lease lives in the task run's row, from the claim on (`claims`). Whoever holds the newest token
may report until the lease ends; the sweep gives expired leases back to the queue, with bounded
attempts.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from evals.choices import TaskRunState
from evals.models import TaskRun, Worker
from evals.services.claims import ELSEWHERE
from evals.services.moves import move
from evals.services.runs import settle_run
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict

_PROGRESS = ("stage", "done", "total", "answering_since", "answered_then")
STAGES = ("preparing", "loading", "running", "uploading")
MAY_NOT_RETRY = frozenset(
    {"weights-changed", "weights-missing", "task-refused", "bad-result", "budget-spent"}
)
PRESENT_SECONDS = 300
"""A worker heard of within this time counts as one that could take over."""
GIVEN_BACK = "worker-stopping"
"""The code of a worker that is being stopped: it says nothing about the task run."""


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
    if task_run.done and task_run.answering_since is None:
        task_run.answering_since, task_run.answered_then = now, task_run.done
    task_run.save(update_fields=["lease_until", *_PROGRESS])
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
            _(
                "This lease is not yours any more: the task run was given back, given to another "
                "worker, or is over. Drop the work and claim again."
            )
        )


def give_back(task_run: TaskRun, *, code: str, reason: str, may_retry: bool = True) -> None:
    """Return a leased task run to the queue, or end it; the caller holds its row lock."""
    # Read again under the lock: who cancelled while we waited for it has written this since.
    task_run.run.refresh_from_db(fields=["cancel_requested_at", "cancel_reason"])
    if task_run.run.cancel_requested_at is not None:
        move(
            task_run,
            TaskRunState.CANCELLED,
            code="cancelled",
            reason=task_run.run.cancel_reason or "Cancelled on request while it ran.",
        )
    elif may_retry and task_run.attempt < settings.MAX_ATTEMPTS:
        move(task_run, TaskRunState.QUEUED, code=code, reason=reason)
    else:
        if may_retry:
            reason = f"{reason} Given up after {task_run.attempt} attempts."
        move(task_run, TaskRunState.FAILED, code=code, reason=reason)
    settle_run(task_run.run)
