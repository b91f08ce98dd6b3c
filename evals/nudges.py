"""Messages that say “there is work”. They carry nothing: the truth is in the database.

A nudge that is lost costs only time: the sweep sends another.
"""

import logging

from evals.choices import ResourceClass

logger = logging.getLogger(__name__)
WORK_TASK = "evals.worker.work"


def nudge_workers(resource_class: str) -> bool:
    """Tell the workers of a class to look for work; return whether the broker took the message."""
    from kombu.exceptions import OperationalError

    from oversight.celery import app

    try:
        app.send_task(WORK_TASK, queue=ResourceClass(resource_class).queue, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("The broker did not take a nudge; the sweep will send another: %s", error)
        return False
    return True
