"""Checks of endpoints in the network API: plans, and what each round has shown."""

from decimal import Decimal
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evals.api.worker import WorkerView
from evals.models import Check, CheckPlan, SuiteVersion
from evals.services import checks, probes
from oversight.accounts.choices import Scope
from oversight.accounts.permissions import Public, writes
from oversight.registry.models import Endpoint, ModelVersion
from oversight.web.clock import database_now
from oversight.web.inputs import checked, named_row


class CheckFindingOutput(serializers.Serializer[Any]):
    """What was found on one pair of answerers, or on one that did not answer."""

    kind = serializers.ChoiceField(["operator", "weights", "drift", "answer"])
    endpoint = serializers.CharField()
    beside = serializers.CharField(allow_blank=True)
    run = serializers.CharField(allow_blank=True)
    beside_run = serializers.CharField(required=False)
    compared = serializers.IntegerField(required=False)
    alike = serializers.IntegerField(required=False)
    low = serializers.CharField(required=False, help_text="Of the share of like answers, 95 %.")
    high = serializers.CharField(required=False)
    p_value = serializers.CharField(required=False, allow_null=True)
    verdict = serializers.ChoiceField(["alike", "differs", "undecided", "unanswered"])
    reason = serializers.CharField(allow_blank=True)


class CheckOutput(serializers.ModelSerializer[Check]):
    """One round."""

    version = serializers.CharField(source="plan.version.digest", read_only=True)
    findings = CheckFindingOutput(many=True, read_only=True)

    class Meta:
        model = Check
        fields = ["version", "begun_at", "judged_at", "digest", "leaf_id", "findings"]


class CheckPlanOutput(serializers.ModelSerializer[CheckPlan]):
    """One version's standing order."""

    version = serializers.CharField(source="version.digest", read_only=True)
    suite = serializers.CharField(source="suite_version.digest", read_only=True)

    class Meta:
        model = CheckPlan
        fields = [
            *("version", "suite", "items", "every_hours", "agreement", "with_weights"),
            *("planned_at", "next_at", "ended_at"),
        ]


class CheckPlanInput(serializers.Serializer[Any]):
    """A plan to make."""

    version = serializers.RegexField(r"\Asha256:[0-9a-f]{64}\Z")
    suite = serializers.RegexField(r"\Asha256:[0-9a-f]{64}\Z", help_text="Of a suite version.")
    items = serializers.IntegerField(min_value=5, max_value=500, default=50)
    every_hours = serializers.IntegerField(min_value=1, max_value=720, default=24)
    agreement = serializers.DecimalField(
        max_digits=3, decimal_places=2, min_value=0, max_value=1, default=Decimal("0.90")
    )
    with_weights = serializers.BooleanField(default=False)


class CheckList(generics.ListAPIView[Check]):
    """All rounds of all checks, newest first."""

    permission_classes = [Public]
    serializer_class = CheckOutput
    queryset = Check.objects.select_related("plan__version")


class CheckPlanList(generics.ListAPIView[CheckPlan]):
    """All plans, newest first; POST has the endpoints of one more version checked."""

    permission_classes = [writes(Scope.RUNS_WRITE)]
    serializer_class = CheckPlanOutput
    queryset = CheckPlan.objects.select_related("version", "suite_version").order_by("-pk")

    @extend_schema(request=CheckPlanInput, responses={201: CheckPlanOutput})
    def post(self, request: Request) -> Response:
        """Plan checks."""
        data = checked(CheckPlanInput, request)
        plan = checks.plan_checks(
            by=request.user,  # type: ignore[arg-type]
            version=named_row(ModelVersion, "version", digest=data.pop("version")),
            suite_version=named_row(SuiteVersion, "suite", digest=data.pop("suite")),
            **data,
        )
        return Response(CheckPlanOutput(plan).data, status=status.HTTP_201_CREATED)


class CheckPlanEnd(APIView):
    """End the checks of a version's endpoints."""

    permission_classes = [writes(Scope.RUNS_WRITE)]

    @extend_schema(request=None, responses={200: CheckPlanOutput})
    def post(self, request: Request, digest: str) -> Response:
        """End the plan that stands."""
        version = get_object_or_404(ModelVersion.objects.select_related("model"), digest=digest)
        plan = checks.end_checks(by=request.user, version=version)  # type: ignore[arg-type]
        return Response(CheckPlanOutput(plan).data)


class AvailabilityOutput(serializers.Serializer[Any]):
    """How often an endpoint answered in a span of time, and how fast."""

    span = serializers.CharField()
    probes = serializers.IntegerField()
    answered = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)
    milliseconds = serializers.IntegerField(allow_null=True, help_text="Mean, where it answered.")
    last_up = serializers.DateTimeField(allow_null=True)
    last_down = serializers.DateTimeField(allow_null=True)


class EndpointAvailability(APIView):
    """How often an endpoint answered in the last day, week and month."""

    permission_classes = [Public]

    @extend_schema(responses={200: AvailabilityOutput(many=True)})
    def get(self, request: Request, slug: str) -> Response:  # noqa: ARG002
        """Return the spans."""
        endpoint = get_object_or_404(Endpoint, slug=slug)
        spans = probes.availability(endpoint, database_now())
        return Response(AvailabilityOutput(spans, many=True).data)


class ProbeOrder(serializers.Serializer[Any]):
    """One endpoint to look at."""

    slug = serializers.CharField()
    base_url = serializers.CharField()


class ProbeOrders(serializers.Serializer[Any]):
    """What it is a worker's turn to look at."""

    endpoints = ProbeOrder(many=True)


class ProbeSeen(serializers.Serializer[Any]):
    """What a worker has seen of one endpoint."""

    endpoint = serializers.CharField(max_length=60)
    is_up = serializers.BooleanField()
    milliseconds = serializers.IntegerField(min_value=0, max_value=10**6)
    reason = serializers.CharField(max_length=200, allow_blank=True, default="")


class ProbesSeen(serializers.Serializer[Any]):
    """What a worker has seen."""

    seen = serializers.ListField(child=ProbeSeen(), max_length=probes.AT_ONCE)


class ProbesKept(serializers.Serializer[Any]):
    """What became of it."""

    kept = serializers.IntegerField(help_text="How many looks were sent; each is kept once.")


class WorkerProbes(WorkerView):
    """`POST probes`: whose turn it is to look whether endpoints answer."""

    @extend_schema(request=None, responses={200: ProbeOrders})
    def post(self, request: Request) -> Response:  # noqa: ARG002
        """Hand out what is due."""
        due = probes.take_turns(worker=self.worker)
        return Response({"endpoints": [{"slug": e.slug, "base_url": e.base_url} for e in due]})


class WorkerProbesSeen(WorkerView):
    """`POST probes/seen`."""

    @extend_schema(request=ProbesSeen, responses={200: ProbesKept})
    def post(self, request: Request) -> Response:  # noqa: ARG002
        """Keep what was seen of the endpoints whose turn this worker had."""
        seen = self.read(ProbesSeen)["seen"]
        probes.note_probes(worker=self.worker, seen=seen)
        return Response({"kept": len(seen)})
