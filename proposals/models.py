"""Tables of the deciding floor: what is proposed, said, voted and decided."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from oversight.accounts.models import Body, Membership, Person
from oversight.registry.models import Deployment, ModelVersion
from proposals import papers
from proposals.charter import DecisionRules, read
from proposals.choices import DecisionOutcome, ProposalType, Status
from proposals.queries import ProposalQuerySet
from proposals.shown_sheet import result_words


class Charter(models.Model):
    """One version of a body's charter; the newest is in force."""

    body = models.ForeignKey(Body, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=71)
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
        return read(self.document)[ProposalType(proposal_type)]

    @property
    def kinds(self) -> list[ProposalType]:
        """The types of decision it rules on; the body can make no other."""
        return [kind for kind in ProposalType if kind.value in self.document]


class Proposal(models.Model):
    """One thing a body is asked to decide."""

    ref = models.CharField(max_length=12, unique=True, help_text="Year and number: 2026-001.")
    body = models.ForeignKey(Body, models.PROTECT, related_name="+")
    type = models.CharField(max_length=24, choices=ProposalType.choices)
    status = models.CharField(max_length=14, choices=Status.choices, default=Status.DRAFT)
    proposer = models.ForeignKey(Person, models.PROTECT, related_name="+")
    deployment = models.ForeignKey(
        Deployment, models.PROTECT, null=True, blank=True, related_name="+"
    )
    version = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="+"
    )
    drafted_at = models.DateTimeField(default=timezone.now)
    status_changed_at = models.DateTimeField(default=timezone.now)
    deliberation_opened_at = models.DateTimeField(null=True, blank=True)
    ending_reason = models.CharField(max_length=1000, blank=True)
    leaf_id = models.UUIDField(unique=True)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering = ["-drafted_at", "-id"]
        indexes = [
            # Lists of what is open, and the sweep of due votes.
            models.Index(fields=["status", "-status_changed_at"], name="proposal_by_status"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(type=ProposalType.AUTHORISE)
                | Q(deployment__isnull=False, version__isnull=False),
                name="proposal_authorisation_has_subject",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[Status.WITHDRAWN, Status.ANNULLED]) | ~Q(ending_reason=""),
                name="proposal_ending_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"

    def get_absolute_url(self) -> str:
        """Return the proposal's page."""
        return f"/proposals/{self.ref}/"

    @property
    def subject(self) -> str:
        """The proposal as the record names it."""
        return f"proposal:{self.ref}"

    @property
    def text(self) -> "Revision":
        """The newest revision."""
        revision = self.revisions.order_by("-number").first()
        assert revision is not None  # noqa: S101 - a proposal is drafted together with its text
        return revision

    @property
    def title(self) -> str:
        """The newest revision's title."""
        return self.text.title


class Revision(models.Model):
    """One state of a proposal's text. Earlier ones are kept."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=160)
    summary = models.CharField(max_length=400)
    body_markdown = models.TextField()
    options = models.JSONField(default=list, blank=True, help_text="What an election is about.")
    seats = models.PositiveSmallIntegerField(default=0, help_text="How many are to be chosen.")
    digest = models.CharField(max_length=71)
    author = models.ForeignKey(Person, models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["proposal_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "number"], name="revision_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.proposal.ref}, revision {self.number}"

    @property
    def document(self) -> dict[str, Any]:
        """What `digest` is of."""
        return text_document(
            self.title, self.summary, self.body_markdown, options=self.options, seats=self.seats
        )


def text_document(
    title: str, summary: str, text: str, *, options: Sequence[str] = (), seats: int = 0
) -> dict[str, Any]:
    """Return a text as its digest is taken of it; options and seats only where there are any."""
    asked = {"options": list(options), "seats": seats} if options else {}
    return {"title": title, "summary": summary, "text": text, **asked}


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
