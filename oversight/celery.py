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


def transport_options(url: str) -> dict[str, object]:
    """Return kombu's options for the broker at `url`."""
    return transport.options(url, pool_size=4)


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
    broker_connection_timeout=transport.PUBLISH_SECONDS,
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
