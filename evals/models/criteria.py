"""What is asked of a model before it is measured."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from evals.choices import Comparison
from evals.metric_words import metric_words
from evals.models.suites import SuiteVersion
from evals.queries import CriterionQuerySet
from oversight.accounts.models import Person
from oversight.registry.models import ModelVersion
from oversight.web.figures import localised


def asked_words(comparison: str, threshold: Decimal, beside: ModelVersion | None) -> str:
    """Return what a criterion asks: “at least 0.65”, “not worse than Alpina 1.0 by over 0.02”."""
    words, number = Comparison(comparison).label, localised(f"{threshold.normalize():f}")
    if beside is None:
        return f"{words} {number}"
    if not threshold:
        return f"{words} {beside}"
    gaps = {"version": beside, "margin": number}
    return gettext("not worse than %(version)s by over %(margin)s") % gaps


class Criterion(models.Model):
    """One thing asked of a model, on the record before the run that answers it."""

    subject = models.CharField(max_length=60, help_text="Such as proposal:2026-001.")
    suite_version = models.ForeignKey(SuiteVersion, models.PROTECT, related_name="criteria")
    task_name = models.CharField(max_length=80)
    metric = models.CharField(max_length=60)
    comparison = models.CharField(max_length=10, choices=Comparison.choices)
    threshold = models.DecimalField(
        max_digits=12, decimal_places=6, help_text="Of a comparison with a version: the margin."
    )
    beside = models.ForeignKey(
        ModelVersion,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The version that the model is compared with, sample by sample.",
    )
    must_pass = models.BooleanField(default=True)
    recorded_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(default=timezone.now)
    leaf_id = models.UUIDField(unique=True)

    objects = CriterionQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "criteria"
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "suite_version", "task_name", "metric", "comparison", "beside"],
                name="criterion_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(comparison="not_worse", beside__isnull=False, threshold__gte=0)
                | ~Q(comparison="not_worse") & Q(beside__isnull=True),
                name="criterion_names_a_version_to_compare_with",
            ),
        ]
        indexes = [models.Index(fields=["subject"], name="criterion_by_subject")]

    def __str__(self) -> str:
        return f"{self.task_name} {self.metric} {self.asked}"

    @property
    def asked(self) -> str:
        """What is asked, in words: “at least 0.65”."""
        return asked_words(self.comparison, self.threshold, self.beside)

    @property
    def task(self) -> dict[str, Any]:
        """The suite document's entry of the task."""
        return self.suite_version.task(self.task_name)

    @property
    def metric_words(self) -> str:
        """The metric as people call it."""
        return metric_words(self.task, self.metric)

    def precedes(self, moment: datetime) -> bool:
        """Say whether it was recorded before the moment."""
        return self.recorded_at < moment
