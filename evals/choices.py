"""States and leaf types of the evaluation floor. Leaf types are never renamed."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class RunState(TextChoices):
    """Where a run stands; it follows from its task runs."""

    QUEUED = "queued", _("waiting for a worker")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("finished")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class TaskRunState(TextChoices):
    """Where one task of a run stands."""

    QUEUED = "queued", _("waiting for a worker")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("finished")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


RUN_TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.CANCELLED}),
    # Never back to queued: what was begun once is under way, also while it waits for a retry.
    RunState.RUNNING: frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}),
    RunState.SUCCEEDED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}

TASK_RUN_TRANSITIONS: dict[TaskRunState, frozenset[TaskRunState]] = {
    TaskRunState.QUEUED: frozenset({TaskRunState.RUNNING, TaskRunState.CANCELLED}),
    # Back to queued: the lease expired or the worker gave it back.
    TaskRunState.RUNNING: frozenset(
        {
            TaskRunState.QUEUED,
            TaskRunState.SUCCEEDED,
            TaskRunState.FAILED,
            TaskRunState.CANCELLED,
        }
    ),
    TaskRunState.SUCCEEDED: frozenset(),
    TaskRunState.FAILED: frozenset(),
    TaskRunState.CANCELLED: frozenset(),
}

FINAL_STATES = frozenset({TaskRunState.SUCCEEDED, TaskRunState.FAILED, TaskRunState.CANCELLED})


class ResourceClass(TextChoices):
    """What kind of host a run needs; each has its queue."""

    CPU = "cpu", "CPU"
    GPU = "gpu", "GPU"

    @property
    def queue(self) -> str:
        """The broker queue of nudges for this class."""
        return f"evals_{self.value}"


class KeyEnd(TextChoices):
    """Why a worker's key signs nothing any more."""

    ROTATED = "rotated", _("replaced by another")
    REVOKED = "revoked", _("revoked")


class ReplicationState(TextChoices):
    """What several organisations found of the same question."""

    OPEN = "open", _("not all have answered")
    AGREED = "agreed", _("they agree")
    DISAGREED = "disagreed", _("they disagree")
    INCOMPLETE = "incomplete", _("too few could answer")


class Comparison(TextChoices):
    """How a criterion reads a result. Always on the confidence bound, never on the point."""

    AT_LEAST = "at_least", _("at least")
    BELOW = "below", _("below")
    NOT_WORSE = "not_worse", _("not worse than")
    """Than another version, by more than a margin: judged on the paired difference."""


class Outcome(TextChoices):
    """What the evidence says of a criterion."""

    MET = "met", _("met")
    NOT_MET = "not_met", _("not met")
    UNDECIDED = "undecided", _("undecided: too few samples")
    NO_RESULT = "no_result", _("no result yet")


class Leaf(TextChoices):
    """What this floor puts on the record."""

    SUITE_PUBLISHED = "evals.suite.published"
    WORKER_ENROLLED = "evals.worker.enrolled"
    WORKER_KEY_ROTATED = "evals.worker.key_rotated"
    WORKER_PAUSED = "evals.worker.paused"
    WORKER_RESUMED = "evals.worker.resumed"
    WORKER_REVOKED = "evals.worker.revoked"
    RUN_REQUESTED = "evals.run.requested"
    RUN_CANCELLED = "evals.run.cancelled"
    RUN_FINISHED = "evals.run.finished"
    RESULT_ACCEPTED = "evals.result.accepted"
    REPLICATION_REQUESTED = "evals.replication.requested"
    REPLICATION_CONCLUDED = "evals.replication.concluded"
    CRITERION_RECORDED = "evals.criterion.recorded"
    CHECK_PLANNED = "evals.check.planned"
    CHECK_ENDED = "evals.check.ended"
    CHECK_JUDGED = "evals.check.judged"
    BUDGET_ALLOCATED = "evals.budget.allocated"
    BUDGET_ENDED = "evals.budget.ended"
    BUDGET_RESTORED = "evals.budget.restored"
