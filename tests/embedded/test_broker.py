import time
from urllib.parse import urlsplit

import psycopg
import pytest
from kombu import Connection, Exchange, Queue

from oversight.celery import transport_options
from oversight.embedded import broker, transport
from oversight.embedded.postgres import EmbeddedPostgres

transport.register()


def queue(name: str) -> Queue:
    return Queue(name, Exchange(name, type="direct"), routing_key=name)


def connect(url: str) -> Connection:
    return Connection(url, transport_options=transport_options(url))


def publish(url: str, name: str, body: object) -> None:
    with connect(url) as connection, connection.Producer(serializer="json") as producer:
        where = queue(name)
        producer.publish(body, exchange=where.exchange, routing_key=name, declare=[where])


def receive(url: str, name: str, count: int) -> list[object]:
    received: list[object] = []

    def take(body: object, message: object) -> None:
        received.append(body)
        message.ack()  # type: ignore[attr-defined]

    with connect(url) as connection, connection.Consumer([queue(name)], callbacks=[take]):
        while len(received) < count:
            connection.drain_events(timeout=5)
    return received


def messages_in(server: EmbeddedPostgres, name: str) -> int:
    url = server.info().broker_url.replace("pgmq://", "postgresql://")
    with psycopg.connect(url) as connection:
        row = connection.execute(f"SELECT count(*) FROM pgmq.q_{name}").fetchone()
        assert row is not None
        return int(row[0])


def test_a_worker_takes_what_the_server_publishes(server: EmbeddedPostgres) -> None:
    info = server.start()
    for number in range(3):
        publish(info.broker_url, "evals_cpu", {"nudge": number})
    taken = receive(info.worker_broker_url, "evals_cpu", 3)
    assert taken == [{"nudge": number} for number in range(3)]
    assert messages_in(server, "evals_cpu") == 0


def test_a_worker_can_publish_nowhere(server: EmbeddedPostgres) -> None:
    info = server.start()
    for name in ("evals_cpu", "oversight"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            publish(info.worker_broker_url, name, {"forged": True})
        assert messages_in(server, name) == 0


def test_a_worker_sees_no_message_to_the_server(server: EmbeddedPostgres) -> None:
    info = server.start()
    publish(info.broker_url, "oversight", {"secret": True})
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        receive(info.worker_broker_url, "oversight", 1)
    assert receive(info.broker_url, "oversight", 1) == [{"secret": True}]


def test_a_worker_cannot_connect_to_the_record(server: EmbeddedPostgres) -> None:
    info = server.start()
    worker = urlsplit(info.worker_broker_url)
    for database in ("oversight", "postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(
                host=info.host,
                port=info.port,
                user=worker.username,
                password=worker.password,
                dbname=database,
            )


def test_an_older_queue_schema_of_ours_is_replaced(server: EmbeddedPostgres) -> None:
    info = server.start()
    url = info.broker_url.replace("pgmq://", "postgresql://")
    publish(info.broker_url, "evals_cpu", {"lost": True})
    with psycopg.connect(url) as connection:
        connection.execute("COMMENT ON SCHEMA pgmq IS 'PGMQ installed by oversight, version 0.0.1'")
    broker.install(info.broker_url, worker_role="oversight_worker")
    assert messages_in(server, "evals_cpu") == 0
    publish(info.broker_url, "evals_cpu", {"after": True})
    assert receive(info.worker_broker_url, "evals_cpu", 1) == [{"after": True}]


def test_a_queue_schema_of_somebody_else_is_left_alone(server: EmbeddedPostgres) -> None:
    info = server.start()
    url = info.broker_url.replace("pgmq://", "postgresql://")
    publish(info.broker_url, "evals_gpu", {"kept": True})
    with psycopg.connect(url) as connection:
        comment = connection.execute("SELECT obj_description('pgmq'::regnamespace)").fetchone()
        connection.execute("COMMENT ON SCHEMA pgmq IS NULL")
    broker.install(info.broker_url)
    assert receive(info.broker_url, "evals_gpu", 1) == [{"kept": True}]
    with psycopg.connect(url) as connection:
        assert comment is not None
        connection.execute(f"COMMENT ON SCHEMA pgmq IS '{comment[0]}'")


def test_publishing_to_a_broker_that_is_down_fails_at_once(server: EmbeddedPostgres) -> None:
    from kombu.exceptions import OperationalError

    from oversight.celery import app

    address = server.start().broker_url
    server.stop()
    with app.connection_for_write(address) as connection:
        connection.transport_options = transport_options(address)
        begun = time.monotonic()
        for _ in range(5):
            with pytest.raises(OperationalError):
                app.send_task("nobody.listens", connection=connection, retry=False)
        assert time.monotonic() - begun < 1.0


def test_a_database_url_in_the_environment_does_not_redirect_the_broker(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:x@127.0.0.1:1/nothing")
    info = server.start()
    publish(info.broker_url, "evals_cpu", {"here": True})
    assert receive(info.worker_broker_url, "evals_cpu", 1) == [{"here": True}]
