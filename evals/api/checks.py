"""Checks of endpoints in the network API: plans, and what each round has shown."""

from decimal import Decimal
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evals.models import Check, CheckPlan, SuiteVersion
from evals.services import checks
from oversight.accounts.choices import Scope
from oversight.accounts.permissions import Public, writes
from oversight.registry.models import ModelVersion
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
