"""What is said about a proposal."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from oversight.accounts.models import Person
from proposals.models.texts import Proposal


class Comment(models.Model):
    """One contribution to the discussion. Hidden ones stay, with the reason in public."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="comments")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replies"
    )
    author = models.ForeignKey(Person, models.PROTECT, related_name="+")
    text = models.TextField(max_length=5000)
    is_question = models.BooleanField(
        default=False, help_text="Asked of the proposer, who answers before the text is final."
    )
    answer = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_reason = models.CharField(max_length=400, blank=True)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["made_at", "id"]
        indexes = [models.Index(fields=["proposal", "made_at"], name="comment_by_proposal")]
        constraints = [
            models.CheckConstraint(
                condition=Q(hidden_at__isnull=True, hidden_reason="")
                | (Q(hidden_at__isnull=False) & ~Q(hidden_reason="")),
                name="comment_hidden_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(answer__isnull=True) | Q(is_question=True),
                name="comment_answers_a_question",
            ),
        ]

    def __str__(self) -> str:
        return f"Comment {self.pk} on {self.proposal.ref}"
