"""A run in the forms that other programs read."""

import tempfile
from pathlib import Path
from typing import Any

from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evals import policy
from evals.exports import every_eval_ever, results, samples
from evals.models import Run
from oversight.accounts.permissions import Public

PARQUET = "application/vnd.apache.parquet"


class ResultRow(serializers.Serializer[Any]):
    """One aggregate of a run: the columns of the table."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return a field for each column."""
        kinds = {
            str: serializers.CharField,
            int: serializers.IntegerField,
            float: serializers.FloatField,
        }
        return {
            name: kinds[kind](allow_null=kind is float or name in results.NULLABLE)
            for name, kind in results.COLUMNS.items()
        }


class Signature(serializers.Serializer[Any]):
    """One signature of a statement."""

    keyid = serializers.CharField()
    sig = serializers.CharField()


class SignedStatement(serializers.Serializer[Any]):
    """A statement in its DSSE envelope; the payload is base64."""

    payload = serializers.CharField()
    payloadType = serializers.CharField()  # noqa: N815 - the envelope's own word
    signatures = Signature(many=True)


class EveryEvalEver(serializers.Serializer[Any]):
    """A record of Every Eval Ever; its parts are described by that project's schema 0.2.1."""

    schema_version = serializers.CharField()
    evaluation_id = serializers.CharField()
    evaluation_timestamp = serializers.CharField()
    retrieved_timestamp = serializers.CharField()
    source_metadata = serializers.DictField()
    eval_library = serializers.DictField()
    model_info = serializers.DictField()
    evaluation_results = serializers.ListField(child=serializers.DictField())
    detailed_evaluation_results = serializers.DictField()


class RunExport(APIView):
    """Base of what is sent of one run."""

    permission_classes = [Public]

    def run(self) -> Run:
        """Return the run that the address names, or answer 404."""
        return get_object_or_404(Run.objects.with_parts(), ref=self.kwargs["ref"])

    def shown(self, run: Run) -> frozenset[str]:
        """Return the tasks whose items the reader may see."""
        return policy.readable_tasks(self.request.user, run.suite_version.tasks)


class RunResultsJson(RunExport):
    """Every aggregate of a run as JSON."""

    @extend_schema(operation_id="runs_results_json", responses=ResultRow(many=True))
    def get(self, request: Request, ref: str) -> Response:  # noqa: ARG002
        """Send one object a task, metric and group."""
        return Response(list(results.rows(self.run())))


class RunResultsCsv(RunExport):
    """Every aggregate of a run as CSV."""

    @extend_schema(operation_id="runs_results_csv", responses={(200, "text/csv"): str})
    def get(self, request: Request, ref: str) -> HttpResponse:  # noqa: ARG002
        """Send one line a task, metric and group."""
        return _named(HttpResponse(results.as_csv(self.run()), content_type="text/csv"), ref, "csv")


class RunResultsParquet(RunExport):
    """Every aggregate of a run as Parquet."""

    @extend_schema(operation_id="runs_results_parquet", responses={(200, PARQUET): bytes})
    def get(self, request: Request, ref: str) -> HttpResponse:  # noqa: ARG002
        """Send one row a task, metric and group."""
        content = results.as_parquet(self.run())
        return _named(HttpResponse(content, content_type=PARQUET), ref, "parquet")


class RunSamplesCsv(RunExport):
    """Every sample of a run as CSV, but of tasks whose items the reader may not see."""

    @extend_schema(operation_id="runs_samples_csv", responses={(200, "text/csv"): str})
    def get(self, request: Request, ref: str) -> StreamingHttpResponse:  # noqa: ARG002
        """Stream one line a sample."""
        run = self.run()
        return StreamingHttpResponse(
            samples.csv_lines(run, self.shown(run)), content_type="text/csv; charset=utf-8"
        )


class RunSamplesParquet(RunExport):
    """Every sample of a run as Parquet, but of tasks whose items the reader may not see."""

    @extend_schema(operation_id="runs_samples_parquet", responses={(200, PARQUET): bytes})
    def get(self, request: Request, ref: str) -> FileResponse:  # noqa: ARG002
        """Send one row a sample."""
        run = self.run()
        with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
            samples.write_parquet(run, self.shown(run), Path(file.name))
            # Open beyond the name: the file goes away when the answer is sent.
            content = Path(file.name).open("rb")  # noqa: SIM115
        return FileResponse(content, content_type=PARQUET)


class RunStatements(RunExport):
    """The signed statements of a run: all that `manage.py reproduce` needs."""

    @extend_schema(operation_id="runs_statements", responses=SignedStatement(many=True))
    def get(self, request: Request, ref: str) -> Response:  # noqa: ARG002
        """Send the DSSE envelopes in the order of the suite."""
        parts = self.run().task_runs.exclude(envelope=None).order_by("position")
        return Response([part.envelope for part in parts])


class RunEveryEvalEver(RunExport):
    """A run as a record of Every Eval Ever, schema 0.2.1."""

    @extend_schema(operation_id="runs_every_eval_ever", responses=EveryEvalEver)
    def get(self, request: Request, ref: str) -> Response:  # noqa: ARG002
        """Send the record."""
        return Response(every_eval_ever.record(self.run(), at=timezone.now()))


def _named(answer: HttpResponse, ref: str, ending: str) -> HttpResponse:
    answer["Content-Disposition"] = f'attachment; filename="{ref}.{ending}"'
    return answer
