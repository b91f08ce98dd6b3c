"""Celery entry point of webhooks."""

from celery import shared_task

from oversight.webhooks import delivering


@shared_task(name="webhooks.deliver")
def deliver() -> int:
    """Send what is due; return how many subscriptions were served."""
    return delivering.sweep()
