"""What is asked: suites, their versions, and versions that are being written."""

import uuid
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext

from evals.queries import SuiteVersionQuerySet
from oversight.accounts.models import Person


class Suite(models.Model):
    """One suite of tasks over all its versions."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=160)
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return the suite's page."""
        return f"/suites/{self.slug}/"

    @property
    def current(self) -> "SuiteVersion":
        """The newest version."""
        return self.versions.newest_first()[0]


class SuiteVersion(models.Model):
    """One immutable version: its document and data files are fixed by `digest`."""

    suite = models.ForeignKey(Suite, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=71, unique=True)
    document = models.JSONField(help_text="The suite document the digest is of.")
    guessing = models.JSONField(
        null=True,
        blank=True,
        help_text="By task: what guessing scores, a decimal; of no task where nobody knows it.",
    )
    published_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    published_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    objects = SuiteVersionQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["suite", "number"], name="suite_version_number_once")
        ]

    def __str__(self) -> str:
        words = gettext("%(suite)s, version %(number)s")
        return words % {"suite": self.suite.title, "number": self.number}

    def get_absolute_url(self) -> str:
        """Return the suite's page at this version."""
        return f"/suites/{self.suite.slug}/{self.number}/"

    @property
    def subject(self) -> str:
        """The version as the record names it."""
        return f"suite:{self.suite.slug}:{self.number}"

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The document's task entries, in order."""
        return list(self.document["tasks"])

    def guessing_on(self, name: str) -> float | None:
        """Return what blind guessing scores on one task; None where nobody knows it."""
        known = (self.guessing or {}).get(name)
        return None if known is None else float(known)

    def task(self, name: str) -> dict[str, Any]:
        """Return the entry of one task; raises KeyError when the version has none of this name."""
        for entry in self.tasks:
            if entry["name"] == name:
                return entry
        raise KeyError(name)


def new_draft_ref() -> str:
    """Return a fresh reference of a draft: `draft-` and eight random hexadecimal digits."""
    return f"draft-{uuid.uuid4().hex[:8]}"


class SuiteDraft(models.Model):
    """One suite version that somebody still writes; it is on no record and can be thrown away."""

    ref = models.CharField(max_length=20, unique=True, default=new_draft_ref)
    owner = models.ForeignKey(Person, models.CASCADE, related_name="+")
    base = models.ForeignKey(
        SuiteVersion,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The version it was begun from, if any.",
    )
    document = models.JSONField(help_text="The suite document as far as it is written.")
    uploads = models.JSONField(
        default=dict, help_text="By task name: file name, columns, and the digest of the rows."
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        # A person's drafts, newest first.
        indexes = [models.Index(fields=["owner", "-updated_at"], name="draft_by_owner")]

    def __str__(self) -> str:
        return str(self.document.get("title") or self.ref)

    def get_absolute_url(self) -> str:
        """Return the page on which it is written."""
        return f"/drafts/{self.ref}/"

    def task(self, name: str) -> dict[str, Any]:
        """Return the entry of one task; raises KeyError when there is none of this name."""
        for entry in self.document["tasks"]:
            if entry["name"] == name:
                return dict(entry)
        raise KeyError(name)
