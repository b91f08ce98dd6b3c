"""Models by tasks: the overview as a page, as data, and in the API."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.permissions import Public
from oversight.dashboards.matrix import LAST_STEP, STEPS, Matrix, matrix, whole
from oversight.dashboards.matrix_query import NAMES, Asked
from oversight.dashboards.matrix_versions import choices
from oversight.dashboards.tables.of_pages import OVERVIEW
from oversight.dashboards.twins import as_json
from oversight.dashboards.views.tables import send_whole
from oversight.dashboards.words import sentence, worded
from oversight.web.parts import page_or_part
from oversight.web.refusals import BadQuery


@login_not_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show what each model scored on each task, as a table or as a heat map."""
    asked, problems = Asked.read(request.GET)
    found = matrix(asked)
    context = {
        "found": found,
        "asked": asked,
        "problems": problems,
        "choices": choices(found.suites),
        "headline": _headline(found),
        "is_map": asked.show == "map",
        "scale": [(5 - n, words) for n, (_, words) in enumerate(STEPS)] + [(1, LAST_STEP)],
        "query": asked.query("page"),
        "tasks_query": asked.query("tasks"),
        "whole_query": asked.query(),
        "file_query": asked.query("page", "tasks", "show"),
        "sorts": [
            {
                "column": column,
                "is_by": asked.sort == column.key,
                "query": asked.query("page", sort=column.key, order=_other(asked, column.key)),
            }
            for column in found.columns
        ],
        "by_name": asked.query("page", sort="name", order=_other(asked, "name")),
        "as_table": asked.query(show="table"),
        "as_map": asked.query(show="map"),
        "beside_best": asked.query("beside"),
        "nav": "findings",
    }
    return page_or_part(request, "dashboards/overview.html", "matrix", context)


def _other(asked: Asked, key: str) -> str:
    """Return the order that a heading's link asks for: the other one where it is sorted by it."""
    return "worst" if asked.sort == key and asked.order == "best" else "best"


def _headline(found: Matrix) -> str:
    versions, tasks = found.page.paginator.count, found.columns_page.paginator.count
    if not versions or not tasks:
        return gettext("There is nothing to set side by side.")
    models = (
        ngettext("%(number)s model version", "%(number)s model versions", versions)
        if found.asked.all_versions
        else ngettext("%(number)s model", "%(number)s models", versions)
    )
    gaps = {
        "models": worded(models, versions),
        "tasks": worded(ngettext("%(number)s task", "%(number)s tasks", tasks), tasks),
    }
    return sentence(gettext("%(models)s on %(tasks)s") % gaps)


@login_not_required
@require_safe
def overview_json(request: HttpRequest) -> HttpResponse:
    """The same page of the overview as JSON."""
    asked, _ = Asked.read(request.GET)
    record = matrix(asked).as_record()
    return as_json("results", record.pop("results"), **record)


@login_not_required
@require_safe
def overview_table(request: HttpRequest, form: str) -> HttpResponseBase:
    """All of the overview as CSV or Parquet, whatever page is shown: a line a version and task."""
    asked, _ = Asked.read(request.GET)
    return send_whole(request, OVERVIEW, whole(asked), form)


class TaskColumnOutput(serializers.Serializer[Any]):
    """One column of the overview."""

    key = serializers.CharField(help_text="How `sort` names it.")
    suite = serializers.CharField()
    suite_version = serializers.IntegerField()
    task = serializers.CharField()
    title = serializers.CharField()
    category = serializers.CharField()
    metric = serializers.CharField()
    higher_is_better = serializers.BooleanField()
    neutral = serializers.CharField(allow_null=True)
    guessing = serializers.FloatField(
        allow_null=True, help_text="What blind guessing scores; null where nobody knows it."
    )
    shots = serializers.IntegerField(allow_null=True)


class NewestResultOutput(serializers.Serializer[Any]):
    """What one version scored newest on one task."""

    model = serializers.CharField()
    version = serializers.CharField()
    model_digest = serializers.CharField()
    suite = serializers.CharField()
    suite_version = serializers.IntegerField(help_text="Earlier than the task's only where alike.")
    suite_digest = serializers.CharField()
    task = serializers.CharField()
    shots = serializers.IntegerField(allow_null=True)
    metric = serializers.CharField()
    n = serializers.IntegerField()
    mean = serializers.FloatField()
    stderr = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    method = serializers.CharField()
    run = serializers.CharField()
    is_recalled = serializers.BooleanField(
        help_text="The run's workers had every answer from before: it repeats a run."
    )
    finished_at = serializers.DateTimeField(allow_null=True)


class HeldResultOutput(NewestResultOutput):
    """The same, held against the baseline."""

    behind_baseline = serializers.FloatField(allow_null=True)


class OverviewOutput(serializers.Serializer[Any]):
    """One page of the overview: so many versions by so many tasks."""

    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    versions = serializers.IntegerField(help_text="How many there are on all pages.")
    tasks_page = serializers.IntegerField()
    tasks_pages = serializers.IntegerField()
    tasks = TaskColumnOutput(many=True)
    results = HeldResultOutput(many=True, help_text="What was not measured is not here.")


_HELP = {
    "suite": "Only tasks of this suite.",
    "category": "Only tasks of this category.",
    "language": "Only versions whose newest description names this language.",
    "licence": "Only versions under this licence.",
    "operator": "Only versions that this organisation serves.",
    "sort": "`name`, or a task's key: then by the score on it.",
    "order": "`best` first, or `worst`.",
    "beside": "The digest of the version that scores are held against; the best of each task else.",
    "show": "How the page shows it; of no effect here.",
    "versions": "`newest`: a model by its newest version that was measured; `all`.",
    "page": "Which 25 versions.",
    "tasks": "Which 12 tasks.",
}


class OverviewApi(APIView):
    """What each model scored on each task."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="overview",
        summary="Models by tasks",
        description="The newest full result of each model version on each task, with its 95 % "
        "interval. A task stands as the newest version of its suite asks it; results on earlier "
        "versions are there only where they asked it in the same way.",
        parameters=[OpenApiParameter(name, str, description=_HELP[name]) for name in NAMES],
        responses=OverviewOutput,
    )
    def get(self, request: Request) -> Response:
        """Return one page of it."""
        asked, problems = Asked.read(request.query_params)
        problems |= _unknown(request.query_params)
        if problems:
            raise BadQuery(gettext("The overview cannot be asked for so."), fields=problems)
        return Response(OverviewOutput(matrix(asked).as_record()).data)


def _unknown(given: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: f"Unknown; use {', '.join(sorted(NAMES))}." for name in given if name not in NAMES
    }
