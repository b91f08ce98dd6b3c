"""Django's registration of the evaluation floor."""

from django.apps import AppConfig


class EvalsConfig(AppConfig):
    """Suites, runs, workers and results."""

    name = "evals"
    label = "evals"
