"""Faults of the broker change nothing but latency: the same tests on PGMQ and on RabbitMQ.

The worker here is a plain consumer that does what the real one does with a message: it looks for
work until there is none. The real one on PGMQ is in `tests/evals/worker/test_nudges.py`.
"""

import contextlib
import socket
import time
from functools import partial

import psycopg
import pytest
from kombu import Connection, Exchange, Queue

from evals import tasks
from evals.models import Run, TaskRun
from evals.nudges import WORK_TASK, nudge_workers
from oversight.celery import app, transport_options
from oversight.embedded import broker as pgmq
from oversight.embedded import transport
from oversight.embedded.postgres import EmbeddedPostgres
from oversight.ledger.models import PendingLeaf
from tests.evals.rabbitmq import RabbitMQ, missing
from tests.factories import make_machine, make_question_suite, make_run

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]
transport.register()


class OnPostgres:
    """The queue in a PostgreSQL of its own."""

    def __init__(self, folder):
        self._server = EmbeddedPostgres(folder)

    def start(self):
        info = self._server.start()
        self.url = info.broker_url

    def kill(self):
        self._server.stop()

    def come_back_empty(self):
        self.start()
        with psycopg.connect(self.url.replace("pgmq://", "postgresql://")) as connection:
            connection.execute("DROP SCHEMA pgmq CASCADE")
        pgmq.install(self.url)


class OnRabbitMQ:
    """A RabbitMQ of its own."""

    def __init__(self, folder):
        self._server = RabbitMQ(folder)
        self.url = self._server.url

    def start(self):
        self._server.start()

    def kill(self):
        self._server.kill()

    def come_back_empty(self):
        self._server.forget()
        self.start()


@pytest.fixture(scope="module", params=[OnPostgres, OnRabbitMQ], ids=["pgmq", "rabbitmq"])
def broker(request, tmp_path_factory):
    """Yield a broker that may be mistreated and is running at the start of each module."""
    if request.param is OnRabbitMQ and (reason := missing()):
        pytest.skip(reason)
    own = request.param(tmp_path_factory.mktemp("broker"))
    own.start()
    yield own
    own.kill()


@pytest.fixture
def publishing(broker, monkeypatch):
    """Let the site publish to that broker, and begin with empty queues."""
    original = app.send_task

    def send(*arguments, **options):
        with app.connection_for_write(broker.url) as connection:
            connection.transport_options = transport_options(broker.url)
            return original(*arguments, connection=connection, **options)

    monkeypatch.setattr(app, "send_task", send)
    received(broker, lambda: None, seconds=0.3)
    return broker


def queue_of(name):
    return Queue(name, Exchange(name, type="direct"), routing_key=name)


def received(broker, act, *, seconds=3.0, at_most=100):
    """Call `act` for every message in the queue for CPU hosts; return how many there were."""
    count = 0

    def take(body, message):
        nonlocal count
        count += 1
        assert message.headers["task"] == WORK_TASK
        message.ack()
        act()

    options = transport_options(broker.url)
    with (
        Connection(broker.url, transport_options=options) as connection,
        connection.Consumer([queue_of("evals_cpu")], callbacks=[take]),
    ):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and count < at_most:
            with contextlib.suppress(socket.timeout):
                connection.drain_events(timeout=0.3)
    return count


def work(machine):
    """Do what a worker does when it is nudged."""
    while (task_run := machine.claim()) is not None:
        machine.finish(task_run, right=2)


@pytest.fixture
def suite():
    return make_question_suite(4)


def assert_each_answered_once(*runs):
    states = {run.ref: run.state for run in Run.objects.filter(pk__in=[run.pk for run in runs])}
    assert set(states.values()) == {"succeeded"}, states
    for run in runs:
        accepted = PendingLeaf.objects.filter(type="evals.result.accepted", subject=run.subject)
        assert accepted.count() == 1
        assert TaskRun.objects.get(run=run).attempt == 1


def test_a_message_is_delivered_and_carries_nothing(publishing, suite):
    run = make_run(suite=suite)
    assert nudge_workers("cpu")
    assert received(publishing, partial(work, make_machine()), at_most=1) == 1
    assert_each_answered_once(run)


def test_duplicates_do_nothing_twice(publishing, suite):
    run, machine = make_run(suite=suite), make_machine()
    for _ in range(5):
        assert nudge_workers("cpu")
    assert received(publishing, partial(work, machine), at_most=5) == 5
    assert_each_answered_once(run)


def test_a_message_from_before_its_work_and_one_from_after_change_nothing(publishing, suite):
    machine = make_machine()
    # Reordered: the nudges for later runs arrive first, those for earlier ones last.
    assert nudge_workers("cpu")
    assert received(publishing, partial(work, machine), at_most=1) == 1
    runs = [make_run(suite=suite) for _ in range(3)]
    work(machine)
    for _ in runs:
        assert nudge_workers("cpu")
    assert received(publishing, partial(work, machine), at_most=3) == 3
    assert_each_answered_once(*runs)


def test_lost_messages_are_sent_again_by_the_sweep(publishing, suite):
    run = make_run(suite=suite)
    assert nudge_workers("cpu")
    assert received(publishing, lambda: None, at_most=1) == 1  # read by a worker that then died
    assert tasks.nudge_workers() == 1
    assert received(publishing, partial(work, make_machine()), at_most=1) == 1
    assert_each_answered_once(run)
    assert tasks.nudge_workers() == 0


def test_a_broker_that_comes_back_empty_costs_only_time(publishing, suite):
    before = make_run(suite=suite)
    assert nudge_workers("cpu")
    publishing.kill()
    # Nobody who asks for a run has to wait for it, or hears of it.
    begun = time.monotonic()
    meanwhile = make_run(suite=suite)
    assert not nudge_workers("cpu")
    assert time.monotonic() - begun < 10
    publishing.come_back_empty()
    assert received(publishing, lambda: None, seconds=1.0) == 0
    assert tasks.nudge_workers() == 1
    assert received(publishing, partial(work, make_machine()), at_most=1) == 1
    assert_each_answered_once(before, meanwhile)
