"""Turns a refusal raised under a page into that page's answer, and stops impossible addresses."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.shortcuts import render
from django.urls import is_valid_path
from django.utils.translation import gettext, gettext_noop

from oversight.web.languages import without_language
from oversight.web.problems import is_api, plain_problem
from oversight.web.refusals import Refusal

Handler = Callable[[HttpRequest], HttpResponse]


class RefusalMiddleware:
    """Answers a `Refusal` with its status: the full page, or its notice for an htmx request."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; say on a page what a browser would show as nothing (405).

        Who signs in on the way to sending a form is led to the form's address, which shows none.
        """
        answer = self.get_response(request)
        if answer.status_code != HTTPStatus.METHOD_NOT_ALLOWED or not request.accepts("text/html"):
            return answer
        if is_api(request):
            return answer
        page = render(request, "405.html", status=answer.status_code)
        page["Allow"] = answer["Allow"]
        return page

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the refusal's page, or None to let Django handle any other exception."""
        if not isinstance(error, Refusal):
            return None
        context = {"refusal": error, "above": _page_above(request.path_info)}
        return render(request, "refusal.html", context, status=error.status)


def _page_above(path: str) -> str:
    """Return the nearest page that an address stands below, such as a form's proposal; or none."""
    parts = path.strip("/").split("/")
    while len(parts) > 1:
        parts.pop()
        above = f"/{'/'.join(parts)}/"
        if is_valid_path(above) and without_language(above) != "/":
            return above
    return ""


class _SameMethod(HttpResponsePermanentRedirect):
    """308: what was posted is posted again; a 301 makes clients ask with GET instead."""

    status_code = 308


class AddressMiddleware(CommonMiddleware):
    """Sends who left out the final slash to the address with it, by the same method."""

    response_redirect_class = _SameMethod


class PlainAddressMiddleware:
    """Refuses a NUL in the address: no name holds one, and PostgreSQL fails on the question."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on unless a NUL stands in its path (404) or its query (400)."""
        if "\0" in request.path_info:
            raise Http404("A NUL is part of no address.")
        if "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("A NUL is part of no value.")
        return self.get_response(request)


class BodyLimitMiddleware:
    """Refuses what is too large before a byte of it is read, where strangers may send files."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 413, or pass the request on.

        A body without a stated length is never read: the server gives it to nobody.
        """
        path = without_language(request.path)
        limit = next(
            (most for start, most in settings.BODY_LIMITS.items() if path.startswith(start)),
            None,
        )
        length = request.META.get("CONTENT_LENGTH") or "0"
        if limit is None or not length.isdigit() or int(length) <= limit:
            return self.get_response(request)
        words = gettext("This address takes at most %(limit)s MB at once.") % {
            "limit": limit // 1_000_000
        }
        if is_api(request):
            return plain_problem(413, "Too large", words)
        return render(request, "refusal.html", {"refusal": _TooLarge(words)}, status=413)


class _TooLarge(Refusal):
    """More than an address takes (413)."""

    status = 413
    title = gettext_noop("Too large")
