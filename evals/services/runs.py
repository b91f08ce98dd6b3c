"""Requesting and cancelling runs, and the run's state that follows from its task runs."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from evals import policy
from evals.choices import FINAL_STATES, Leaf, ResourceClass, RunState, TaskRunState
from evals.models import Run, SuiteVersion, TaskRun
from evals.nudges import nudge_workers
from evals.services.moves import move, move_run
from oversight.accounts.models import Person
from oversight.ledger import services as ledger
from oversight.registry.models import ModelVersion
from oversight.web.refusals import Conflict, Invalid, NotAllowed

BACKENDS = ("hf",)
DTYPES = ("float32", "bfloat16", "float16")
DEFAULTS: dict[str, Any] = {
    "backend": "hf",
    "dtype": "float32",
    "batch_size": 16,
    "limit": None,
    "device": "auto",
}


@transaction.atomic(durable=True)
def request_run(
    *,
    by: Person,
    suite_version: SuiteVersion,
    model_version: ModelVersion,
    settings: Mapping[str, Any] | None = None,
    resource_class: ResourceClass = ResourceClass.CPU,
    priority: int = 0,
    purpose: str = "",
) -> Run:
    """Queue an evaluation, one task run per task; the workers are told after the commit.

    Raises:
        Invalid: a setting cannot be used.
    """
    if not policy.can_start_run(by):
        raise NotAllowed("Starting an evaluation takes a role in a body or an evaluator's role.")
    effective = _checked_settings(settings or {})
    run = Run(
        suite_version=suite_version,
        model_version=model_version,
        settings=effective,
        resource_class=resource_class,
        priority=priority,
        purpose=purpose,
        requested_by=by,
    )
    leaf = ledger.append(
        type=Leaf.RUN_REQUESTED,
        actor=by.actor,
        subject=run.subject,
        digests={"suite": suite_version.digest, "version": model_version.digest},
        facts={"purpose": purpose or None, "limit": effective["limit"]},
    )
    run.leaf_id = leaf.id
    run.save()
    TaskRun.objects.bulk_create(
        TaskRun(run=run, task_name=task["name"], position=position)
        for position, task in enumerate(suite_version.tasks)
    )
    transaction.on_commit(partial(nudge_workers, str(resource_class)), robust=True)
    return run


@transaction.atomic(durable=True)
def cancel_run(*, by: Person, run: Run) -> Run:
    """Cancel a run: what waits is cancelled now, what runs is stopped at its next heartbeat."""
    if not policy.can_cancel_run(by, run):
        raise NotAllowed("Only who asked for a run, or an administrator, cancels it.")
    # Task runs are always locked before their run, here as in leases and results.
    waiting = list(run.task_runs.select_for_update().order_by("position"))
    locked = Run.objects.select_for_update().get(pk=run.pk)
    if not locked.is_active:
        raise Conflict(f"This run is over already: {locked.get_state_display()}.")
    if locked.cancel_requested_at is not None:
        return locked
    locked.cancel_requested_at = timezone.now()
    locked.save(update_fields=["cancel_requested_at"])
    ledger.append(type=Leaf.RUN_CANCELLED, actor=by.actor, subject=locked.subject)
    for task_run in waiting:
        if task_run.state == TaskRunState.QUEUED:
            reason = f"Cancelled by {by} before it began."
            move(task_run, TaskRunState.CANCELLED, code="cancelled", reason=reason)
    return settle_run(locked)


def settle_run(run: Run) -> Run:
    """Set the run's state from its task runs; the caller holds the lock on a task run or the run.

    The run row is locked here, after its task runs: everyone locks in this order.
    """
    locked = Run.objects.select_for_update().get(pk=run.pk)
    parts = list(locked.task_runs.all())
    states = {part.state for part in parts}
    if not states <= FINAL_STATES:
        started = locked.started_at is not None or states != {TaskRunState.QUEUED}
        move_run(locked, RunState.RUNNING if started else RunState.QUEUED)
        return locked
    state, reason = _ending(parts)
    move_run(locked, state, reason=reason)
    ledger.append(
        type=Leaf.RUN_FINISHED,
        actor="system:evaluations",
        subject=locked.subject,
        facts={"state": locked.state},
    )
    return locked


def _ending(parts: list[TaskRun]) -> tuple[RunState, str]:
    failed = [part for part in parts if part.state == TaskRunState.FAILED]
    if failed:
        first = failed[0]
        return RunState.FAILED, f"Task {first.task_name}: {first.reason}"[:400]
    if any(part.state == TaskRunState.CANCELLED for part in parts):
        return RunState.CANCELLED, "Cancelled on request."
    return RunState.SUCCEEDED, ""


def _checked_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise Invalid(f"Unknown setting {unknown[0]!r}: use {', '.join(DEFAULTS)}.")
    settings = DEFAULTS | dict(given)
    if settings["backend"] not in BACKENDS:
        raise Invalid(f"Unknown backend {settings['backend']!r}: use {', '.join(BACKENDS)}.")
    if settings["dtype"] not in DTYPES:
        raise Invalid(f"Unknown dtype {settings['dtype']!r}: use {', '.join(DTYPES)}.")
    if settings["device"] not in {"auto", "cpu", "cuda"}:
        raise Invalid("The device is auto, cpu or cuda.")
    _require_whole("batch_size", settings["batch_size"], 1024)
    if settings["limit"] is not None:
        _require_whole("limit", settings["limit"], 1_000_000)
    return settings


def _require_whole(name: str, value: Any, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= high:
        raise Invalid(f"{name} is a whole number from 1 to {high}.", fields={name: f"1 to {high}"})
