"""Chainable reads of the evaluation floor."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

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
        return self.select_related("suite_version__suite", "model_version__model", "requested_by")

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

    def claimable(self, resource_classes: list[str]) -> "TaskRunQuerySet":
        """Keep what a worker of these classes may take, best first.

        Priority, then fairness (the requester with the fewest task runs under way comes first),
        then age.
        """
        busy = (
            self.model.objects.filter(
                state=TaskRunState.RUNNING, run__requested_by=OuterRef("run__requested_by")
            )
            .order_by()
            .values("run__requested_by")
            .annotate(number=Count("id"))
            .values("number")
        )
        return (
            self.filter(
                state=TaskRunState.QUEUED,
                run__resource_class__in=resource_classes,
                run__cancel_requested_at__isnull=True,
            )
            .annotate(requester_busy=Coalesce(Subquery(busy), 0))
            .order_by("-run__priority", "requester_busy", "run__requested_at", "run_id", "position")
        )

    def with_expired_lease(self, moment: datetime) -> "TaskRunQuerySet":
        """Keep running ones whose worker has not been heard of in time."""
        return self.filter(state=TaskRunState.RUNNING, lease_until__lte=moment)


class WorkerQuerySet(QuerySet["Worker"]):
    """Machines that run evaluations."""

    def usable(self) -> "WorkerQuerySet":
        """Keep those whose key is not revoked."""
        return self.filter(revoked_at__isnull=True)

    def seen_since(self, moment: datetime) -> "WorkerQuerySet":
        """Keep those that called after the moment."""
        return self.filter(last_seen_at__gte=moment)


class CriterionQuerySet(QuerySet["Criterion"]):
    """What was asked of a model before it was evaluated."""

    def about(self, subject: str) -> "CriterionQuerySet":
        """Keep those of one subject, such as `proposal:2026-001`, in the order recorded."""
        return self.filter(Q(subject=subject)).select_related("suite_version__suite").order_by("id")
