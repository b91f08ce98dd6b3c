"""Django's registration of the accounts floor."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, organisations, bodies and keys."""

    name = "oversight.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Register how the API's document describes keys."""
        from oversight.accounts import schema  # noqa: F401
