"""Chainable reads of the evaluation floor."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import F, Q, QuerySet

from evals.choices import RunState, TaskRunState

if TYPE_CHECKING:
    from evals.models import Criterion, Run, SuiteVersion, TaskRun, Worker  # noqa: F401


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

    def computed(self) -> "RunQuerySet":
        """Leave out finished ones whose workers had every answer from before."""
        return self.filter(Q(answers=None) | Q(answers=0) | Q(recalled__lt=F("answers")))

    def active(self) -> "RunQuerySet":
        """Keep those still waiting or running."""
        return self.filter(state__in=[RunState.QUEUED, RunState.RUNNING])


class TaskRunQuerySet(QuerySet["TaskRun"]):
    """The unit of leasing and retry."""

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


_PARTS = ("suite_version__suite", "beside__model")


class CriterionQuerySet(QuerySet["Criterion"]):
    """What was asked of a model before it was evaluated."""

    def about(self, subject: str) -> "CriterionQuerySet":
        """Keep those of one subject, such as `proposal:2026-001`, in the order recorded."""
        return self.filter(Q(subject=subject)).select_related(*_PARTS).order_by("id")
