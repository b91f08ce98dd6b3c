"""Tables of incidents: the public part, the private part, and what happened since."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext

from evals.models import Run
from oversight.accounts.models import Body, Person
from oversight.incidents.choices import (
    WITH_REASON,
    Category,
    Event,
    Harm,
    Linked,
    Relation,
    Severity,
    Status,
)
from oversight.incidents.queries import IncidentQuerySet
from oversight.registry.models import Deployment, ModelVersion
from oversight.web.written import MAX_CODE, Written
from proposals.models import Proposal


class Incident(models.Model):
    """One thing that went wrong, as everybody may know it. What a reporter wrote is not here."""

    ref = models.CharField(max_length=16, unique=True, help_text="INC, year, number: INC-2026-001.")
    status = models.CharField(max_length=14, choices=Status.choices, default=Status.RECEIVED)
    severity = models.CharField(max_length=18, choices=Severity.choices, blank=True)
    category = models.CharField(max_length=16, choices=Category.choices)
    harm = models.CharField(max_length=16, choices=Harm.choices, default=Harm.NONE)
    body = models.ForeignKey(
        Body,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who handles it; empty until a clerk takes it up.",
    )
    occurred_on = models.DateField(null=True, blank=True, help_text="First known day.")
    title = models.CharField(max_length=160, blank=True)
    text = models.TextField(blank=True, help_text="Written by a clerk, without personal data.")
    language = models.CharField(
        max_length=MAX_CODE,
        blank=True,
        help_text="Of what clerks write in public; empty in rows older than the question.",
    )
    reported_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, blank=True)
    responded_at = models.DateTimeField(null=True, blank=True, help_text="First act of a clerk.")
    status_changed_at = models.DateTimeField(default=timezone.now)
    ending_reason = models.CharField(max_length=1000, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_reason = models.CharField(max_length=400, blank=True)
    form_digest = models.CharField(
        max_length=64, unique=True, help_text="Of the form it came with, which can be sent once."
    )
    leaf_id = models.UUIDField(unique=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-reported_at", "-id"]
        indexes = [
            # The public list, and statistics by state.
            models.Index(fields=["status", "-reported_at"], name="incident_by_status"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[Status.RECEIVED, Status.REJECTED]) | ~Q(severity=""),
                name="incident_judged_when_triaged",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=sorted(WITH_REASON)) | ~Q(ending_reason=""),
                name="incident_ending_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.RECEIVED) | Q(body__isnull=False),
                name="incident_handled_by_a_body",
            ),
            models.CheckConstraint(
                condition=Q(published_at__isnull=True) | ~Q(title="") & ~Q(text=""),
                name="incident_published_with_text",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.shown_title}"

    def get_absolute_url(self) -> str:
        """Return the public page."""
        return f"/incidents/{self.ref}/"

    @property
    def subject(self) -> str:
        """The incident as the record names it."""
        return f"incident:{self.ref}"

    @property
    def shown_title(self) -> str:
        """The public title, or what stands in its place."""
        if self.hidden_at is not None:
            return gettext("Hidden by a clerk")
        day = date_format(
            timezone.localtime(self.reported_at),
            pgettext("pattern of Django's date format", "j F Y"),
        )
        if self.title:
            return Written(self.title, self.written_in)
        return gettext("Report of %(day)s") % {"day": day}

    @property
    def written_in(self) -> str:
        """The language of its public text: the body's where nobody said otherwise."""
        return self.language or (self.body.language if self.body else settings.LANGUAGE_CODE)

    @property
    def shown_text(self) -> str:
        """The public text; empty while there is none, or it is hidden."""
        return "" if self.hidden_at is not None else self.text

    @property
    def standing_links(self) -> "list[IncidentLink]":
        """The links that were not taken back, oldest first."""
        return [link for link in self.links.all() if link.removed_at is None]


