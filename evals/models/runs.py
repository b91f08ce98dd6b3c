"""Runs, the task runs they split into, and questions put to several organisations."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from evals.choices import FINAL_STATES, ReplicationState, ResourceClass, RunState, TaskRunState
from evals.models.artefacts import Artefact
from evals.models.budgets import ComputeBudget
from evals.models.suites import SuiteVersion
from evals.models.workers import Worker
from evals.queries import RunQuerySet, TaskRunQuerySet
from oversight.accounts.models import Organisation, Person
from oversight.registry.models import ModelVersion


def new_run_ref() -> str:
    """Return a fresh run reference: `run-` and eight random hexadecimal digits."""
    return f"run-{uuid.uuid4().hex[:8]}"


def new_replication_ref() -> str:
    """Return a fresh reference of a replication: `rep-` and eight random hexadecimal digits."""
    return f"rep-{uuid.uuid4().hex[:8]}"


class Replication(models.Model):
    """One question put to several organisations: the same suite and model, a run by each.

    Its runs are ordinary runs; each belongs to the organisation whose worker takes its first task.
    When all have ended, their results are compared and what was found is on the record.
    """

    ref = models.CharField(max_length=20, unique=True, default=new_replication_ref)
    organisations = models.PositiveSmallIntegerField(help_text="How many have to evaluate.")
    tolerance = models.DecimalField(
        max_digits=9, decimal_places=6, help_text="Largest difference of a mean that is agreement."
    )
    requested_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(
        max_length=10, choices=ReplicationState.choices, default=ReplicationState.OPEN
    )
    concluded_at = models.DateTimeField(null=True, blank=True)
    findings = models.JSONField(
        default=list, blank=True, help_text="By task and metric: every mean, and their spread."
    )
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", concluded_at__isnull=True)
                | ~Q(state="open") & Q(concluded_at__isnull=False),
                name="replication_concluded_unless_open",
            ),
            models.CheckConstraint(
                condition=Q(organisations__gte=2), name="replication_takes_two_organisations"
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def subject(self) -> str:
        """The replication as the record names it."""
        return f"replication:{self.ref}"


class Run(models.Model):
    """One evaluation of one model version by one suite version."""

    ref = models.CharField(max_length=20, unique=True, default=new_run_ref)
    suite_version = models.ForeignKey(SuiteVersion, models.PROTECT, related_name="runs")
    model_version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="+")
    settings = models.JSONField(help_text="backend, dtype, batch_size, limit, device")
    resource_class = models.CharField(max_length=8, choices=ResourceClass.choices)
    priority = models.SmallIntegerField(default=0)
    device_memory_bytes = models.PositiveBigIntegerField(
        default=0, help_text="What it needs of each GPU; 0: any host of its class will do."
    )
    replication = models.ForeignKey(
        Replication, models.PROTECT, null=True, blank=True, related_name="runs"
    )
    organisation = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whose workers alone may run it: set by the first claim of a replication's run.",
    )
    purpose = models.CharField(
        max_length=60,
        blank=True,
        help_text="Subject it is evidence for, such as proposal:2026-001.",
    )
    requested_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.QUEUED)
    reason = models.CharField(max_length=400, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(
        max_length=200, blank=True, help_text="Why it was stopped, where nobody asked for that."
    )
    budget = models.ForeignKey(
        ComputeBudget,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="runs",
        help_text="What pays for its hours, if its body has voted one.",
    )
    answers = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        help_text="How many its workers gave, as they signed; empty until it is finished.",
    )
    recalled = models.PositiveBigIntegerField(
        default=0,
        db_default=0,
        help_text="How many of them its workers had from an earlier run, as far as one knows.",
    )
    leaf_id = models.UUIDField(unique=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        indexes = [
            # Evidence of a proposal, and the newest runs of a model or suite.
            models.Index(fields=["purpose", "requested_at"], name="run_by_purpose"),
            models.Index(fields=["-requested_at"], name="run_newest"),
            # The newest runs on the page of a suite version, and on that of a model.
            models.Index(fields=["suite_version", "-requested_at", "-id"], name="run_of_suite"),
            models.Index(fields=["model_version", "-requested_at", "-id"], name="run_of_version"),
            # A suite's history, which shows runs in full alone: nothing says how many those are.
            models.Index(
                fields=["suite_version", "-requested_at", "-id"],
                condition=Q(state="succeeded", settings__limit=None),
                name="run_in_full_of_suite",
            ),
            # How many there are in a state.
            models.Index(fields=["state"], name="run_by_state"),
            # Those that a server of before these columns ended.
            models.Index(
                fields=["id"],
                condition=Q(state="succeeded", answers=None),
                name="run_without_answers",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, state__in=["queued", "running"])
                | Q(finished_at__isnull=False, state__in=["succeeded", "failed", "cancelled"]),
                name="run_finished_when_final",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "cancelled"]) | Q(started_at__isnull=False),
                name="run_started_unless_it_waited",
            ),
            # Design: no run ends in a state without a reason.
            models.CheckConstraint(
                condition=~Q(state__in=["failed", "cancelled"]) | ~Q(reason=""),
                name="run_bad_end_has_reason",
            ),
            # Two workers of one organisation must not take two runs of one replication at once.
            models.UniqueConstraint(
                fields=["replication", "organisation"], name="run_once_per_organisation"
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    def get_absolute_url(self) -> str:
        """Return the run's page."""
        return f"/runs/{self.ref}/"

    @property
    def subject(self) -> str:
        """The run as the record names it."""
        return f"run:{self.ref}"

    @property
    def is_active(self) -> bool:
        """Whether it still waits or runs."""
        return self.state in {RunState.QUEUED, RunState.RUNNING}

    @property
    def is_recalled(self) -> bool:
        """Whether it repeats the answers of earlier runs, every one, and measured nothing anew."""
        return bool(self.answers) and self.recalled >= (self.answers or 0)


