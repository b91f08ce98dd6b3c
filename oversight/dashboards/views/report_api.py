"""Audit reports and model cards in the network API: the same bytes that the pages' twins send."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from oversight.accounts.permissions import Public
from oversight.dashboards.views import model_cards, reports

_LANGUAGE = OpenApiParameter(
    "language",
    description="In which it is written; English unless it is named.",
    enum=[code for code, _ in settings.LANGUAGES],
)
PDF, MARKDOWN = "application/pdf", "text/markdown"


class AuditReportOutput(serializers.Serializer[Any]):
    """A report; `sections` hold the blocks that page and PDF set."""

    format = serializers.CharField()
    about = serializers.ChoiceField([("decision", "decision"), ("deployment", "deployment")])
    name = serializers.CharField(help_text="The reference or the slug.")
    title = serializers.CharField()
    lede = serializers.CharField()
    state = serializers.DictField()
    body = serializers.CharField()
    address = serializers.URLField()
    language = serializers.CharField()
    as_of = serializers.DateTimeField()
    summary = serializers.ListField(child=serializers.DictField())
    sections = serializers.ListField(child=serializers.DictField())


class DecisionReport(APIView):
    """The audit report of a decision: the bytes that its digest is of."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="decisions_report", parameters=[_LANGUAGE], responses=AuditReportOutput
    )
    def get(self, request: Request, ref: str) -> HttpResponse:
        """Send the report as JSON."""
        return reports.decision_json(request._request, ref)


class DecisionReportPdf(APIView):
    """The audit report of a decision as PDF."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="decisions_report_pdf", parameters=[_LANGUAGE], responses={(200, PDF): bytes}
    )
    def get(self, request: Request, ref: str) -> HttpResponse:
        """Send the report as PDF."""
        return reports.decision_pdf(request._request, ref)


class DeploymentReport(APIView):
    """The audit report of a use: the bytes that its digest is of."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="deployments_report", parameters=[_LANGUAGE], responses=AuditReportOutput
    )
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Send the report as JSON."""
        return reports.deployment_json(request._request, slug)


class DeploymentReportPdf(APIView):
    """The audit report of a use as PDF."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="deployments_report_pdf", parameters=[_LANGUAGE], responses={(200, PDF): bytes}
    )
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Send the report as PDF."""
        return reports.deployment_pdf(request._request, slug)


class ModelCard(APIView):
    """The model card of a version, as the Hugging Face Hub has them."""

    permission_classes = [Public]

    @extend_schema(operation_id="versions_card", responses={(200, MARKDOWN): str})
    def get(self, request: Request, digest: str) -> HttpResponse:
        """Send the card as Markdown with front matter."""
        return model_cards.version_card(request._request, digest)
