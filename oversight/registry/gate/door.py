"""The gate before Django: a kept yes leaves the process without middleware, session or query.

Only what is simple is answered here: GET or HEAD of the gate's address for a host that we are, with
exactly the two parameters, of which a yes is kept. All else goes the usual way, where it is
throttled, checked and described.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from django.conf import settings

from oversight.registry.gate import answers, keys, reading
from oversight.registry.gate.answers import Kept
from oversight.web.hosts import is_ours

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

PATH = "/api/v1/gate/"
Environ = dict[str, Any]

_PLAIN = ("subject=", "deployment=")


def headers(kept: Kept) -> dict[str, str]:
    """Return what every answer of the gate says of itself, by whichever way it leaves."""
    return {
        "Cache-Control": f"public, max-age={kept.max_age}",
        "ETag": kept.etag,
        # What it says is public and proves itself: anybody's page may ask.
        "Access-Control-Allow-Origin": "*",
    }


def with_gate(application: "WSGIApplication") -> "WSGIApplication":
    """Return the application with the gate's quick way before it."""

    def answer(environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == PATH and (kept := _quick(environ)) is not None:
            return _send(kept, environ, start_response)
        return application(environ, start_response)

    return answer


def _quick(environ: Environ) -> Kept | None:
    pair = _asked(environ.get("QUERY_STRING", ""))
    if pair is None or environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or not is_ours(environ):
        return None
    if answers.kept(*pair) is None:
        return None
    reading.tidy()
    try:
        found = answers.ready_answer(*pair)
    except (answers.CannotTell, keys.NoGateKey):
        return None
    return found if found.allowed else None


def _asked(query: str) -> tuple[str, str] | None:
    """Return digest and deployment of a query of exactly these two, in this or the other order."""
    parts = query.split("&")
    if len(parts) != 2:
        return None
    if parts[0].startswith(_PLAIN[1]):
        parts.reverse()
    if not (parts[0].startswith(_PLAIN[0]) and parts[1].startswith(_PLAIN[1])):
        return None
    return unquote(parts[0][8:]), unquote(parts[1][11:])


def _send(kept: Kept, environ: Environ, start_response: "StartResponse") -> list[bytes]:
    lines = [*headers(kept).items(), ("X-Content-Type-Options", "nosniff")]
    if settings.SECURE_HSTS_SECONDS:
        lines.append(("Strict-Transport-Security", _hsts()))
    if environ.get("HTTP_IF_NONE_MATCH") == kept.etag:
        start_response("304 Not Modified", lines)
        return []
    lines += [("Content-Type", "application/json"), ("Content-Length", str(len(kept.body)))]
    start_response("200 OK", lines)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [kept.body]


def _hsts() -> str:
    return f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
