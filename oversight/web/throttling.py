"""How many requests a minute one caller may send to the network API."""

from collections.abc import Callable
from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle


class ReadsAndWrites(SimpleRateThrottle):
    """Counts reads and writes apart, by person where somebody signed in, else by address.

    Beyond the rate a request is answered with 429 and `Retry-After`. The counts live in Django's
    cache: with several web servers, one that they share.
    """

    def __init__(self) -> None:
        """Leave the rate open: only the request says which one holds."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request and say whether it may be answered."""
        self.scope = "read" if request.method in SAFE_METHODS else "write"
        self.rate = str(api_settings.DEFAULT_THROTTLE_RATES[self.scope])
        self.num_requests, self.duration = self.parse_rate(self.rate)
        allowed: bool = super().allow_request(request, view)
        request._request.rate_headers = self.headers()  # type: ignore[attr-defined]
        return allowed

    def headers(self) -> dict[str, str]:
        """Return the limit and what is left of it, as draft-ietf-httpapi-ratelimit-headers has it.

        `t` is the time until the oldest request counted is forgotten and one more may be sent.
        """
        left = max((self.num_requests or 0) - len(self.history), 0)
        until = ceil((self.duration or 0) - (self.now - self.history[-1])) if self.history else 0
        return {
            "RateLimit-Policy": f'"{self.scope}";q={self.num_requests};w={self.duration}',
            "RateLimit": f'"{self.scope}";r={left};t={max(until, 0)}',
        }

    def get_cache_key(self, request: Request, view: Any) -> str:  # noqa: ARG002
        """Return whose requests are counted together."""
        person = request.user
        who = f"person-{person.pk}" if person and person.pk else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": who}


class RateHeadersMiddleware:
    """Adds to an answer of the network API how many requests its caller may still send."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; one that was not counted gets no headers."""
        answer = self.get_response(request)
        for name, value in getattr(request, "rate_headers", {}).items():
            answer[name] = value
        return answer


def caller_address(request: Any) -> str:
    """Return the network address a request comes from, as far as our own proxy vouches for it."""
    address: str = BaseThrottle().get_ident(request)
    return address
