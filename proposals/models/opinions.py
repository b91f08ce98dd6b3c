"""The opinion map: statements, what people think of them, and the maps drawn of it."""

import json
from functools import cached_property
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from oversight.accounts.models import Person
from oversight.web.written import MAX_CODE
from proposals.choices import Answer, Spoken
from proposals.models.talk import hidden_with_reason
from proposals.models.texts import Proposal

MAX_STATEMENT = 280


class OpinionStatement(models.Model):
    """One short sentence that others agree or disagree with."""

    KIND = Spoken.STATEMENT
    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="statements")
    author = models.ForeignKey(Person, models.PROTECT, related_name="+")
    text = models.CharField(max_length=MAX_STATEMENT)
    language = models.CharField(
        max_length=MAX_CODE, blank=True, help_text="Empty in rows older than the question."
    )
    made_at = models.DateTimeField(default=timezone.now)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_reason = models.CharField(max_length=400, blank=True)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["made_at", "id"]
        constraints = [hidden_with_reason("statement_hidden_with_reason")]

    def __str__(self) -> str:
        return f"Statement {self.pk} on {self.proposal.ref}"

    @property
    def written_in(self) -> str:
        """The language of its text: the proposal's where nobody said otherwise."""
        return self.language or self.proposal.written_in


class Opinion(models.Model):
    """What one participant thinks of one statement; the last answer counts."""

    statement = models.ForeignKey(OpinionStatement, models.PROTECT, related_name="opinions")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    answer = models.CharField(max_length=8, choices=Answer.choices)
    given_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["statement", "person"], name="opinion_once_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.person} on statement {self.statement_id}"


class OpinionMap(models.Model):
    """One map: the last one drawn in a deliberation, or one published at its end, with a leaf.

    `input` and `result` are the canonical texts that their digests are of.
    """

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="opinion_maps")
    basis = models.CharField(max_length=120, help_text="What was there when it was drawn.")
    input = models.TextField()
    input_digest = models.CharField(max_length=71)
    result = models.TextField()
    digest = models.CharField(max_length=71)
    drawn_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True, null=True, blank=True)

    class Meta:
        ordering = ["-drawn_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["proposal"],
                condition=Q(leaf_id__isnull=True),
                name="opinion_map_one_not_published",
            )
        ]

    def __str__(self) -> str:
        return f"Opinion map of {self.proposal.ref}, {self.drawn_at:%d %b %Y %H:%M}"

    @cached_property
    def drawn(self) -> dict[str, Any]:
        """The map, decoded."""
        return dict(json.loads(self.result))