class IncidentReport(models.Model):
    """The private part of one incident: what the reporter wrote. Erasable without a trace."""

    incident = models.OneToOneField(
        Incident, models.CASCADE, primary_key=True, related_name="report"
    )
    secret_digest = models.CharField(
        max_length=64, blank=True, help_text="Of the reporter's secret link; empty once erased."
    )
    text = models.TextField(blank=True)
    email = models.EmailField(blank=True)
    relation = models.CharField(max_length=10, choices=Relation.choices, blank=True)
    deployment = models.ForeignKey(
        Deployment, models.PROTECT, null=True, blank=True, related_name="+"
    )
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # Also the way from a secret link to its report.
            models.UniqueConstraint(
                fields=["secret_digest"],
                condition=~Q(secret_digest=""),
                name="incident_secret_once",
            )
        ]

    def __str__(self) -> str:
        return f"Report of {self.incident.ref}"


class IncidentMessage(models.Model):
    """One thing the reporter added, or a clerk asked them; only these two and auditors read it."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="messages")
    author = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+", help_text="Or: reporter."
    )
    text = models.TextField(blank=True)
    sent_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["sent_at", "id"]

    def __str__(self) -> str:
        return f"Message about {self.incident.ref}"


class IncidentFile(models.Model):
    """One file of a reporter. It lies in the database, so that erasing it leaves no copy behind."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="files")
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    content = models.BinaryField()
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["sent_at", "id"]

    def __str__(self) -> str:
        return f"{self.name} of {self.incident.ref}"


class IncidentLink(models.Model):
    """One thing that an incident is about, or has led to."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="links")
    kind = models.CharField(max_length=10, choices=Linked.choices)
    deployment = models.ForeignKey(
        Deployment, models.PROTECT, null=True, blank=True, related_name="+"
    )
    version = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="+"
    )
    run = models.ForeignKey(Run, models.PROTECT, null=True, blank=True, related_name="+")
    proposal = models.ForeignKey(Proposal, models.PROTECT, null=True, blank=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["added_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind=Linked.DEPLOYMENT,
                    deployment__isnull=False,
                    version__isnull=True,
                    run__isnull=True,
                    proposal__isnull=True,
                )
                | Q(
                    kind=Linked.VERSION,
                    version__isnull=False,
                    deployment__isnull=True,
                    run__isnull=True,
                    proposal__isnull=True,
                )
                | Q(
                    kind=Linked.RUN,
                    run__isnull=False,
                    deployment__isnull=True,
                    version__isnull=True,
                    proposal__isnull=True,
                )
                | Q(
                    kind__in=[Linked.SUSPENSION, Linked.REVIEW],
                    proposal__isnull=False,
                    deployment__isnull=True,
                    version__isnull=True,
                    run__isnull=True,
                ),
                name="incident_link_to_what_it_says",
            ),
            models.UniqueConstraint(
                fields=["incident", "deployment", "version", "run", "proposal"],
                condition=Q(removed_at__isnull=True),
                nulls_distinct=False,
                name="incident_link_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident.ref} and {self.target}"

    @property
    def target(self) -> "Deployment | ModelVersion | Run | Proposal":
        """What it leads to."""
        found = self.deployment or self.version or self.run or self.proposal
        assert found is not None  # noqa: S101 - a check constraint
        return found


class IncidentEvent(models.Model):
    """One line of the public timeline. What a line says can be hidden with the public text."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=10, choices=Event.choices)
    status = models.CharField(max_length=14, choices=Status.choices, blank=True)
    text = models.TextField(blank=True)
    author = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.incident.ref}"


class ReportingDay(models.Model):
    """One day's salt for counting reports by address; it goes with its day, with the counts."""

    day = models.DateField(primary_key=True)
    salt = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return self.day.isoformat()


class ReportingCount(models.Model):
    """How often one address reported or added today; the address itself is nowhere."""

    day = models.ForeignKey(ReportingDay, models.CASCADE, related_name="counts")
    address_digest = models.CharField(max_length=64)
    number = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "address_digest"], name="reporting_count_once")
        ]

    def __str__(self) -> str:
        return f"{self.number} on {self.day}"
