"""Pausing, re-keying and revoking workers: what each ends at once, and what stays valid."""

import io
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command

from evals.models import Aggregate, TaskRun, Worker
from evals.services import claims, leases, results, workers
from oversight.accounts.choices import OrganisationRole
from oversight.accounts.services import shell_person
from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from tests.scenes import make_administrator, make_affiliate, make_machine, make_person, make_run

pytestmark = pytest.mark.django_db


def fresh_key() -> tuple[Ed25519PrivateKey, str]:
    key = Ed25519PrivateKey.generate()
    return key, key.public_key().public_bytes_raw().hex()


def again(machine):
    """Return the worker as its next call would find it."""
    return Worker.objects.select_related("organisation").get(pk=machine.worker.pk)


def leaves_of(machine):
    found = PendingLeaf.objects.filter(subject=machine.worker.actor).order_by("created_at", "pk")
    return [leaf.type.removeprefix("evals.worker.") for leaf in found]


def test_a_paused_worker_finishes_what_it_holds_and_gets_nothing_new():
    make_run(), make_run()
    machine = make_machine()
    held = machine.claim()
    workers.pause_worker(by=shell_person(), worker=machine.worker, reason="New power supply")
    machine.worker = again(machine)
    assert machine.claim() is None
    machine.finish(held)
    assert TaskRun.objects.get(pk=held.pk).state == "succeeded"
    workers.resume_worker(by=shell_person(), worker=machine.worker)
    machine.worker = again(machine)
    assert machine.claim() is not None
    assert leaves_of(machine) == ["enrolled", "paused", "resumed"]


def test_a_pause_has_a_reason_and_is_neither_doubled_nor_ended_twice():
    machine = make_machine()
    act = {"by": shell_person(), "worker": machine.worker}
    with pytest.raises(Invalid, match="reason"):
        workers.pause_worker(**act, reason="")
    with pytest.raises(Conflict, match="not paused"):
        workers.resume_worker(**act)
    workers.pause_worker(**act, reason="Moving")
    with pytest.raises(Conflict, match="Moving"):
        workers.pause_worker(**act, reason="Again")


def test_a_replaced_key_signs_nothing_any_more_and_the_new_one_does():
    make_run()
    machine = make_machine()
    task_run = machine.claim()
    data, reference = machine.samples(task_run, 15)
    machine.upload(task_run, data, reference["sha256"])
    old = machine.envelope(task_run, reference, 15)
    key, public_key = fresh_key()
    token = workers.rotate_key(by=shell_person(), worker=machine.worker, public_key=public_key)
    assert workers.worker_of_token(machine.token) is None
    machine.worker = workers.worker_of_token(token)
    deliver = {"worker": machine.worker, "task_run_id": task_run.pk, "token": 1}
    with pytest.raises(Invalid, match="none is by the key on record"):
        results.accept_result(**deliver, envelope=old)
    machine.key = key
    results.accept_result(**deliver, envelope=machine.envelope(task_run, reference, 15))
    assert leaves_of(machine) == ["enrolled", "key_rotated"]
    ended, current = machine.worker.keys.all()
    assert (ended.end, current.end, current.public_key) == ("rotated", "", public_key)
    assert ended.ended_at is not None


def test_a_key_never_comes_back():
    machine = make_machine()
    first = machine.worker.public_key
    workers.rotate_key(by=shell_person(), worker=machine.worker, public_key=fresh_key()[1])
    for key in (first, again(machine).public_key):
        with pytest.raises(Conflict, match="had it before"):
            workers.rotate_key(by=shell_person(), worker=machine.worker, public_key=key)


