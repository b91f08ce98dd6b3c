"""How an address of the network API says that it will go: in its answers and in the document."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date

LEAST_NOTICE = timedelta(days=365)


@dataclass(frozen=True)
class Deprecation:
    """Since when an address is not to be used in new programs, and the day on which it goes.

    A view says `deprecation = Deprecation(since=…, gone=…, instead="/api/v1/…")`.
    """

    since: date
    gone: date
    instead: str

    def __post_init__(self) -> None:
        """Refuse a shorter notice than the one that is promised to everybody."""
        if self.gone - self.since < LEAST_NOTICE:
            raise ValueError(f"An address goes {LEAST_NOTICE.days} days after notice or later.")

    def headers(self) -> dict[str, str]:
        """Return `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a link to what to use."""
        return {
            "Deprecation": f"@{_midnight(self.since)}",
            "Sunset": http_date(_midnight(self.gone)),
            "Link": f'<{self.instead}>; rel="successor-version"',
        }


class DeprecationMiddleware:
    """Adds the headers to every answer of a view that is deprecated, refusals included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on and add what is to be said of its address."""
        answer = self.get_response(request)
        found: Deprecation | None = getattr(request, "deprecation", None)
        for name, value in found.headers().items() if found else ():
            answer[name] = f"{answer[name]}, {value}" if name in answer else value
        return answer

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> None:
        """Remember what the view says of itself."""
        request.deprecation = getattr(  # type: ignore[attr-defined]
            getattr(view, "cls", None), "deprecation", None
        )


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
