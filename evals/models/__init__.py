"""Tables of the evaluation floor: what is asked, who ran it, what came out."""

from evals.models.artefacts import Artefact
from evals.models.budgets import ComputeBudget
from evals.models.checks import Check, CheckedEndpoint, CheckPlan, EndpointProbe, ProbeTurn
from evals.models.criteria import Criterion, asked_words
from evals.models.results import Aggregate, NewestResult, SampleScore, UsageSum
from evals.models.runs import Replication, Run, TaskRun, new_replication_ref, new_run_ref
from evals.models.suites import Suite, SuiteDraft, SuiteVersion, new_draft_ref
from evals.models.workers import Worker, WorkerKey

__all__ = [
    "Aggregate",
    "Artefact",
    "Check",
    "CheckPlan",
    "CheckedEndpoint",
    "ComputeBudget",
    "Criterion",
    "EndpointProbe",
    "NewestResult",
    "ProbeTurn",
    "Replication",
    "Run",
    "SampleScore",
    "Suite",
    "SuiteDraft",
    "SuiteVersion",
    "TaskRun",
    "UsageSum",
    "Worker",
    "WorkerKey",
    "asked_words",
    "new_draft_ref",
    "new_replication_ref",
    "new_run_ref",
]
