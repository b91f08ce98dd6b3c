"""The table of snapshots; the files lie among the artefacts."""

from django.db import models
from django.utils import timezone

from evals.models import Artefact


class Snapshot(models.Model):
    """All public lists as of one moment, in one zip."""

    made_at = models.DateTimeField(default=timezone.now)
    tree_size = models.BigIntegerField(help_text="Of the log when it was made.")
    file = models.ForeignKey(Artefact, models.PROTECT, related_name="+")
    rows = models.JSONField(default=dict, help_text="How many rows each list had.")

    class Meta:
        ordering = ["-made_at", "-id"]
        constraints = [
            # Two clocks make one.
            models.UniqueConstraint(fields=["tree_size"], name="snapshot_once_a_size"),
        ]

    def __str__(self) -> str:
        return f"snapshot of {self.tree_size} acts"
