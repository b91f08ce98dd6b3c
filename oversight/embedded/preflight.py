"""What is looked at before anything is started, so that a refusal leaves nothing behind."""

import socket
from pathlib import Path

from oversight.embedded.addresses import is_free
from oversight.embedded.broker import password_free

OLDEST_POSTGRES = 150000


class PreflightError(RuntimeError):
    """The system cannot be started like this; the message names what and how to mend it."""


def take_port(host: str, port: int) -> socket.socket:
    """Take a port for the web server about to start; keep the socket for as long as it runs.

    Looking first and listening later is not enough: two systems that start together would both
    find the port free, and both listen, as the web server shares its port between its own
    processes; each would then answer half of the requests. So the port is bound here, alone, and
    only then opened to be shared.

    Raises:
        PreflightError: naming the port, the program if it can be seen, and how to take another.
    """
    place = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((host, port))
        # Past connections may linger, but from here on nobody else may bind but to share.
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except socket.gaierror as error:
        place.close()
        raise PreflightError(
            f"LISTEN_HOST={host}: there is no such address here ({error})."
        ) from error
    except OSError as error:
        place.close()
        other = next((p for p in range(port + 1, port + 50) if is_free(p, host)), port + 1)
        raise PreflightError(
            f"Port {port} on {host} is taken{_by_whom(port)}. Stop that program, or choose another"
            f" port: PORT={other} make up"
        ) from error
    return place


def check_database(url: str) -> None:
    """Refuse a DATABASE_URL that does not answer or is too old.

    Raises:
        PreflightError: with the address, without its password.
    """
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise PreflightError(
            f"DATABASE_URL={password_free(url)} does not answer: {reason}. Start that server or"
            " correct the address; without DATABASE_URL the embedded PostgreSQL is used."
        ) from error
    if version < OLDEST_POSTGRES:
        raise PreflightError(
            f"DATABASE_URL={password_free(url)} is PostgreSQL {version // 10000}; 15 is the oldest"
            " that works."
        )


def check_broker(url: str) -> None:
    """Refuse a BROKER_URL that does not answer; a queue in PostgreSQL gets its schema here.

    Raises:
        PreflightError: with the address, without its password.
    """
    if not url:
        raise PreflightError(
            "DATABASE_URL is set and BROKER_URL is not. Set it too: amqps://… for RabbitMQ, or pgmq://…"
            " for a queue in a PostgreSQL, which may be the same one."
        )
    import psycopg
    from kombu import Connection
    from kombu.exceptions import OperationalError

    from oversight.embedded import broker

    try:
        if url.startswith("pgmq://"):
            broker.install(url)
        else:
            with Connection(url, connect_timeout=5) as connection:
                connection.ensure_connection(max_retries=1, timeout=5)
    except (psycopg.Error, OperationalError, OSError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise PreflightError(
            f"BROKER_URL={password_free(url)} does not answer: {reason}. Start that broker or"
            " correct the address; without BROKER_URL the queue is kept in PostgreSQL."
        ) from error


def check_folder(var: Path) -> None:
    """Refuse a `var` folder that we may not write to.

    Raises:
        PreflightError: naming the folder.
    """
    try:
        (var / "run").mkdir(parents=True, exist_ok=True)
        probe = var / "run" / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise PreflightError(
            f"{var} cannot be written to ({error.strerror}). Run as the user who owns it, or choose"
            " another folder with OVERSIGHT_VAR."
        ) from error


def _by_whom(port: int) -> str:
    """Return ` by NAME (process PID)` when the system lets us see it."""
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            if listens and connection.pid:
                name = psutil.Process(connection.pid).name()
                return f" by {name} (process {connection.pid})"
    except psutil.Error:
        pass
    return ""
