"""The worker's Celery application: `celery -A evals.worker.app worker -P threads -c 1 -Q …`.

A message says only that there is work. It is acknowledged when it is read, so that no broker's
time-out can matter: what is leased, for how long and to whom stands in the platform's database.
"""

import logging
import threading
from typing import Any

from celery import Celery
from celery.signals import worker_ready, worker_shutting_down
from kombu import Exchange, Queue

from evals.worker import config
from evals.worker.agent import Agent, clear_leftovers
from evals.worker.client import PlatformError
from oversight.embedded import transport

logger = logging.getLogger(__name__)
# One line for every heartbeat would drown what matters.
logging.getLogger("httpx").setLevel(logging.WARNING)
_agents: list[Agent] = []


def _transport_options(url: str) -> dict[str, object]:
    if not url.startswith("pgmq://"):
        return {}
    return {
        "conn_string": url.replace("pgmq://", "postgresql://", 1),
        "init_extension": False,
        "pool_size": 2,
        "visibility_timeout": 120,
        "wait_time_seconds": 5,
    }


def _queues() -> list[Queue]:
    names = [f"evals_{name}" for name in config.RESOURCE_CLASSES]
    return [Queue(name, Exchange(name, type="direct"), routing_key=name) for name in names]


transport.register()
app = Celery("evals.worker")
app.conf.update(
    broker_url=config.broker_url(),
    broker_transport_options=_transport_options(config.broker_url()),
    broker_connection_retry_on_startup=True,
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_acks_late=False,
    task_queues=_queues(),
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    timezone="UTC",
)


@app.task(name="evals.worker.work", ignore_result=True)
def work() -> int:
    """Take task runs until there are none."""
    try:
        return _agent().work()
    except PlatformError as error:
        logger.warning("The platform does not let us work: %s", error)
        return 0


@worker_ready.connect
def begin(**_: Any) -> None:
    """Say hello, then look for work that waited while no worker was there."""
    agent = _agent()
    try:
        agent.start()
    except PlatformError as error:
        logger.warning("The platform does not let us work: %s", error)
        return
    threading.Thread(target=work, daemon=True).start()


@worker_shutting_down.connect
def drain(**_: Any) -> None:
    """Take nothing more."""
    for agent in _agents:
        agent.stop()


def _agent() -> Agent:
    """Return the process's agent, made on first use."""
    if not _agents:
        settings = config.read_config()
        clear_leftovers(settings.directory)
        _agents.append(Agent(settings))
    return _agents[0]
