"""What is said about a proposal: comments, arguments for and against, and their moderation."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from oversight.accounts.models import Person
from oversight.web.written import MAX_CODE
from proposals.choices import Side, Spoken
from proposals.models.texts import Proposal, Revision

MAX_ARGUMENT = 400
MAX_QUOTE = 2_000
MAX_CONTEXT = 80


def hidden_with_reason(name: str) -> models.CheckConstraint:
    """Return the constraint that nothing is hidden without its public reason."""
    return models.CheckConstraint(
        condition=Q(hidden_at__isnull=True, hidden_reason="")
        | (Q(hidden_at__isnull=False) & ~Q(hidden_reason="")),
        name=name,
    )


class Comment(models.Model):
    """One contribution to the discussion. Hidden ones stay, with the reason in public."""

    KIND = Spoken.COMMENT

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="comments")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replies"
    )
    author = models.ForeignKey(Person, models.PROTECT, related_name="+")
    text = models.TextField(max_length=5000)
    language = models.CharField(
        max_length=MAX_CODE, blank=True, help_text="Empty in rows older than the question."
    )
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
            hidden_with_reason("comment_hidden_with_reason"),
            models.CheckConstraint(
                condition=Q(answer__isnull=True) | Q(is_question=True),
                name="comment_answers_a_question",
            ),
        ]

    def __str__(self) -> str:
        return f"Comment {self.pk} on {self.proposal.ref}"

    @property
    def written_in(self) -> str:
        """The language of its text: the proposal's where nobody said otherwise."""
        return self.language or self.proposal.written_in


class Anchor(models.Model):
    """The passage of a revision that a thread is about, as it stood there."""

    comment = models.OneToOneField(Comment, models.PROTECT, related_name="anchor")
    revision = models.ForeignKey(Revision, models.PROTECT, related_name="+")
    quote = models.CharField(max_length=MAX_QUOTE)
    before = models.CharField(max_length=MAX_CONTEXT, blank=True)
    after = models.CharField(max_length=MAX_CONTEXT, blank=True)

    def __str__(self) -> str:
        return f"Passage of {self.revision}"

    @property
    def document(self) -> dict[str, str | int]:
        """What the comment's commitment says of it."""
        return {
            "revision": self.revision.number,
            "quote": self.quote,
            "before": self.before,
            "after": self.after,
        }


class Mention(models.Model):
    """One person named with @ in a comment, who is told of it once."""

    comment = models.ForeignKey(Comment, models.PROTECT, related_name="mentions")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["comment", "person"], name="mention_once_per_comment")
        ]

    def __str__(self) -> str:
        return f"{self.person} in comment {self.comment_id}"


class Argument(models.Model):
    """One short reason for or against a proposal, to be supported by others."""

    KIND = Spoken.ARGUMENT
    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="arguments")
    author = models.ForeignKey(Person, models.PROTECT, related_name="+")
    side = models.CharField(max_length=7, choices=Side.choices)
    text = models.CharField(max_length=MAX_ARGUMENT)
    language = models.CharField(
        max_length=MAX_CODE, blank=True, help_text="Empty in rows older than the question."
    )
    made_at = models.DateTimeField(default=timezone.now)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_reason = models.CharField(max_length=400, blank=True)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["made_at", "id"]
        constraints = [hidden_with_reason("argument_hidden_with_reason")]

    def __str__(self) -> str:
        return f"Argument {self.pk} on {self.proposal.ref}"

    @property
    def written_in(self) -> str:
        """The language of its text: the proposal's where nobody said otherwise."""
        return self.language or self.proposal.written_in


class ArgumentSupport(models.Model):
    """One participant's support of an argument, until it is withdrawn."""

    argument = models.ForeignKey(Argument, models.PROTECT, related_name="supports")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    given_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            # Two connections that support at once both insert; one of them must fail.
            models.UniqueConstraint(
                fields=["argument", "person"],
                condition=Q(withdrawn_at__isnull=True),
                name="argument_support_one_standing",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} for argument {self.argument_id}"
