"""A real Celery worker on a real queue: a nudge wakes it, and a lost one costs only time."""

import threading
from functools import partial

import psutil
import psycopg
import pytest

from evals import tasks
from evals.models import TaskRun, Worker
from evals.nudges import nudge_workers
from oversight.celery import app, transport_options
from oversight.embedded.postgres import EmbeddedPostgres
from tests.evals.worker.conftest import wait_until
from tests.factories import make_machine, make_question_suite, make_run

pytestmark = [pytest.mark.broker, pytest.mark.worker, pytest.mark.django_db(transaction=True)]
MEMORY_LIMIT_BYTES = 150 * 1024 * 1024


@pytest.fixture(scope="module")
def queue_server(tmp_path_factory):
    """Yield a queue that no other test run on this machine reads."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("var"))
    yield server.start()
    server.stop()


@pytest.fixture
def publish_there(queue_server, monkeypatch):
    """Let the site publish its nudges to that queue."""
    with app.connection_for_write(queue_server.broker_url) as connection:
        connection.transport_options = transport_options(queue_server.broker_url)
        monkeypatch.setattr(app, "send_task", partial(app.send_task, connection=connection))
        yield


def state_of(run):
    return TaskRun.objects.get(run=run).state


def messages_read(process):
    lines = process.log.read_text().splitlines()
    return sum("Task evals.worker.work[" in line and "received" in line for line in lines)


def waiting(queue_server):
    with psycopg.connect(queue_server.broker_url.replace("pgmq://", "postgresql://")) as connection:
        return connection.execute("SELECT count(*) FROM pgmq.q_evals_cpu").fetchone()[0]


def test_a_nudge_starts_work_and_a_lost_one_is_sent_again_by_the_sweep(
    worker_process, queue_server, publish_there, live_server
):
    """The runs end at once, as their weights are nowhere: what is looked at is who begins them."""
    machine = make_machine()
    process = worker_process(machine, broker=queue_server.worker_broker_url)
    # It has looked once, found nothing, and would look again by itself after a minute.
    wait_until(lambda: " ready." in process.log.read_text(), "the worker")
    wait_until(lambda: Worker.objects.get(pk=machine.worker.pk).boot_id, "its hello")
    suite = make_question_suite(4)

    nudged = make_run(suite=suite)
    assert nudge_workers("cpu")
    wait_until(lambda: state_of(nudged) != "queued", "the claim", seconds=30)
    assert messages_read(process) == 1
    wait_until(lambda: state_of(nudged) == "failed", "its end")

    # Requested without a nudge, as if it had been lost on its way.
    lost = make_run(suite=suite)
    assert tasks.nudge_workers() == 1
    wait_until(lambda: state_of(lost) == "failed", "its end")
    assert messages_read(process) == 2
    assert psutil.Process(process.pid).memory_info().rss < MEMORY_LIMIT_BYTES
    process.terminate()
    assert process.wait(timeout=60) == 0


def test_a_queue_that_goes_and_comes_back_does_not_end_the_worker(
    worker_process, queue_server, publish_there, live_server
):
    machine = make_machine()
    process = worker_process(machine, broker=queue_server.worker_broker_url)
    wait_until(lambda: " ready." in process.log.read_text(), "the worker")
    with psycopg.connect(queue_server.superuser_url, autocommit=True) as connection:
        connection.execute("ALTER ROLE oversight_worker NOLOGIN")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'oversight_worker'"
        )
        wait_until(lambda: "Trying again" in process.log.read_text(), "its trouble")
        assert process.poll() is None
        connection.execute("ALTER ROLE oversight_worker LOGIN")
    assert nudge_workers("cpu")
    wait_until(lambda: waiting(queue_server) == 0, "the nudge being read")
    process.terminate()
    assert process.wait(timeout=60) == 0


def test_a_worker_that_hangs_in_mid_read_holds_up_nobody_who_publishes(queue_server, publish_there):
    address = queue_server.worker_broker_url.replace("pgmq://", "postgresql://")
    with psycopg.connect(address) as hanging:
        hanging.execute("SELECT * FROM pgmq.read('evals_cpu', 30, 1)")
        published = threading.Thread(target=nudge_workers, args=("cpu",), daemon=True)
        published.start()
        published.join(timeout=20)
        assert not published.is_alive()
    assert waiting(queue_server) == 1
