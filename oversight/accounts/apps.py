"""Django's registration of the accounts floor."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, organisations, bodies and keys."""

    name = "oversight.accounts"
    label = "accounts"
