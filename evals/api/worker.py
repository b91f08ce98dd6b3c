"""What a worker calls: hello, claim, heartbeat, upload, result, failure.

A worker reaches nothing else: its token opens these addresses only.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evals import artefacts
from evals.api.worker_auth import (
    UNKNOWN_TOKEN,
    BringsToken,
    IsWorker,
    TokenAuthentication,
    WorkerAuthentication,
)
from evals.choices import ResourceClass, TaskRunState
from evals.models import TaskRun, Worker
from evals.services import claims, leases, results, workers
from oversight.web.inputs import checked
from oversight.web.refusals import BadQuery

PREDICATE_TYPE = f"{settings.PUBLIC_URL}/ns/evaluation-result/v1"


class WorkerView(APIView):
    """Base of the worker's addresses: its own sign-in, nothing public."""

    authentication_classes = [WorkerAuthentication]
    permission_classes = [IsWorker]
    # A worker calls as often as its work needs: many short task runs are many calls.
    throttle_classes = []

    @property
    def worker(self) -> Worker:
        """The signed-in worker."""
        worker: Worker = self.request.user  # type: ignore[assignment]
        return worker

    def read(self, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """Return the body in a shape; a worker newer than the platform may send more."""
        return checked(shape, self.request, may_hold_more=True)


class HelloInput(serializers.Serializer[Any]):
    """A worker's start."""

    boot_id = serializers.CharField(max_length=64)
    software = serializers.DictField(child=serializers.CharField(max_length=200, allow_blank=True))
    device = serializers.DictField(
        help_text="May hold device_memory_bytes, of each GPU, and devices, how many there are."
    )
    resource_classes = serializers.ListField(child=serializers.ChoiceField(ResourceClass.choices))


class ClaimInput(serializers.Serializer[Any]):
    """A worker's question for work."""

    boot_id = serializers.CharField(max_length=64)
    resource_classes = serializers.ListField(child=serializers.ChoiceField(ResourceClass.choices))


class HeartbeatInput(serializers.Serializer[Any]):
    """A sign of life with progress."""

    token = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    stage = serializers.ChoiceField(leases.STAGES)
    done = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    total = serializers.IntegerField(min_value=0, max_value=2**31 - 1)


class ResultInput(serializers.Serializer[Any]):
    """A signed result."""

    token = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    envelope = serializers.DictField()


class FailureInput(serializers.Serializer[Any]):
    """Why a task run could not be finished."""

    token = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    code = serializers.RegexField(r"\A[a-z0-9-]{1,40}\Z")
    message = serializers.CharField(max_length=4000)
    log_tail = serializers.CharField(max_length=100_000, allow_blank=True, default="")
    may_retry = serializers.BooleanField(default=True)


class HelloOutput(serializers.Serializer[Any]):
    """What the platform wants of a worker."""

    worker = serializers.CharField()
    organisation = serializers.CharField()
    lease_seconds = serializers.IntegerField()
    heartbeat_seconds = serializers.IntegerField()
    predicate_type = serializers.CharField()
    paused = serializers.BooleanField(help_text="It gets no work until somebody resumes it.")


class SuiteNamed(serializers.Serializer[Any]):
    """A suite version by name, number and digest."""

    slug = serializers.CharField()
    version = serializers.IntegerField()
    digest = serializers.CharField()


class ModelNamed(serializers.Serializer[Any]):
    """A model version with its files and where to find them."""

    slug = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    digest = serializers.CharField()
    manifest = serializers.ListField(child=serializers.DictField())
    source = serializers.DictField()  # type: ignore[assignment]


class FileNamed(serializers.Serializer[Any]):
    """A data file to fetch by its digest."""

    name = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField()


class WorkOrder(serializers.Serializer[Any]):
    """All a worker needs to run one task."""

    task_run = serializers.UUIDField()
    run = serializers.CharField()
    token = serializers.IntegerField()
    attempt = serializers.IntegerField()
    lease_seconds = serializers.IntegerField()
    task = serializers.DictField()
    suite = SuiteNamed()
    model = ModelNamed()
    settings = serializers.DictField()
    files = FileNamed(many=True)
    endpoint = serializers.DictField(
        required=False, help_text="Of the back-ends completions and chat only. Never with a key."
    )


class ResultOutput(serializers.Serializer[Any]):
    """An accepted result: the digest of its statement, and its leaf."""

    statement = serializers.CharField()
    leaf = serializers.UUIDField()


class FailureOutput(serializers.Serializer[Any]):
    """Where the task run stands now."""

    state = serializers.ChoiceField(TaskRunState.choices)


class UploadOutput(serializers.Serializer[Any]):
    """What was stored."""

    sha256 = serializers.CharField()
    size = serializers.IntegerField()


class Hello(WorkerView):
    """`POST hello`: the worker has started."""

    @extend_schema(request=HelloInput, responses={200: HelloOutput})
    def post(self, request: Request) -> Response:  # noqa: ARG002
        """Note the worker's software and device; give back what it held before."""
        data = self.read(HelloInput)
        worker = workers.hear_hello(
            worker=self.worker,
            boot_id=data["boot_id"],
            software=data["software"],
            device=data["device"],
        )
        return Response(
            {
                "worker": worker.public_id,
                "organisation": worker.organisation.slug,
                "lease_seconds": settings.LEASE_SECONDS,
                "heartbeat_seconds": settings.HEARTBEAT_SECONDS,
                "predicate_type": PREDICATE_TYPE,
                "paused": worker.paused_at is not None,
            }
        )


class Claim(WorkerView):
    """`POST claim`: 204 when there is no work."""

    # Whose token it is finds the very statement that leases: hundreds of hosts may ask at once.
    authentication_classes = [TokenAuthentication]
    permission_classes = [BringsToken]

    @extend_schema(
        request=ClaimInput,
        responses={200: WorkOrder, 204: None},
        auth=[{"workerToken": []}],  # type: ignore[list-item]  # it is passed on as it is
    )
    def post(self, request: Request) -> Response:
        """Lease the best waiting task run to the worker."""
        data = self.read(ClaimInput)
        try:
            order = claims.claim(
                token_digest=str(request.auth),
                boot_id=data["boot_id"],
                resource_classes=data["resource_classes"],
            )
        except claims.UnknownWorker:
            raise AuthenticationFailed(UNKNOWN_TOKEN) from None
        if order is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(_work_order(order))


class Heartbeat(WorkerView):
    """`POST task-runs/<id>/heartbeat`."""

    @extend_schema(
        request=HeartbeatInput,
        responses=inline_serializer("HeartbeatAnswer", {"cancel": serializers.BooleanField()}),
    )
    def post(self, request: Request, task_run_id: Any) -> Response:  # noqa: ARG002
        """Extend the lease; the answer says whether to stop."""
        data = self.read(HeartbeatInput)
        cancel = leases.hear_heartbeat(worker=self.worker, task_run_id=task_run_id, **data)
        return Response({"cancel": cancel})


class Result(WorkerView):
    """`POST task-runs/<id>/result`."""

    @extend_schema(request=ResultInput, responses={200: ResultOutput, 201: ResultOutput})
    def post(self, request: Request, task_run_id: Any) -> Response:  # noqa: ARG002
        """Accept the signed result, after everything in it was checked."""
        data = self.read(ResultInput)
        task_run, changed = results.accept_result(
            worker=self.worker,
            task_run_id=task_run_id,
            token=data["token"],
            envelope=data["envelope"],
        )
        answer = {"statement": task_run.statement_digest, "leaf": str(task_run.leaf_id)}
        return Response(answer, status=status.HTTP_201_CREATED if changed else status.HTTP_200_OK)


class Failure(WorkerView):
    """`POST task-runs/<id>/failure`."""

    @extend_schema(request=FailureInput, responses={200: FailureOutput})
    def post(self, request: Request, task_run_id: Any) -> Response:  # noqa: ARG002
        """Take the reason; the task run is queued again while attempts last."""
        data = self.read(FailureInput)
        task_run = leases.hear_failure(worker=self.worker, task_run_id=task_run_id, **data)
        return Response({"state": task_run.state})


class Upload(WorkerView):
    """`PUT task-runs/<id>/artefacts/<sha256>?token=N`, the raw bytes as body."""

    @extend_schema(
        parameters=[OpenApiParameter("token", int, required=True, description="of the lease")],
        request={"application/octet-stream": bytes},
        responses={201: UploadOutput},
    )
    def put(self, request: Request, task_run_id: Any, sha256: str) -> Response:
        """Store a file under its digest."""
        text = request.query_params.get("token", "")
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise BadQuery("Add ?token= with the lease's token.", fields={"token": "A number."})
        token = int(text)
        row = results.receive_artefact(
            worker=self.worker,
            task_run_id=task_run_id,
            token=token,
            sha256=sha256,
            chunks=_chunks(request),
        )
        return Response({"sha256": row.sha256, "size": row.size}, status=status.HTTP_201_CREATED)


class Download(WorkerView):
    """`GET artefacts/<sha256>`: data files of suites this worker has work for."""

    @extend_schema(responses={(200, "application/octet-stream"): bytes})
    def get(self, request: Request, sha256: str) -> HttpResponseBase:  # noqa: ARG002
        """Send a data file that a task run leased by this worker needs."""
        held = TaskRun.objects.filter(worker=self.worker, state=TaskRunState.RUNNING)
        wanted = {
            part.task.get("data", {}).get("sha256")
            for part in held.select_related("run__suite_version")
        }
        path = artefacts.path_of(sha256)
        if sha256 not in wanted or not path.exists():
            raise Http404
        return FileResponse(path.open("rb"), content_type="application/octet-stream")


def _chunks(request: Request) -> Iterator[bytes]:
    """Yield the body piece by piece, so that an upload never lies in memory as a whole."""
    stream = request._request
    while chunk := stream.read(1024 * 1024):
        yield chunk


def _work_order(order: claims.Order) -> dict[str, Any]:
    """Return an order as its worker gets it."""
    data = [order.task["data"]] if "data" in order.task else []
    found = {
        "task_run": str(order.task_run),
        "run": order.run,
        "token": order.token,
        "attempt": order.attempt,
        "lease_seconds": settings.LEASE_SECONDS,
        "task": order.task,
        "suite": order.suite,
        "model": order.model,
        "settings": order.settings,
        "files": [{k: item[k] for k in ("name", "sha256", "size")} for item in data],
    }
    endpoint = order.settings.get("endpoint")
    return found | ({"endpoint": endpoint} if endpoint else {})
