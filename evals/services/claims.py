"""Handing out the task run that is due: one statement chooses it, locks it and leases it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from evals.choices import RunState
from evals.models import Run, SuiteVersion
from evals.services.moves import move_run
from oversight.registry.models import ModelVersion

ELSEWHERE = frozenset({"weights-missing", "setting-refused", "out-of-memory", "endpoint-forbidden"})
"""What one host lacks and another may have: tried again, but not by the worker that said so."""
CLAIM_TRIES = 5
"""How often a claim looks again when others took what it had chosen."""
UNKNOWN_MEMORY = 2**62
"""More than any host has: one that does not say its memory may try everything."""

CLAIM = """
    WITH RECURSIVE host AS (
        UPDATE evals_worker SET last_seen_at = clock_timestamp()
        WHERE token_digest = %(token)s AND revoked_at IS NULL
        RETURNING id, organisation_id, resource_classes, paused_at, devices,
            coalesce(device_memory_bytes, %(unknown_memory)s) AS memory
    ), line AS (
        SELECT head.*, host.id AS host_id, host.memory, host.devices, host.organisation_id
        FROM host, unnest(host.resource_classes) AS offered(class), LATERAL (
            SELECT resource_class, priority, requester_id FROM evals_taskrun
            WHERE state = 'queued' AND resource_class = offered.class
                AND device_memory_bytes <= host.memory AND devices <= host.devices
            ORDER BY priority DESC, requester_id DESC LIMIT 1
        ) AS head
        WHERE host.paused_at IS NULL AND offered.class = ANY (%(classes)s)
        UNION ALL
        SELECT behind.*, line.host_id, line.memory, line.devices, line.organisation_id
        FROM line, LATERAL (
            SELECT resource_class, priority, requester_id FROM evals_taskrun
            WHERE state = 'queued' AND resource_class = line.resource_class
                AND (priority, requester_id) < (line.priority, line.requester_id)
                AND device_memory_bytes <= line.memory AND devices <= line.devices
            ORDER BY priority DESC, requester_id DESC LIMIT 1
        ) AS behind
    ), due AS (
        SELECT line.*,
            (SELECT count(*) FROM evals_taskrun AS busy
             WHERE state = 'running' AND busy.resource_class = line.resource_class
                AND busy.requester_id = line.requester_id) AS under_way,
            (SELECT max(served.started_at) FROM evals_taskrun AS served
             WHERE served.resource_class = line.resource_class
                AND served.requester_id = line.requester_id
                AND served.started_at IS NOT NULL) AS served_at
        FROM line
        ORDER BY priority DESC, under_way, served_at NULLS FIRST, requester_id
    ), chosen AS MATERIALIZED (
        SELECT oldest.id, due.host_id
        FROM due, LATERAL (
            SELECT waiting.id
            FROM evals_taskrun AS waiting JOIN evals_run AS run ON run.id = waiting.run_id
            WHERE waiting.state = 'queued' AND waiting.resource_class = due.resource_class
                AND waiting.priority = due.priority AND waiting.requester_id = due.requester_id
                AND waiting.device_memory_bytes <= due.memory AND waiting.devices <= due.devices
                AND (waiting.worker_id IS DISTINCT FROM due.host_id
                     OR waiting.reason_code <> ALL (%(elsewhere)s))
                AND (run.replication_id IS NULL OR run.organisation_id = due.organisation_id
                     OR run.organisation_id IS NULL AND NOT EXISTS (
                        SELECT FROM evals_run AS taken
                        WHERE taken.replication_id = run.replication_id
                            AND taken.organisation_id = due.organisation_id))
            ORDER BY waiting.requested_at, waiting.position
            LIMIT 1
            FOR UPDATE OF waiting SKIP LOCKED
        ) AS oldest
        ORDER BY due.priority DESC, due.under_way, due.served_at NULLS FIRST, due.requester_id
        LIMIT 1
    ), leased AS (
        UPDATE evals_taskrun AS leased
        SET state = 'running', reason_code = '', reason = '', worker_id = chosen.host_id,
            boot_id = %(boot)s, lease_token = lease_token + 1, attempt = attempt + 1,
            lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s),
            started_at = clock_timestamp(), stage = 'preparing', done = 0, total = 0,
            answering_since = NULL, answered_then = 0
        FROM chosen WHERE leased.id = chosen.id
        RETURNING leased.id, leased.run_id, leased.position, leased.lease_token, leased.attempt
    )
    SELECT host.organisation_id, leased.id, leased.lease_token, leased.attempt, leased.position,
        run.id, run.ref, run.settings, run.suite_version_id, run.model_version_id, version.source,
        run.state = 'running' AND (run.replication_id IS NULL OR run.organisation_id IS NOT NULL)
    FROM host
        LEFT JOIN leased ON true
        LEFT JOIN evals_run AS run ON run.id = leased.run_id
        LEFT JOIN registry_modelversion AS version ON version.id = run.model_version_id
"""
"""Who is due next, and the oldest that waits of theirs.

