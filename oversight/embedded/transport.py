"""kombu's PGMQ transport, made to fail at once when the broker is down.

The original opens a connection pool first and lets every caller wait for it, and a failed attempt
leaves the pool and its threads retrying for five minutes. Here a plain connection is tried first:
a refused one raises within milliseconds and leaves nothing.
"""

from typing import Any

import psycopg
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.pgmq import Transport as PGMQTransport


class Transport(PGMQTransport):
    """The `pgmq://` transport that Celery uses here."""

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
