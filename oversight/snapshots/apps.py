"""Django's registration of snapshots."""

from django.apps import AppConfig


class SnapshotsConfig(AppConfig):
    """All public lists in one file."""

    name = "oversight.snapshots"
    label = "snapshots"
