"""Celery entry points of incidents."""

from celery import shared_task

from oversight.incidents.limits import forget_days_before
from oversight.web.clock import database_now


@shared_task(name="incidents.forget_reporters")
def forget_reporters() -> int:
    """Delete the salts and counts of days that are over; return how many rows went."""
    return forget_days_before(database_now().date())
