"""A write that is sent twice under one `Idempotency-Key` takes effect once.

A row is claimed and committed before the view runs, and gets the answer after it. So of two
requests at once the second finds the row, and after a crash in between the row says that nobody
knows: such a write is never done again by itself. At most once is the promise, in every case.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from math import ceil
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from oversight.accounts.authentication import ApiKeyAuthentication
from oversight.accounts.models import KeptAnswer, Person
from oversight.web.json_body import BODY_LIMIT_BYTES
from oversight.web.problems import is_api, plain_problem
from oversight.web.throttling import ReadsAndWrites

KEPT = timedelta(hours=24)
IN_FLIGHT = timedelta(minutes=2)
"""No request takes that long: what is without an answer by then was cut off."""
LARGEST_ANSWER = 256 * 1024
JSON = "application/json"
_KEY = re.compile(r'"(?P<quoted>[ !#-\[\]-~]{1,255})"|(?P<bare>[!#-\[\]-~]{1,255})')


class IdempotencyMiddleware:
    """Answers a repeated write from what the first one was answered.

    A view whose answers hold a ballot or a secret says `answers_once`: of its writes neither answer
    nor digest is kept, and a repetition is told only that the first was done. A view that anybody
    may use without being known says `forgets_callers`: the key is not looked at, lest a row tie a
    person to what they wrote there.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, and keep the answer if its write was claimed."""
        answer = self.get_response(request)
        claimed: KeptAnswer | None = getattr(request, "claimed_answer", None)
        if claimed is not None:
            _settle(claimed, answer)
        return answer

    def process_view(
        self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        """Claim a write under its key, or answer in the view's place."""
        sent = request.headers.get("Idempotency-Key")
        if sent is None or not _is_write(request) or _says(view, "forgets_callers"):
            return None
        caller = _caller(request)
        if caller is None:
            return None
        key = _KEY.fullmatch(sent.strip())
        if key is None:
            return plain_problem(
                400, "Please mend the header", "Idempotency-Key takes 1 to 255 ASCII characters."
            )
        try:
            said = "" if _says(view, "answers_once") else _fingerprint(request)
        except RequestDataTooBig:
            return plain_problem(413, "Too large", "Under an Idempotency-Key, send less at once.")
        row, is_new = _claim(caller, key["quoted"] or key["bare"], said)
        if not is_new:
            return _too_fast(request, view, caller[0]) or _repeated(row, said)
        request.claimed_answer = row  # type: ignore[attr-defined]
        return None


def forget_kept_answers() -> int:
    """Delete answers that are older than they are kept; return how many."""
    return KeptAnswer.objects.filter(begun_at__lt=timezone.now() - KEPT).delete()[0]


def _caller(request: HttpRequest) -> tuple[Person, str] | None:
    """Return who writes and the name their keys are kept under; None for strangers and workers."""
    try:
        found = ApiKeyAuthentication().authenticate(request)  # type: ignore[arg-type]
    except AuthenticationFailed:
        # The view says so, or knows the token of a worker.
        return None
    if found is not None:
        return found[0], f"key-{found[1].pk}"
    person = request.user
    return (person, f"person-{person.pk}") if isinstance(person, Person) else None


def _is_write(request: HttpRequest) -> bool:
    return request.method not in SAFE_METHODS and is_api(request)


def _says(view: Any, what: str) -> bool:
    return bool(getattr(getattr(view, "cls", None), what, False))


def _fingerprint(request: HttpRequest) -> str:
    """Return a digest of all that is asked; under our secret, lest short bodies be guessed.

    JSON is taken at the size that the API takes it; a form that is read here is held in memory
    whole, so less of it is.

    Raises:
        RequestDataTooBig: the body is larger.
    """
    if request.content_type == JSON and not hasattr(request, "_body"):
        body = request.read(BODY_LIMIT_BYTES + 1)
        if len(body) > BODY_LIMIT_BYTES:
            raise RequestDataTooBig
        # Where Django itself keeps it, for the view to read.
        request._body = body
    head = f"{request.method} {request.get_full_path()}\n{request.content_type}\n".encode()
    return salted_hmac("oversight.idempotency", head + request.body, algorithm="sha256").hexdigest()


def _too_fast(request: HttpRequest, view: Any, person: Person) -> HttpResponse | None:
    """Count a repetition as the view would have; answer in its place where that is too many."""
    asked = Request(request)
    asked.user = person
    throttle = ReadsAndWrites()
    if throttle.allow_request(asked, view):
        return None
    answer = plain_problem(429, "Too many requests", "Send repetitions more slowly, too.")
    answer["Retry-After"] = str(ceil(throttle.wait() or 1))
    return answer


def _claim(caller: tuple[Person, str], key: str, said: str) -> tuple[KeptAnswer, bool]:
    """Return the row of a key and whether it is ours; committed at once, for others to see."""
    person, name = caller
    KeptAnswer.objects.filter(caller=name, key=key, begun_at__lt=timezone.now() - KEPT).delete()
    return KeptAnswer.objects.get_or_create(
        caller=name, key=key, defaults={"person": person, "fingerprint": said}
    )


def _repeated(row: KeptAnswer, said: str) -> HttpResponse:
    """Return the answer to a key that was sent before."""
    if row.fingerprint != said:
        words = "This Idempotency-Key was sent with another request. Send each under its own."
        return plain_problem(422, "Another request has this key", words)
    if row.content is not None:
        answer = HttpResponse(bytes(row.content), status=row.status, content_type=row.content_type)
        if row.location:
            answer["Location"] = row.location
        answer["Idempotent-Replayed"] = "true"
        return answer
    when = f"{row.begun_at:%Y-%m-%dT%H:%M:%SZ}"
    if row.status is not None:
        words = f"This was done at {when} (status {row.status}); its answer is not kept."
        return plain_problem(409, "Done before", words)
    if row.begun_at > timezone.now() - IN_FLIGHT:
        words = "The first request with this key is not answered yet. Come back in a second."
        answer = plain_problem(409, "Being done", words)
        answer["Retry-After"] = "1"
        return answer
    words = (
        f"The request of {when} with this key was cut off: it may have taken effect or not. "
        "Look at what it was about, then send it under a new key if it is still to be done."
    )
    return plain_problem(409, "Cut off", words)


def _settle(row: KeptAnswer, answer: HttpResponse) -> None:
    """Keep an answer; free the key where nothing was done; leave open what nobody knows."""
    mine = KeptAnswer.objects.filter(pk=row.pk)
    if answer.status_code >= 500:
        return
    if answer.status_code >= 400:
        mine.delete()
        return
    is_kept = bool(row.fingerprint) and not answer.streaming
    content = answer.content if is_kept else b""
    mine.update(
        status=answer.status_code,
        content=content if is_kept and len(content) <= LARGEST_ANSWER else None,
        content_type=answer.get("Content-Type", ""),
        location=answer.get("Location", "") if is_kept else "",
    )