`line` has who has work waiting that such a host can do, each with one class and priority. It is
found by jumping from group to group in the index `task_run_line`, so that the cost grows with the
number of requesters and not with the length of their queues. `due` sorts it: by priority; then who
has the fewest task runs under way in the class; then who was served longest ago. So nobody waits
while another, of the same priority, is served twice.

A run of a replication belongs to the organisation that took its first task, and no organisation has
two runs of one replication.

One statement, from the token on, because each further one is a round trip: a claim is what hundreds
of hosts ask for at once when work comes. It has one row for a worker, and none for nobody's token.
"""


class _TakenElsewhere(Exception):  # noqa: N818 - it is news, not a fault
    """What a claim had chosen now belongs to somebody else."""


@dataclass(frozen=True, slots=True)
class Order:
    """A leased task run with all that its worker needs, and nothing about people."""

    task_run: UUID
    token: int
    """The fencing token of the lease."""
    attempt: int
    run: str
    """The run's reference."""
    settings: dict[str, Any]
    suite: dict[str, Any]
    """Slug, version and digest."""
    task: dict[str, Any]
    """The suite document's entry."""
    model: dict[str, Any]
    """Slug, label, digest, manifest and source."""


class UnknownWorker(Exception):  # noqa: N818 - it is what the caller is
    """No worker has this token, or its key was revoked."""


def claim(*, token_digest: str, boot_id: str, resource_classes: Sequence[str]) -> Order | None:
    """Lease the best waiting task run to the worker of a token; None when there is none for it.

    Two workers never get the same one: each skips rows the other has locked. A worker that is
    paused gets none.

    Claims at the same instant see the same line, so each may serve who is due: fairness lags behind
    by no more claims than there are at once.

    Raises:
        UnknownWorker: the token is nobody's, or was revoked before this very moment.
    """
    for _ in range(CLAIM_TRIES):
        try:
            return _claim(token_digest, boot_id, resource_classes)
        except _TakenElsewhere:
            continue
        except IntegrityError as error:
            if "run_once_per_organisation" not in str(error):
                raise
    return None


class _Leased(NamedTuple):
    """A row of `CLAIM`: all but the first are None where there is nothing to do."""

    organisation_id: int
    task_run: UUID
    token: int
    attempt: int
    position: int
    run_id: int
    ref: str
    settings: str
    """JSON, like `source`."""
    suite_version_id: int
    model_version_id: int
    source: str
    is_under_way: bool
    """Whether the run has begun, and whose it is needs no writing down."""


@transaction.atomic(durable=True)
def _claim(token_digest: str, boot_id: str, resource_classes: Sequence[str]) -> Order | None:
    """Choose, lease and begin.

    The worker's row is locked first and the task run next: no lock order is broken, as a claim
    waits for no task run. The run comes last, as everywhere.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {
                "token": token_digest,
                "boot": boot_id,
                "classes": list(resource_classes),
                "elsewhere": sorted(ELSEWHERE),
                "unknown_memory": UNKNOWN_MEMORY,
                "lease_seconds": settings.LEASE_SECONDS,
            },
        )
        row = cursor.fetchone()
    if row is None:
        raise UnknownWorker
    leased = _Leased(*row)
    if leased.task_run is None:
        return None
    if not leased.is_under_way:
        _begin(leased.run_id, leased.organisation_id)
    suite, task = _asked(leased.suite_version_id, leased.position)
    return Order(
        task_run=leased.task_run,
        token=leased.token,
        attempt=leased.attempt,
        run=leased.ref,
        settings=json.loads(leased.settings),
        suite=suite,
        task=task,
        model=_weights(leased.model_version_id) | {"source": json.loads(leased.source)},
    )


def _begin(run_id: int, organisation_id: int) -> None:
    """Note that a run is under way, and whose it is where that matters.

    Raises:
        _TakenElsewhere: another organisation took the run of a replication at the same instant.
        IntegrityError: another worker of the same organisation took another run of it.
    """
    locked = Run.objects.select_for_update().get(pk=run_id)
    if locked.replication_id is not None:
        if locked.organisation_id not in {None, organisation_id}:
            raise _TakenElsewhere
        locked.organisation_id = organisation_id
        locked.save(update_fields=["organisation"])
    move_run(locked, RunState.RUNNING)


@lru_cache(maxsize=1024)
def _asked(suite_version_id: int, position: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a suite version by name, and the task at a position: neither ever changes."""
    version = SuiteVersion.objects.select_related("suite").get(pk=suite_version_id)
    named = {"slug": version.suite.slug, "version": version.number, "digest": version.digest}
    return named, version.tasks[position]


@lru_cache(maxsize=64)
def _weights(model_version_id: int) -> dict[str, Any]:
    """Return what of a model version never changes."""
    version = ModelVersion.objects.select_related("model").get(pk=model_version_id)
    return {
        "slug": version.model.slug,
        "label": version.label,
        "digest": version.digest,
        "manifest": version.manifest,
    }
