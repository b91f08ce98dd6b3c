"""kombu's PGMQ transport, made to fail at once when the broker is down.

The original opens a connection pool first and lets every caller wait for it, and a failed attempt
leaves the pool and its threads retrying for five minutes. Here a plain connection is tried first:
a refused one raises within milliseconds and leaves nothing. Nor does a reader that hangs hold up
those who publish.
"""

from typing import Any

import psycopg
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.pgmq import Channel as PGMQChannel
from kombu.transport.pgmq import Transport as PGMQTransport

PUBLISH_SECONDS = 1.0
"""Longest wait for a connection to the broker: a web request may depend on a publication."""


def options(url: str, *, pool_size: int) -> dict[str, object]:
    """Return kombu's options for the broker at `url`."""
    # One attempt to connect: a publication that fails is left to a sweep, never waited for. The
    # consumers' own reconnecting is not bound by this.
    found: dict[str, object] = {"max_retries": 0}
    if not url.startswith("pgmq://"):
        return found
    return found | {
        # Said again in full, because the PGMQ client lets DATABASE_URL override everything else.
        "conn_string": url.replace("pgmq://", "postgresql://", 1),
        # Its schema is installed by SQL, not as an extension.
        "init_extension": False,
        "pool_size": pool_size,
        "pool_timeout": PUBLISH_SECONDS,
        # A message read by a process that died comes back after this many seconds.
        "visibility_timeout": 120,
        "wait_time_seconds": 5,
    }


class Channel(PGMQChannel):
    """Declares only queues that are missing."""

    def _new_queue(self, queue: str, **options: Any) -> None:
        # Creating a queue waits until nobody is reading from it, which a worker that hangs in
        # mid-read does for ever; it does so too for a queue that exists.
        if not self._has_queue(queue):  # type: ignore[no-untyped-call]
            super()._new_queue(queue, **options)  # type: ignore[no-untyped-call]


class Transport(PGMQTransport):
    """The `pgmq://` transport that Celery uses here."""

    Channel = Channel

    def establish_connection(self) -> Any:
        """Return a connection to the broker.

        Raises:
            psycopg.OperationalError: when nothing answers at the address.
        """
        options = (self.client and self.client.transport_options) or {}
        if address := options.get("conn_string"):
            psycopg.connect(address, connect_timeout=options.get("connect_timeout", 2)).close()
        return super().establish_connection()  # type: ignore[no-untyped-call]


def register() -> None:
    """Make `pgmq://` addresses use this transport in the present process."""
    TRANSPORT_ALIASES["pgmq"] = f"{__name__}:Transport"
