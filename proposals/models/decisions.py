"""How votes ended."""

from typing import Any

from django.db import models

from proposals.choices import DecisionOutcome
from proposals.models.texts import Proposal
from proposals.shown_sheet import result_words


class Decision(models.Model):
    """The end of a vote: outcome, tally sheet, effect, and the public record of it all."""

    proposal = models.OneToOneField(Proposal, models.PROTECT, related_name="decision")
    outcome = models.CharField(max_length=12, choices=DecisionOutcome.choices)
    record = models.TextField(help_text="Canonical JSON with ballots, openings and sheet.")
    digest = models.CharField(max_length=71)
    decided_at = models.DateTimeField()
    in_force_until = models.DateTimeField(null=True, blank=True)
    is_override = models.BooleanField(
        default=False, help_text="Carried although a must-pass criterion was not shown to be met."
    )
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["-decided_at", "-id"]

    def __str__(self) -> str:
        return f"{self.proposal.ref}: {self.get_outcome_display()}"

    def get_absolute_url(self) -> str:
        """Return the decision's page."""
        return f"/decisions/{self.proposal.ref}/"

    @property
    def ref(self) -> str:
        """A decision carries the reference of its proposal."""
        return self.proposal.ref

    @property
    def content(self) -> dict[str, Any]:
        """The record, decoded."""
        import json

        return dict(json.loads(self.record))

    @property
    def sheet(self) -> dict[str, Any]:
        """The tally sheet."""
        return dict(self.content["sheet"])

    @property
    def result_words(self) -> str:
        """How the vote ended, in a few words."""
        return result_words(self.sheet)
