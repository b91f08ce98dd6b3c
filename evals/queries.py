"""Chainable reads of the evaluation floor."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connections
from django.db.models import Exists, OuterRef, Q, QuerySet

from evals.choices import RunState, TaskRunState

if TYPE_CHECKING:
    from evals.models import Criterion, Run, SuiteVersion, TaskRun, Worker  # noqa: F401
    from oversight.accounts.models import Organisation


_LINE = """
    WITH RECURSIVE line AS (
        SELECT head.*
        FROM unnest(%(classes)s::text[]) AS asked(class), LATERAL (
            SELECT resource_class, priority, requester_id FROM evals_taskrun
            WHERE state = 'queued' AND resource_class = asked.class
                AND device_memory_bytes <= %(memory)s AND devices <= %(devices)s
            ORDER BY priority DESC, requester_id DESC LIMIT 1
        ) AS head
        UNION ALL
        SELECT behind.*
        FROM line, LATERAL (
            SELECT resource_class, priority, requester_id FROM evals_taskrun
            WHERE state = 'queued' AND resource_class = line.resource_class
                AND (priority, requester_id) < (line.priority, line.requester_id)
                AND device_memory_bytes <= %(memory)s AND devices <= %(devices)s
            ORDER BY priority DESC, requester_id DESC LIMIT 1
        ) AS behind
    )
    SELECT resource_class, priority, requester_id
    FROM line
    ORDER BY
        priority DESC,
        (SELECT count(*) FROM evals_taskrun AS busy
         WHERE state = 'running' AND busy.resource_class = line.resource_class
            AND busy.requester_id = line.requester_id),
        (SELECT max(served.started_at) FROM evals_taskrun AS served
         WHERE served.resource_class = line.resource_class
            AND served.requester_id = line.requester_id AND served.started_at IS NOT NULL)
            NULLS FIRST,
        requester_id
"""


class Capacity(NamedTuple):
    """What a host can hold."""

    memory: int
    """Bytes of each of its GPUs."""
    devices: int


class Waiting(NamedTuple):
    """The task runs that one requester has waiting, of one class and priority."""

    resource_class: str
    priority: int
    requester_id: int


class SuiteVersionQuerySet(QuerySet["SuiteVersion"]):
    """Published suite versions."""

    def newest_first(self) -> "SuiteVersionQuerySet":
        """Order by number, newest first."""
        return self.order_by("-number")


class RunQuerySet(QuerySet["Run"]):
    """Evaluation runs."""

    def with_parts(self) -> "RunQuerySet":
        """Fetch suite, model and requester in the same query."""
        return self.select_related(
            "suite_version__suite", "model_version__model", "requested_by", "replication"
        )

    def newest_first(self) -> "RunQuerySet":
        """Order by request, newest first."""
        return self.order_by("-requested_at", "-id")

    def succeeded(self) -> "RunQuerySet":
        """Keep the finished ones."""
        return self.filter(state=RunState.SUCCEEDED)

    def active(self) -> "RunQuerySet":
        """Keep those still waiting or running."""
        return self.filter(state__in=[RunState.QUEUED, RunState.RUNNING])


class TaskRunQuerySet(QuerySet["TaskRun"]):
    """The unit of leasing and retry."""

    def line(self, resource_classes: Sequence[str], capacity: Capacity) -> list[Waiting]:
        """Return who has work waiting that such a host can do, whoever is due next first.

        By priority; then who has the fewest task runs under way in the class; then who was served
        longest ago. So nobody waits while another, of the same priority, is served twice.

        Each answer is a group of task runs of one requester; `of_group` orders them. Found by
        jumping from group to group in the index `task_run_line`, so that the cost grows with the
        number of requesters and not with the length of their queues.
        """
        values: dict[str, Any] = {"classes": list(resource_classes)} | capacity._asdict()
        with connections[self.db].cursor() as cursor:
            cursor.execute(_LINE, values)
            return [Waiting(*row) for row in cursor.fetchall()]

    def of_group(self, group: Waiting, capacity: Capacity) -> "TaskRunQuerySet":
        """Keep what a group has waiting that such a host can do, oldest first."""
        return self.filter(
            state=TaskRunState.QUEUED,
            resource_class=group.resource_class,
            priority=group.priority,
            requester=group.requester_id,
            device_memory_bytes__lte=capacity.memory,
            devices__lte=capacity.devices,
        ).order_by("requested_at", "position")

    def open_to(self, organisation: "Organisation") -> "TaskRunQuerySet":
        """Leave out runs of a replication that are for other organisations.

        A run belongs to the organisation that took its first task, and no organisation has two runs
        of one replication.
        """
        runs = self.model.run.field.related_model._default_manager
        taken = runs.filter(replication=OuterRef("run__replication"), organisation=organisation)
        return self.filter(
            Q(run__replication=None)
            | Q(run__organisation=organisation)
            | Q(run__organisation=None) & ~Exists(taken)
        )

    def with_expired_lease(self, moment: datetime) -> "TaskRunQuerySet":
        """Keep running ones whose worker has not been heard of in time."""
        return self.filter(state=TaskRunState.RUNNING, lease_until__lte=moment)


class WorkerQuerySet(QuerySet["Worker"]):
    """Machines that run evaluations."""

    def usable(self) -> "WorkerQuerySet":
        """Keep those whose key is not revoked."""
        return self.filter(revoked_at__isnull=True)

    def able_to_run(self, task_run: "TaskRun") -> "WorkerQuerySet":
        """Keep those that may claim it: of its class, with the memory, not paused, its own."""
        found = self.usable().filter(
            Q(device_memory_bytes=None) | Q(device_memory_bytes__gte=task_run.device_memory_bytes),
            resource_classes__contains=[task_run.resource_class],
            devices__gte=task_run.devices,
            paused_at=None,
        )
        owner = task_run.run.organisation_id
        return found.filter(organisation=owner) if owner else found

    def seen_since(self, moment: datetime) -> "WorkerQuerySet":
        """Keep those that called after the moment."""
        return self.filter(last_seen_at__gte=moment)


class CriterionQuerySet(QuerySet["Criterion"]):
    """What was asked of a model before it was evaluated."""

    def about(self, subject: str) -> "CriterionQuerySet":
        """Keep those of one subject, such as `proposal:2026-001`, in the order recorded."""
        return self.filter(Q(subject=subject)).select_related("suite_version__suite").order_by("id")
