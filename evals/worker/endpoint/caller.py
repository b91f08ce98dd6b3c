"""One endpoint, called with patience and with limits.

| field of an endpoint's description | meaning |
|---|---|
| `slug`, `base_url`, `model` | its name on the platform, its address, the model's name there |
| `requests_per_minute`, `concurrency` | how often, and how many at a time |
| `timeout_seconds` | longest wait for one answer |
| `prices` | None, or `currency`, `input_per_million`, `output_per_million` as decimal text |
| `allow_hosts`, `keys` | added by the worker: what its operator allows, where the keys lie |
"""

import email.utils
import json
import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx

from evals.worker.endpoint.address import Allowed, check_url, guarded_client
from evals.worker.endpoint.budget import MESSAGE_TOKENS, Budget
from evals.worker.endpoint.pace import Pace
from evals.worker.failures import Code, WorkError

ATTEMPTS = 6
LONGEST_PAUSE_SECONDS = 120.0
"""An endpoint that wants a longer pause is away."""
ANSWER_LIMIT_BYTES = 8_000_000
_BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_HEADER_UNSAFE = re.compile(r"[^\x21-\x7e]")

logger = logging.getLogger(__name__)


class _Again(Exception):  # noqa: N818 - what to do
    """This attempt brought nothing; another may."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


@dataclass(frozen=True)
class Answer:
    """What an endpoint has said, and what it counts it as."""

    body: dict[str, Any]
    given: int
    made: int


class Caller:
    """Calls one endpoint; safe to use from several threads."""

    def __init__(
        self, endpoint: Mapping[str, Any], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Make ready to call.

        Raises:
            WorkError: the address is none that this worker may call, or its key is unusable.
        """
        allowed = Allowed(endpoint.get("allow_hosts") or ())
        self.base_url = str(endpoint["base_url"]).rstrip("/")
        host, port = check_url(self.base_url, allowed)
        self._timeout = float(endpoint.get("timeout_seconds") or 120)
        self._key = key_of(endpoint.get("keys"), host, port)
        self._client = guarded_client(allowed, self._timeout)
        self._pace = Pace(endpoint.get("requests_per_minute"), sleep=sleep)
        self._sleep = sleep

    def ask(self, path: str, payload: Mapping[str, Any], budget: Budget) -> Answer:
        """Post a request until it is answered, for as long as the budget lasts.

        Raises:
            WorkError: the budget is spent, the endpoint refuses, or is away.
        """
        most = _most(payload)
        for attempt in range(1, ATTEMPTS + 1):
            self._pace.wait()
            budget.reserve(*most)
            used = (0, 0)
            try:
                answer = self._attempt(path, payload)
                used = (answer.given, answer.made)
            except _Again as again:
                reason, pause = str(again), again.pause
            else:
                return answer
            finally:
                budget.settle(most, used)
            if attempt < ATTEMPTS:
                budget.count_retry()
                self._rest(attempt, reason, pause)
        raise WorkError(Code.ENDPOINT_AWAY, f"{self.base_url} did not answer: {reason}")

    def _rest(self, attempt: int, reason: str, wanted: float | None) -> None:
        """Wait before the next attempt: as long as the endpoint wants, else longer each time."""
        logger.info("Asking %s again: %s", self.base_url, reason)
        if wanted is None:
            # Jitter, so that many callers do not come back at the same moment.
            self._sleep(min(0.5 * 2**attempt, 20.0) * random.uniform(0.5, 1.0))  # noqa: S311
        elif wanted > LONGEST_PAUSE_SECONDS:
            words = f"{self.base_url} wants to be left alone for {wanted:.0f} seconds: {reason}"
            raise WorkError(Code.ENDPOINT_AWAY, words)
        else:
            pause = wanted + random.uniform(0.0, 0.5)  # noqa: S311
            self._pace.pause(pause)
            self._sleep(pause)

    def _attempt(self, path: str, payload: Mapping[str, Any]) -> Answer:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        address = f"{self.base_url}/{path}"
        deadline = time.monotonic() + self._timeout
        try:
            with self._client.stream("POST", address, json=payload, headers=headers) as answer:
                content = _read(answer, deadline)
        except httpx.HTTPError as error:
            raise _Again(f"{type(error).__name__}: {error}") from error
        if answer.is_redirect:
            self._refuse(f"it redirects to {answer.headers.get('location', '')[:200]!r}")
        if answer.status_code in _BUSY:
            raise _Again(self._said(answer, content), _retry_after(answer))
        if answer.status_code != 200:
            self._refuse(self._said(answer, content))
        return _parsed(content, payload)

    def _refuse(self, reason: str) -> None:
        raise WorkError(Code.ENDPOINT_REFUSED, f"{self.base_url} refuses: {reason}")

    def _said(self, answer: httpx.Response, content: bytes) -> str:
        """Return what an endpoint said, without the key, which some repeat."""
        words = content[:500].decode(errors="replace")
        if self._key:
            words = words.replace(self._key, "[key]")
        return f"HTTP {answer.status_code}: {words[:300]}"


def _read(answer: httpx.Response, deadline: float) -> bytes:
    """Read a bounded answer in bounded time, also where it comes drop by drop."""
    content = b""
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > ANSWER_LIMIT_BYTES:
            raise _Again(f"its answer is longer than {ANSWER_LIMIT_BYTES} bytes")
        if time.monotonic() > deadline:
            raise _Again("its answer did not come to an end in time")
    return content


def _parsed(content: bytes, payload: Mapping[str, Any]) -> Answer:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("choices"), list):
        raise _Again(f"its answer is none of this interface: {content[:100]!r}")
    usage = body.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    given, made = _count(counts.get("prompt_tokens")), _count(counts.get("completion_tokens"))
    if given is None or made is None:
        # It does not count, so the most that it can have been is counted.
        given, made = _most(payload)
    return Answer(body, given, made)


def _count(value: object) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return cast("int", value) if is_count else None


def _most(payload: Mapping[str, Any]) -> tuple[int, int]:
    """Return the most tokens that a request can be given and made."""
    prompt = payload.get("prompt", payload.get("messages"))
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], list):
        given = sum(len(tokens) for tokens in prompt)
        count = len(prompt)
    else:
        texts = prompt if isinstance(prompt, list) else [prompt]
        given = sum(len(_text(text).encode()) + MESSAGE_TOKENS for text in texts)
        count = len(texts) if "prompt" in payload else 1
    return given, count * int(payload.get("max_tokens") or 0)


def _text(part: Any) -> str:
    return str(part.get("content", "")) if isinstance(part, Mapping) else str(part)


def _retry_after(answer: httpx.Response) -> float | None:
    """Return the pause that an endpoint asks for, in seconds or until a date."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def key_of(folder: str | None, host: str, port: int) -> str:
    """Return the key that the worker's operator keeps for a host; nothing where there is none."""
    for name in (f"{host}:{port}", host):
        path = Path(folder or "") / name
        if folder and path.is_file():
            key = path.read_text().strip()
            if not key or _HEADER_UNSAFE.search(key):
                reason = f"The key for {host} is empty or is not one line of plain text."
                raise WorkError(Code.ENDPOINT_FORBIDDEN, reason)
            return key
    return ""
