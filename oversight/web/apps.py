"""Django's registration of what all pages share."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Template tags and refusals; no tables."""

    name = "oversight.web"
    label = "web"

    def ready(self) -> None:
        """Register the deploy checks and compile catalogues of translations that are newer."""
        from django.conf import settings

        from oversight.web import catalogues, checks  # noqa: F401

        texts, compiled = settings.CATALOGUES_DIR, settings.COMPILED_CATALOGUES_DIR
        catalogues.refresh(texts, compiled)
        if settings.PSEUDO_LANGUAGE:
            catalogues.refresh_pseudo(texts / "fr" / "LC_MESSAGES" / "django.po", compiled)
