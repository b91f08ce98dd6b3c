"""What clerks did to what people said."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from oversight.accounts.models import Person
from proposals.choices import Moderated, Spoken
from proposals.models.opinions import OpinionStatement
from proposals.models.talk import Argument, Comment
from proposals.models.texts import Proposal


def _one_of(*names: str) -> Q:
    """Return the condition that exactly one of these is set."""
    found = Q()
    for name in names:
        found |= Q(**{f"{each}__isnull": each != name for each in names})
    return found


class Moderation(models.Model):
    """One act of moderation, in the open: a clerk hid or restored something, and why."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="moderations")
    comment = models.ForeignKey(
        Comment, models.PROTECT, null=True, blank=True, related_name="moderations"
    )
    argument = models.ForeignKey(
        Argument, models.PROTECT, null=True, blank=True, related_name="moderations"
    )
    statement = models.ForeignKey(
        OpinionStatement, models.PROTECT, null=True, blank=True, related_name="moderations"
    )
    act = models.CharField(max_length=8, choices=Moderated.choices)
    reason = models.CharField(max_length=400)
    clerk = models.ForeignKey(Person, models.PROTECT, related_name="+")
    done_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["-done_at", "-id"]
        indexes = [models.Index(fields=["proposal", "-done_at"], name="moderation_by_proposal")]
        constraints = [
            models.CheckConstraint(
                condition=_one_of("comment", "argument", "statement"),
                name="moderation_of_one_thing",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="moderation_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()} on {self.proposal.ref}"

    @property
    def said(self) -> Comment | Argument | OpinionStatement:
        """What was hidden or restored."""
        found = self.comment or self.argument or self.statement
        assert found is not None  # noqa: S101 - the constraint above
        return found

    @property
    def kind(self) -> Spoken:
        """Which of the three it is."""
        return self.said.KIND
