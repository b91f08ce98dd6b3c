"""Public pages before Django: what a visitor without a cookie was just shown is sent again.

A page is kept in the memory of the process. When it is older than two seconds, everybody who asks
is still sent it at once, while one thread of the process draws it anew; only where it is older than
ten does a visitor wait for Django. So a page that thousands look at is drawn once in two seconds,
none of them waits for that, and nobody reads what is older than ten. Who is signed in, or carries
any cookie, is always answered by Django.

Nothing is kept that Django calls private, that sets a cookie, or that varies by more than what the
key holds; a crash leaves nothing behind, because nothing is written.
"""

import sys
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any

from oversight.web.drawing import background
from oversight.web.hosts import is_ours

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

FRESH_SECONDS = 2.0
"""How long nobody draws a page anew."""
USABLE_SECONDS = 10.0
"""How long it is sent while it is drawn anew; what is older is drawn while its reader waits."""
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
# What a page is drawn anew from; nothing in it says who asked.
_ADDRESS = (
    *("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL"),
    *("HTTP_HOST", "HTTP_X_FORWARDED_PROTO", "wsgi.url_scheme", "wsgi.version"),
    *("wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once"),
)


@dataclass(slots=True)
class Page:
    """One answer as it left Django."""

    headers: list[Header]
    body: bytes
    begun_at: float
    """When Django began to draw it: nothing in it is older than that."""
    etag: str
    asked_at: float = 0.0
    """When it was last asked to be drawn anew."""


@dataclass
class Pages:
    """The kept pages of this process, the longest unused first."""

    pages: OrderedDict[Key, Page] = field(default_factory=OrderedDict)
    size: int = 0
    lock: Lock = field(default_factory=Lock)

    def usable(self, key: Key) -> Page | None:
        """Return the page that may be sent now; None tells the caller to wait for Django."""
        with self.lock:
            page = self.pages.get(key)
            if page is None or time.monotonic() - page.begun_at > USABLE_SECONDS:
                return None
            self.pages.move_to_end(key)
            return page

    def is_due(self, page: Page) -> bool:
        """Say to one caller that a page has to be drawn anew now.

        Where that fails, the next caller is told so after two more seconds.
        """
        now = time.monotonic()
        # Most are told no, and need not wait for each other.
        if now - page.begun_at <= FRESH_SECONDS:
            return False
        with self.lock:
            if now - page.asked_at <= FRESH_SECONDS:
                return False
            page.asked_at = now
            return True

    def keep(self, key: Key, page: Page) -> None:
        """Keep a page unless a newer one is kept, and let go of others until all have room."""
        with self.lock:
            if (old := self.pages.get(key)) and old.begun_at > page.begun_at:
                return
            self.forget(key)
            self.pages[key] = page
            self.size += len(page.body)
            while self.size > MOST_BYTES:
                self.forget(next(iter(self.pages)))

    def drop(self, key: Key) -> None:
        """Let go of one page."""
        with self.lock:
            self.forget(key)

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
            if kept.is_due(page):
                background.do(partial(_draw_anew, application, key, _address(environ, key)))
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


def _address(environ: Environ, key: Key) -> Environ:
    """Return what asks for the same page in nobody's name."""
    asked = {name: environ[name] for name in _ADDRESS if name in environ}
    *_, is_packed = key
    packing = {"HTTP_ACCEPT_ENCODING": "gzip"} if is_packed else {}
    body = {"wsgi.input": BytesIO(), "wsgi.errors": sys.stderr}
    return asked | packing | body | {"REQUEST_METHOD": "GET"}


def _draw_anew(application: "WSGIApplication", key: Key, environ: Environ) -> None:
    """Draw a page for those who come next; where it may not be kept any more, they ask Django."""
    began = time.monotonic()
    status, headers, body = _ask(application, environ)
    try:
        if _may_be_kept(status, headers):
            _keep(key, headers, b"".join(body), began)
        elif not status.startswith("5"):
            # Moved, hidden and gone are answers; a failure may pass, and the page has its time.
            kept.drop(key)
    finally:
        _close(body)


def _drawn(
    application: "WSGIApplication", key: Key, environ: Environ, start_response: "StartResponse"
) -> Iterable[bytes]:
    """Let Django answer, and keep it where it may be."""
    began = time.monotonic()
    status, headers, body = _ask(application, environ)
    if not _may_be_kept(status, headers):
        start_response(status, headers)
        return body
    content = b"".join(body)
    _close(body)
    return _send(_keep(key, headers, content, began), environ, start_response)


def _ask(
    application: "WSGIApplication", environ: Environ
) -> tuple[str, list[Header], Iterable[bytes]]:
    """Return what Django answers: status, headers, and the body, still to be read and closed."""
    status, headers = "", [("", "")]

    def hear(said: str, with_headers: list[Header], _error: Any = None) -> Any:
        nonlocal status, headers
        status, headers = said, with_headers

    body = application(environ, hear)
    return status, headers, body


def _close(body: Iterable[bytes]) -> None:
    """End the request; Django gives its database connection back, or keeps it for the next one."""
    if close := getattr(body, "close", None):
        close()


def _keep(key: Key, headers: list[Header], content: bytes, began: float) -> Page:
    etag = next((value for name, value in headers if name.lower() == "etag"), "")
    page = Page(headers, content, began, etag)
    if len(content) <= MOST_PAGE_BYTES:
        kept.keep(key, page)
    return page


def _may_be_kept(status: str, headers: list[Header]) -> bool:
    """Say whether an answer is a public page that is the same for everyone."""
    named = {name.lower(): value for name, value in headers}
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
