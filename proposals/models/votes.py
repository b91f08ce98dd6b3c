"""Who may vote, under which contract, and what was voted."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from oversight.accounts.models import Membership
from proposals import papers
from proposals.models.texts import Proposal


class Recusal(models.Model):
    """One member's declared conflict of interest, which takes them off the roll of one vote."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="recusals")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=1000)
    declared_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "membership"], name="recusal_once_per_member"
            )
        ]

    def __str__(self) -> str:
        return f"{self.membership.person} is recused on {self.proposal.ref}"


class Delegation(models.Model):
    """One member's vote in a body, delegated to another member until it is taken back."""

    giver = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    receiver = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["giver"],
                condition=Q(revoked_at__isnull=True),
                name="delegation_one_standing",
            ),
            models.CheckConstraint(
                condition=~Q(giver=models.F("receiver")), name="delegation_to_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.giver.person} to {self.receiver.person}"


class Contract(models.Model):
    """The decision contract: one frozen document under which a vote is held.

    `document` is the canonical text that `digest` is of; it is never serialised again.
    """

    proposal = models.OneToOneField(Proposal, models.PROTECT, related_name="contract")
    document = models.TextField()
    digest = models.CharField(max_length=71)
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    lot_seed = models.CharField(
        max_length=64, blank=True, help_text="Revealed after the close; the log holds its digest."
    )
    casting_until = models.DateTimeField(
        null=True, blank=True, help_text="Set when the vote is tied: the chair decides until then."
    )
    reminded_at = models.DateTimeField(
        null=True, blank=True, help_text="Set when who had not voted was told of the close."
    )
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_at__gt=models.F("opens_at")),
                name="contract_closes_after_opening",
            )
        ]

    def __str__(self) -> str:
        return f"Contract of {self.proposal.ref}"

    @property
    def tied_at(self) -> datetime | None:
        """When it was counted and the chair was asked; None where no tie waited."""
        if self.casting_until is None:
            return None
        return self.casting_until - timedelta(hours=self.content["casting_hours"])

    @property
    def is_due(self) -> bool:
        """Whether the close has passed, though the count may still be to come."""
        return self.closes_at <= timezone.now()

    @property
    def is_over(self) -> bool:
        """Whether ballots are refused: it is due, or a tie waits for the chair."""
        return self.is_due or self.casting_until is not None

    @property
    def content(self) -> dict[str, Any]:
        """The document, decoded."""
        import json

        return dict(json.loads(self.document))


class RollEntry(models.Model):
    """One member entitled to vote, as frozen at the opening."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="roll")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    weight = models.PositiveIntegerField()
    delegate = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    delegation_revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(delegate=models.F("id")), name="roll_delegate_is_another"
            ),
            models.UniqueConstraint(fields=["contract", "membership"], name="roll_member_once"),
            models.CheckConstraint(condition=Q(weight__gt=0), name="roll_weight_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.membership.person} on the roll of {self.contract.proposal.ref}"


class Ballot(models.Model):
    """One act of voting. The last number of a roll entry counts; earlier ones are kept."""

    entry = models.ForeignKey(RollEntry, models.PROTECT, related_name="ballots")
    number = models.PositiveIntegerField()
    choice = models.CharField(max_length=8, blank=True, help_text="For motions: its word.")
    content = models.JSONField(help_text="What the leaf commits to (proposals.papers).")
    cast_at = models.DateTimeField()
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["entry_id", "number"]
        constraints = [
            # Two connections that vote at once both want the next number; one of them must fail.
            models.UniqueConstraint(fields=["entry", "number"], name="ballot_number_once"),
        ]

    def __str__(self) -> str:
        return f"Ballot {self.number} of {self.entry_id}"

    @property
    def words(self) -> str:
        """What it says."""
        return papers.words(self.content)


class CastingVote(models.Model):
    """The chair's one word on a tied vote: `["yes"]`, or an election's options in order."""

    contract = models.OneToOneField(Contract, models.PROTECT, related_name="casting_vote")
    entry = models.ForeignKey(RollEntry, models.PROTECT, related_name="+")
    names = models.JSONField()
    given_at = models.DateTimeField()
    leaf_id = models.UUIDField(unique=True)

    def __str__(self) -> str:
        return f"Casting vote on {self.contract.proposal.ref}"
