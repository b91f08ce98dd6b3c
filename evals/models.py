"""Tables of the evaluation floor: what is asked, who ran it, what came out."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from evals.check_models import Check as Check  # noqa: PLC0414
from evals.check_models import CheckedEndpoint as CheckedEndpoint  # noqa: PLC0414
from evals.check_models import CheckPlan as CheckPlan  # noqa: PLC0414
from evals.check_models import EndpointProbe as EndpointProbe  # noqa: PLC0414
from evals.check_models import ProbeTurn as ProbeTurn  # noqa: PLC0414
from evals.choices import (
    FINAL_STATES,
    Comparison,
    KeyEnd,
    ReplicationState,
    ResourceClass,
    RunState,
    TaskRunState,
)
from evals.queries import (
    CriterionQuerySet,
    RunQuerySet,
    SuiteVersionQuerySet,
    TaskRunQuerySet,
    WorkerQuerySet,
)
from oversight.accounts.models import Body, Organisation, Person, new_public_id
from oversight.registry.models import ModelVersion


def new_run_ref() -> str:
    """Return a fresh run reference: `run-` and eight random hexadecimal digits."""
    return f"run-{uuid.uuid4().hex[:8]}"


def new_replication_ref() -> str:
    """Return a fresh reference of a replication: `rep-` and eight random hexadecimal digits."""
    return f"rep-{uuid.uuid4().hex[:8]}"


class Artefact(models.Model):
    """One stored file, named by the SHA-256 of its bytes; the bytes lie in the artefact store."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=80)
    stored_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.sha256


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
        return f"{self.suite.title}, version {self.number}"

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

    def task(self, name: str) -> dict[str, Any]:
        """Return the entry of one task; raises KeyError when the version has none of this name."""
        for entry in self.tasks:
            if entry["name"] == name:
                return entry
        raise KeyError(name)


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
        return f"{self.name} of {self.organisation.name}"

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


class ComputeBudget(models.Model):
    """Hours of work of hosts that a body has voted for the evaluations of its proposals.

    At most one stands for a body. It is replaced or annulled by a decision, and then has an end;
    one whose time is over stands until it is replaced, and pays for nothing.
    """

    body = models.ForeignKey(Body, models.PROTECT, related_name="+")
    decision_ref = models.CharField(max_length=12, unique=True)
    hours = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=12, blank=True, help_text="The decision that ended it.")
    leaf_id = models.UUIDField(unique=True)

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["body"], condition=Q(ended_at__isnull=True), name="budget_one_per_body"
            ),
            models.CheckConstraint(condition=Q(hours__gte=1), name="budget_has_hours"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by="")
                | Q(ended_at__isnull=False) & ~Q(ended_by=""),
                name="budget_ended_by_a_decision",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hours} hours of {self.body}, decision {self.decision_ref}"

    @property
    def subject(self) -> str:
        """The budget as the record names it."""
        return f"budget:{self.decision_ref}"

    @property
    def seconds(self) -> int:
        """The same in seconds."""
        return self.hours * 3600


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
    leaf_id = models.UUIDField(unique=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        indexes = [
            # Evidence of a proposal, and the newest runs of a model or suite.
            models.Index(fields=["purpose", "requested_at"], name="run_by_purpose"),
            models.Index(fields=["-requested_at"], name="run_newest"),
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


def asked_words(comparison: str, threshold: Decimal, beside: ModelVersion | None) -> str:
    """Return what a criterion asks: “at least 0.65”, “not worse than Alpina 1.0 by over 0.02”."""
    words, number = Comparison(comparison).label, f"{threshold.normalize():f}"
    if beside is None:
        return f"{words} {number}"
    return f"{words} {beside} by over {number}" if threshold else f"{words} {beside}"


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

    def precedes(self, moment: datetime) -> bool:
        """Say whether it was recorded before the moment."""
        return self.recorded_at < moment


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
