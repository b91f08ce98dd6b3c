"""Ask a running system how it is."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

HEALTHY_SECONDS = 30.0


class UnhealthyError(RuntimeError):
    """The system runs but says that a part of it does not; the message repeats its answer."""


def health(base_url: str, host: str = "") -> tuple[int, dict[str, Any]]:
    """Return the status code and JSON of `/healthz`; (0, {}) when nothing answers.

    Args:
        base_url: where the system listens.
        host: the name under which the public reaches it, if that differs.
    """
    request = urllib.request.Request(f"{base_url}/healthz", headers={"Host": host} if host else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310 (our own address)
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        body = error.read()
        return error.code, json.loads(body) if body.startswith(b"{") else {}
    except (OSError, ValueError):
        return 0, {}


def await_health(base_url: str, host: str, meanwhile: Callable[[], None]) -> None:
    """Return once `/healthz` answers 200; `meanwhile` is called between attempts and may raise.

    Raises:
        UnhealthyError: after half a minute, or at once when the answer is no state of health.
    """
    deadline = time.monotonic() + HEALTHY_SECONDS
    while True:
        status, answer = health(base_url, host)
        if status == 200:
            return
        # 503 names a part that is not there yet; anything else will not mend itself.
        if status not in {0, 503} or time.monotonic() > deadline:
            raise UnhealthyError(f"{base_url}/healthz answers {status or 'nothing'}: {answer}")
        meanwhile()
        time.sleep(0.2)
