"""Celery entry points of the evaluation floor, on the server's side."""

import logging
from contextlib import suppress

from celery import shared_task

from evals.choices import TaskRunState
from evals.models import TaskRun
from evals.nudges import nudge_workers as send_nudge
from evals.services import checks, leases, probes
from evals.services.budgets import stop_spent
from evals.services.newest import mend_newest, rebuild_newest
from evals.services.recalled import mend_answers
from evals.services.suites import mend_guessing
from evals.services.usage import mend_usage
from oversight.web.refusals import Conflict

logger = logging.getLogger(__name__)


@shared_task(name="evals.requeue_expired_leases")
def requeue_expired_leases() -> int:
    """Give expired leases back to the queue."""
    return leases.requeue_expired()


@shared_task(name="evals.stop_spent_budgets")
def stop_spent_budgets() -> int:
    """Stop the runs whose budget is spent; return how many."""
    return stop_spent()


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


@shared_task(name="evals.forget_old_probes")
def forget_old_probes() -> int:
    """Remove what nobody asks for any more."""
    return probes.forget_old()


@shared_task(name="evals.mend_copies")
def mend_copies() -> None:
    """Add to the tables that pages read what a server of an earlier version left out."""
    if mend_answers():
        logger.warning("Runs had no sum of their answers; they have one now.")
        rebuild_newest()
    if rows := mend_newest():
        logger.warning("%d newest results were missing; they are there now.", rows)
    if mend_usage():
        logger.warning("Results were missing from the sums of what was computed; made anew.")
    if versions := mend_guessing():
        logger.warning("Of %d suites nobody had worked out what guessing scores.", versions)


@shared_task(name="evals.check_endpoints")
def check_endpoints() -> int:
    """Judge the checks whose runs have ended, and begin those that are due."""
    done = 0
    for check_id in checks.finished_checks():
        with suppress(Conflict):
            checks.judge_check(check_id=check_id)
            done += 1
    for plan_id in checks.due_plans():
        done += checks.begin_check(plan_id=plan_id) is not None
    return done
