"""Decisions in the network API."""

from rest_framework import generics, serializers

from oversight.accounts.permissions import Public
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
