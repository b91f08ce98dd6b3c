"""Django's registration of webhooks."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """What is new on the record, sent to whoever asked for it."""

    name = "oversight.webhooks"
    label = "webhooks"
