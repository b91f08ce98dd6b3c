"""Celery entry point of snapshots."""

from celery import shared_task

from oversight.snapshots import services


@shared_task(name="snapshots.take")
def take_snapshot() -> None:
    """Take the month's snapshot; asked more often, so that no month is missed."""
    services.take_if_due()
