"""The worker's Celery application: `celery -A evals.worker.app worker -P threads -c 1 -Q …`.

A message says only that there is work. It is acknowledged when it is read, so that no broker's
time-out can matter: what is leased, for how long and to whom stands in the platform's database.
Neither a broker nor a platform that is away ends this process; it waits for both.
"""

import logging
import os
import sys
import threading
from typing import Any, NoReturn

from celery import Celery
from celery.signals import worker_init, worker_shutdown, worker_shutting_down
from kombu import Exchange, Queue

from evals.worker import config
from evals.worker.agent import Agent, clear_leftovers
from evals.worker.patrol import Patrol
from oversight.embedded import transport
from oversight.env import ConfigurationError

DRAIN_SECONDS = 3.0
"""Longest wait for work under way to be given back when the worker is stopped."""
CONFIGURATION_EXIT = 78
"""Exit code for settings that cannot be used (EX_CONFIG): starting again does not help."""

logger = logging.getLogger(__name__)
# One line for every heartbeat would drown what matters.
logging.getLogger("httpx").setLevel(logging.WARNING)
_patrols: list[Patrol] = []


def _queues() -> list[Queue]:
    names = [f"evals_{name}" for name in config.RESOURCE_CLASSES]
    return [Queue(name, Exchange(name, type="direct"), routing_key=name) for name in names]


def _broker_url() -> str:
    try:
        return config.broker_url()
    except ConfigurationError as error:
        _refuse(error)


def _refuse(error: ConfigurationError) -> NoReturn:
    sys.stderr.write(f"{error}\n")
    # Not an exception: Celery would wrap it into a traceback, or log it and go on.
    sys.stderr.flush()
    os._exit(CONFIGURATION_EXIT)


transport.register()
app = Celery("evals.worker")
app.conf.update(
    broker_url=(_address := _broker_url()),
    broker_transport_options=transport.options(_address, pool_size=2),
    broker_connection_timeout=4.0,
    broker_connection_retry_on_startup=True,
    # For ever: its default gives up after a hundred attempts.
    broker_connection_max_retries=None,
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
    return sum(patrol.look() for patrol in _patrols)


@worker_init.connect
def begin(**_: Any) -> None:
    """Start looking for work, before and without the broker: it only makes that quicker."""
    try:
        settings = config.read_config()
    except ConfigurationError as error:
        _refuse(error)
    clear_leftovers(settings.directory)
    _patrols.append(Patrol(Agent(settings)))
    _patrols[0].start()


@worker_shutting_down.connect
def drain(**_: Any) -> None:
    """Take nothing more, and give back what is under way."""
    for patrol in _patrols:
        patrol.stop()
        # Beside Celery's own shutdown, which waits for the task that is being worked on.
        threading.Thread(target=_leave, args=(patrol,), daemon=True).start()


@worker_shutdown.connect
def wait_for_last_words(**_: Any) -> None:
    """Let the platform hear that the work is given back before the process ends."""
    for patrol in _patrols:
        patrol.agent.rest(DRAIN_SECONDS)


def _leave(patrol: Patrol) -> None:
    """End the process where something that cannot be interrupted holds the work up."""
    if not patrol.agent.rest(DRAIN_SECONDS):
        logger.warning("What was under way could not be stopped in time; it was given back.")
        os._exit(0)
