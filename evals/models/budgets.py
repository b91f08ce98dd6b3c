"""Hours of work that bodies have voted for their evaluations."""

from django.db import models
from django.db.models import Q

from oversight.accounts.models import Body


class ComputeBudget(models.Model):
    """Hours of work of hosts that a body has voted for the evaluations of its proposals.

    At most one stands for a body. It is replaced or annulled by a decision, and then has an end;
    one whose time is over stands until it is replaced, and pays for nothing.
    """

    body = models.ForeignKey(Body, models.PROTECT, related_name="+")
    decision_ref = models.CharField(max_length=12, unique=True)
    hours = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=12, blank=True, help_text="The decision that ended it.")
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["body"], condition=Q(ended_at__isnull=True), name="budget_one_per_body"
            ),
            models.CheckConstraint(condition=Q(hours__gte=1), name="budget_has_hours"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by="")
                | Q(ended_at__isnull=False) & ~Q(ended_by=""),
                name="budget_ended_by_a_decision",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hours} hours of {self.body}, decision {self.decision_ref}"

    @property
    def subject(self) -> str:
        """The budget as the record names it."""
        return f"budget:{self.decision_ref}"

    @property
    def seconds(self) -> int:
        """The same in seconds."""
        return self.hours * 3600
