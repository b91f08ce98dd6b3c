"""Celery entry points of the registry floor."""

from celery import shared_task
from django.db import connection


@shared_task(name="registry.tick")
def tick() -> None:
    """Commit nothing, which replicas notice: the gate tells by it how old a replica is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
