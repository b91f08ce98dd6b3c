"""Tables of webhooks: who wants what where, what was asked for beside it, and how it ended."""

import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from oversight.accounts.models import Body, Organisation, Person
from oversight.webhooks.choices import Ending, Kind, Status
from oversight.webhooks.queries import SubscriptionQuerySet

URL_CHARACTERS = 500


def new_public_id() -> str:
    """Return the name of a new subscription in addresses and message ids."""
    return f"whk_{secrets.token_hex(8)}"


class Subscription(models.Model):
    """One address that is sent what is new on the record, in the record's order.

    `next_index` is the next entry to look at: everything before it was taken, or is of no interest
    here. It moves on only once an entry was taken, so nothing is lost, and order is kept.

    It belongs to a person, or to an organisation: then to whoever are its operators.
    """

    public_id = models.CharField(max_length=24, unique=True, default=new_public_id)
    owner = models.ForeignKey(Person, models.CASCADE, null=True, blank=True, related_name="+")
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, null=True, blank=True, related_name="+"
    )
    url = models.CharField(max_length=URL_CHARACTERS)
    note = models.CharField(max_length=80, blank=True, help_text="What it is for.")
    types = ArrayField(
        models.CharField(max_length=80),
        default=list,
        blank=True,
        help_text="Types of events or beginnings of them; empty: all.",
    )
    body = models.ForeignKey(Body, models.CASCADE, null=True, blank=True, related_name="+")
    subject = models.CharField(max_length=201, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    next_index = models.BigIntegerField()
    seed = models.BinaryField(max_length=32)
    old_seed = models.BinaryField(max_length=32, null=True, blank=True)
    old_seed_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    failing_since = models.DateTimeField(null=True, blank=True)
    next_try_at = models.DateTimeField(default=timezone.now)
    lease_token = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    served_at = models.DateTimeField(null=True, blank=True, help_text="When last claimed.")
    created_at = models.DateTimeField(default=timezone.now)
    off_reason = models.CharField(max_length=10, choices=Ending.choices, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            # A person's own list.
            models.Index(fields=["owner", "-created_at"], name="webhook_by_owner"),
            # The sweep: who waits longest to be looked at.
            models.Index(fields=["served_at"], name="webhook_by_service"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(owner=None) ^ Q(organisation=None),
                name="webhook_of_person_or_organisation",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.OFF) ^ Q(off_reason=""),
                name="webhook_off_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(failures=0, failing_since=None)
                | Q(failures__gt=0, failing_since__isnull=False),
                name="webhook_failing_since_first_failure",
            ),
            models.CheckConstraint(
                condition=Q(old_seed=None, old_seed_until=None)
                | Q(old_seed__isnull=False, old_seed_until__isnull=False),
                name="webhook_old_secret_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.note or self.url

    def get_absolute_url(self) -> str:
        """Return its owner's page of it."""
        return reverse("webhook", args=[self.public_id])

    @property
    def live_seeds(self) -> list[bytes]:
        """The seeds whose secrets sign now, the newest first."""
        found = [bytes(self.seed)]
        until = self.old_seed_until
        if self.old_seed is not None and until is not None and until > timezone.now():
            found.append(bytes(self.old_seed))
        return found

    def event_id(self, index: int) -> str:
        """Return the `webhook-id` of an entry: the same however often it is sent."""
        return f"{self.public_id}_{index}"


class Message(models.Model):
    """One message that its owner asked for beside the stream; gone once it was tried."""

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    message_id = models.CharField(max_length=60)
    index = models.BigIntegerField(null=True, blank=True)
    challenge = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.subscription}"


class Attempt(models.Model):
    """One time that something was sent, and how it ended. Only the newest are kept."""

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="attempts")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    message_id = models.CharField(max_length=60)
    index = models.BigIntegerField(null=True, blank=True)
    type = models.CharField(max_length=204, blank=True)
    at = models.DateTimeField(default=timezone.now)
    milliseconds = models.PositiveIntegerField(default=0)
    ending = models.CharField(max_length=10, choices=Ending.choices)
    answered = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status.")

    class Meta:
        ordering = ["-id"]
        indexes = [
            # One subscription's log, newest first, and what of it is too old.
            models.Index(fields=["subscription", "-id"], name="webhook_attempts"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.get_ending_display()}"

    @property
    def was_taken(self) -> bool:
        """Whether it arrived."""
        return self.ending == Ending.TAKEN
