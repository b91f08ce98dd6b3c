"""Pages that are tables in the network API: the same answers as their twins, with their columns."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.permissions import Public
from oversight.dashboards.tables.columns import Kind, Table
from oversight.dashboards.tables.dictionary import TABLES
from oversight.dashboards.tables.of_pages import (
    BUDGETS,
    COMPARISON,
    COMPUTE,
    HISTORY,
    MEMBERS,
    VOTES,
)
from oversight.dashboards.views import (
    comparisons,
    compute,
    evaluations,
    participation,
    registers,
    registry,
)

_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.DECIMAL: {"type": "string", "format": "decimal"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.MOMENT: {"type": "string", "format": "date-time"},
    Kind.DAY: {"type": "string", "format": "date"},
    Kind.TEXTS: {"type": "array", "items": {"type": "string"}},
}


def _rows(table: Table) -> dict[str, Any]:
    """Describe the rows of a table as the dictionary has its columns."""
    properties = {}
    for column in table.columns:
        shape = _TYPES[column.kind] | {"description": str(column.meaning)}
        if column.null:
            shape["type"] = [shape["type"], "null"]
        properties[column.name] = shape
    row = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "array", "items": row, "description": str(table.about)}


def _object(**properties: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Describe an answer that is an object of just these."""
    return {200: {"type": "object", "properties": properties, "required": list(properties)}}


_TEXTS = {"type": "array", "items": {"type": "string"}}
_RUN = OpenApiParameter(
    "run",
    OpenApiTypes.STR,
    required=True,
    many=True,
    description="A run's reference, twice or more; the others are compared with the first.",
)


class Compare(APIView):
    """Runs of one suite beside each other."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="compare",
        parameters=[_RUN],
        responses=_object(runs=_TEXTS, left_out=_TEXTS, comparisons=_rows(COMPARISON)),
    )
    def get(self, request: Request) -> HttpResponse:
        """Return the differences, paired by sample, with Holm's correction over the tasks."""
        return comparisons.compare_json(request._request)


class Compute(APIView):
    """What was computed, by whom and for what."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="compute",
        responses=_object(
            hosts=_rows(COMPUTE),
            budgets=_rows(BUDGETS),
            **{f"by_{by}": _rows(TABLES[f"compute-by-{by}"]) for by in compute.GROUPED},
        ),
    )
    def get(self, request: Request) -> HttpResponse:
        """Return hosts, and what each model, body and run took."""
        return compute.compute_json(request._request)


class Participation(APIView):
    """Who takes part in what a body decides."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="bodies_participation",
        responses=_object(body={"type": "string"}, votes=_rows(VOTES), members=_rows(MEMBERS)),
    )
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Return turnout by vote and by member."""
        return participation.participation_json(request._request, slug)


class RegisterEntry(APIView):
    """A use in the fields of a public register."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="deployments_register",
        responses=_object(
            register={"type": "string"},
            standard={"type": "string"},
            records={"type": "array", "items": {"type": "object"}},
        ),
    )
    def get(self, request: Request, slug: str, name: str) -> HttpResponse:
        """Return the entry; the guide to registers has their names and fields."""
        return registers.register_json(request._request, slug, name)


class SuiteHistory(APIView):
    """How the scores on a suite went over time."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="suites_history",
        responses=_object(
            suite={"type": "string"}, complete={"type": "boolean"}, results=_rows(HISTORY)
        ),
    )
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Return the headline scores of the newest full runs of all its versions."""
        return evaluations.suite_history_json(request._request, slug)


class FieldChangeOutput(serializers.Serializer[Any]):
    """One setting before and after; empty where there was or is none."""

    name = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class RowChangesOutput(serializers.Serializer[Any]):
    """Rows added, removed and changed, by id."""

    added = serializers.ListField(child=serializers.CharField())
    removed = serializers.ListField(child=serializers.CharField())
    changed = serializers.ListField(child=serializers.CharField())
    same = serializers.IntegerField()
    order_changed = serializers.BooleanField()


class TaskChangeOutput(serializers.Serializer[Any]):
    """One task that is not the same."""

    name = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(["added", "removed", "changed"])
    fields = FieldChangeOutput(many=True)  # type: ignore[assignment]
    data = FieldChangeOutput(  # type: ignore[assignment]
        allow_null=True, help_text="The digests of the data, where they differ."
    )
    rows = RowChangesOutput(
        allow_null=True, help_text="null where the rows are the same, or may not be read."
    )


class SuiteChangesOutput(serializers.Serializer[Any]):
    """What sets two versions of a suite apart."""

    fields = FieldChangeOutput(many=True)  # type: ignore[assignment]
    tasks = TaskChangeOutput(many=True, source="changed_tasks")


class SuiteChanges(APIView):
    """Two versions of a suite beside each other."""

    permission_classes = [Public]

    @extend_schema(operation_id="suites_changes", responses=SuiteChangesOutput)
    def get(self, request: Request, slug: str, number: int, before: int) -> Response:
        """Return what changed; rows as far as the reader may read them."""
        *_, found = evaluations.changes_between(request.user, slug, before, number)
        return Response(SuiteChangesOutput(found).data)


class NamedVersionOutput(serializers.Serializer[Any]):
    """A version by name and digest."""

    version = serializers.CharField()
    digest = serializers.CharField()


class VersionChangesOutput(serializers.Serializer[Any]):
    """What sets a version apart from another: files, what is said of it, results."""

    before = NamedVersionOutput()
    after = NamedVersionOutput()
    files_equal = serializers.IntegerField(help_text="How many files are the same in both.")
    files = serializers.ListField(child=serializers.DictField())
    fields = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]
    results = serializers.ListField(child=serializers.DictField())


class VersionChanges(APIView):
    """Two versions beside each other."""

    permission_classes = [Public]

    @extend_schema(operation_id="versions_changes", responses=VersionChangesOutput)
    def get(self, request: Request, digest: str, before: str) -> HttpResponse:
        """Return what the version changes against the other one."""
        return registry.version_changes_json(request._request, digest, before)
