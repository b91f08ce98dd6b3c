"""Where requests to endpoints may go: public addresses, and hosts that the operator allows.

An endpoint's address comes from the platform, and whoever registers one could name the worker's own
network. So the address that is connected to is the very one that was checked: the name is resolved
once a connection, every answer of the resolver is looked at, and a name that changes its address in
between (DNS rebinding) gains nothing. The certificate is still checked against the name.
"""

import socket
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from evals.worker.endpoint.public import is_public
from evals.worker.failures import Code, WorkError

_PORTS = {"http": 80, "https": 443}


class Allowed:
    """What the worker's operator allows beside the public network: `host` or `host:port`."""

    def __init__(self, hosts: Collection[str] = ()) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)

    def has(self, host: str, port: int) -> bool:
        """Say whether a host is allowed whatever its address."""
        name = f"[{host}]" if ":" in host else host
        return not self._hosts.isdisjoint({name.lower(), f"{name.lower()}:{port}"})


class GuardedNetwork(httpcore.NetworkBackend):
    """Connects to addresses that were checked, and to nothing else."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolve, check, and connect to what was checked.

        Raises:
            WorkError: the host is not public, and not allowed.
        """
        addresses = _resolved(host, port)
        if not self._allowed.has(host, port):
            for address in addresses:
                _require_public(host, address)
        return self._real.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    def connect_unix_socket(self, *_arguments: Any, **_options: Any) -> httpcore.NetworkStream:
        """Refuse: a socket on this host is no endpoint."""
        raise WorkError(Code.ENDPOINT_FORBIDDEN, "An endpoint is not a socket of this host.")

    def sleep(self, seconds: float) -> None:
        """Wait, as the connection pool does between its own attempts."""
        self._real.sleep(seconds)


def guarded_client(allowed: Allowed, timeout_seconds: float) -> httpx.Client:
    """Return a client that goes by the guarded network, follows nothing and reads no proxies."""
    transport = httpx.HTTPTransport()
    transport._pool = httpcore.ConnectionPool(
        ssl_context=httpx.create_ssl_context(),
        network_backend=GuardedNetwork(allowed),
        max_connections=64,
    )
    return httpx.Client(
        transport=transport,
        timeout=httpx.Timeout(timeout_seconds, connect=10.0),
        follow_redirects=False,
        trust_env=False,
    )


def check_url(url: str, allowed: Allowed) -> tuple[str, int]:
    """Return host and port of an endpoint's address.

    Raises:
        WorkError: it is no web address, or would send answers and key unencrypted.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    if not host or not port or parts.username is not None or parts.query or parts.fragment:
        reason = f"The endpoint's address {url[:200]!r} is not of the form https://host/path."
        raise WorkError(Code.ENDPOINT_FORBIDDEN, reason)
    if parts.scheme != "https" and not allowed.has(host, port):
        reason = f"{url} is not encrypted: use https, or let the worker's operator allow {host}."
        raise WorkError(Code.ENDPOINT_FORBIDDEN, reason)
    return host, port


def _require_public(host: str, address: str) -> None:
    if not is_public(address):
        raise WorkError(
            Code.ENDPOINT_FORBIDDEN,
            f"{host} has the address {address}, which is not public. If it is meant, the worker's "
            f"operator adds it to OVERSIGHT_WORKER_ALLOW_HOSTS.",
        )


def _resolved(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
    return [str(entry[4][0]) for entry in found]
