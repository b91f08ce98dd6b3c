"""What a work order asks of this host, before anything is fetched, loaded or paid for."""

from typing import Any, cast

from evals.worker.failures import Code, WorkError

_ENDPOINTS = frozenset({"completions", "chat"})
_WRITTEN = "generate_until"
"""The type of tasks whose answers a model writes; the others have it score given ones."""


def require_possible(order: dict[str, Any]) -> None:
    """Refuse what the back-end cannot do, before anything is fetched, loaded or paid for.

    Raises:
        WorkError: a chat endpoint is to score given answers, or nobody said which endpoint.
    """
    backend, task = order["settings"]["backend"], order["task"]
    if backend not in _ENDPOINTS:
        return
    if not order.get("endpoint"):
        raise WorkError(Code.SETTING_REFUSED, f"The run names no endpoint for {backend}.")
    kind = _output_type(task)
    if backend == "chat" and kind not in {None, _WRITTEN}:
        raise WorkError(
            Code.TASK_REFUSED,
            f"{task['name']}: this task compares how likely given answers are ({kind}), which a "
            "chat endpoint does not say. Run it on the weights or on a completions endpoint.",
        )


def needs_weights(order: dict[str, Any]) -> bool:
    """Say whether this host needs the model's files: an endpoint has the weights itself.

    A completions endpoint still takes the tokenizer, where given answers are scored or questions
    are put into the model's chat template.
    """
    backend, task = order["settings"]["backend"], order["task"]
    if backend == "chat":
        return False
    if backend != "completions":
        return True
    return _output_type(task) != _WRITTEN or bool(task.get("apply_chat_template"))


def _output_type(task: dict[str, Any]) -> str | None:
    """Return a task's type; None where only the harness knows it."""
    return cast("str | None", task.get("config", {}).get("output_type"))
