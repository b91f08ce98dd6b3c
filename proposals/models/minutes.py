"""What a body keeps of a period: its minutes."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext, pgettext

from oversight.accounts.models import Body, Person
from proposals.choices import MinutesStatus
from proposals.queries import MinutesQuerySet


class Minutes(models.Model):
    """One version of a body's minutes of a period: a text until adopted, then on the record.

    `document` is the canonical text that `digest` is of; it is never serialised again. A
    correction of adopted minutes is a later version of the same number.
    """

    body = models.ForeignKey(Body, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    version = models.PositiveIntegerField(default=1)
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="The last day that they are about.")
    status = models.CharField(
        max_length=10, choices=MinutesStatus.choices, default=MinutesStatus.DRAFT
    )
    text = models.TextField(help_text="Markdown; members by their public ids.")
    language = models.CharField(max_length=10, default="en", help_text="Of the draft.")
    drafted_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField(default=timezone.now)
    adopted_at = models.DateTimeField(null=True, blank=True)
    document = models.TextField(blank=True)
    digest = models.CharField(max_length=71, blank=True)
    leaf_id = models.UUIDField(unique=True, null=True, blank=True)

    objects = MinutesQuerySet.as_manager()

    class Meta:
        ordering = ["body_id", "-number", "-version"]
        verbose_name_plural = "minutes"
        constraints = [
            models.UniqueConstraint(
                fields=["body", "number", "version"], name="minutes_version_once"
            ),
            models.UniqueConstraint(
                fields=["body", "number"],
                condition=Q(status="adopted"),
                name="minutes_one_adopted_version",
            ),
            models.UniqueConstraint(
                fields=["body", "number"], condition=Q(status="draft"), name="minutes_one_draft"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=models.F("starts_on")), name="minutes_end_after_start"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["draft", "discarded"],
                    adopted_at__isnull=True,
                    leaf_id__isnull=True,
                    digest="",
                    document="",
                )
                | (
                    Q(status__in=["adopted", "corrected"], adopted_at__isnull=False)
                    & Q(leaf_id__isnull=False)
                    & ~Q(digest="")
                    & ~Q(document="")
                ),
                name="minutes_adopted_are_on_the_record",
            ),
        ]

    def __str__(self) -> str:
        return f"Minutes {self.number} of {self.body}"

    def get_absolute_url(self) -> str:
        """Return the page of this version."""
        return f"/bodies/{self.body.slug}/minutes/{self.number}/{self.version}/"

    @property
    def period(self) -> str:
        """The days in words: `1 to 30 November 2026`."""
        first, last = self.starts_on, self.ends_on
        whole = pgettext("pattern of Django's date format", "j F Y")
        if first == last:
            return date_format(last, whole)
        if first.year != last.year:
            pattern = whole
        elif first.month != last.month:
            pattern = pgettext("pattern of Django's date format", "j F")
        else:
            pattern = pgettext("pattern of Django's date format, a day before “to”", "j")
        days = {"first": date_format(first, pattern), "last": date_format(last, whole)}
        return gettext("%(first)s to %(last)s") % days
