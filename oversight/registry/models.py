"""Tables of the registry floor: what exists, where it would run, and what decisions allow."""

import re
from datetime import datetime
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext

from oversight.accounts.models import Organisation, Person
from oversight.registry import descriptions, origin
from oversight.registry.choices import AuthorisationState, DescentKind
from oversight.registry.queries import (
    AuthorisationQuerySet,
    DeploymentQuerySet,
    DescriptionQuerySet,
    EndpointQuerySet,
    ModelQuerySet,
    ModelVersionQuerySet,
)
from oversight.web.figures import localised

DIGEST_PATTERN = re.compile(r"\Asha256:[0-9a-f]{64}\Z")
DIGEST = RegexValidator(DIGEST_PATTERN, "Write a digest as sha256: and 64 hex digits.")


class RegisteredModel(models.Model):
    """One model as people know it, over all its versions."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    developer = models.CharField(max_length=120, blank=True)
    summary = models.CharField(max_length=600, blank=True)
    registered_at = models.DateTimeField(default=timezone.now)
    registered_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    leaf_id = models.UUIDField(unique=True)

    objects = ModelQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        # Serves the list of models, page by page.
        indexes = [models.Index(fields=["name", "id"], name="model_by_name")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the model's page."""
        return f"/models/{self.slug}/"


class ModelVersion(models.Model):
    """One version: exactly the files whose manifest has this digest. It never changes."""

    model = models.ForeignKey(RegisteredModel, models.PROTECT, related_name="versions")
    label = models.CharField(
        max_length=60, validators=[RegexValidator(r"\A[0-9A-Za-z][0-9A-Za-z._-]*\Z")]
    )
    digest = models.CharField(max_length=71, unique=True, validators=[DIGEST])
    manifest = models.JSONField(help_text="List of name, size and sha256 of every file.")
    total_bytes = models.PositiveBigIntegerField()
    licence = models.CharField("licence (SPDX)", max_length=200, blank=True)
    card = models.JSONField(default=dict, blank=True)
    source = models.JSONField(
        default=dict, blank=True, help_text="Where workers find the files. Never shown in public."
    )
    registered_at = models.DateTimeField(default=timezone.now)
    registered_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    leaf_id = models.UUIDField(unique=True)

    objects = ModelVersionQuerySet.as_manager()

    kind = "version"

    class Meta:
        ordering = ["registered_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["model", "label"], name="version_label_once_per_model"),
        ]

    def __str__(self) -> str:
        return f"{self.model.name} {self.label}"

    def get_absolute_url(self) -> str:
        """Return the version's place on its model's page."""
        return f"{self.model.get_absolute_url()}#{self.label}"

    @property
    def subject(self) -> str:
        """The version as the record names it."""
        return f"version:{self.digest}"

    @property
    def made_from(self) -> tuple[str, str]:
        """Where the weights come from, in words, and the digest of that file; empty if untold."""
        told = self.card.get("origin")
        said = origin.words(told)
        return (said, origin.sha256(told)) if said else ("", "")

    @property
    def parameters_hint(self) -> str:
        """Size of the files in words, for people."""
        gigabytes = self.total_bytes / 1e9
        if gigabytes >= 1:
            return gettext("%(size)s GB") % {"size": localised(f"{gigabytes:.1f}")}
        return gettext("%(size)s MB") % {"size": localised(f"{self.total_bytes / 1e6:.0f}")}


