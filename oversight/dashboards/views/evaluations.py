"""Pages of what was found: suites, runs with live progress, samples."""

from decimal import Decimal
from itertools import islice
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from evals import artefacts, policy
from evals.models import Run, Suite, SuiteVersion, TaskRun
from evals.samples import SamplesError, read_samples
from evals.services.results import statement_of
from evals.suites.readme import commands
from oversight.dashboards.findings import (
    Finding,
    across_versions,
    best_words,
    chart_rows,
    of_run,
)
from oversight.dashboards.shown_samples import ShownSample, lay_out
from oversight.dashboards.words import counted, sentence
from oversight.web.parts import page_or_part

SAMPLES_A_PAGE = 25


@login_not_required
@require_safe
def findings(request: HttpRequest) -> HttpResponse:
    """List suites and runs, newest first."""
    runs = Run.objects.with_parts().newest_first()
    count = Run.objects.succeeded().count()
    context = {
        "headline": sentence(counted(count, "evaluation is", "evaluations are") + " on the record"),
        "suites": _newest_versions(),
        "page": Paginator(runs, 25).get_page(request.GET.get("page")),
        "nav": "findings",
    }
    return render(request, "dashboards/findings.html", context)


def _newest_versions() -> list[SuiteVersion]:
    """Return the newest version of every suite, by title."""
    newest = SuiteVersion.objects.order_by("suite_id", "-number").distinct("suite_id")
    return sorted(newest.select_related("suite"), key=lambda version: version.suite.title)


@login_not_required
@require_safe
def suite(request: HttpRequest, slug: str, number: int | None = None) -> HttpResponse:
    """Show a suite version: its tasks, how models compare on each, how to rerun it."""
    found = get_object_or_404(Suite, slug=slug)
    versions = list(found.versions.newest_first().select_related("suite"))
    version = next((v for v in versions if number in {None, v.number}), None)
    if version is None:
        raise Http404
    shown = policy.readable_tasks(request.user, version.tasks)
    found_by_task = across_versions(version)
    context = {
        "suite": found,
        "version": version,
        "is_newest": version == versions[0],
        "versions": versions,
        "item_count": sum(task["data"]["rows"] for task in version.tasks if "data" in task),
        "task_words": counted(len(version.tasks), "task", "tasks"),
        "tasks": [_task_panel(task, found_by_task.get(task["name"], [])) for task in version.tasks],
        "runs": Run.objects.filter(suite_version=version).with_parts().newest_first()[:25],
        "commands": "\n".join(commands(version.document, shown)),
        "readable": shown,
        "may_start": policy.can_start_run(request.user),
        "nav": "findings",
    }
    return render(request, "dashboards/suite.html", context)


def _task_panel(task: dict[str, Any], found: list[Finding]) -> dict[str, Any]:
    return {
        "task": task,
        "chart": chart_rows(found),
        "neutral": task.get("neutral"),
        "finding": best_words(task, found),
    }


@login_not_required
@require_safe
def run(request: HttpRequest, ref: str) -> HttpResponse:
    """Show a run: live progress while it lasts, then results, samples and signed statements."""
    found = get_object_or_404(Run.objects.with_parts(), ref=ref)
    task_runs = list(found.task_runs.select_related("worker__organisation"))
    for task_run in task_runs:
        task_run.run = found  # one row serves all: `task` reads the run's suite version
    results = of_run(found)
    context = {
        "run": found,
        "task_runs": task_runs,
        "findings": results,
        "chart": chart_rows([f for f in results if f.is_headline], by_task=True),
        "usage": _usage(task_runs),
        "finished_count": sum(t.state == "succeeded" for t in task_runs),
        "has_samples": any(t.samples_id for t in task_runs),
        "may_cancel": found.is_active and policy.can_cancel_run(request.user, found),
        "nav": "findings",
    }
    return page_or_part(request, "dashboards/run.html", "progress", context)


def _usage(task_runs: list[TaskRun]) -> dict[str, Any] | None:
    """Return what the finished tasks cost, as their signed statements say; None without any."""
    stated = [statement_of(each)["predicate"]["usage"] for each in task_runs if each.envelope]
    if not stated:
        return None
    joules = sum((Decimal(each["energyJoules"]) for each in stated), Decimal())
    return {
        "seconds": sum((Decimal(each["wallSeconds"]) for each in stated), Decimal()),
        "tokens": sum(each["tokens"] for each in stated),
        "watt_hours": joules / 3600,
        "is_measured": all(each["energyMethod"] == "measured" for each in stated),
    }


@login_not_required
@require_safe
def samples(request: HttpRequest, ref: str, task_name: str) -> HttpResponse:
    """Show a task's samples, page by page: prompt, answers, scores."""
    task_run = get_object_or_404(
        TaskRun.objects.select_related(
            "run__suite_version__suite", "run__model_version__model", "worker__organisation"
        ),
        run__ref=ref,
        task_name=task_name,
        samples__isnull=False,
    )
    page = Paginator(range(task_run.done), SAMPLES_A_PAGE).get_page(request.GET.get("page"))
    is_readable = policy.can_read_items(request.user, task_run.task)
    rows = _rows(task_run, page.start_index() - 1 if task_run.done else 0) if is_readable else []
    context = {
        "run": task_run.run,
        "task_run": task_run,
        "task": task_run.task,
        "is_readable": is_readable,
        "rows": rows,
        "page": page,
        "nav": "findings",
    }
    # Without its file the page still says what should be here; the record is not touched by that.
    status = 200 if rows is not None else 503
    return render(request, "dashboards/samples.html", context, status=status)


def _rows(task_run: TaskRun, start: int) -> list[ShownSample] | None:
    """Return one page of samples, or None when their file cannot be read here."""
    path = artefacts.path_of(str(task_run.samples_id))
    try:
        return lay_out(islice(read_samples(path), start, start + SAMPLES_A_PAGE))
    except SamplesError:
        return None


@login_not_required
@require_safe
def statement_type(request: HttpRequest) -> HttpResponse:
    """Say what the signed statements of results contain: the address named in each of them."""
    return render(request, "dashboards/statement_type.html", {"nav": "findings"})
