"""One request to a stranger's address: bounded in time and size, and never into our own network.

The name is resolved once, every answer of the resolver is looked at, and the connection goes to the
very address that was looked at: a name that changes in between (DNS rebinding) gains nothing. The
certificate is checked against the name. Redirects are not followed, no proxy is asked, and of the
answer only the status and a short beginning are read.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext

from evals.worker.endpoint.public import is_public
from oversight.webhooks.choices import Ending

ANSWER_SECONDS = 8.0
"""For all of it: resolving, connecting, sending, and the answer."""

ANSWER_BYTES = 2048
"""More of an answer is not read: a challenge is shorter."""

MOST_RESOLVING = 16
"""Names that are looked up at once, those included whose senders have given up."""

_PORTS = {"http": 80, "https": 443}
_RESOLVING = threading.BoundedSemaphore(MOST_RESOLVING)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    ending: Ending
    status: int | None = None
    text: str = ""


class AddressError(ValueError):
    """An address that nothing is sent to; the message says what to mend."""


def parts_of(url: str, allowed: Collection[str]) -> SplitResult:
    """Return the parts of an address that may be subscribed.

    Args:
        url: what was given.
        allowed: `host` or `host:port` that the operator allows whatever its address, also by http.

    Raises:
        AddressError: it is no address of the form https://host/path, or plainly not public.
    """
    form = gettext("Use the form https://host/path, without a name, a password or a # in it.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", port_of(parts)
    except ValueError:
        raise AddressError(form) from None
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressError(form)
    if parts.username is not None or parts.fragment or parts.scheme not in _PORTS or not port:
        raise AddressError(form)
    if is_allowed(host, port, allowed):
        return parts
    if parts.scheme != "https":
        raise AddressError(gettext("Use https: what is sent must reach nobody else."))
    if host == "localhost" or not _may_be_public(host):
        raise AddressError(gettext("Use an address of the public network."))
    return parts


def port_of(parts: SplitResult) -> int:
    """Return the port of an address, by its scheme where it names none; 0 where neither does."""
    return _PORTS.get(parts.scheme, 0) if parts.port is None else parts.port


def is_allowed(host: str, port: int, allowed: Collection[str]) -> bool:
    """Say whether the operator allows this host whatever its address."""
    name = (f"[{host}]" if ":" in host else host).lower()
    return not {name, f"{name}:{port}"}.isdisjoint(allowed)


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: Collection[str]) -> Answer:
    """Send the body and return how that ended; never raises for what the other side does."""
    try:
        parts = parts_of(url, allowed)
    except AddressError:
        return Answer(Ending.PRIVATE)
    deadline = _Deadline(ANSWER_SECONDS)
    try:
        return _posted(parts, body, headers, allowed, deadline)
    except _NotPublic:
        return Answer(Ending.PRIVATE)
    except (socket.gaierror, UnicodeError):
        return Answer(Ending.NAME)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(_ending_of(error, is_late=deadline.has_passed))
    finally:
        deadline.close()


class _NotPublic(Exception):  # noqa: N818 - says what is wrong
    """The name leads to an address that is not of the public network."""


class _Deadline:
    """Ends a connection when its time is over, however slowly bytes trickle in."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    @property
    def has_passed(self) -> bool:
        return self.left <= 0

    @property
    def left(self) -> float:
        """Return the seconds that are left."""
        return self._until - time.monotonic()

    def watch(self, connected: socket.socket) -> None:
        """Take the connection to end."""
        self._socket = connected

    def close(self) -> None:
        """Stop watching, and close the connection."""
        self._timer.cancel()
        if self._socket is not None:
            self._socket.close()

    def _end(self) -> None:
        # Wakes whoever reads; closing is theirs, lest the number serve another connection by then.
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _Pinned(http.client.HTTPConnection):
    """A connection that was already made; `http.client` only speaks over it and makes no other."""

    auto_open = 0

    def __init__(self, parts: SplitResult, connected: socket.socket) -> None:
        super().__init__(parts.hostname or "", port_of(parts))
        self.default_port = _PORTS[parts.scheme]
        self.sock = connected


def _posted(
    parts: SplitResult,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Collection[str],
    deadline: _Deadline,
) -> Answer:
    connected = _connected(parts, allowed, deadline)
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    pinned = _Pinned(parts, connected)
    pinned.request("POST", target, body, dict(headers))
    answer = pinned.getresponse()
    text = answer.read(ANSWER_BYTES).decode("utf-8", errors="replace")
    return Answer(_ending(answer.status), answer.status, text)


def _connected(parts: SplitResult, allowed: Collection[str], deadline: _Deadline) -> socket.socket:
    """Resolve, look at every address, and connect to the first of them."""
    host, port = parts.hostname or "", port_of(parts)
    addresses = _resolved(host, port, deadline)
    if not is_allowed(host, port, allowed) and not all(map(is_public, addresses)):
        raise _NotPublic
    plain = socket.create_connection((addresses[0], port), timeout=max(0.1, deadline.left))
    deadline.watch(plain)
    if parts.scheme == "http":
        return plain
    secure = _tls().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    deadline.watch(secure)
    secure.do_handshake()
    return secure


def _resolved(host: str, port: int, deadline: _Deadline) -> list[str]:
    """Return the addresses of a name.

    The system's resolver takes no deadline. So a thread of its own waits for it, which is left
    behind when the time is over; no more than `MOST_RESOLVING` are under way.

    Raises:
        TimeoutError: the resolver, or those before it, took too long.
    """
    slots = _RESOLVING
    if not slots.acquire(timeout=max(0.0, deadline.left)):
        raise TimeoutError
    found: Future[list[str]] = Future()

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.set_result([str(entry[4][0]) for entry in entries])
        except (OSError, UnicodeError) as error:
            found.set_exception(error)
        finally:
            slots.release()

    threading.Thread(target=ask, name="webhook-resolver", daemon=True).start()
    return found.result(timeout=max(0.1, deadline.left))


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _ending(status: int) -> Ending:
    if 200 <= status < 300:
        return Ending.TAKEN
    if 300 <= status < 400:
        return Ending.REDIRECT
    return Ending.GONE if status == 410 else Ending.STATUS


def _ending_of(error: Exception, *, is_late: bool) -> Ending:
    if is_late or isinstance(error, TimeoutError):
        return Ending.TIME
    return Ending.TLS if isinstance(error, ssl.SSLError) else Ending.CONNECTION


def _may_be_public(host: str) -> bool:
    """Say whether a host could be public: a name may be, of an address it is known."""
    try:
        return is_public(host)
    except ValueError:
        return True
