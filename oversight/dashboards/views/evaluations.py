"""Pages of what was found: suites, runs with live progress, samples."""

from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from evals import policy
from evals.metric_words import metric_notes
from evals.models import Aggregate, Run, Suite, SuiteVersion, TaskRun
from evals.services.drafts import published_rows
from evals.services.results import statement_of
from evals.suites.changes import Changes, compare_documents
from evals.suites.readme import commands
from oversight.dashboards.across import (
    AskedTask,
    asked_by,
    measured_by_task,
    numbers_measured,
)
from oversight.dashboards.findings import (
    Finding,
    best_words,
    chart_rows,
    comparable_runs,
    of_run,
)
from oversight.dashboards.history import history, history_records, newest_history
from oversight.dashboards.orientation import orientation_of
from oversight.dashboards.progress import outlook, pace
from oversight.dashboards.tables.of_pages import HISTORY, RUN_RESULTS
from oversight.dashboards.twins import COMPLETE, as_json, as_table
from oversight.dashboards.words import sentence, worded
from oversight.web.parts import page_or_part

HISTORY_SHOWN = 25
MODELS_SHOWN = 10


@login_not_required
@require_safe
def findings(request: HttpRequest) -> HttpResponse:
    """List suites and runs, newest first."""
    runs = Run.objects.with_parts().newest_first()
    context = {
        "headline": sentence(_how_many()),
        "suites": _newest_versions(),
        "page": Paginator(runs, 25).get_page(request.GET.get("page")),
        "may_write": policy.can_publish_suite(request.user),
        "nav": "findings",
    }
    return render(request, "dashboards/findings.html", context)


def _how_many() -> str:
    """Say how many evaluations have succeeded; before the first one, whether any was tried."""
    count = Run.objects.succeeded().count()
    none = gettext("no evaluations are on the record")
    if not count and (active := Run.objects.active().count()):
        under_way = ngettext(
            "no evaluation has finished yet; %(number)s is under way",
            "no evaluation has finished yet; %(number)s are under way",
            active,
        )
        none = worded(under_way, active)
    elif not count and Run.objects.exists():
        none = gettext("no evaluation has succeeded yet")
    words = ngettext(
        "%(number)s evaluation is on the record", "%(number)s evaluations are on the record", count
    )
    return worded(words, count, none=none)


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
    asked = asked_by(version, versions)
    found_by_task = measured_by_task(asked, MODELS_SHOWN)
    numbers = numbers_measured(asked)
    context = {
        "suite": found,
        "version": version,
        "is_newest": version == versions[0],
        "versions": versions,
        "item_count": sum(task["data"]["rows"] for task in version.tasks if "data" in task),
        "task_words": worded(
            ngettext("%(number)s task", "%(number)s tasks", len(version.tasks)), len(version.tasks)
        ),
        "tasks": [
            _task_panel(
                each,
                found_by_task.get(each.task["name"], []),
                numbers.get(each.task["name"], 0),
            )
            for each in asked
        ],
        "runs": Run.objects.filter(suite_version=version).with_parts().newest_first()[:25],
        "commands": "\n".join(commands(version.document, shown)),
        "readable": shown,
        "may_start": policy.can_start_run(request.user),
        "may_write": policy.can_publish_suite(request.user),
        "history": history(found, HISTORY_SHOWN),
        "comparable": comparable_runs(found_by_task),
        "nav": "findings",
    }
    return render(request, "dashboards/suite.html", context)


