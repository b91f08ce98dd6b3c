"""Who runs it: workers and the keys they sign with."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from evals.choices import KeyEnd, ResourceClass
from evals.queries import WorkerQuerySet
from oversight.accounts.models import Organisation, new_public_id


class Worker(models.Model):
    """One machine that runs evaluations, with its own signing key and token."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    name = models.CharField(max_length=80)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    token_digest = models.CharField(max_length=64, unique=True)
    public_key = models.CharField(max_length=64, help_text="Raw Ed25519 key in hexadecimal.")
    resource_classes = ArrayField(models.CharField(max_length=8, choices=ResourceClass.choices))
    enrolled_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=200, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    boot_id = models.CharField(max_length=64, blank=True)
    device_memory_bytes = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Of each of its GPUs, as it says; empty: it did not say."
    )
    devices = models.PositiveSmallIntegerField(default=1, help_text="GPUs it gives to one model.")
    software = models.JSONField(default=dict, blank=True)
    device = models.JSONField(default=dict, blank=True)
    leaf_id = models.UUIDField(unique=True)

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ["organisation__name", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"],
                condition=Q(revoked_at__isnull=True),
                name="worker_name_once_per_organisation",
            ),
            models.CheckConstraint(
                condition=Q(paused_at__isnull=True, pause_reason="")
                | Q(paused_at__isnull=False) & ~Q(pause_reason=""),
                name="worker_pause_has_reason",
            ),
        ]

    def __str__(self) -> str:
        words = gettext("%(worker)s of %(organisation)s")
        return words % {"worker": self.name, "organisation": self.organisation.name}

    @property
    def actor(self) -> str:
        """The worker as the record names it."""
        return f"worker:{self.public_id}"

    @property
    def standing(self) -> str:
        """`usable`, `paused` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "paused" if self.paused_at is not None else "usable"


class WorkerKey(models.Model):
    """One signing key that a worker has or had: a statement is checked with the key of its time."""

    worker = models.ForeignKey(Worker, models.PROTECT, related_name="keys")
    public_key = models.CharField(max_length=64, help_text="Raw Ed25519 key in hexadecimal.")
    since = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=8, choices=KeyEnd.choices, blank=True)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["worker_id", "since"]
        constraints = [
            models.UniqueConstraint(
                fields=["worker"],
                condition=Q(ended_at__isnull=True),
                name="worker_key_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end="") | Q(ended_at__isnull=False) & ~Q(end=""),
                name="worker_key_end_has_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_key[:16]}… of {self.worker}"
