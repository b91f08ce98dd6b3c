"""One leased task run: a thread that says every few seconds how far it is, and hears of its end."""

import threading
from typing import Any

from evals.worker.client import Client, LeaseLost, PlatformError
from evals.worker.failures import Code, WorkError


class Lease:
    """Keeps the lease alive while the work goes on; `check` raises when it must stop."""

    def __init__(
        self,
        client: Client,
        order: dict[str, Any],
        heartbeat_seconds: float,
        stopping: threading.Event | None = None,
    ) -> None:
        self._stopping = stopping or threading.Event()
        self.task_run: str = order["task_run"]
        self.token: int = order["token"]
        self._client = client
        self._pause = heartbeat_seconds
        self._progress = {"stage": "preparing", "done": 0, "total": 0}
        self._ended = threading.Event()
        self._reason: PlatformError | WorkError | None = None
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Lease":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def at(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Note how far the work is; the next heartbeat says so."""
        self._progress = {"stage": stage, "done": done, "total": total}

    def check(self) -> None:
        """Go on, or stop.

        Raises:
            LeaseLost: somebody else has the task run.
            WorkError: it was cancelled, or the worker is being stopped.
        """
        if self._stopping.is_set():
            raise WorkError(Code.WORKER_STOPPING, "The worker is being stopped.")
        if self._reason is not None:
            raise self._reason

    def _beat(self) -> None:
        while not self._ended.wait(self._pause):
            try:
                body = {"token": self.token} | self._progress
                if self._client.heartbeat(self.task_run, body):
                    self._reason = WorkError(Code.CANCELLED, "Cancelled on request.")
            except LeaseLost as lost:
                self._reason = lost
                return
            except PlatformError:
                # The platform is away for a moment; the lease lasts longer than that, or is lost.
                continue
