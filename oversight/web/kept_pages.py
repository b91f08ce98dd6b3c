"""Public pages before Django: what a visitor without a cookie was just shown is sent again.

A page is kept for two seconds in the memory of the process. When it is older, whoever asks next
draws it anew while the others still get the kept one; after five seconds nobody does. So a page
that thousands look at is drawn once in two seconds, and nobody reads what is older than five. Who
is signed in, or carries any cookie, is always answered by Django.

Nothing is kept that Django calls private, that sets a cookie, or that varies by more than what the
key holds; a crash leaves nothing behind, because nothing is written.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from oversight.web.hosts import is_ours

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

FRESH_SECONDS = 2.0
"""How long nobody draws a page anew."""
USABLE_SECONDS = 5.0
"""How long the others get the kept page while somebody draws it anew."""
MOST_BYTES = 16_000_000
"""Of all kept pages of a process together; the one not asked for longest goes first."""
MOST_PAGE_BYTES = 1_000_000
MOST_QUERY = 200

Environ = dict[str, Any]
Header = tuple[str, str]
Key = tuple[str, str, str, bool]

# What the key holds, or what no kept request sends.
_VARIES_BY = frozenset({"cookie", "accept-encoding", "hx-request", "hx-history-restore-request"})
# With one of these Django may answer another thing than the plain page.
_SPECIAL = ("HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_RANGE", "HTTP_HX_REQUEST")


@dataclass(slots=True)
class Page:
    """One answer as it left Django."""

    headers: list[Header]
    body: bytes
    drawn_at: float
    etag: str
    drawing_since: float = 0.0
    """When somebody last began to draw it anew."""


@dataclass
class Pages:
    """The kept pages of this process, the longest unused first."""

    pages: OrderedDict[Key, Page] = field(default_factory=OrderedDict)
    size: int = 0
    lock: Lock = field(default_factory=Lock)

    def usable(self, key: Key) -> Page | None:
        """Return the page that may be sent now; None tells the caller to draw it."""
        now = time.monotonic()
        with self.lock:
            page = self.pages.get(key)
            if page is None or now - page.drawn_at > USABLE_SECONDS:
                return None
            self.pages.move_to_end(key)
            is_late = now - page.drawn_at > FRESH_SECONDS
            if is_late and now - page.drawing_since > USABLE_SECONDS:
                page.drawing_since = now
                return None
            return page

    def keep(self, key: Key, page: Page) -> None:
        """Keep a page, and let go of others until all have room."""
        with self.lock:
            self.forget(key)
            self.pages[key] = page
            self.size += len(page.body)
            while self.size > MOST_BYTES:
                self.forget(next(iter(self.pages)))

    def forget(self, key: Key) -> None:
        """Let go of one page; the caller holds the lock."""
        if old := self.pages.pop(key, None):
            self.size -= len(old.body)

    def clear(self) -> None:
        """Let go of all."""
        with self.lock:
            self.pages.clear()
            self.size = 0


kept = Pages()


def with_kept_pages(application: "WSGIApplication") -> "WSGIApplication":
    """Return the application with the kept pages before it."""

    def answer(environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        key = _key(environ)
        if key is None:
            return application(environ, start_response)
        if page := kept.usable(key):
            return _send(page, environ, start_response)
        if environ["REQUEST_METHOD"] == "HEAD":
            return application(environ, start_response)
        return _drawn(application, key, environ, start_response)

    return answer


def _key(environ: Environ) -> Key | None:
    """Return what tells one kept page from another; None where Django has to look itself."""
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or any(map(environ.get, _SPECIAL)):
        return None
    query = environ.get("QUERY_STRING", "")
    if len(query) > MOST_QUERY or not is_ours(environ):
        return None
    is_packed = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
    return environ["HTTP_HOST"], environ["PATH_INFO"], query, is_packed


def _drawn(
    application: "WSGIApplication", key: Key, environ: Environ, start_response: "StartResponse"
) -> Iterable[bytes]:
    """Let Django answer, and keep it where it may be."""
    status, headers = "", [("", "")]

    def hear(said: str, with_headers: list[Header], _error: Any = None) -> Any:
        nonlocal status, headers
        status, headers = said, with_headers

    body = application(environ, hear)
    named = {name.lower(): value for name, value in headers}
    if not _may_be_kept(status, headers, named):
        start_response(status, headers)
        return body
    content = b"".join(body)
    if close := getattr(body, "close", None):
        close()
    page = Page(headers, content, time.monotonic(), named.get("etag", ""))
    if len(content) <= MOST_PAGE_BYTES:
        kept.keep(key, page)
    return _send(page, environ, start_response)


def _may_be_kept(status: str, headers: list[Header], named: dict[str, str]) -> bool:
    """Say whether an answer is a public page that is the same for everyone."""
    if not status.startswith("200 ") or not named.get("content-type", "").startswith("text/html"):
        return False
    control = named.get("cache-control", "").lower()
    if "set-cookie" in named or "private" in control or "no-store" in control:
        return False
    varies = {
        each.strip().lower()
        for name, value in headers
        if name.lower() == "vary"
        for each in value.split(",")
    }
    return varies <= _VARIES_BY


def _send(page: Page, environ: Environ, start_response: "StartResponse") -> list[bytes]:
    if page.etag and environ.get("HTTP_IF_NONE_MATCH") == page.etag:
        left_out = {"content-length", "content-type", "content-encoding"}
        lines = [each for each in page.headers if each[0].lower() not in left_out]
        start_response("304 Not Modified", lines)
        return []
    start_response("200 OK", page.headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [page.body]
