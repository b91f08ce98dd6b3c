"""The same question put to several organisations, and whether they agree."""

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from evals.api.public import ReplicationInput, asked
from evals.models import Replication
from evals.services import runs
from oversight.accounts.choices import Scope
from oversight.accounts.permissions import Public, writes
from oversight.web.inputs import checked


class FindingOutput(serializers.Serializer[dict[str, object]]):
    """One metric of one task: every organisation's mean, and how far apart they are."""

    task = serializers.CharField()
    metric = serializers.CharField()
    means = serializers.DictField(child=serializers.CharField())
    spread = serializers.CharField()
    agrees = serializers.BooleanField()


class ReplicationOutput(serializers.ModelSerializer[Replication]):
    """One replication with its runs and what was found."""

    runs = serializers.SlugRelatedField[Replication](slug_field="ref", many=True, read_only=True)
    findings = FindingOutput(many=True, read_only=True)

    class Meta:
        model = Replication
        fields = [
            *("ref", "state", "organisations", "tolerance", "requested_at", "concluded_at"),
            *("runs", "findings"),
        ]


class ReplicationList(generics.ListAPIView[Replication]):
    """All replications, newest first; evaluators ask for one with POST."""

    permission_classes = [writes(Scope.RUNS_WRITE)]
    serializer_class = ReplicationOutput
    queryset = Replication.objects.prefetch_related("runs").order_by("-requested_at", "-id")

    @extend_schema(request=ReplicationInput, responses={201: ReplicationOutput})
    def post(self, request: Request) -> Response:
        """Queue a run for each of so many organisations."""
        data = asked(checked(ReplicationInput, request))
        replication = runs.request_replication(by=request.user, **data)  # type: ignore[arg-type]
        return Response(ReplicationOutput(replication).data, status=status.HTTP_201_CREATED)


class ReplicationDetail(generics.RetrieveAPIView[Replication]):
    """One replication."""

    permission_classes = [Public]
    serializer_class = ReplicationOutput
    lookup_field = "ref"
    queryset = Replication.objects.prefetch_related("runs")
