"""Why a task run cannot be finished: one code a reason, so that people and programs can tell."""

from enum import StrEnum


class Code(StrEnum):
    """The reasons; the platform stores the code and shows the message."""

    WEIGHTS_MISSING = "weights-missing"
    WEIGHTS_CHANGED = "weights-changed"
    WEIGHTS_UNREADABLE = "weights-unreadable"
    HUB_UNAVAILABLE = "hub-unavailable"
    DATA_CHANGED = "data-changed"
    DATA_UNAVAILABLE = "data-unavailable"
    SETTING_REFUSED = "setting-refused"
    CHAT_TEMPLATE_MISSING = "chat-template-missing"
    TASK_REFUSED = "task-refused"
    OUT_OF_MEMORY = "out-of-memory"
    EVALUATION_FAILED = "evaluation-failed"
    ENDPOINT_FORBIDDEN = "endpoint-forbidden"
    ENDPOINT_REFUSED = "endpoint-refused"
    ENDPOINT_AWAY = "endpoint-away"
    BUDGET_SPENT = "budget-spent"
    BAD_RESULT = "bad-result"
    RUNNER_DIED = "runner-died"
    DISK_FULL = "disk-full"
    PLATFORM_AWAY = "platform-away"
    CANCELLED = "cancelled"
    WORKER_STOPPING = "worker-stopping"
    INTERNAL = "internal"


MAY_RETRY = frozenset(
    {
        Code.HUB_UNAVAILABLE,
        Code.DATA_CHANGED,
        Code.DATA_UNAVAILABLE,
        Code.EVALUATION_FAILED,
        Code.ENDPOINT_AWAY,
        Code.RUNNER_DIED,
        Code.DISK_FULL,
        Code.PLATFORM_AWAY,
        Code.WORKER_STOPPING,
        Code.INTERNAL,
    }
)
"""What may go better the next time or on another host."""


class WorkError(Exception):
    """The task run cannot be finished; told to the platform with code and message."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def may_retry(self) -> bool:
        """Whether another attempt may succeed."""
        return self.code in MAY_RETRY
