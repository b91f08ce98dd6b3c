"""How votes ended, what was said about it, and what stands because of it."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from evals.models import Suite, SuiteVersion
from oversight.accounts.models import Body, Membership, Person
from oversight.web.clock import stamp
from oversight.web.written import MAX_CODE
from proposals.choices import DecisionOutcome, StatementKind
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
    review_at = models.DateTimeField(
        null=True, blank=True, help_text="When the body is to look at it again, before its end."
    )
    is_override = models.BooleanField(
        default=False, help_text="Carried although a must-pass criterion was not shown to be met."
    )
    impossible = models.CharField(
        max_length=40, blank=True, help_text="Why what was carried could not take effect any more."
    )
    annulled_at = models.DateTimeField(null=True, blank=True)
    annulled_by = models.CharField(
        max_length=160, blank=True, help_text="A decision's reference, or the authority that ruled."
    )
    annulment_reason = models.CharField(max_length=1000, blank=True)
    annulment_leaf_id = models.UUIDField(null=True, blank=True)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["-decided_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(annulled_at__isnull=True, annulled_by="", annulment_reason="")
                | (Q(annulled_at__isnull=False) & ~Q(annulled_by="") & ~Q(annulment_reason="")),
                name="decision_annulled_by_somebody_with_reason",
            )
        ]

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

    @property
    def is_early(self) -> bool:
        """Whether the vote ended before its close, as it may once every member has voted."""
        return stamp(self.voting_ended_at) < stamp(self.proposal.contract.closes_at)

    @property
    def voting_ended_at(self) -> datetime:
        """When the last ballot could be cast: what a chair decides comes after that."""
        contract = self.proposal.contract
        return min(contract.tied_at or self.decided_at, contract.closes_at)

    @property
    def is_annulled(self) -> bool:
        """Whether it counts as never made."""
        return self.annulled_at is not None

    @property
    def effect(self) -> dict[str, Any]:
        """What it did, as its record says."""
        return dict(self.content["effect"])


class Statement(models.Model):
    """What somebody put on the record about a decision: reasons, an explanation, a dissent."""

    decision = models.ForeignKey(Decision, models.PROTECT, related_name="statements")
    kind = models.CharField(max_length=12, choices=StatementKind.choices)
    author = models.ForeignKey(Person, models.PROTECT, related_name="+")
    membership = models.ForeignKey(
        Membership, models.PROTECT, null=True, blank=True, related_name="+"
    )
    text = models.TextField(max_length=10_000)
    language = models.CharField(
        max_length=MAX_CODE, blank=True, help_text="Empty in rows older than the question."
    )
    made_at = models.DateTimeField()
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["made_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["decision"],
                condition=Q(kind=StatementKind.REASONS),
                name="statement_reasons_once",
            ),
            models.UniqueConstraint(
                fields=["decision", "membership"],
                condition=~Q(kind=StatementKind.REASONS),
                name="statement_once_per_member",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on {self.decision.ref}"

    @property
    def written_in(self) -> str:
        """The language of its text: the proposal's where nobody said otherwise."""
        return self.language or self.decision.proposal.written_in


class SuiteAdoption(models.Model):
    """One suite whose criteria a body asks of every model that it would authorise."""

    body = models.ForeignKey(Body, models.PROTECT, related_name="+")
    suite = models.ForeignKey(Suite, models.PROTECT, related_name="+")
    version = models.ForeignKey(SuiteVersion, models.PROTECT, related_name="+")
    criteria = models.JSONField(help_text="Task, metric, comparison, threshold, must_pass.")
    decision_ref = models.CharField(max_length=12, unique=True)
    adopted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=12, blank=True)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["body_id", "adopted_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["body", "suite"],
                condition=Q(ended_at__isnull=True),
                name="adoption_one_standing_per_suite",
            )
        ]

    def __str__(self) -> str:
        return f"{self.version}, adopted by {self.body}"


class Reminder(models.Model):
    """One reminder of an authorisation's end or review that was sent, so that it is sent once."""

    decision_ref = models.CharField(max_length=12)
    of = models.CharField(max_length=6, default="end", help_text="end or review")
    days = models.PositiveSmallIntegerField()
    sent_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["decision_ref", "of", "days"], name="reminder_once")
        ]

    def __str__(self) -> str:
        return f"{self.days} days before the {self.of} of {self.decision_ref}"
