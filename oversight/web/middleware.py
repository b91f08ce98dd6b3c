"""Turns a refusal raised anywhere under a page into that page's answer."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from oversight.web.refusals import Refusal

Handler = Callable[[HttpRequest], HttpResponse]


class RefusalMiddleware:
    """Answers a `Refusal` with its status: the full page, or its notice for an htmx request."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; only exceptions concern us."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the refusal's page, or None to let Django handle any other exception."""
        if not isinstance(error, Refusal):
            return None
        return render(request, "refusal.html", {"refusal": error}, status=error.status)
