"""Tables of what is evaluated: suites, runs, results, criteria, and who computed."""

from django.db.models import Func, IntegerField, QuerySet, Value
from django.utils.translation import gettext_noop as _

from evals.models import Aggregate, Criterion, Run, SuiteVersion, Worker
from oversight.dashboards.tables.columns import Column, Table, from_query
from oversight.dashboards.tables.shorthand import (
    LEAF,
    SCORE,
    acts,
    boolean,
    decimal,
    integer,
    moment,
    text,
    texts,
)
from oversight.web.marks import Said
from proposals.choices import Status
from proposals.models import Proposal

_SUITES = (
    text("suite", _("Its address name."), at="suite__slug"),
    integer("number", _("Which version of it this is.")),
    text("digest", _("Of the whole document: tasks, data and settings.")),
    text("title", _("As people call it."), at="suite__title"),
    integer("tasks", _("How many tasks it has."), at="task_count"),
    moment("published_at", _("When this version was published.")),
    LEAF,
)
SUITES = Table(
    "suites",
    _("Suites"),
    _("Versions of lists of tasks by which models are evaluated."),
    acts("evals.suite.published"),
    _SUITES,
    ("suite", "number"),
    from_query(
        lambda: SuiteVersion.objects.annotate(
            task_count=Func(
                Func("document", Value("tasks"), function="jsonb_extract_path"),
                function="jsonb_array_length",
                output_field=IntegerField(),
            )
        ).order_by("suite__slug", "number"),
        _SUITES,
    ),
)


def _asked(path: str) -> tuple[Column, ...]:
    """Return how a run was asked and what of it was recalled; `path` leads to the run."""
    return (
        integer(
            "limit",
            _("Only so many items of each task were asked, the first: no evidence for criteria."),
            at=f"{path}settings__limit",
            null=_("All items were asked."),
        ),
        text("backend", _("What asked the model, such as hf."), at=f"{path}settings__backend"),
        text("dtype", _("The number format it computed in."), at=f"{path}settings__dtype"),
        integer(
            "answers",
            _("Answers of the whole run; a sample may take several."),
            at=f"{path}answers",
            null=_("The run has not succeeded."),
        ),
        integer(
            "recalled",
            _("How many of them its workers had from before: where all, it repeats a run."),
            at=f"{path}recalled",
        ),
    )


_RUNS = (
    text("run", _("Its reference."), at="ref"),
    text("suite", _("The suite that was run."), at="suite_version__suite__slug"),
    integer("suite_number", _("Which version of it."), at="suite_version__number"),
    text("suite_digest", _("The digest of that version."), at="suite_version__digest"),
    text("model", _("The model that was asked."), at="model_version__model__slug"),
    text("model_digest", _("The digest of its weights."), at="model_version__digest"),
    text("state", _("queued, running, succeeded, failed or cancelled.")),
    text("reason", _("Why it failed or was cancelled."), null=_("It was not.")),
    text(
        "purpose",
        _("What it was asked for, such as proposal:2026-001."),
        null=_("For nothing named."),
    ),
    moment("requested_at", _("When it was asked for.")),
    moment("started_at", _("When a worker began."), null=_("None has begun.")),
    moment("finished_at", _("When it ended."), null=_("It has not ended.")),
    *_asked(""),
    LEAF,
)


def _drafts() -> QuerySet[Proposal]:
    return Proposal.objects.filter(status=Status.DRAFT)


RUNS = Table(
    "runs",
    _("Runs"),
    _("Evaluations of a model by a suite, whatever their end."),
    acts("evals.run.*"),
    _RUNS,
    ("run",),
    from_query(lambda: Run.objects.order_by("requested_at", "pk"), _RUNS),
)

_RESULTS = (
    text("run", _("The run."), at="task_run__run__ref"),
    text("suite", _("The suite."), at="task_run__run__suite_version__suite__slug"),
    text("suite_digest", _("The version of it."), at="task_run__run__suite_version__digest"),
    text("model_digest", _("The weights."), at="task_run__run__model_version__digest"),
    text("task", _("The task of the suite."), at="task_run__task_name"),
    SCORE[0],
    text("group", _("The group of samples."), null=_("All samples of the task.")),
    *SCORE[1:],
    integer(
        "clusters", _("Clusters of samples that belong together."), null=_("Samples stand alone.")
    ),
    text(
        "organisation",
        _("The worker's organisation."),
        at="task_run__worker__organisation__slug",
        null=_("Unknown."),
    ),
    text(
        "worker",
        _("Who measured, by public id."),
        at="task_run__worker__public_id",
        null=_("Unknown."),
    ),
    text("statement", _("Digest of the signed statement."), at="task_run__statement_digest"),
    text(
        "samples_sha256",
        _("Digest of the file of samples."),
        at="task_run__samples_id",
        null=_("There is no such file."),
    ),
    *_asked("task_run__run__"),
)
RESULTS = Table(
    "results",
    _("Results"),
    _("Every metric of every task of every run, over all samples and by group."),
    Said(_("signed statements of workers, recomputed from the samples before they were accepted")),
    _RESULTS,
    ("run", "task", "metric", "group"),
    from_query(
        lambda: Aggregate.objects.order_by("task_run__run__requested_at", "pk"),
        _RESULTS,
    ),
)

_CRITERIA = (
    text("subject", _("What it is asked of, such as proposal:2026-001 or suite:facts.")),
    text("suite", _("The suite."), at="suite_version__suite__slug"),
    text("suite_digest", _("The version of it."), at="suite_version__digest"),
    text("task", _("The task."), at="task_name"),
    text("metric", _("The metric.")),
    text("comparison", _("at_least, below, or not_worse than another version by a margin.")),
    decimal("threshold", _("What it is compared with; for not_worse the margin.")),
    text(
        "beside",
        _("The version that it must not be worse than, by its digest."),
        at="beside__digest",
        null=_("It is compared with a number."),
    ),
    boolean("must_pass", _("Whether a vote against it needs the override threshold.")),
    moment("recorded_at", _("When it was put on the record: before the run.")),
    LEAF,
)
CRITERIA = Table(
    "criteria",
    _("Criteria"),
    _("What was asked of a model before it was evaluated."),
    acts("evals.criterion.recorded"),
    _CRITERIA,
    ("leaf",),
    from_query(
        lambda: Criterion.objects.exclude(
            subject__in=[f"proposal:{ref}" for ref in _drafts().values_list("ref", flat=True)]
        ).order_by("recorded_at", "pk"),
        _CRITERIA,
    ),
)

_WORKERS = (
    text("worker", _("Its public id."), at="public_id"),
    text("name", _("As its organisation calls it.")),
    text("organisation", _("Whose it is."), at="organisation__slug"),
    texts("resource_classes", _("What it computes on: cpu or gpu.")),
    moment("enrolled_at", _("When its key was taken.")),
    moment("revoked_at", _("When its key was revoked."), null=_("It was not.")),
    LEAF,
)
WORKERS = Table(
    "workers",
    _("Workers"),
    _("Machines that evaluate, each with its own key."),
    acts("evals.worker.*"),
    _WORKERS,
    ("worker",),
    from_query(lambda: Worker.objects.order_by("enrolled_at", "pk"), _WORKERS),
)
