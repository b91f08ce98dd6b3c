"""Django's registration of the evaluation floor."""

from django.apps import AppConfig


class EvalsConfig(AppConfig):
    """Suites, runs, workers and results."""

    name = "evals"
    label = "evals"

    def ready(self) -> None:
        """Register how the API's document describes workers' tokens."""
        from evals.api import schema  # noqa: F401