class Descent(models.Model):
    """One statement that a version was made from another one. They form a graph without circles."""

    child = models.ForeignKey(ModelVersion, models.PROTECT, related_name="made_of")
    parent = models.ForeignKey(ModelVersion, models.PROTECT, related_name="made_into")
    kind = models.CharField(max_length=20, choices=DescentKind.choices)
    data = models.JSONField(default=dict, blank=True, help_text="What it was trained on.")
    stated_at = models.DateTimeField(default=timezone.now)
    stated_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["stated_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["child", "parent"], name="descent_stated_once"),
            models.CheckConstraint(condition=~Q(child=F("parent")), name="descent_not_from_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.child}, {self.get_kind_display()} {self.parent}"

    @property
    def made(self) -> str:
        """How, as words between the two versions: “child was … parent”."""
        words = {DescentKind.BASE: "made from", DescentKind.ADAPTER: "made as an adapter for"}
        kind = DescentKind(self.kind)
        return words.get(kind, str(kind.label))

    @property
    def parts(self) -> list[tuple[str, list[tuple[descriptions.Item, str]]]]:
        """What is told of the data, in words."""
        return descriptions.parts("data", self.data)


class VersionSignature(models.Model):
    """One signature of a version's files by OpenSSF `model-signing`, verified at registration."""

    version = models.OneToOneField(ModelVersion, models.PROTECT, related_name="signature")
    digest = models.CharField(
        max_length=71, validators=[DIGEST], help_text="By which model-signing names the files."
    )
    key = models.CharField(
        max_length=71, validators=[DIGEST], help_text="SHA-256 of the public key in PEM."
    )
    signer = models.CharField(
        max_length=500, blank=True, help_text="The certificate's subject; empty for a bare key."
    )
    bundle = models.TextField(help_text="The signature file, byte for byte.")
    trusted = models.TextField(help_text="The key or roots, in PEM, that it was verified by.")

    def __str__(self) -> str:
        return f"{self.version} signed by {self.signer or self.key}"


class Endpoint(models.Model):
    """One address at which an operator serves a model."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    operator = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    base_url = models.URLField(blank=True)
    claimed_version = models.ForeignKey(
        ModelVersion,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="endpoints",
        help_text="What it serves by its newest description.",
    )
    registered_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    objects = EndpointQuerySet.as_manager()

    kind = "endpoint"

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the endpoint's page."""
        return f"/endpoints/{self.slug}/"

    @property
    def subject(self) -> str:
        """The endpoint as the record names it."""
        return f"endpoint:{self.slug}"


class Deployment(models.Model):
    """One use: something behind an endpoint, for a purpose and an audience."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="deployments")
    purpose = models.CharField(max_length=300)
    audience = models.CharField(max_length=120)
    registered_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    objects = DeploymentQuerySet.as_manager()

    kind = "deployment"

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the deployment's page."""
        return f"/deployments/{self.slug}/"

    @property
    def subject(self) -> str:
        """The deployment as the record names it."""
        return f"deployment:{self.slug}"


class Description(models.Model):
    """One state of what a version, a use or an endpoint says of itself. Only more are added."""

    subject = models.CharField(max_length=120, help_text="As the record names it.")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=71, validators=[DIGEST])
    described_at = models.DateTimeField(default=timezone.now)
    described_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    leaf_id = models.UUIDField(unique=True)

    objects = DescriptionQuerySet.as_manager()

    class Meta:
        ordering = ["subject", "-number"]
        constraints = [
            # Also serves the question for the newest of a subject.
            models.UniqueConstraint(
                fields=["subject", "number"], name="description_number_once_per_subject"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject}, description {self.number}"

    @property
    def parts(self) -> list[tuple[str, list[tuple[descriptions.Item, str]]]]:
        """What is filled, heading by heading, in words."""
        return descriptions.parts(self.subject.partition(":")[0], self.document)


class Authorisation(models.Model):
    """One permission that a decision gave: this version may serve this deployment, from, until."""

    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="authorisations")
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="authorisations")
    decision_ref = models.CharField(max_length=30, unique=True)
    conditions = models.JSONField(default=dict, blank=True)
    state = models.CharField(
        max_length=12, choices=AuthorisationState.choices, default=AuthorisationState.GRANTED
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    state_changed_at = models.DateTimeField(default=timezone.now)
    state_before = models.CharField(
        max_length=12, blank=True, help_text="What an annulment of the last change goes back to."
    )
    changed_by = models.CharField(
        max_length=30, blank=True, help_text="The decision that changed the state last."
    )
    suspended_until = models.DateTimeField(
        null=True, blank=True, help_text="When an emergency suspension lapses unless ratified."
    )
    leaf_id = models.UUIDField(unique=True)

    objects = AuthorisationQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="authorisation_ends_after_start",
            ),
            # Two decisions in the same second must not leave two versions authorised at once.
            models.UniqueConstraint(
                fields=["deployment"],
                condition=Q(state__in=["granted", "suspended"]),
                name="authorisation_one_standing_per_deployment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} for {self.deployment}"

    @property
    def subject(self) -> str:
        """The authorisation as the record names it."""
        return f"authorisation:{self.decision_ref}"

    def is_in_force(self, moment: datetime | None = None) -> bool:
        """Say whether it allows service at the moment (now by default)."""
        now = moment or timezone.now()
        in_time = self.starts_at <= now and (self.ends_at is None or now < self.ends_at)
        return self.state_at(now) == AuthorisationState.GRANTED and in_time

    def state_at(self, moment: datetime) -> AuthorisationState:
        """Return the state at a moment: an emergency suspension lapses by the clock alone."""
        state = AuthorisationState(self.state)
        if state != AuthorisationState.SUSPENDED or self.suspended_until is None:
            return state
        return AuthorisationState.GRANTED if moment >= self.suspended_until else state

    @property
    def state_now(self) -> AuthorisationState:
        """The state of this moment."""
        return self.state_at(timezone.now())

    @property
    def is_ended(self) -> bool:
        """Whether its time is over, whatever its state."""
        return self.ends_at is not None and timezone.now() >= self.ends_at

    def as_dict(self) -> dict[str, Any]:
        """Return what is public of it."""
        return {
            "decision": self.decision_ref,
            "state": str(self.state_now),
            "starts_at": self.starts_at,
            "ends_at": self.ends_at,
            "conditions": self.conditions,
            "suspended_until": self.suspended_until
            if self.state_now == AuthorisationState.SUSPENDED
            else None,
        }
