"""The viewer of samples: filter, search, and another run's answers beside them."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from evals import policy
from evals.models import Aggregate, Run, TaskRun
from evals.samples import SamplesError
from oversight.dashboards.sample_rows import (
    ONLY,
    WORDS_LIMIT,
    Wanted,
    read_docs,
    read_page,
)
from oversight.dashboards.shown_samples import lay_out

SAMPLES_A_PAGE = 25
PAGE_DIGITS = 10
OFFERED_RUNS = 25
_PARTS = ("run__suite_version__suite", "run__model_version__model", "worker__organisation")


@login_not_required
@require_safe
def samples(request: HttpRequest, ref: str, task_name: str) -> HttpResponse:
    """Show a task's samples, page by page: prompt, answers, scores."""
    found = TaskRun.objects.select_related(*_PARTS)
    task_run = get_object_or_404(found, run__ref=ref, task_name=task_name, samples__isnull=False)
    is_readable = policy.can_read_items(request.user, task_run.task)
    against = _against(request, task_run) if is_readable else None
    wanted = _wanted(request, task_run, against) if is_readable else Wanted()
    context: dict[str, Any] = {
        "run": task_run.run,
        "task_run": task_run,
        "task": task_run.task,
        "is_readable": is_readable,
        "wanted": wanted,
        "against": against,
        "only": [(key, words) for key, words in ONLY.items() if against or key in _OF_ONE_RUN],
        "groups": _groups(task_run),
        "other_runs": _other_runs(task_run) if is_readable else [],
        "query": _query(wanted, against),
        "nav": "findings",
    }
    try:
        rows, page = _rows(request, task_run, wanted, against) if is_readable else ([], None)
    except SamplesError:
        # Without its file the page still says what should be here; the record is not touched.
        rows, page = None, None
    context |= {"rows": rows, "page": page}
    status = 200 if rows is not None else 503
    return render(request, "dashboards/samples.html", context, status=status)


_OF_ONE_RUN = ("right", "wrong")


def _wanted(request: HttpRequest, task_run: TaskRun, against: TaskRun | None) -> Wanted:
    """Read what is looked for; what cannot be understood is left out and so not shown as chosen."""
    only = request.GET.get("only", "")
    if only not in ONLY or (against is None and only not in _OF_ONE_RUN):
        only = ""
    group = request.GET.get("group", "")
    return Wanted(
        only=only,
        group=group if group in _groups(task_run) else "",
        words=request.GET.get("q", "").replace("\x00", "").strip()[:WORDS_LIMIT],
    )


def _groups(task_run: TaskRun) -> list[str]:
    rows = Aggregate.objects.filter(task_run=task_run).exclude(group="")
    return sorted(set(rows.values_list("group", flat=True)))


def _against(request: HttpRequest, task_run: TaskRun) -> TaskRun | None:
    """Return the same task in the run that the reader compares with, if its rows are the same."""
    ref = request.GET.get("against", "")
    if not ref or ref == task_run.run.ref:
        return None
    found = TaskRun.objects.select_related(*_PARTS).filter(
        run__ref=ref, task_name=task_run.task_name, samples__isnull=False
    )
    other = found.first()
    if other is None or other.task.get("data") != task_run.task.get("data"):
        return None
    return other if policy.can_read_items(request.user, other.task) else None


def _other_runs(task_run: TaskRun) -> list[Run]:
    """Return other finished runs of the same suite version, newest first."""
    runs = Run.objects.succeeded().filter(suite_version=task_run.run.suite_version)
    return list(runs.exclude(pk=task_run.run_id).with_parts().newest_first()[:OFFERED_RUNS])


def _query(wanted: Wanted, against: TaskRun | None) -> str:
    """Return the address's other parameters, for the links to the next pages."""
    parts = {"only": wanted.only, "group": wanted.group, "q": wanted.words}
    parts["against"] = against.run.ref if against else ""
    return urlencode({key: value for key, value in parts.items() if value})


def _rows(
    request: HttpRequest, task_run: TaskRun, wanted: Wanted, against: TaskRun | None
) -> tuple[list[Any], Any]:
    """Return one page of samples, each with the other run's, and the page."""
    asked = request.GET.get("page", "")
    found = read_page(
        task_run,
        wanted,
        against,
        page=int(asked) if asked.isdecimal() and len(asked) < PAGE_DIGITS else 1,
        size=SAMPLES_A_PAGE,
    )
    page = Paginator(range(found.total), SAMPLES_A_PAGE).get_page(found.number)
    shown = lay_out(found.samples, task_run.task)
    if against is None:
        return [(sample, None) for sample in shown], page
    there = read_docs(against, {sample.doc_id for sample in found.samples})
    others = {doc_id: lay_out([sample], against.task)[0] for doc_id, sample in there.items()}
    return [(sample, others.get(sample.doc_id)) for sample in shown], page
