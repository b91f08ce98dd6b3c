"""What came out: aggregates, and the slim scores of every sample."""

from django.db import models

from evals.choices import ResourceClass
from evals.models.runs import Run, TaskRun
from evals.models.suites import SuiteVersion
from evals.models.workers import Worker
from oversight.registry.models import ModelVersion


class Aggregate(models.Model):
    """One metric of one finished task run, recomputed by the server from the samples."""

    task_run = models.ForeignKey(TaskRun, models.CASCADE, related_name="aggregates")
    metric = models.CharField(max_length=60)
    group = models.CharField(max_length=80, blank=True, help_text="Empty: all samples.")
    n = models.PositiveIntegerField()
    mean = models.FloatField()
    stderr = models.FloatField(null=True)
    low = models.FloatField(null=True, help_text="Lower end of the 95 % interval.")
    high = models.FloatField(null=True)
    method = models.CharField(max_length=40)
    clusters = models.PositiveIntegerField(
        null=True, help_text="How many clusters the samples came in; empty: each for itself."
    )

    class Meta:
        ordering = ["task_run_id", "metric", "group"]
        constraints = [
            models.UniqueConstraint(
                fields=["task_run", "metric", "group"], name="aggregate_once_per_metric"
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.mean:.3f} (n={self.n})"


class SampleScore(models.Model):
    """One score of one sample: the slim copy for paired statistics; the artefact has the rest."""

    # The unique constraint's index begins with it, so it needs none of its own. Nor is it checked
    # row by row: that doubles the time of storing a million. Scores are written only together with
    # the result of a task run that is locked, and no task run is ever deleted.
    task_run = models.ForeignKey(
        TaskRun, models.CASCADE, related_name="scores", db_index=False, db_constraint=False
    )
    doc_id = models.PositiveIntegerField()
    metric = models.CharField(max_length=60)
    group = models.CharField(max_length=80, blank=True)
    score = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task_run", "metric", "doc_id"], name="score_once_per_sample"
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.doc_id} {self.score}"


class NewestResult(models.Model):
    """What a model version scored newest on one task by one metric, over runs in full.

    A copy, so that pages find it at once: `evals.services.newest` writes it with the end of each
    run, and makes all of it anew from the aggregates.
    """

    model_version = models.ForeignKey(
        ModelVersion, models.PROTECT, related_name="+", db_index=False
    )
    suite_version = models.ForeignKey(
        SuiteVersion, models.PROTECT, related_name="+", db_index=False
    )
    task_name = models.CharField(max_length=80)
    metric = models.CharField(max_length=60)
    is_headline = models.BooleanField(help_text="Whether this metric judges the task.")
    run = models.ForeignKey(Run, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(help_text="Of the run: the newest one counts.")
    finished_at = models.DateTimeField()
    n = models.PositiveIntegerField()
    mean = models.FloatField()
    stderr = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    method = models.CharField(max_length=40)
    is_recalled = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether the run computed nothing anew: any that did comes before it.",
    )

    class Meta:
        constraints = [
            # Serves the page of a model, too.
            models.UniqueConstraint(
                fields=["model_version", "suite_version", "task_name", "metric"],
                name="newest_result_once",
            )
        ]
        indexes = [
            # Models beside each other on one task, or on all tasks of a suite, best first or last.
            models.Index(
                fields=["suite_version", "task_name", "mean"],
                condition=models.Q(is_headline=True),
                name="newest_result_of_task",
            )
        ]

    def __str__(self) -> str:
        return f"{self.task_name} {self.metric} {self.mean:.3f} (n={self.n})"


class UsageSum(models.Model):
    """What one host has given to one model version for one purpose, as it stated and signed.

    A copy, so that pages need not read every statement: `evals.services.usage` adds each accepted
    result, and makes all of it anew from the statements. One host, one row: results of several
    hosts never wait for each other.
    """

    worker = models.ForeignKey(Worker, models.PROTECT, related_name="+", db_index=False)
    model_version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=60, blank=True)
    resource_class = models.CharField(max_length=8, choices=ResourceClass.choices)
    energy_method = models.CharField(max_length=10, blank=True)
    currency = models.CharField(max_length=3, blank=True, help_text="Empty: no cost was stated.")
    runs = models.PositiveIntegerField(help_text="Those whose first result is counted here.")
    task_runs = models.PositiveIntegerField()
    # As many digits as a statement may have, and room for their sum: nothing is rounded.
    seconds = models.DecimalField(max_digits=130, decimal_places=60)
    tokens = models.DecimalField(max_digits=40, decimal_places=0)
    joules = models.DecimalField(max_digits=130, decimal_places=60)
    money = models.DecimalField(max_digits=130, decimal_places=60)
    last_at = models.DateTimeField(help_text="When the last of them was accepted.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("worker", "model_version", "purpose", "resource_class"),
                    *("energy_method", "currency"),
                ],
                name="usage_summed_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.task_runs} task runs, {self.seconds} s"
