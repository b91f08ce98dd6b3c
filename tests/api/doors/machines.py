"""What workers ask and send, with tokens of their own."""

from tests.api.doors.door import Door
from tests.api.doors.scenes import beat, signed_result

MACHINES = (
    Door(
        "worker-hello",
        "POST",
        body=lambda w: {
            "boot_id": "boot-1",
            "software": {},
            "device": {},
            "resource_classes": ["cpu"],
        },
    ),
    Door(
        "worker-claim",
        "POST",
        body=lambda w: {"boot_id": "boot-1", "resource_classes": ["cpu"]},
    ),
    Door("worker-probes", "POST"),
    Door("worker-probes-seen", "POST", body=lambda w: {"seen": []}),
    Door("worker-download", "GET", lambda w: (w.held.task["data"]["sha256"],)),
    Door("worker-heartbeat", "POST", lambda w: (w.held.pk,), body=beat),
    Door(
        "worker-upload",
        "PUT",
        lambda w: (w.held.pk, w.machine.samples(w.held, 70)[1]["sha256"]),
        status=201,
        query="?token=1",
    ),
    Door(
        "worker-result",
        "POST",
        lambda w: (w.held.pk,),
        status=201,
        body=signed_result,
    ),
    Door(
        "worker-failure",
        "POST",
        lambda w: (w.held.pk,),
        body=lambda w: {"token": w.held.lease_token, "code": "out-of-memory", "message": "Full."},
    ),
)
