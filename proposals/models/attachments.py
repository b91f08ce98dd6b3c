"""Files that belong to a proposal's text."""

from django.db import models
from django.utils import timezone

from evals.models import Artefact
from oversight.accounts.models import Person
from proposals.models.texts import Proposal


class Attachment(models.Model):
    """One file of a proposal. One that was taken off stays on the record with its digest."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="attachments")
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=80)
    artefact = models.ForeignKey(Artefact, models.PROTECT, related_name="+")
    added_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["added_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "artefact"],
                condition=models.Q(removed_at__isnull=True),
                name="attachment_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.proposal.ref}"

    def get_absolute_url(self) -> str:
        """Return where the file is downloaded from."""
        return f"/proposals/{self.proposal.ref}/attachments/{self.pk}/"

    @property
    def digest(self) -> str:
        """The digest of its bytes, as the record writes it."""
        return f"sha256:{self.artefact.sha256}"
