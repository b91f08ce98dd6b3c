"""What members would have otherwise in a proposal's text, and who stands behind the proposal."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from oversight.accounts.models import Membership, Person
from proposals.choices import STANDING_AMENDMENTS, AmendmentStatus, Status
from proposals.edits import Edit, applied, from_documents
from proposals.models.texts import Proposal, Revision


class Amendment(models.Model):
    """One change of a proposal's text that a member asks for.

    `edits` are offsets into the text of `base`. While it stands they follow the text from revision
    to revision; one that could not follow keeps the base where it last fitted.
    """

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="amendments")
    number = models.PositiveIntegerField()
    author = models.ForeignKey(Person, models.PROTECT, related_name="+")
    status = models.CharField(
        max_length=12, choices=AmendmentStatus.choices, default=AmendmentStatus.OPEN
    )
    base = models.ForeignKey(Revision, models.PROTECT, related_name="+")
    edits = models.JSONField(help_text="As proposals.edits.as_documents writes them.")
    reason = models.TextField(max_length=2000)
    answer = models.CharField(max_length=1000, blank=True, help_text="Why it was rejected.")
    vote = models.OneToOneField(
        Proposal,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="amendment",
        help_text="The proposal by which the body decides on it.",
    )
    made_at = models.DateTimeField(default=timezone.now)
    status_changed_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["proposal_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "number"], name="amendment_number_once"),
            models.CheckConstraint(
                condition=~Q(status=AmendmentStatus.REJECTED) | ~Q(answer=""),
                name="amendment_rejected_with_reason",
            ),
            models.CheckConstraint(
                condition=~Q(
                    status__in=[
                        AmendmentStatus.VOTING,
                        AmendmentStatus.CARRIED,
                        AmendmentStatus.NOT_CARRIED,
                    ]
                )
                | Q(vote__isnull=False),
                name="amendment_voted_on_has_vote",
            ),
        ]

    def __str__(self) -> str:
        return f"Amendment {self.number} to {self.proposal.ref}"

    def get_absolute_url(self) -> str:
        """Return the amendment's page."""
        return f"/proposals/{self.proposal.ref}/amendments/{self.number}/"

    @property
    def is_standing(self) -> bool:
        """Whether it can still come into the text."""
        return self.status in STANDING_AMENDMENTS and self.proposal.status == Status.DELIBERATION

    @property
    def changes(self) -> tuple[Edit, ...]:
        """Its edits of the text of `base`."""
        return from_documents(self.edits)

    @property
    def text(self) -> str:
        """The text of `base` with its edits in it."""
        return applied(self.base.body_markdown, self.changes)


class AmendmentVersion(models.Model):
    """One state of an amendment as its author wrote it. Earlier ones are kept."""

    amendment = models.ForeignKey(Amendment, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    base = models.ForeignKey(Revision, models.PROTECT, related_name="+")
    edits = models.JSONField()
    reason = models.TextField(max_length=2000)
    digest = models.CharField(max_length=71)
    written_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["amendment_id", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["amendment", "number"], name="amendment_version_number_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.amendment}, version {self.number}"

    @property
    def document(self) -> dict[str, Any]:
        """What `digest` is of: its edits, and the text that they are edits of."""
        return {
            "v": 1,
            "proposal": self.amendment.proposal.ref,
            "amendment": self.amendment.number,
            "version": self.number,
            "base": {"revision": self.base.number, "digest": self.base.digest},
            "edits": self.edits,
        }


class Support(models.Model):
    """One member who stands behind a proposal in public, until they take it back."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="supports")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    given_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["given_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "membership"],
                condition=Q(withdrawn_at__isnull=True),
                name="support_once_per_member",
            )
        ]

    def __str__(self) -> str:
        return f"{self.membership.person} supports {self.proposal.ref}"
