"""What everyone may read of suites and runs, and how evaluators start and cancel runs."""

from collections.abc import Collection
from typing import Any

import django_filters
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evals import artefacts, policy
from evals.choices import ResourceClass, RunState
from evals.exports import samples
from evals.models import Aggregate, Run, Suite, SuiteVersion, TaskRun
from evals.run_settings import BACKENDS, DEVICES
from evals.run_settings import DEFAULTS as SETTINGS
from evals.services import runs
from evals.services.replications import MOST_ORGANISATIONS
from evals.suites.taskfolder import folder_zip
from oversight.accounts.choices import Scope
from oversight.accounts.permissions import Public, writes
from oversight.registry.models import ModelVersion
from oversight.web.inputs import checked, named_row


class SuiteVersionOutput(serializers.ModelSerializer[SuiteVersion]):
    """One version with its whole document."""

    suite = serializers.SlugRelatedField[Suite](slug_field="slug", read_only=True)

    class Meta:
        model = SuiteVersion
        fields = ["suite", "number", "digest", "published_at", "document"]


class SuiteOutput(serializers.ModelSerializer[Suite]):
    """One suite and its newest version's number and digest."""

    version = serializers.IntegerField(read_only=True)
    digest = serializers.CharField(read_only=True)

    class Meta:
        model = Suite
        fields = ["slug", "title", "version", "digest", "created_at"]


class AggregateOutput(serializers.ModelSerializer[Aggregate]):
    """One metric with its interval."""

    interval = serializers.SerializerMethodField()

    class Meta:
        model = Aggregate
        fields = ["metric", "group", "n", "mean", "stderr", "interval", "method"]

    @extend_schema_field({"type": "array", "items": {"type": ["number", "null"]}})
    def get_interval(self, row: Aggregate) -> list[float | None]:
        """Return the lower and upper end of the 95 % interval."""
        return [row.low, row.high]


@extend_schema_field({"type": ["object", "null"]})
class Envelope(serializers.JSONField):
    """A signed statement, once there is one."""


class TaskRunOutput(serializers.ModelSerializer[TaskRun]):
    """One task of a run: progress, result, signed statement."""

    worker = serializers.CharField(
        source="worker.name", default=None, read_only=True, allow_null=True
    )
    organisation = serializers.CharField(
        source="worker.organisation.slug", default=None, read_only=True, allow_null=True
    )
    aggregates = AggregateOutput(many=True, read_only=True)
    samples_sha256 = serializers.CharField(
        source="samples_id", default=None, read_only=True, allow_null=True
    )

    envelope = Envelope(read_only=True)

    class Meta:
        model = TaskRun
        fields = [
            "id",
            "task_name",
            "state",
            "attempt",
            "stage",
            "done",
            "total",
            "worker",
            "organisation",
            "started_at",
            "finished_at",
            "reason_code",
            "reason",
            "aggregates",
            "samples_sha256",
            "statement_digest",
            "envelope",
        ]


class RunOutput(serializers.ModelSerializer[Run]):
    """One run in a list."""

    suite = serializers.CharField(source="suite_version.suite.slug", read_only=True)
    suite_digest = serializers.CharField(source="suite_version.digest", read_only=True)
    model = serializers.CharField(source="model_version.model.slug", read_only=True)
    version = serializers.CharField(source="model_version.label", read_only=True)
    model_digest = serializers.CharField(source="model_version.digest", read_only=True)
    replication = serializers.CharField(
        source="replication.ref", default=None, read_only=True, allow_null=True
    )
    is_recalled = serializers.BooleanField(
        read_only=True, help_text="Its workers had every answer from before: it repeats a run."
    )

    class Meta:
        model = Run
        fields = [
            "ref",
            "state",
            "reason",
            "suite",
            "suite_digest",
            "model",
            "version",
            "model_digest",
            "settings",
            "resource_class",
            "priority",
            "device_memory_bytes",
            "replication",
            "purpose",
            "requested_at",
            "started_at",
            "finished_at",
            "answers",
            "recalled",
            "is_recalled",
        ]


class RunDetailOutput(RunOutput):
    """One run with its tasks."""

    tasks = TaskRunOutput(source="task_runs", many=True, read_only=True)

    class Meta(RunOutput.Meta):
        fields = [*RunOutput.Meta.fields, "tasks"]


