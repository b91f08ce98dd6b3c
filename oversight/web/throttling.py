"""How many requests a minute one caller may send to the network API."""

from typing import Any

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
        return allowed

    def get_cache_key(self, request: Request, view: Any) -> str:  # noqa: ARG002
        """Return whose requests are counted together."""
        person = request.user
        who = f"person-{person.pk}" if person and person.pk else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": who}


def caller_address(request: Any) -> str:
    """Return the network address a request comes from, as far as our own proxy vouches for it."""
    address: str = BaseThrottle().get_ident(request)
    return address
