"""Pages of what was found: suites, runs with live progress, samples."""

from itertools import islice
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from evals import artefacts, policy
from evals.models import Run, Suite, SuiteVersion, TaskRun
from evals.samples import read_samples
from oversight.dashboards.findings import across_versions, chart_rows, of_run
from oversight.web.parts import page_or_part

SAMPLES_A_PAGE = 25


@login_not_required
@require_safe
def findings(request: HttpRequest) -> HttpResponse:
    """List suites and runs, newest first."""
    runs = Run.objects.with_parts().newest_first()
    context = {
        "suites": Suite.objects.filter(versions__isnull=False).distinct(),
        "page": Paginator(runs, 25).get_page(request.GET.get("page")),
        "count": Run.objects.succeeded().count(),
        "nav": "findings",
    }
    return render(request, "dashboards/findings.html", context)


@login_not_required
@require_safe
def suite(request: HttpRequest, slug: str, number: int | None = None) -> HttpResponse:
    """Show a suite version: its tasks, how models compare on each, how to rerun it."""
    found = get_object_or_404(Suite, slug=slug)
    versions = list(found.versions.newest_first())
    if not versions:
        raise Http404
    version = next((v for v in versions if v.number == (number or versions[0].number)), None)
    if version is None:
        raise Http404
    context = {
        "suite": found,
        "version": version,
        "versions": versions,
        "tasks": [_task_panel(version, task) for task in version.tasks],
        "runs": Run.objects.filter(suite_version=version).with_parts().newest_first()[:25],
        "may_start": policy.can_start_run(request.user),
        "nav": "findings",
    }
    return render(request, "dashboards/suite.html", context)


def _task_panel(version: SuiteVersion, task: dict[str, Any]) -> dict[str, Any]:
    found = across_versions(version, task)
    return {"task": task, "findings": found, "chart": chart_rows(found)}


@login_not_required
@require_safe
def run(request: HttpRequest, ref: str) -> HttpResponse:
    """Show a run: live progress while it lasts, then results, samples and signed statements."""
    found = get_object_or_404(Run.objects.with_parts(), ref=ref)
    task_runs = list(found.task_runs.select_related("worker__organisation"))
    for task_run in task_runs:
        task_run.run = found  # one row serves all: `task` reads the run's suite version
    context = {
        "run": found,
        "task_runs": task_runs,
        "findings": of_run(found),
        "done": sum(t.done for t in task_runs),
        "total": sum(t.total for t in task_runs),
        "may_cancel": found.is_active and policy.can_cancel_run(request.user, found),
        "nav": "findings",
    }
    return page_or_part(request, "dashboards/run.html", "progress", context)


@login_not_required
@require_safe
def samples(request: HttpRequest, ref: str, task_name: str) -> HttpResponse:
    """Show a task's samples, page by page: prompt, answers, scores."""
    task_run = get_object_or_404(
        TaskRun.objects.select_related("run__suite_version__suite", "run__model_version__model"),
        run__ref=ref,
        task_name=task_name,
        samples__isnull=False,
    )
    number = _page_number(request)
    start = (number - 1) * SAMPLES_A_PAGE
    rows = list(
        islice(
            read_samples(artefacts.path_of(str(task_run.samples_id))), start, start + SAMPLES_A_PAGE
        )
    )
    if not rows and number > 1:
        raise Http404
    pages = Paginator(range(task_run.done), SAMPLES_A_PAGE)
    context = {
        "run": task_run.run,
        "task_run": task_run,
        "task": task_run.task,
        "rows": rows,
        "page": pages.get_page(number),
        "nav": "findings",
    }
    return render(request, "dashboards/samples.html", context)


def _page_number(request: HttpRequest) -> int:
    raw = request.GET.get("page", "1")
    if not raw.isdecimal() or not 1 <= len(raw) <= 7 or int(raw) < 1:
        raise Http404
    return int(raw)


@login_not_required
@require_safe
def statement_type(request: HttpRequest) -> HttpResponse:
    """Say what the signed statements of results contain: the address named in each of them."""
    return render(request, "dashboards/statement_type.html", {"nav": "findings"})
