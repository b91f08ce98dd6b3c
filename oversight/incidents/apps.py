"""Django's registration of incidents."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """Reports of the public and what becomes of them."""

    name = "oversight.incidents"
    label = "incidents"
