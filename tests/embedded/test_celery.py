import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from oversight.celery import app, transport_options
from oversight.embedded.postgres import EmbeddedPostgres
from tests.embedded.conftest import PROJECT

CONSUMER = """
import os
from pathlib import Path
from celery import Celery
from oversight.celery import transport_options

url = os.environ["CONSUMER_URL"]
app = Celery("consumer", broker=url)
app.conf.update(
    broker_transport_options=transport_options(url),
    task_default_queue="evals_cpu",
    task_ignore_result=True,
    worker_enable_remote_control=False,
)

@app.task(name="evals.worker.work")
def work():
    Path(os.environ["CONSUMER_FILE"]).touch()
"""


@pytest.mark.broker
def test_a_celery_worker_gets_by_with_the_rights_of_the_worker_role(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    info = server.start()
    done = tmp_path / "done"
    (tmp_path / "consumer.py").write_text(CONSUMER)
    environment = {
        **os.environ,
        "CONSUMER_URL": info.worker_broker_url,
        "CONSUMER_FILE": str(done),
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{PROJECT}",
    }
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "consumer",
        "worker",
        "-P",
        "threads",
        "-c",
        "1",
    ]
    command += ["-Q", "evals_cpu", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    log = tmp_path / "log"
    with log.open("w") as output:
        worker = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        with app.connection_for_write(info.broker_url) as connection:
            connection.transport_options = transport_options(info.broker_url)
            app.send_task("evals.worker.work", queue="evals_cpu", connection=connection)
        deadline = time.monotonic() + 30
        while not done.exists() and time.monotonic() < deadline and worker.poll() is None:
            time.sleep(0.1)
        assert done.exists(), log.read_text()
    finally:
        worker.terminate()
        assert worker.wait(timeout=20) == 0
    with psycopg.connect(info.broker_url.replace("pgmq://", "postgresql://")) as connection:
        assert connection.execute("SELECT count(*) FROM pgmq.q_evals_cpu").fetchone() == (0,)


def test_nothing_waits_for_answers_that_the_queue_could_not_carry() -> None:
    assert app.conf.worker_enable_remote_control is False
    assert app.conf.task_ignore_result is True
    assert app.conf.result_backend is None
    assert app.conf.accept_content == ["json"]
    assert all(len(queue.name) <= 47 for queue in app.conf.task_queues)
