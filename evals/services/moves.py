"""The only place that changes the state of a run, of a task run or of a replication.

The tables in `evals/choices.py` say which changes there are; every other one is refused here. One
is made elsewhere, in the statement that leases what waits: `claims.CLAIM`.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from evals.choices import (
    FINAL_STATES,
    RUN_TRANSITIONS,
    TASK_RUN_TRANSITIONS,
    ReplicationState,
    RunState,
    TaskRunState,
)
from evals.models import Replication, Run, TaskRun
from oversight.web.refusals import Conflict


def move(task_run: TaskRun, to: TaskRunState, *, code: str = "", reason: str = "") -> None:
    """Bring a task run into another state and save it; the caller holds its row lock.

    What belongs to the state goes with it: a lease ends with the running, an end has its time.

    Raises:
        Conflict: the table has no such change; nothing is written.
    """
    before = TaskRunState(task_run.state)
    if to not in TASK_RUN_TRANSITIONS[before]:
        raise Conflict(
            _("%(task_run)s is %(label)s; it cannot become %(label_2)s.")
            % {
                "task_run": task_run,
                "label": before.label,
                "label_2": to.label,
            }
        )
    task_run.state = to
    task_run.reason_code, task_run.reason = code, reason
    if before == TaskRunState.RUNNING:
        held = timezone.now() - task_run.started_at if task_run.started_at else timedelta()
        task_run.busy_seconds += Decimal(f"{max(0.0, held.total_seconds()):.3f}")
        task_run.lease_until = None
        task_run.stage = ""
    if to in FINAL_STATES:
        task_run.finished_at = timezone.now()
    task_run.save()


def move_run(run: Run, to: RunState, *, reason: str = "") -> None:
    """Bring a run into another state, or leave it in the same; the caller holds its row lock.

    Raises:
        Conflict: the table has no such change; nothing is written.
    """
    before = RunState(run.state)
    if to == before and run.is_active:
        return
    if to not in RUN_TRANSITIONS[before]:
        raise Conflict(
            _("%(run)s is %(label)s; it cannot become %(label_2)s.")
            % {
                "run": run,
                "label": before.label,
                "label_2": to.label,
            }
        )
    now = timezone.now()
    run.state, run.reason = to, reason
    if run.started_at is None and to == RunState.RUNNING:
        run.started_at = now
    if not run.is_active:
        run.finished_at = now
    run.save(update_fields=["state", "reason", "started_at", "finished_at"])


def conclude_replication(
    replication: Replication, to: ReplicationState, findings: list[dict[str, Any]]
) -> None:
    """End a replication with what was found; the caller holds its row lock.

    Raises:
        Conflict: it has ended before; nothing is written.
    """
    if replication.state != ReplicationState.OPEN:
        raise Conflict(
            _("%(replication)s has ended: %(state)s.")
            % {
                "replication": replication,
                "state": replication.get_state_display(),
            }
        )
    replication.state, replication.findings = to, findings
    replication.concluded_at = timezone.now()
    replication.save(update_fields=["state", "findings", "concluded_at"])
