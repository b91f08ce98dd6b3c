"""What is proposed, and every state of its text."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from oversight.accounts.models import Body, Person
from oversight.registry.models import Deployment, ModelVersion
from oversight.web.written import MAX_CODE, Written
from proposals.choices import TARGETED, Origin, ProposalType, Status
from proposals.queries import ProposalQuerySet


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
    target_ref = models.CharField(
        max_length=12, blank=True, help_text="The earlier decision that it acts on."
    )
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.PERSON)
    drafted_at = models.DateTimeField(default=timezone.now)
    status_changed_at = models.DateTimeField(default=timezone.now)
    language = models.CharField(
        max_length=MAX_CODE,
        blank=True,
        help_text="Of its text; empty in rows older than the question: the body's.",
    )
    deliberation_opened_at = models.DateTimeField(null=True, blank=True)
    ending_reason = models.CharField(max_length=1000, blank=True)
    vote_opens_at = models.DateTimeField(
        null=True, blank=True, help_text="When the clock opens the vote, as a clerk has set it."
    )
    vote_closes_at = models.DateTimeField(null=True, blank=True)
    opening_refused = models.TextField(
        blank=True, help_text="Why the clock could not open the vote when its time came."
    )
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
                condition=~Q(type__in=sorted(TARGETED)) | ~Q(target_ref=""),
                name="proposal_names_its_target",
            ),
            # The clock drafts one renewal of an authorisation, however often it looks.
            models.UniqueConstraint(
                fields=["target_ref"],
                condition=Q(origin=Origin.CLOCK),
                name="proposal_one_renewal_by_the_clock",
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
    def is_ended(self) -> bool:
        """Whether nothing is said or done about it any more."""
        return self.status in {Status.DECIDED, Status.WITHDRAWN, Status.ANNULLED}

    @property
    def title(self) -> Written:
        """The newest revision's title."""
        return Written(self.text.title, self.written_in)

    @property
    def written_in(self) -> str:
        """The language of its text."""
        return self.language or self.body.language


class Revision(models.Model):
    """One state of a proposal's text. Earlier ones are kept."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=160)
    summary = models.CharField(max_length=400)
    body_markdown = models.TextField()
    options = models.JSONField(default=list, blank=True, help_text="What an election is about.")
    seats = models.PositiveSmallIntegerField(default=0, help_text="How many are to be chosen.")
    terms = models.JSONField(default=dict, blank=True, help_text="What it would do, as data.")
    digest = models.CharField(max_length=71)
    author = models.ForeignKey(Person, models.PROTECT, related_name="+")
    amendment = models.ForeignKey(
        "Amendment",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The amendment that it took over, if any.",
    )
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
            self.title,
            self.summary,
            self.body_markdown,
            options=self.options,
            seats=self.seats,
            terms=self.terms,
        )


def text_document(
    title: str,
    summary: str,
    text: str,
    *,
    options: Sequence[str] = (),
    seats: int = 0,
    terms: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a text as its digest is taken of it; options, seats and terms where there are any."""
    asked: dict[str, Any] = {"options": list(options), "seats": seats} if options else {}
    if terms:
        asked["terms"] = dict(terms)
    return {"title": title, "summary": summary, "text": text, **asked}
