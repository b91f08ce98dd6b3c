"""What came out: aggregates, and the slim scores of every sample."""

from django.db import models

from evals.models.runs import TaskRun


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
