"""The Celery application for the server's own short tasks; evaluation workers have another one.

A message is a nudge: the task reads the record to learn what there is to do. So nothing here waits
for an answer, nothing keeps results, and a publication that fails is left to a sweep.
"""

import os

from celery import Celery
from django.conf import settings
from kombu import Exchange, Queue

from oversight.embedded import transport
from oversight.embedded.broker import SERVER_QUEUE, WORKER_QUEUES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oversight.settings")

PUBLISH_SECONDS = 1.0
"""Longest wait for a connection to the broker: a web request may depend on a publication."""


def transport_options(url: str) -> dict[str, object]:
    """Return kombu's options for the broker at `url`."""
    # One attempt to connect: a publication that fails is left to a sweep, never waited for. The
    # worker's own reconnecting is not bound by this.
    options: dict[str, object] = {"max_retries": 0}
    if not url.startswith("pgmq://"):
        return options
    return options | {
        # Said again in full, because the PGMQ client lets DATABASE_URL override everything else.
        "conn_string": url.replace("pgmq://", "postgresql://", 1),
        # Its schema is installed by SQL, not as an extension.
        "init_extension": False,
        "pool_size": 4,
        "pool_timeout": PUBLISH_SECONDS,
        # A message read by a process that died comes back after this many seconds.
        "visibility_timeout": 120,
        "wait_time_seconds": 5,
    }


def use_broker(url: str) -> None:
    """Publish to and consume from the broker at `url` from now on."""
    app.conf.update(broker_url=url, broker_transport_options=transport_options(url))


def _queue(name: str) -> Queue:
    return Queue(name, Exchange(name, type="direct"), routing_key=name)


transport.register()
app = Celery("oversight")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_queues=[_queue(name) for name in (SERVER_QUEUE, *WORKER_QUEUES)],
    task_default_queue=SERVER_QUEUE,
    task_default_exchange=SERVER_QUEUE,
    task_default_routing_key=SERVER_QUEUE,
    task_publish_retry=False,
    broker_connection_timeout=PUBLISH_SECONDS,
    broker_connection_retry_on_startup=True,
    # Reply queues have names longer than PGMQ's 47 characters, so there is no remote control.
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    timezone="UTC",
)
use_broker(settings.CELERY_BROKER_URL)
app.autodiscover_tasks()