@pytest.mark.parametrize("end", ["revoked", "rotated"])
def test_a_result_whose_key_ended_while_it_was_checked_is_refused(monkeypatch, end):
    """The call was let in with the key; the key ends before the result is written."""
    run = make_run()
    machine = make_machine()
    task_run = machine.claim()
    data, reference = machine.samples(task_run, 15)
    machine.upload(task_run, data, reference["sha256"])
    checked = results._require_supported

    def slowly(*arguments):
        checked(*arguments)
        if end == "revoked":
            # As another host would do it: what is held goes back only with the lock.
            workers._end_key(machine.worker, workers.KeyEnd.REVOKED)
            Worker.objects.filter(pk=machine.worker.pk).update(revoked_at=run.requested_at)
        else:
            workers.rotate_key(by=shell_person(), worker=machine.worker, public_key=fresh_key()[1])

    monkeypatch.setattr(results, "_require_supported", slowly)
    with pytest.raises(Conflict, match="revoked or replaced"):
        results.accept_result(
            worker=machine.worker,
            task_run_id=task_run.pk,
            token=1,
            envelope=machine.envelope(task_run, reference, 15),
        )
    assert not Aggregate.objects.exists()


def test_a_worker_revoked_since_it_called_gets_no_lease():
    make_run()
    machine = make_machine()
    workers.revoke_worker(by=shell_person(), worker=machine.worker)
    with pytest.raises(claims.UnknownWorker):
        machine.claim()
    assert TaskRun.objects.get().state == "queued"


def test_its_organisation_and_administrators_manage_a_worker_and_nobody_else():
    machine = make_machine()
    own = machine.worker.organisation
    for by in (make_person(), make_affiliate(OrganisationRole.EVALUATOR)):
        with pytest.raises(NotAllowed, match="manages this worker"):
            workers.pause_worker(by=by, worker=machine.worker, reason="Mine now")
    for by in (make_affiliate(OrganisationRole.OPERATOR, own), make_administrator()):
        workers.pause_worker(by=by, worker=machine.worker, reason="Ours")
        workers.resume_worker(by=by, worker=machine.worker)


@pytest.mark.parametrize(
    "device",
    [
        {"device_memory_bytes": -1},
        {"device_memory_bytes": "80 GB"},
        {"devices": 0},
        {"devices": True},
    ],
)
def test_a_hello_with_an_impossible_device_is_refused(device):
    machine = make_machine()
    with pytest.raises(Invalid, match="device"):
        workers.hear_hello(worker=machine.worker, boot_id="b", software={}, device=device)


def test_what_a_worker_says_of_its_gpus_is_kept():
    machine = make_machine()
    device = {"class": "gpu", "device_memory_bytes": 24 * 2**30, "devices": 2}
    workers.hear_hello(worker=machine.worker, boot_id="b", software={}, device=device)
    kept = again(machine)
    assert (kept.device_memory_bytes, kept.devices) == (24 * 2**30, 2)


# -- The command -----------------------------------------------------------------------------


def said(*arguments):
    out = io.StringIO()
    call_command("worker", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_does_each_act(tmp_path):
    machine = make_machine("gpu-1")
    name = f"{machine.worker.organisation.slug}/gpu-1"
    assert "Paused" in said("pause", name, "--reason", "Moving")
    assert "paused" in said("list")
    assert "Resumed" in said("resume", machine.worker.public_id)
    pem = tmp_path / "key.pem"
    key = Ed25519PrivateKey.generate().public_key()
    pem.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert "owk_" in said("rotate", name, "--public-key", str(pem))
    assert again(machine).public_key == key.public_bytes_raw().hex()
    assert "Revoked" in said("revoke", name)
    assert name not in said("list")
    (row,) = json.loads(said("list", "--revoked", "--json"))
    assert (row["state"], row["name"]) == ("revoked", "gpu-1")
    with pytest.raises(CommandError, match="revoked already"):
        said("resume", name)
    with pytest.raises(CommandError, match="no worker nowhere/gpu-9"):
        said("revoke", "nowhere/gpu-9")


def test_a_lost_lease_after_a_revocation_says_so():
    make_run()
    machine = make_machine()
    task_run = machine.claim()
    workers.revoke_worker(by=shell_person(), worker=machine.worker)
    with pytest.raises(Conflict, match="not yours any more"):
        leases.hear_heartbeat(
            worker=machine.worker,
            task_run_id=task_run.pk,
            token=1,
            stage="running",
            done=1,
            total=2,
        )
