"""Says of each answer how long and by whom it may be kept, and answers 304 where nothing changed.

A view that knows better says so itself and is left alone. What a visitor without any cookie is sent
by a public view is public; everything else is its reader's.
"""

import re
from collections.abc import Callable
from hashlib import blake2b

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers

from oversight.web.problems import API_PREFIX

Handler = Callable[[HttpRequest], HttpResponse]

PAGE = "public, max-age=0, s-maxage=5, must-revalidate"
"""A browser always asks again, and mostly hears 304; a cache before the site may answer a rush."""
DATA = "public, max-age=60"
ANSWER = "public, no-cache"
"""Of the API: kept, but asked for anew each time. Programs act on what they read."""
OWN = "private, no-cache"

_SINCE = re.compile(rb"(<time [^>]{0,200} data-ago>)[^<]{0,60}")
"""How long ago something was: a script in the page keeps it, so it is no change of the page."""


class FreshnessMiddleware:
    """Stands outside the session and the forms' token, whose cookies make an answer one's own."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; complete the answer to a GET, or shorten it to 304."""
        answer = self.get_response(request)
        if request.method not in {"GET", "HEAD"} or answer.status_code != 200:
            return answer
        if request.path.startswith(API_PREFIX):
            patch_vary_headers(answer, ["Authorization"])
        if not answer.has_header("Cache-Control"):
            answer["Cache-Control"] = _kept(request, answer)
        if not answer["Cache-Control"].startswith("public") or answer.streaming:
            return answer
        if not answer.has_header("ETag"):
            answer["ETag"] = _etag(answer)
        return get_conditional_response(request, etag=answer["ETag"], response=answer) or answer


def _kept(request: HttpRequest, answer: HttpResponse) -> str:
    """Return how an answer may be kept whose view says nothing of that."""
    if not _is_for_all(request) or answer.cookies:
        return OWN
    if request.path.startswith(API_PREFIX):
        return ANSWER
    return PAGE if answer.get("Content-Type", "").startswith("text/html") else DATA


def _is_for_all(request: HttpRequest) -> bool:
    """Say whether anybody who asks this is sent the same."""
    match = request.resolver_match
    # The admin's and others' views are not marked public, and a reader with a cookie may be known.
    is_public = match is not None and not getattr(match.func, "login_required", True)
    own = (settings.SESSION_COOKIE_NAME, "messages")
    return (
        is_public
        and "Authorization" not in request.headers
        and not any(name in request.COOKIES for name in own)
    )


def _etag(answer: HttpResponse) -> str:
    """Return a tag of the content; weak for a page, which says how long ago things were."""
    content = answer.content
    if answer.get("Content-Type", "").startswith("text/html"):
        content = _SINCE.sub(rb"\1", content)
        return f'W/"{blake2b(content, digest_size=16).hexdigest()}"'
    return f'"{blake2b(content, digest_size=16).hexdigest()}"'
