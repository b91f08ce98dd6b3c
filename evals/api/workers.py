"""Who evaluates: the list of workers, and what their organisations do with them."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evals.models import Worker, WorkerKey
from evals.services import workers
from oversight.accounts.choices import Scope
from oversight.accounts.permissions import Public, writes
from oversight.web.inputs import checked


class KeyOutput(serializers.ModelSerializer[WorkerKey]):
    """One key that a worker signs or signed with."""

    class Meta:
        model = WorkerKey
        fields = ["public_key", "since", "ended_at", "end"]


class WorkerOutput(serializers.ModelSerializer[Worker]):
    """One worker, with every key it ever had."""

    worker = serializers.CharField(source="public_id", read_only=True)
    organisation = serializers.CharField(source="organisation.slug", read_only=True)
    state = serializers.CharField(source="standing", read_only=True)
    keys = KeyOutput(many=True, read_only=True)

    class Meta:
        model = Worker
        fields = [
            *("worker", "name", "organisation", "state", "pause_reason"),
            *("resource_classes", "device_memory_bytes", "devices"),
            *("enrolled_at", "revoked_at", "last_seen_at", "software", "keys"),
        ]


class PauseInput(serializers.Serializer[Any]):
    """Why a worker is paused; shown in public."""

    reason = serializers.CharField(max_length=200)


class RotateInput(serializers.Serializer[Any]):
    """A worker's new key."""

    public_key = serializers.RegexField(
        r"\A[0-9a-f]{64}\Z", help_text="Raw Ed25519 key in hexadecimal."
    )


class RotateOutput(serializers.Serializer[Any]):
    """The worker's new token, shown this once."""

    token = serializers.CharField()


_WORKERS = Worker.objects.select_related("organisation").prefetch_related("keys")


class WorkerList(generics.ListAPIView[Worker]):
    """All workers that were ever enrolled."""

    permission_classes = [Public]
    serializer_class = WorkerOutput
    queryset = _WORKERS.order_by("pk")


class WorkerAct(APIView):
    """Base of what is done to one worker."""

    permission_classes = [writes(Scope.REGISTRY_WRITE)]

    def named(self) -> dict[str, Any]:
        """Return who acts, and on which worker."""
        worker = get_object_or_404(_WORKERS, public_id=self.kwargs["worker"])
        return {"by": self.request.user, "worker": worker}


class WorkerPause(WorkerAct):
    """`POST`: give a worker nothing new."""

    @extend_schema(request=PauseInput, responses={200: WorkerOutput})
    def post(self, request: Request, worker: str) -> Response:  # noqa: ARG002
        """Pause it; what it holds it may finish."""
        reason = checked(PauseInput, request)["reason"]
        return Response(WorkerOutput(workers.pause_worker(**self.named(), reason=reason)).data)


class WorkerResume(WorkerAct):
    """`POST`: let a worker take work again."""

    @extend_schema(request=None, responses={200: WorkerOutput})
    def post(self, request: Request, worker: str) -> Response:  # noqa: ARG002
        """Resume it."""
        return Response(WorkerOutput(workers.resume_worker(**self.named())).data)


class WorkerRevoke(WorkerAct):
    """`POST`: end a worker's key."""

    @extend_schema(request=None, responses={200: WorkerOutput})
    def post(self, request: Request, worker: str) -> Response:  # noqa: ARG002
        """Revoke it; what it holds goes back to the queue."""
        return Response(WorkerOutput(workers.revoke_worker(**self.named())).data)


class WorkerRotate(WorkerAct):
    """`POST`: give a worker another key and another token."""

    @extend_schema(request=RotateInput, responses={200: RotateOutput})
    def post(self, request: Request, worker: str) -> Response:  # noqa: ARG002
        """Replace both; the answer has the new token, this once."""
        key = checked(RotateInput, request)["public_key"]
        return Response({"token": workers.rotate_key(**self.named(), public_key=key)})
