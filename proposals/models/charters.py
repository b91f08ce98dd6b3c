"""What bodies have adopted as their rules."""

from django.db import models
from django.utils import timezone

from oversight.accounts.models import Body
from proposals.charter import governing, rules_in
from proposals.charter_rules import DecisionRules
from proposals.choices import ProposalType


class Charter(models.Model):
    """One version of a body's charter; the newest is in force."""

    body = models.ForeignKey(Body, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=71)
    decision_ref = models.CharField(
        max_length=12, blank=True, help_text="The decision that made it; empty for a first charter."
    )
    adopted_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["body_id", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["body", "number"], name="charter_number_once_per_body")
        ]

    def __str__(self) -> str:
        return f"Charter {self.number} of {self.body}"

    def rules_for(self, proposal_type: str) -> DecisionRules:
        """Return the rules for a type of decision that `kinds` has."""
        found = rules_in(self.document, ProposalType(proposal_type))
        assert found is not None  # noqa: S101 - a later charter never drops a type of decision
        return found

    @property
    def has_delegations(self) -> bool:
        """Whether a vote on any type of decision can be delegated."""
        return any(self.rules_for(kind).delegation != "none" for kind in self.kinds)

    @property
    def kinds(self) -> list[ProposalType]:
        """The types of decision it rules on; the body can make no other."""
        return [kind for kind in ProposalType if governing(self.document, kind)]
