"""The worker's calls to the platform, with timeouts, retries and plain errors."""

import random
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

ATTEMPTS = 6
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
HEARTBEAT_TIMEOUT = httpx.Timeout(10.0)
"""Well below the usual lease, so that one call that hangs does not cost it."""
LAST_WORDS_TIMEOUT = httpx.Timeout(2.0)
_LOST = frozenset({401, 403, 404, 409})
"""Answers to a heartbeat after which nobody wants the work: given away, or our key was revoked."""
_CHUNK_BYTES = 1024 * 1024


class PlatformError(Exception):
    """The platform refused or did not answer; the message is its own where it has one."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class LeaseLost(PlatformError):  # noqa: N818 - it is news, not a fault
    """The task run is not ours any more: drop the work."""


class Client:
    """Calls the worker's addresses of one platform. Safe to use from several threads."""

    def __init__(self, url: str, token: str, stopping: threading.Event | None = None) -> None:
        """Make a client; once `stopping` is set, no call is tried a second time."""
        self._stopping = stopping or threading.Event()
        self._http = httpx.Client(
            base_url=f"{url}/api/v1/worker/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT,
        )

    def hello(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Say that the worker has started; returns what the platform wants of it."""
        return dict(self._call("POST", "hello", json=body).json())

    def claim(self, *, boot_id: str, resource_classes: list[str]) -> dict[str, Any] | None:
        """Ask for work; None when there is none."""
        body = {"boot_id": boot_id, "resource_classes": resource_classes}
        answer = self._call("POST", "claim", json=body)
        return None if answer.status_code == 204 else dict(answer.json())

    def heartbeat(self, task_run: str, body: Mapping[str, Any]) -> bool:
        """Report progress; returns whether to stop.

        Raises:
            LeaseLost: somebody else has the task run.
        """
        address = f"task-runs/{task_run}/heartbeat"
        try:
            answer = self._call("POST", address, json=body, attempts=2, timeout=HEARTBEAT_TIMEOUT)
        except PlatformError as error:
            if error.status in _LOST:
                raise LeaseLost(str(error), error.status) from error
            raise
        return bool(answer.json()["cancel"])

    def fetch(self, sha256: str, path: Path) -> None:
        """Write an artefact of the platform to a file; the caller checks its digest."""
        try:
            with self._http.stream("GET", f"artefacts/{sha256}") as answer:
                if answer.status_code != 200:
                    answer.read()
                    raise _error(answer)
                with path.open("wb") as file:
                    for chunk in answer.iter_bytes(_CHUNK_BYTES):
                        file.write(chunk)
        except httpx.TransportError as error:
            raise self._silence(error) from error

    def upload(self, task_run: str, token: int, sha256: str, path: Path) -> None:
        """Send a file of ours; sending it twice is harmless."""
        address = f"task-runs/{task_run}/artefacts/{sha256}"
        self._call("PUT", address, params={"token": token}, content=path.read_bytes())

    def result(self, task_run: str, token: int, envelope: Mapping[str, Any]) -> None:
        """Deliver a signed result; delivering the same one twice is harmless."""
        body = {"token": token, "envelope": envelope}
        self._call("POST", f"task-runs/{task_run}/result", json=body)

    def failure(self, task_run: str, body: Mapping[str, Any]) -> None:
        """Say why a task run could not be finished; in haste when the worker is being stopped."""
        timeout = LAST_WORDS_TIMEOUT if self._stopping.is_set() else TIMEOUT
        self._call("POST", f"task-runs/{task_run}/failure", json=body, timeout=timeout)

    def probes(self) -> list[dict[str, Any]]:
        """Return the endpoints that it is our turn to look at."""
        return list(self._call("POST", "probes", json={}, attempts=1).json()["endpoints"])

    def report_probes(self, seen: list[dict[str, Any]]) -> None:
        """Say what was seen of them."""
        self._call("POST", "probes/seen", json={"seen": seen}, attempts=2)

    def _call(
        self, method: str, address: str, *, attempts: int = ATTEMPTS, **content: Any
    ) -> httpx.Response:
        """Call, again and again with growing pauses while the platform is away or busy."""
        for attempt in range(1, attempts + 1):
            try:
                answer = self._http.request(method, address, **content)
            except httpx.TransportError as error:
                failure = self._silence(error)
            else:
                if answer.status_code < 400:
                    return answer
                failure = _error(answer)
                if answer.status_code < 500 and answer.status_code != 429:
                    raise failure
            # Jitter, so that many workers do not come back at the same moment.
            pause = min(0.5 * 2**attempt, 20.0) * random.uniform(0.5, 1.0)  # noqa: S311
            if attempt < attempts and self._stopping.wait(pause):
                break
        raise failure

    def _silence(self, error: httpx.TransportError) -> PlatformError:
        return PlatformError(f"{self._http.base_url.host} does not answer: {error}")


def _error(answer: httpx.Response) -> PlatformError:
    try:
        detail = str(answer.json().get("detail", "")) or answer.reason_phrase
    except ValueError:
        detail = answer.reason_phrase
    kind = LeaseLost if answer.status_code == 409 else PlatformError
    return kind(detail, answer.status_code)