def _task_panel(asked: AskedTask, found: list[Finding], number: int) -> dict[str, Any]:
    task = asked.task
    return {
        "task": task,
        "is_shared": len(asked.alike) > 1,
        "number": number,
        "chart": chart_rows(found, asked=asked.suite_version),
        "neutral": task.get("neutral"),
        "line": orientation_of(asked.suite_version, task),
        "finding": best_words(task, found, number),
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
    now = timezone.now()
    paces = [pace(each, now) for each in task_runs]
    context = {
        "run": found,
        "task_runs": task_runs,
        "findings": results,
        "metric_notes": metric_notes({finding.aggregate.metric for finding in results}),
        "chart": chart_rows([f for f in results if f.is_headline], by_task=True),
        "usage": _usage(task_runs),
        "paces": paces,
        "outlook": outlook(found, paces, now) if found.is_active else None,
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
    answers = sum(each.get("requests", 0) for each in stated)
    joules = sum((Decimal(each["energyJoules"]) for each in stated), Decimal())
    return {
        "seconds": sum((Decimal(each["wallSeconds"]) for each in stated), Decimal()),
        "tokens": sum(each["tokens"] for each in stated),
        "recalled": min(_from_before(each for each in task_runs if each.attempt == 1), answers),
        "resumed": min(_from_before(each for each in task_runs if each.attempt > 1), answers),
        "answers": answers,
        "watt_hours": joules / 3600,
        "is_measured": all(each["energyMethod"] == "measured" for each in stated),
    }


def _from_before(task_runs: Iterable[TaskRun]) -> int:
    """Return how many answers workers had before they were asked, as their statements say.

    Of first attempts that is what a run counts as recalled, here, in tables and in the API; a later
    attempt also had what the one before it computed, and no statement says which.
    """
    # Statements of earlier workers do not count what was recalled.
    return sum(
        statement_of(each)["predicate"]["usage"].get("fromJournal", 0)
        for each in task_runs
        if each.envelope
    )


@login_not_required
@require_safe
def run_results_table(request: HttpRequest, ref: str, form: str) -> HttpResponse:
    """Send every metric of a run as a table; its JSON is the run in the API."""
    found = get_object_or_404(Run.objects.with_parts(), ref=ref)
    rows = Aggregate.objects.filter(task_run__run=found).select_related("task_run")
    records = [
        {
            "run": found.ref,
            "task": row.task_run.task_name,
            **{name: getattr(row, name) for name in RUN_RESULTS.names[2:]},
        }
        for row in rows.order_by("task_run__position", "metric", "group")
    ]
    return as_table(request, form, found.ref, records, RUN_RESULTS)


@login_not_required
@require_safe
def suite_history_json(request: HttpRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Send the newest full runs of every version of a suite, as JSON."""
    found = get_object_or_404(Suite, slug=slug)
    past, is_complete = newest_history(found)
    about = {"suite": found.slug, "complete": is_complete}
    return as_json("results", history_records(past), **about)


@login_not_required
@require_safe
def suite_history_table(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """Send the newest full runs of every version of a suite, as a table."""
    found = get_object_or_404(Suite, slug=slug)
    past, is_complete = newest_history(found)
    answer = as_table(request, form, f"{found.slug}-history", history_records(past), HISTORY)
    answer[COMPLETE] = "true" if is_complete else "false"
    return answer


@login_not_required
@require_safe
def suite_changes(request: HttpRequest, slug: str, number: int, before: int) -> HttpResponse:
    """Show what changed between two versions of a suite."""
    earlier, later, changes = changes_between(request.user, slug, before, number)
    context = {"earlier": earlier, "later": later, "changes": changes, "nav": "findings"}
    return render(request, "dashboards/suite_changes.html", context)


def changes_between(
    user: Any, slug: str, before: int, number: int
) -> tuple[SuiteVersion, SuiteVersion, Changes]:
    """Return two versions of a suite and what sets them apart, in rows as far as `user` reads."""
    versions = SuiteVersion.objects.select_related("suite").filter(suite__slug=slug)
    later, earlier = (
        get_object_or_404(versions, number=number),
        get_object_or_404(versions, number=before),
    )
    read = partial(published_rows, user)
    return earlier, later, compare_documents(earlier.document, later.document, read)


@login_not_required
@require_safe
def statement_type(request: HttpRequest) -> HttpResponse:
    """Say what the signed statements of results contain: the address named in each of them."""
    return render(request, "dashboards/statement_type.html", {"nav": "findings"})
