"""Handing out the task run that is due: one statement chooses it, locks it and leases it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from evals.choices import RunState
from evals.models import Run, Worker
from evals.services.moves import move_run

ELSEWHERE = frozenset({"weights-missing", "setting-refused", "out-of-memory", "endpoint-forbidden"})
"""What one host lacks and another may have: tried again, but not by the worker that said so."""
CLAIM_TRIES = 5
"""How often a claim looks again when others took what it had chosen."""
UNKNOWN_MEMORY = 2**62
"""More than any host has: one that does not say its memory may try everything."""

CLAIM = """
    WITH RECURSIVE host AS (
        UPDATE evals_worker SET last_seen_at = clock_timestamp()
        WHERE id = %(worker)s AND revoked_at IS NULL
        RETURNING organisation_id, resource_classes, paused_at, devices,
            coalesce(device_memory_bytes, %(unknown_memory)s) AS memory
    ), line AS (
        SELECT head.*, host.memory, host.devices, host.organisation_id
        FROM host, unnest(host.resource_classes) AS offered(class), LATERAL (
            SELECT resource_class, priority, requester_id FROM evals_taskrun
            WHERE state = 'queued' AND resource_class = offered.class
                AND device_memory_bytes <= host.memory AND devices <= host.devices
            ORDER BY priority DESC, requester_id DESC LIMIT 1
        ) AS head
        WHERE host.paused_at IS NULL AND offered.class = ANY (%(classes)s)
        UNION ALL
        SELECT behind.*, line.memory, line.devices, line.organisation_id
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
        SELECT oldest.id
        FROM due, LATERAL (
            SELECT waiting.id
            FROM evals_taskrun AS waiting JOIN evals_run AS run ON run.id = waiting.run_id
            WHERE waiting.state = 'queued' AND waiting.resource_class = due.resource_class
                AND waiting.priority = due.priority AND waiting.requester_id = due.requester_id
                AND waiting.device_memory_bytes <= due.memory AND waiting.devices <= due.devices
                AND (waiting.worker_id IS DISTINCT FROM %(worker)s
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
        SET state = 'running', reason_code = '', reason = '', worker_id = %(worker)s,
            boot_id = %(boot)s, lease_token = lease_token + 1, attempt = attempt + 1,
            lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s),
            started_at = clock_timestamp(), stage = 'preparing', done = 0, total = 0
        FROM chosen WHERE leased.id = chosen.id
        RETURNING leased.id, leased.run_id, leased.position, leased.lease_token, leased.attempt
    )
    SELECT leased.id, leased.lease_token, leased.attempt, run.id, run.ref, run.settings,
        run.state = 'running' AND (run.replication_id IS NULL OR run.organisation_id IS NOT NULL),
        suite.slug, asked.number, asked.digest, asked.document -> 'tasks' -> leased.position::int,
        model.slug, version.label, version.digest, version.manifest, version.source
    FROM leased
        JOIN evals_run AS run ON run.id = leased.run_id
        JOIN evals_suiteversion AS asked ON asked.id = run.suite_version_id
        JOIN evals_suite AS suite ON suite.id = asked.suite_id
        JOIN registry_modelversion AS version ON version.id = run.model_version_id
        JOIN registry_model AS model ON model.id = version.model_id
"""
"""Who is due next, and the oldest that waits of theirs.

`line` has who has work waiting that such a host can do, each with one class and priority. It is
found by jumping from group to group in the index `task_run_line`, so that the cost grows with the
number of requesters and not with the length of their queues. `due` sorts it: by priority; then who
has the fewest task runs under way in the class; then who was served longest ago. So nobody waits
while another, of the same priority, is served twice.

A run of a replication belongs to the organisation that took its first task, and no organisation has
two runs of one replication.

One statement, because each further one is a round trip: a claim is what hundreds of hosts ask for
at once when work comes.
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


def claim(*, worker: Worker, boot_id: str, resource_classes: Sequence[str]) -> Order | None:
    """Lease the best waiting task run to a worker, or return None when there is none.

    Two workers never get the same one: each skips rows the other has locked. A worker that is
    paused gets none, nor one whose key was revoked since it called.

    Claims at the same instant see the same line, so each may serve who is due: fairness lags behind
    by no more claims than there are at once.
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
def _claim(worker: Worker, boot_id: str, resource_classes: Sequence[str]) -> Order | None:
    """Choose, lease and begin.

    The worker's row is locked first and the task run next: no lock order is broken, as a claim
    waits for no task run. The run comes last, as everywhere.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {
                "worker": worker.pk,
                "boot": boot_id,
                "classes": list(resource_classes),
                "elsewhere": sorted(ELSEWHERE),
                "unknown_memory": UNKNOWN_MEMORY,
                "lease_seconds": settings.LEASE_SECONDS,
            },
        )
        row = cursor.fetchone()
    if row is None:
        return None
    run_id, is_under_way = row[3], row[6]
    if not is_under_way:
        _begin(run_id, worker)
    return _order(row)


def _begin(run_id: int, worker: Worker) -> None:
    """Note that a run is under way, and whose it is where that matters.

    Raises:
        _TakenElsewhere: another organisation took the run of a replication at the same instant.
        IntegrityError: another worker of the same organisation took another run of it.
    """
    locked = Run.objects.select_for_update().get(pk=run_id)
    if locked.replication_id is not None:
        if locked.organisation_id not in {None, worker.organisation_id}:
            raise _TakenElsewhere
        locked.organisation = worker.organisation
        locked.save(update_fields=["organisation"])
    move_run(locked, RunState.RUNNING)


def _order(row: Sequence[Any]) -> Order:
    """Return the order in a row of `CLAIM`, whose JSON comes as text."""
    task_run, token, attempt, _, ref, chosen, _, *rest = row
    suite_slug, number, suite_digest, task, model_slug, label, digest, manifest, source = rest
    return Order(
        task_run=task_run,
        token=token,
        attempt=attempt,
        run=ref,
        settings=json.loads(chosen),
        suite={"slug": suite_slug, "version": number, "digest": suite_digest},
        task=json.loads(task),
        model={
            "slug": model_slug,
            "label": label,
            "digest": digest,
            "manifest": json.loads(manifest),
            "source": json.loads(source),
        },
    )