class RunInput(serializers.Serializer[Any]):
    """What to evaluate by what."""

    suite = serializers.SlugField(help_text="The suite's address name; its newest version runs.")
    model_digest = serializers.RegexField(r"\Asha256:[0-9a-f]{64}\Z")
    limit = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    dtype = serializers.ChoiceField(runs.DTYPES, default="float32")
    batch_size = serializers.IntegerField(min_value=1, max_value=1024, default=16)
    resource_class = serializers.ChoiceField(ResourceClass.choices, default="cpu")
    backend = serializers.ChoiceField(BACKENDS, default="hf")
    device = serializers.ChoiceField(DEVICES, default="auto")
    devices = serializers.IntegerField(min_value=1, max_value=64, default=1)
    fresh = serializers.BooleanField(
        default=False, help_text="Compute everything anew, whatever the worker remembers."
    )
    budget = serializers.DictField(required=False, help_text="requests, tokens, money.")
    endpoint = serializers.DictField(
        required=False,
        help_text="slug of a registered endpoint, model; may say requests_per_minute, concurrency, "
        "timeout_seconds, prices.",
    )
    device_memory_bytes = serializers.IntegerField(
        min_value=0, max_value=2**53, required=False, help_text="What it needs of each GPU."
    )
    priority = serializers.IntegerField(min_value=-10, max_value=10, default=0)


class ReplicationInput(RunInput):
    """What several organisations are to evaluate, and how far apart they may be."""

    priority = None  # type: ignore[assignment]
    organisations = serializers.IntegerField(min_value=2, max_value=MOST_ORGANISATIONS)
    tolerance = serializers.DecimalField(max_digits=9, decimal_places=6, min_value=0)


class RunFilter(django_filters.FilterSet):  # type: ignore[misc]
    """`?state=`, `?suite=`, `?model=`, `?purpose=`."""

    suite = django_filters.CharFilter(field_name="suite_version__suite__slug")
    model = django_filters.CharFilter(field_name="model_version__model__slug")
    state = django_filters.ChoiceFilter(choices=RunState.choices)

    class Meta:
        model = Run
        fields = ["state", "suite", "model", "purpose"]


_NEWEST = SuiteVersion.objects.filter(suite=OuterRef("pk")).newest_first()


class SuiteList(generics.ListAPIView[Suite]):
    """All published suites."""

    permission_classes = [Public]
    serializer_class = SuiteOutput
    queryset = Suite.objects.annotate(
        version=Subquery(_NEWEST.values("number")[:1]),
        digest=Subquery(_NEWEST.values("digest")[:1]),
    ).filter(version__isnull=False)


class SuiteDetail(generics.RetrieveAPIView[SuiteVersion]):
    """The newest version of a suite, with its document."""

    permission_classes = [Public]
    serializer_class = SuiteVersionOutput

    def get_object(self) -> SuiteVersion:
        """Return the suite's newest version."""
        return newest_version(self.kwargs["slug"])


class SuiteVersionRow(serializers.ModelSerializer[SuiteVersion]):
    """One version in a list, without its document."""

    class Meta:
        model = SuiteVersion
        fields = ["number", "digest", "published_at", "leaf_id"]


class SuiteVersions(generics.ListAPIView[SuiteVersion]):
    """All versions of a suite, newest first."""

    permission_classes = [Public]
    serializer_class = SuiteVersionRow
    queryset = SuiteVersion.objects.none()

    def get_queryset(self) -> QuerySet[SuiteVersion]:
        """Return those of the suite that the address names."""
        suite = get_object_or_404(Suite, slug=self.kwargs["slug"])
        return SuiteVersion.objects.filter(suite=suite).defer("document").newest_first()


class SuiteVersionDetail(generics.RetrieveAPIView[SuiteVersion]):
    """One version of a suite, with its document."""

    permission_classes = [Public]
    serializer_class = SuiteVersionOutput

    def get_object(self) -> SuiteVersion:
        """Return the version of that number."""
        number = self.kwargs["number"]
        if number >= 1 << 31:
            raise Http404
        versions = SuiteVersion.objects.select_related("suite")
        return get_object_or_404(versions, suite__slug=self.kwargs["slug"], number=number)


