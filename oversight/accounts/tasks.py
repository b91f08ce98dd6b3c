"""Celery entry points of the accounts floor."""

import logging
import time

from celery import shared_task
from django.core.mail import get_connection

from oversight.accounts.idempotency import forget_kept_answers
from oversight.accounts.models import Notice
from oversight.accounts.notices import prune_notices, send_mail_to

logger = logging.getLogger(__name__)

PEOPLE_A_SWEEP = 500
SECONDS_A_SWEEP = 8.0
"""Shorter than the time between sweeps: a slow mail server must not hold up other tasks."""


@shared_task(name="accounts.send_notices")
def send_notices() -> int:
    """Send what is due in the outbox, one mail a person; return how many mails went out."""
    due = Notice.objects.due().order_by("mail_at").values_list("person_id", flat=True)
    people = list(dict.fromkeys(due[: 20 * PEOPLE_A_SWEEP]))[:PEOPLE_A_SWEEP]
    sent, until = 0, time.monotonic() + SECONDS_A_SWEEP
    if not people:
        return sent
    mailer = get_connection()
    try:
        for person_id in people:
            if time.monotonic() > until:
                break
            # Does nothing while the connection stands; after a failure it is made anew.
            mailer.open()
            sent += send_mail_to(person_id=person_id, mailer=mailer)
    except OSError as error:
        # The mail server is away: everything stands as it was for the next sweep.
        logger.warning("The mail server does not answer: %s", error)
    finally:
        mailer.close()
    return sent


@shared_task(name="accounts.prune_notices")
def forget_old_notices() -> int:
    """Delete notices that are older than they are kept; return how many."""
    return prune_notices()


@shared_task(name="accounts.forget_answers")
def forget_answers() -> int:
    """Delete the answers of writes that are older than they are kept; return how many."""
    return forget_kept_answers()