class TaskRun(models.Model):
    """One task of a run: what a worker leases, runs and answers for.

    `lease_token` is the fencing token: it grows with every claim, and only its newest holder may
    report. A worker that comes back late holds an older one and is refused.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, models.PROTECT, related_name="task_runs")
    task_name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField()
    # Copied from the run, where they never change: one index then holds all a claim sorts by.
    resource_class = models.CharField(max_length=8, choices=ResourceClass.choices)
    priority = models.SmallIntegerField()
    requester = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField()
    device_memory_bytes = models.PositiveBigIntegerField(default=0)
    devices = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(
        max_length=10, choices=TaskRunState.choices, default=TaskRunState.QUEUED
    )
    worker = models.ForeignKey(
        Worker, models.PROTECT, null=True, blank=True, related_name="task_runs"
    )
    boot_id = models.CharField(max_length=64, blank=True)
    lease_token = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    busy_seconds = models.DecimalField(
        max_digits=12,
        decimal_places=3,
        default=0,
        help_text="How long hosts held it, over all attempts that have ended.",
    )
    stage = models.CharField(max_length=20, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    answering_since = models.DateTimeField(
        null=True, blank=True, help_text="When this attempt was first heard to have answers."
    )
    answered_then = models.PositiveIntegerField(
        default=0, help_text="How many it had then; those of the journal cost no time."
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=2000, blank=True)
    log_tail = models.TextField(blank=True)
    envelope = models.JSONField(null=True, blank=True, help_text="Signed statement (DSSE).")
    statement_digest = models.CharField(max_length=71, blank=True)
    samples = models.ForeignKey(Artefact, models.PROTECT, null=True, blank=True, related_name="+")
    leaf_id = models.UUIDField(null=True, unique=True)

    objects = TaskRunQuerySet.as_manager()

    class Meta:
        ordering = ["run_id", "position"]
        indexes = [
            # The claim: who has work waiting, and the oldest of it.
            models.Index(
                fields=["resource_class", "priority", "requester", "requested_at", "position"],
                condition=Q(state="queued"),
                name="task_run_line",
            ),
            # The claim: how much of each requester is under way, and who was served last.
            models.Index(
                fields=["resource_class", "requester"],
                condition=Q(state="running"),
                name="task_run_under_way",
            ),
            models.Index(
                fields=["resource_class", "requester", "started_at"],
                condition=Q(started_at__isnull=False),
                name="task_run_served",
            ),
            # What a contract says was judged, by the digest of its signed statement.
            models.Index(
                fields=["statement_digest"],
                condition=~Q(statement_digest=""),
                name="task_run_statement",
            ),
            # The sweep of expired leases.
            models.Index(
                fields=["lease_until"], condition=Q(state="running"), name="task_run_lease"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["run", "task_name"], name="task_once_per_run"),
            models.CheckConstraint(
                condition=Q(state="running", worker__isnull=False, lease_until__isnull=False)
                | (~Q(state="running") & Q(lease_until__isnull=True)),
                name="task_run_lease_only_while_running",
            ),
            models.CheckConstraint(
                condition=~Q(state="running")
                | Q(started_at__isnull=False, attempt__gte=1, lease_token__gte=1),
                name="task_run_running_was_claimed",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, state__in=["queued", "running"])
                | Q(finished_at__isnull=False, state__in=["succeeded", "failed", "cancelled"]),
                name="task_run_finished_when_final",
            ),
            models.CheckConstraint(
                condition=~Q(state="succeeded")
                | Q(envelope__isnull=False, samples__isnull=False, leaf_id__isnull=False),
                name="task_run_success_has_evidence",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["failed", "cancelled"]) | ~Q(reason=""),
                name="task_run_bad_end_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run.ref} {self.task_name}"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINAL_STATES

    @property
    def task(self) -> dict[str, Any]:
        """The suite document's entry of this task."""
        return self.run.suite_version.task(self.task_name)
