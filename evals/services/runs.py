"""Requesting and cancelling runs, and the run's state that follows from its task runs."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from evals import policy
from evals.budgets import paying_budget
from evals.choices import FINAL_STATES, Leaf, ResourceClass, RunState, TaskRunState
from evals.models import ComputeBudget, Replication, Run, SuiteVersion, TaskRun
from evals.nudges import nudge_workers
from evals.run_settings import DTYPES, REMOTE, checked_settings
from evals.services.moves import move, move_run
from evals.services.newest import keep_newest
from evals.services.recalled import keep_answers
from evals.services.replications import MOST_ORGANISATIONS, conclude
from oversight.accounts.models import Body, Person
from oversight.ledger import services as ledger
from oversight.registry.models import Endpoint, ModelVersion
from oversight.web.refusals import Conflict, Invalid, NotAllowed

__all__ = [
    "DTYPES",
    "cancel_run",
    "request_replication",
    "request_run",
    "settle_run",
    "stop_for_budget",
]

GPU_MEMORY_FACTOR = 1.2
"""How much more memory a model takes on its GPUs than its files on the disk, unless one says."""
PRIORITIES = range(-10, 11)


@transaction.atomic(durable=True)
def request_run(
    *,
    by: Person,
    suite_version: SuiteVersion,
    model_version: ModelVersion,
    settings: Mapping[str, Any] | None = None,
    resource_class: ResourceClass = ResourceClass.CPU,
    device_memory_bytes: int | None = None,
    priority: int = 0,
    purpose: str = "",
    body: Body | None = None,
) -> Run:
    """Queue an evaluation, one task run per task; the workers are told after the commit.

    `device_memory_bytes` is what the run needs of each GPU; None estimates it from the model's
    files. `settings["endpoint"]` names a registered endpoint by its `slug`. `body` is the one whose
    evidence it is: the budget that it has voted pays.

    Raises:
        Invalid: a setting cannot be used.
        Conflict: the body's budget is spent, or its time is over.
        NotAllowed: the person may not start runs, or not before everybody else's.
    """
    run = queue_run(
        by=by,
        suite_version=suite_version,
        model_version=model_version,
        settings=settings or {},
        resource_class=resource_class,
        device_memory_bytes=device_memory_bytes,
        priority=priority,
        purpose=purpose,
        budget=paying_budget(body) if body else None,
    )
    transaction.on_commit(partial(nudge_workers, str(resource_class)), robust=True)
    return run


@transaction.atomic(durable=True)
def request_replication(
    *,
    by: Person,
    suite_version: SuiteVersion,
    model_version: ModelVersion,
    organisations: int,
    tolerance: Decimal | str,
    settings: Mapping[str, Any] | None = None,
    resource_class: ResourceClass = ResourceClass.CPU,
    device_memory_bytes: int | None = None,
    purpose: str = "",
) -> Replication:
    """Queue the same evaluation once for each of so many organisations.

    Each run is done by workers of one organisation, and each organisation does one of them. When
    all have ended, `replications.conclude` compares them.

    Raises:
        Invalid: a setting cannot be used, or fewer organisations than two are asked.
    """
    spread = _tolerance(tolerance)
    if isinstance(organisations, bool) or not 2 <= organisations <= MOST_ORGANISATIONS:
        raise Invalid(
            gettext("A replication takes 2 to %(most_organisations)s organisations.")
            % {
                "most_organisations": MOST_ORGANISATIONS,
            },
            fields={
                "organisations": gettext("2 to %(most_organisations)s")
                % {"most_organisations": MOST_ORGANISATIONS}
            },
        )
    replication = Replication(organisations=organisations, tolerance=spread, requested_by=by)
    leaf = ledger.append(
        type=Leaf.REPLICATION_REQUESTED,
        actor=by.actor,
        subject=replication.subject,
        digests={"suite": suite_version.digest, "version": model_version.digest},
        facts={"organisations": organisations, "tolerance": f"{spread.normalize():f}"},
    )
    replication.leaf_id = leaf.id
    replication.save()
    for _ in range(organisations):
        queue_run(
            by=by,
            suite_version=suite_version,
            model_version=model_version,
            settings=settings or {},
            resource_class=resource_class,
            device_memory_bytes=device_memory_bytes,
            purpose=purpose,
            replication=replication,
        )
    transaction.on_commit(partial(nudge_workers, str(resource_class)), robust=True)
    return replication


def queue_run(
    *,
    by: Person,
    suite_version: SuiteVersion,
    model_version: ModelVersion,
    settings: Mapping[str, Any],
    resource_class: ResourceClass,
    device_memory_bytes: int | None,
    purpose: str,
    priority: int = 0,
    replication: Replication | None = None,
    budget: ComputeBudget | None = None,
) -> Run:
    """Write a run, its task runs and its leaf; the caller has opened the transaction.

    Raises:
        Invalid: a setting cannot be used; nothing is written then.
    """
    if not policy.can_start_run(by):
        raise NotAllowed(
            gettext("Starting an evaluation takes a role in a body or an evaluator's role.")
        )
    _require_priority(by, priority)
    effective = checked_settings(
        _with_address(settings), resource_class=resource_class, tasks=suite_version.tasks
    )
    _require_served_there(model_version, effective)
    run = Run(
        suite_version=suite_version,
        model_version=model_version,
        settings=effective,
        resource_class=resource_class,
        device_memory_bytes=_memory_needed(
            device_memory_bytes, effective, resource_class, model_version
        ),
        priority=priority,
        purpose=purpose,
        requested_by=by,
        replication=replication,
        budget=budget,
    )
    leaf = ledger.append(
        type=Leaf.RUN_REQUESTED,
        actor=by.actor,
        subject=run.subject,
        digests={"suite": suite_version.digest, "version": model_version.digest},
        facts={
            "purpose": purpose or None,
            "limit": effective["limit"],
            **({"budget": budget.subject} if budget else {}),
        },
    )
    run.leaf_id = leaf.id
    run.save()
    TaskRun.objects.bulk_create(
        TaskRun(
            run=run,
            task_name=task["name"],
            position=position,
            resource_class=resource_class,
            priority=priority,
            requester=by,
            requested_at=run.requested_at,
            device_memory_bytes=run.device_memory_bytes,
            devices=effective.get("devices", 1),
        )
        for position, task in enumerate(suite_version.tasks)
    )
    return run


def _require_served_there(version: ModelVersion, settings: Mapping[str, Any]) -> None:
    """Refuse to ask anybody else about a version that is known only as what an endpoint serves."""
    served = version.card.get("served")
    if served is None:
        return
    asked = settings.get("endpoint") or {}
    if (asked.get("slug"), asked.get("model")) != (served["endpoint"], served["model"]):
        words = gettext(
            "%(version)s is known only as %(value)s at %(value_2)s: ask there, by completions "
            "or chat."
        ) % {"version": version, "value": served["model"], "value_2": served["endpoint"]}
        raise Invalid(words, fields={"endpoint": words})


def _require_priority(by: Person, priority: int) -> None:
    if priority not in PRIORITIES:
        raise Invalid(
            gettext("priority is a whole number from -10 to 10."), fields={"priority": "-10–10"}
        )
    if priority > 0 and not policy.can_raise_priority(by):
        raise NotAllowed(gettext("Only an administrator lets a run go before everybody else's."))


def _with_address(given: Mapping[str, Any]) -> dict[str, Any]:
    """Put the registered address of the endpoint that the settings name beside its name."""
    settings = dict(given)
    endpoint = settings.get("endpoint")
    if endpoint is None:
        return settings
    slug = endpoint.get("slug") if isinstance(endpoint, Mapping) else None
    row = Endpoint.objects.filter(slug=str(slug)).first()
    if row is None or not row.base_url:
        raise Invalid(
            gettext("There is no endpoint of this name with an address: register it first."),
            fields={"endpoint": gettext("Unknown.")},
        )
    settings["endpoint"] = {**endpoint, "slug": row.slug, "base_url": row.base_url}
    return settings


def _memory_needed(
    stated: int | None, settings: Mapping[str, Any], resource_class: str, version: ModelVersion
) -> int:
    """Return the memory that a run needs of each GPU."""
    if resource_class != ResourceClass.GPU or settings["backend"] in REMOTE:
        return 0
    if stated is not None:
        if isinstance(stated, bool) or not 0 <= stated < 2**62:
            raise Invalid(gettext("device_memory_bytes is a number of bytes of one GPU."))
        return stated
    return int(version.total_bytes * GPU_MEMORY_FACTOR / settings.get("devices", 1))


def _tolerance(given: Decimal | str) -> Decimal:
    try:
        tolerance = Decimal(given)
    except InvalidOperation:
        tolerance = Decimal(-1)
    if not tolerance.is_finite() or not 0 <= tolerance < 100:
        raise Invalid(
            gettext("A tolerance is a decimal from 0, such as 0.02."), fields={"tolerance": "0.02"}
        )
    return tolerance.quantize(Decimal("0.000001"))


@transaction.atomic(durable=True)
def cancel_run(*, by: Person, run: Run) -> Run:
    """Cancel a run: what waits is cancelled now, what runs is stopped at its next heartbeat."""
    if not policy.can_cancel_run(by, run):
        raise NotAllowed(gettext("Only who asked for a run, or an administrator, cancels it."))
    # Task runs are always locked before their run, here as in leases and results.
    waiting = list(run.task_runs.select_for_update().order_by("position"))
    locked = Run.objects.select_for_update().get(pk=run.pk)
    if not locked.is_active:
        raise Conflict(
            gettext("This run is over already: %(state)s.")
            % {
                "state": locked.get_state_display(),
            }
        )
    if locked.cancel_requested_at is not None:
        return locked
    ledger.append(type=Leaf.RUN_CANCELLED, actor=by.actor, subject=locked.subject)
    return _stop(locked, waiting, reason=f"Cancelled by {by} before it began.")


@transaction.atomic(durable=True)
def stop_for_budget(*, run: Run) -> Run:
    """Stop a run whose budget is spent: what waits now, what runs at its next heartbeat.

    The reason stands at the run and at each task that did not end by itself.
    """
    waiting = list(run.task_runs.select_for_update().order_by("position"))
    locked = Run.objects.select_for_update(of=("self",)).select_related("budget").get(pk=run.pk)
    budget = locked.budget
    if not locked.is_active or locked.cancel_requested_at is not None or budget is None:
        return locked
    locked.cancel_reason = (
        f"The budget of {budget.hours:,} hours, decision {budget.decision_ref}, is spent."
    )
    ledger.append(
        type=Leaf.RUN_CANCELLED,
        actor="system:budget",
        subject=locked.subject,
        facts={"budget": budget.subject},
    )
    return _stop(locked, waiting, reason=locked.cancel_reason)


def _stop(locked: Run, waiting: list[TaskRun], *, reason: str) -> Run:
    """Note that a run is to stop, and cancel what waits; task runs and run are locked."""
    locked.cancel_requested_at = timezone.now()
    locked.save(update_fields=["cancel_requested_at", "cancel_reason"])
    for task_run in waiting:
        if task_run.state == TaskRunState.QUEUED:
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
    state, reason = _ending(parts, locked.cancel_reason)
    move_run(locked, state, reason=reason)
    if state == RunState.SUCCEEDED:
        keep_answers(locked)
        keep_newest(locked)
    ledger.append(
        type=Leaf.RUN_FINISHED,
        actor="system:evaluations",
        subject=locked.subject,
        facts={"state": locked.state},
    )
    if locked.replication_id is not None:
        conclude(locked.replication_id)
    return locked


def _ending(parts: list[TaskRun], stopped: str) -> tuple[RunState, str]:
    failed = [part for part in parts if part.state == TaskRunState.FAILED]
    if failed:
        first = failed[0]
        return RunState.FAILED, f"Task {first.task_name}: {first.reason}"[:400]
    if any(part.state == TaskRunState.CANCELLED for part in parts):
        return RunState.CANCELLED, stopped or "Cancelled on request."
    return RunState.SUCCEEDED, ""
