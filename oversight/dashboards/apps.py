"""Django's registration of the public pages."""

from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    """Read-only pages over all floors; no tables of its own."""

    name = "oversight.dashboards"
    label = "dashboards"
