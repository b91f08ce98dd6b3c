"""Looking whether an endpoint answers, by the way that runs take: guarded, with its own key."""

import json
import time
from typing import Any

import httpx

from evals.worker.endpoint.address import Allowed, check_url, guarded_client
from evals.worker.endpoint.caller import key_of
from evals.worker.failures import WorkError

TIMEOUT_SECONDS = 20.0
ANSWER_LIMIT_BYTES = 1_000_000


def look_at(
    base_url: str, *, allow_hosts: tuple[str, ...], keys: str | None
) -> dict[str, Any] | None:
    """Ask an endpoint which models it lists; None where this worker may not call it.

    Returns:
        `is_up`, `milliseconds` until the whole answer was there, and `reason` where it is not up.
    """
    allowed = Allowed(allow_hosts)
    began = time.monotonic()
    try:
        host, port = check_url(base_url, allowed)
        key = key_of(keys, host, port)
        reason = _asked(base_url.rstrip("/"), allowed, key)
    except WorkError:
        return None
    except httpx.HTTPError as error:
        reason = f"{type(error).__name__}: {error}"
    took = round(1000 * (time.monotonic() - began))
    return {"is_up": not reason, "milliseconds": took, "reason": reason[:200]}


def _asked(base_url: str, allowed: Allowed, key: str) -> str:
    """Return why the endpoint's list of models cannot be had; empty where it can."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    deadline = time.monotonic() + TIMEOUT_SECONDS
    with (
        guarded_client(allowed, TIMEOUT_SECONDS) as client,
        client.stream("GET", f"{base_url}/models", headers=headers) as answer,
    ):
        if answer.status_code != 200:
            return f"HTTP {answer.status_code}"
        content = b""
        for chunk in answer.iter_bytes():
            content += chunk
            if len(content) > ANSWER_LIMIT_BYTES or time.monotonic() > deadline:
                return "its answer did not come to an end"
    try:
        is_list = isinstance(json.loads(content)["data"], list)
    except (ValueError, RecursionError, KeyError, TypeError):
        is_list = False
    return "" if is_list else "its answer is no list of models"
