"""Tables of the checks of endpoints: whether those that claim one version answer as one."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from oversight.accounts.models import Person
from oversight.registry.models import Endpoint, ModelVersion


class CheckPlan(models.Model):
    """One version's standing order: the same prompts to all who claim it, again and again."""

    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="+")
    suite_version = models.ForeignKey("evals.SuiteVersion", models.PROTECT, related_name="+")
    items = models.PositiveSmallIntegerField(help_text="Of each task.")
    every_hours = models.PositiveSmallIntegerField()
    agreement = models.DecimalField(
        max_digits=3, decimal_places=2, help_text="Share of like answers below which they differ."
    )
    with_weights = models.BooleanField(
        default=False, help_text="Whether the registered weights answer, too, on a worker."
    )
    planned_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    planned_at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version"], condition=Q(ended_at=None), name="check_plan_one_per_version"
            ),
        ]
        # Serves the question which are due.
        indexes = [
            models.Index(fields=["next_at"], condition=Q(ended_at=None), name="check_plan_due")
        ]

    def __str__(self) -> str:
        return f"{self.version} by {self.suite_version}, every {self.every_hours} h"


class Check(models.Model):
    """One round of a plan: a run on every endpoint, and once all have ended, what was found."""

    plan = models.ForeignKey(CheckPlan, models.PROTECT, related_name="checks")
    begun_at = models.DateTimeField(default=timezone.now)
    judged_at = models.DateTimeField(null=True, blank=True)
    findings = models.JSONField(default=list, blank=True)
    digest = models.CharField(max_length=71, blank=True)
    leaf_id = models.UUIDField(null=True, blank=True, unique=True)
    bodies_told_at = models.DateTimeField(
        null=True, blank=True, help_text="When bodies were told of its alarms, or that none is new."
    )

    class Meta:
        ordering = ["-begun_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan"], condition=Q(judged_at=None), name="check_one_open_per_plan"
            ),
        ]
        # Serves the question of which alarms no body was told yet.
        indexes = [
            models.Index(
                fields=["judged_at"], condition=Q(bodies_told_at=None), name="check_bodies_untold"
            )
        ]

    def __str__(self) -> str:
        return f"Check {self.pk} of {self.plan}"

    def findings_about(self, slug: str) -> list[dict[str, Any]]:
        """Return what was found that an endpoint has a part in."""
        return [each for each in self.findings if slug in {each["endpoint"], each["beside"]}]


class CheckedEndpoint(models.Model):
    """One answerer of a check: an endpoint, or the registered weights where there is none."""

    check_round = models.ForeignKey(Check, models.PROTECT, related_name="answerers")
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, null=True, blank=True, related_name="+")
    run = models.ForeignKey("evals.Run", models.PROTECT, null=True, blank=True, related_name="+")
    problem = models.CharField(
        max_length=400, blank=True, help_text="Why it could not even be asked."
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["check_round", "endpoint"],
                nulls_distinct=False,
                name="checked_endpoint_once_per_check",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """How findings name it: the endpoint's address name, or `weights`."""
        return self.endpoint.slug if self.endpoint else WEIGHTS


WEIGHTS = "weights"


class ProbeTurn(models.Model):
    """When somebody looks next whether an endpoint answers, and who has the turn now."""

    endpoint = models.OneToOneField(Endpoint, models.PROTECT, related_name="+")
    next_at = models.DateTimeField(db_index=True)
    worker = models.ForeignKey(
        "evals.Worker", models.PROTECT, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.endpoint} at {self.next_at}"


class EndpointProbe(models.Model):
    """One look at an endpoint: whether it answered, and how fast. Kept for 90 days."""

    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="+", db_index=False)
    worker = models.ForeignKey("evals.Worker", models.PROTECT, related_name="+")
    at = models.DateTimeField()
    is_up = models.BooleanField()
    milliseconds = models.PositiveIntegerField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-at"]
        indexes = [
            # Serves an endpoint's availability, and the end of what is old.
            models.Index(fields=["endpoint", "at"], name="probe_by_endpoint"),
            models.Index(fields=["at"], name="probe_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint}: {'up' if self.is_up else self.reason}"
