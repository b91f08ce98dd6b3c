"""Django's entry for the embedded parts; it has no tables."""

from django.apps import AppConfig


class EmbeddedConfig(AppConfig):
    """Makes the project's Celery application the one that every `shared_task` publishes with."""

    name = "oversight.embedded"
    label = "embedded"

    def ready(self) -> None:
        """Load the Celery application in every process."""
        from oversight import celery  # noqa: F401
