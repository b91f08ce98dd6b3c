"""Django's registration of what all pages share."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Template tags and refusals; no tables."""

    name = "oversight.web"
    label = "web"

    def ready(self) -> None:
        """Register the deploy checks."""
        from oversight.web import checks  # noqa: F401
