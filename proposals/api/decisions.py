"""Decisions in the network API."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from oversight.accounts.permissions import Public
from proposals.ballot_files import ballots_as_blt, has_blt
from proposals.models import Decision


class DecisionOutput(serializers.ModelSerializer[Decision]):
    """One decision with its whole public record."""

    record = serializers.JSONField(source="content", read_only=True)
    body = serializers.CharField(source="proposal.body.slug", read_only=True)
    title = serializers.CharField(source="proposal.title", read_only=True)

    class Meta:
        model = Decision
        fields = [
            "ref",
            "body",
            "title",
            "outcome",
            "decided_at",
            "in_force_until",
            "is_override",
            "digest",
            "record",
        ]


class DecisionList(generics.ListAPIView[Decision]):
    """All decisions, newest first."""

    permission_classes = [Public]
    serializer_class = DecisionOutput
    queryset = Decision.objects.select_related("proposal__body")


class DecisionDetail(generics.RetrieveAPIView[Decision]):
    """One decision."""

    permission_classes = [Public]
    serializer_class = DecisionOutput
    lookup_field = "proposal__ref"
    lookup_url_kwarg = "ref"
    queryset = Decision.objects.select_related("proposal__body")


class DecisionBallots(APIView):
    """A decided election's ballots as BLT."""

    permission_classes = [Public]

    @extend_schema(operation_id="decisions_ballots_blt", responses={(200, "text/plain"): str})
    def get(self, request: Request, ref: str) -> HttpResponse:  # noqa: ARG002
        """Send the ballots that were counted; 404 where BLT cannot say them (yes or no, points)."""
        rows = Decision.objects.select_related("proposal__contract")
        found = get_object_or_404(rows, proposal__ref=ref)
        if not has_blt(found):
            raise Http404("BLT holds orders of preference; this vote had none.")
        return HttpResponse(ballots_as_blt(found), content_type="text/plain; charset=utf-8")