class SuiteFolder(APIView):
    """The newest version as a plain lm-eval task folder."""

    permission_classes = [Public]

    @extend_schema(operation_id="suites_folder", responses={(200, "application/zip"): bytes})
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Send the zip; the README inside gives the exact command.

        Tasks whose items the reader may not see stand in it by their description and digest only.
        """
        version = newest_version(slug)
        shown = policy.readable_tasks(request.user, version.tasks)
        answer = HttpResponse(task_folder_zip(version, shown), content_type="application/zip")
        answer["Content-Disposition"] = (
            f'attachment; filename="{slug}-{version.number}-lm-eval.zip"'
        )
        return answer


class RunList(generics.ListAPIView[Run]):
    """All runs, newest first; evaluators start one with POST."""

    permission_classes = [writes(Scope.RUNS_WRITE)]
    serializer_class = RunOutput
    filterset_class = RunFilter
    queryset = Run.objects.with_parts().newest_first()

    @extend_schema(request=RunInput, responses={201: RunDetailOutput})
    def post(self, request: Request) -> Response:
        """Queue an evaluation of a registered version by the newest version of a suite."""
        run = runs.request_run(by=request.user, **asked(checked(RunInput, request)))  # type: ignore[arg-type]
        return Response(RunDetailOutput(run).data, status=status.HTTP_201_CREATED)


def asked(data: dict[str, Any]) -> dict[str, Any]:
    """Return what to call the service with: the rows that are named, and the settings together."""
    version = named_row(ModelVersion, "model_digest", digest=data.pop("model_digest"))
    suite = named_row(Suite, "suite", slug=data.pop("suite"), versions__isnull=False)
    settings = {name: data.pop(name) for name in list(data) if name in SETTINGS}
    data["resource_class"] = ResourceClass(data["resource_class"])
    return data | {"suite_version": suite.current, "model_version": version, "settings": settings}


class RunDetail(generics.RetrieveAPIView[Run]):
    """One run with tasks, aggregates and signed statements."""

    permission_classes = [Public]
    serializer_class = RunDetailOutput
    lookup_field = "ref"
    queryset = Run.objects.with_parts().prefetch_related(
        "task_runs__aggregates", "task_runs__worker__organisation"
    )


class RunCancel(APIView):
    """`POST`: cancel a run."""

    permission_classes = [writes(Scope.RUNS_WRITE)]

    @extend_schema(request=None, responses={200: RunOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Cancel what waits at once and stop what runs at its next heartbeat."""
        run = get_object_or_404(Run, ref=ref)
        cancelled = runs.cancel_run(by=request.user, run=run)  # type: ignore[arg-type]
        return Response(RunOutput(cancelled).data)


class RunSamples(APIView):
    """Every sample of a run, one JSON object a line."""

    permission_classes = [Public]

    @extend_schema(operation_id="runs_samples", responses={(200, "application/jsonl"): str})
    def get(self, request: Request, ref: str) -> StreamingHttpResponse:
        """Stream `task`, `doc_id`, `target`, `responses`, `scores` and more, task by task.

        Tasks whose items the reader may not see are left out.
        """
        run = get_object_or_404(Run.objects.with_parts(), ref=ref)
        shown = policy.readable_tasks(request.user, run.suite_version.tasks)
        lines = samples.json_lines(run, shown)
        return StreamingHttpResponse(lines, content_type="application/jsonl")


def newest_version(slug: str) -> SuiteVersion:
    """Return a suite's newest version or answer 404."""
    found = SuiteVersion.objects.filter(suite__slug=slug).select_related("suite").newest_first()
    version = found.first()
    if version is None:
        raise Http404(f"There is no suite named {slug}.")
    return version


def task_folder_zip(version: SuiteVersion, shown: Collection[str]) -> bytes:
    """Return a version as a zipped lm-eval task folder, with the items of the tasks `shown`."""
    files = {
        task["data"]["name"]: artefacts.path_of(task["data"]["sha256"]).read_bytes()
        for task in version.tasks
        if "data" in task and task["name"] in shown
    }
    return folder_zip(version.document, files, shown=shown)
