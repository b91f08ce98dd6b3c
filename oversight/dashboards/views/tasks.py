"""The page of one task across models, as data and in the API too."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evals.models import Suite
from oversight.accounts.permissions import Public
from oversight.dashboards.across import (
    AskedTask,
    asked_task,
    measured,
    trend,
)
from oversight.dashboards.drawings.subjects import trend_of
from oversight.dashboards.findings import (
    ACROSS_SHOWN,
    Finding,
    best_words,
    chart_rows,
    newest_record,
    with_words,
)
from oversight.dashboards.orientation import orientation_of
from oversight.dashboards.tables.of_pages import TASK_RESULTS
from oversight.dashboards.twins import as_json, as_table
from oversight.dashboards.views.matrix import NewestResultOutput
from oversight.dashboards.words import sentence, worded
from oversight.web.refusals import BadQuery

A_PAGE = 50
MOST_RECORDS = 2_000


@login_not_required
@require_safe
def task(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Show a task: what it measures, who sees its items, how models did, and when."""
    asked = asked_task(get_object_or_404(Suite, slug=slug), name)
    page = Paginator(measured(asked), A_PAGE).get_page(request.GET.get("page"))
    found = _findings(asked, page.object_list)
    context = {
        "asked": asked,
        "suite": asked.suite_version.suite,
        "task": asked.task,
        "page": page,
        "findings": found,
        "headline": _headline(asked, page.paginator.count),
        "finding": best_words(asked.task, found, page.paginator.count) if page.number == 1 else "",
        "chart": chart_rows(found[:ACROSS_SHOWN]),
        "line": orientation_of(asked.suite_version, asked.task),
        "trend": trend_of(asked, trend(asked, found)),
        "subject": f"{slug}.{name}",
        "nav": "findings",
    }
    return render(request, "dashboards/task.html", context)


def _findings(asked: AskedTask, rows: Any) -> list[Finding]:
    return with_words(rows, {version.pk: version for version in asked.alike})


def _headline(asked: AskedTask, number: int) -> str:
    title = asked.task["title"]
    if not number:
        return gettext("%(title)s: no model was measured yet.") % {"title": title}
    words = worded(
        ngettext("%(number)s model version measured", "%(number)s model versions measured", number),
        number,
    )
    return sentence(f"{title}: {words}")


def _record(slug: str, name: str) -> dict[str, Any]:
    asked = asked_task(get_object_or_404(Suite, slug=slug), name)
    found = _findings(asked, measured(asked)[:MOST_RECORDS])
    return {
        "suite": slug,
        "suite_version": asked.suite_version.number,
        "comparable_suite_versions": [version.number for version in asked.alike],
        "task": {key: value for key, value in asked.task.items() if key != "config"},
        "guessing": asked.suite_version.guessing_on(name),
        "results": [newest_record(each) for each in found],
    }


@login_not_required
@require_safe
def task_json(request: HttpRequest, slug: str, name: str) -> HttpResponse:  # noqa: ARG001
    """The task and its results as JSON."""
    record = _record(slug, name)
    return as_json("results", record.pop("results"), **record)


@login_not_required
@require_safe
def task_table(request: HttpRequest, slug: str, name: str, form: str) -> HttpResponse:
    """The results on the task as CSV or Parquet."""
    return as_table(request, form, f"{slug}-{name}", _record(slug, name)["results"], TASK_RESULTS)


class TaskAcrossOutput(serializers.Serializer[Any]):
    """One task and what models scored on it, best first."""

    suite = serializers.CharField()
    suite_version = serializers.IntegerField()
    comparable_suite_versions = serializers.ListField(child=serializers.IntegerField())
    task = serializers.DictField(help_text="The entry of the suite's document.")
    guessing = serializers.FloatField(
        allow_null=True, help_text="What blind guessing scores; null where nobody knows it."
    )
    results = NewestResultOutput(many=True)


class TaskApi(APIView):
    """One task across models."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="suites_task",
        summary="One task across models",
        description="The newest full result of each model version, best first, at most "
        f"{MOST_RECORDS:,}. Results on earlier versions of the suite are there where they asked "
        "the task in the same way.",
        responses=TaskAcrossOutput,
    )
    def get(self, request: Request, slug: str, name: str) -> Response:
        """Return the task and its results."""
        if request.query_params:
            fields = dict.fromkeys(request.query_params, gettext("This address has none."))
            raise BadQuery(gettext("A parameter cannot be used."), fields=fields)
        return Response(TaskAcrossOutput(_record(slug, name)).data)
