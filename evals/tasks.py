"""Celery entry points of the evaluation floor, on the server's side."""

from celery import shared_task

from evals.choices import TaskRunState
from evals.models import TaskRun
from evals.nudges import nudge_workers as send_nudge
from evals.services import leases


@shared_task(name="evals.requeue_expired_leases")
def requeue_expired_leases() -> int:
    """Give expired leases back to the queue."""
    return leases.requeue_expired()


@shared_task(name="evals.nudge_workers")
def nudge_workers() -> int:
    """Send a nudge for every class with waiting work, in case earlier ones were lost."""
    waiting = (
        TaskRun.objects.filter(state=TaskRunState.QUEUED, run__cancel_requested_at=None)
        .order_by()
        .values_list("run__resource_class", flat=True)
        .distinct()
    )
    return sum(send_nudge(resource_class) for resource_class in waiting)
