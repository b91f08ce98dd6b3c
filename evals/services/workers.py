"""Enrolling workers, hearing from them, and what becomes of their keys."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from evals import policy
from evals.choices import KeyEnd, Leaf, ResourceClass, TaskRunState
from evals.models import TaskRun, Worker, WorkerKey
from evals.services.leases import give_back
from oversight.accounts.models import Organisation, Person
from oversight.accounts.policy import is_administrator
from oversight.accounts.services import digest_of_secret
from oversight.ledger import services as ledger
from oversight.web.refusals import Conflict, Invalid, NotAllowed

TOKEN_PREFIX = "owk_"  # noqa: S105 - a visible prefix, not a secret
MOST_DEVICES = 64


@transaction.atomic(durable=True)
def enrol_worker(
    *,
    by: Person,
    organisation: Organisation,
    name: str,
    public_key: str,
    resource_classes: Sequence[str] = (ResourceClass.CPU,),
    token: str = "",
) -> tuple[Worker, str]:
    """Enrol a machine by its public key and return it with its token, stored hashed.

    `public_key` is the raw 32-byte Ed25519 key in 64 hexadecimal digits; `token` one made
    elsewhere, of at least 32 characters, by default a fresh one.

    Raises:
        Conflict: the organisation has a usable worker of this name.
    """
    if not is_administrator(by):
        raise NotAllowed(_("Only an administrator enrols workers."))
    if not 1 <= len(name) <= 80:
        raise Invalid(_("A worker's name has 1 to 80 characters."), fields={"name": _("1 to 80")})
    _require_key(public_key)
    secret = _token(token)
    worker = Worker(
        name=name,
        organisation=organisation,
        public_key=public_key,
        resource_classes=[str(ResourceClass(c)) for c in resource_classes],
        token_digest=digest_of_secret(secret),
    )
    leaf = ledger.append(
        type=Leaf.WORKER_ENROLLED,
        actor=by.actor,
        subject=worker.actor,
        facts={"organisation": organisation.slug, "public_key": public_key},
    )
    worker.leaf_id = leaf.id
    try:
        with transaction.atomic():
            worker.save()
    except IntegrityError:
        raise Conflict(
            _("%(organisation)s already has a worker %(name)s; revoke it first.")
            % {
                "organisation": organisation,
                "name": name,
            }
        ) from None
    WorkerKey.objects.create(
        worker=worker, public_key=public_key, since=worker.enrolled_at, leaf_id=leaf.id
    )
    return worker, secret


@transaction.atomic(durable=True)
def rotate_key(*, by: Person, worker: Worker, public_key: str, token: str = "") -> str:
    """Give a worker another key and another token, and return the token.

    From here on nothing signed with the old key is accepted, and the old token opens nothing. What
    it holds stays its own: restarted with the new key, it says hello and takes up work anew.

    Raises:
        Conflict: the worker is revoked, or has this key or had it before.
    """
    _require_manager(by, worker)
    _require_key(public_key)
    secret = _token(token)
    row = _locked(worker)
    if row.keys.filter(public_key=public_key).exists():
        raise Conflict(_("This worker has this key, or had it before: make a new one."))
    now = timezone.now()
    leaf = ledger.append(
        type=Leaf.WORKER_KEY_ROTATED,
        actor=by.actor,
        subject=row.actor,
        facts={"public_key": public_key, "before": row.public_key},
    )
    _end_key(row, KeyEnd.ROTATED)
    WorkerKey.objects.create(worker=row, public_key=public_key, since=now, leaf_id=leaf.id)
    row.public_key = public_key
    row.token_digest = digest_of_secret(secret)
    row.save(update_fields=["public_key", "token_digest"])
    return secret


@transaction.atomic(durable=True)
def pause_worker(*, by: Person, worker: Worker, reason: str) -> Worker:
    """Give a worker nothing new; what it holds it may finish."""
    _require_manager(by, worker)
    if not 1 <= len(reason) <= 200:
        raise Invalid(
            _("A pause needs a reason of up to 200 characters."), fields={"reason": "1–200"}
        )
    row = _locked(worker)
    if row.paused_at is not None:
        raise Conflict(
            _("This worker is paused already: %(pause_reason)s")
            % {
                "pause_reason": row.pause_reason,
            }
        )
    row.paused_at, row.pause_reason = timezone.now(), reason
    row.save(update_fields=["paused_at", "pause_reason"])
    ledger.append(type=Leaf.WORKER_PAUSED, actor=by.actor, subject=row.actor)
    return row


@transaction.atomic(durable=True)
def resume_worker(*, by: Person, worker: Worker) -> Worker:
    """Let a paused worker take work again; it looks within a minute."""
    _require_manager(by, worker)
    row = _locked(worker)
    if row.paused_at is None:
        raise Conflict(_("This worker is not paused."))
    row.paused_at, row.pause_reason = None, ""
    row.save(update_fields=["paused_at", "pause_reason"])
    ledger.append(type=Leaf.WORKER_RESUMED, actor=by.actor, subject=row.actor)
    return row


@transaction.atomic(durable=True)
def revoke_worker(*, by: Person, worker: Worker) -> Worker:
    """Revoke a worker's key: it claims and reports nothing any more; its leases go back."""
    _require_manager(by, worker)
    held = list(_held(worker))
    row = _locked(worker)
    row.revoked_at = timezone.now()
    row.save(update_fields=["revoked_at"])
    _end_key(row, KeyEnd.REVOKED)
    ledger.append(type=Leaf.WORKER_REVOKED, actor=by.actor, subject=row.actor)
    for task_run in held:
        give_back(task_run, code="worker-revoked", reason="The worker's key was revoked.")
    return row


@transaction.atomic(durable=True)
def hear_hello(
    *, worker: Worker, boot_id: str, software: Mapping[str, Any], device: Mapping[str, Any]
) -> Worker:
    """Note that a worker has started; what it held before its restart goes back to the queue.

    `device` may say `device_memory_bytes`, of each of its GPUs, and how many `devices` it gives to
    one model: what needs more is then left to others.
    """
    if not 1 <= len(boot_id) <= 64:
        raise Invalid(
            _("boot_id has 1 to 64 characters."), fields={"boot_id": _("1 to 64 characters")}
        )
    memory = _whole(device, "device_memory_bytes", 0, 2**62 - 1)
    devices = _whole(device, "devices", 1, MOST_DEVICES)
    held = list(_held(worker).exclude(boot_id=boot_id))
    row = Worker.objects.select_for_update().get(pk=worker.pk)
    for task_run in held:
        give_back(task_run, code="worker-restarted", reason="The worker restarted.")
    row.boot_id = boot_id
    row.software = dict(software)
    row.device = dict(device)
    row.device_memory_bytes = memory
    row.devices = devices or 1
    row.last_seen_at = timezone.now()
    row.save(
        update_fields=[
            *("boot_id", "software", "device"),
            *("device_memory_bytes", "devices", "last_seen_at"),
        ]
    )
    return row


def worker_of_token(token: str) -> Worker | None:
    """Return the usable worker of a bearer token, or None."""
    found = Worker.objects.usable().filter(token_digest=digest_of_secret(token))
    return found.select_related("organisation").first()


def _held(worker: Worker) -> Any:
    # Ordered, so that nobody who locks several waits for one who waits for them.
    held = TaskRun.objects.select_for_update(of=("self",)).select_related("run").order_by("pk")
    return held.filter(worker=worker, state=TaskRunState.RUNNING)


def _locked(worker: Worker) -> Worker:
    """Return the worker, locked.

    Raises:
        Conflict: its key is revoked.
    """
    row = Worker.objects.select_for_update().get(pk=worker.pk)
    if row.revoked_at is not None:
        raise Conflict(_("This worker is revoked already."))
    return row


def _end_key(worker: Worker, how: KeyEnd) -> None:
    worker.keys.filter(ended_at=None).update(ended_at=timezone.now(), end=how)


def _require_manager(by: Person, worker: Worker) -> None:
    if not policy.can_manage_worker(by, worker):
        raise NotAllowed(
            _(
                "Only an administrator, or who evaluates or operates for %(organisation)s, "
                "manages this worker."
            )
            % {
                "organisation": worker.organisation,
            }
        )


def _require_key(public_key: str) -> None:
    if len(public_key) != 64 or any(c not in "0123456789abcdef" for c in public_key):
        raise Invalid(_("The public key is 64 hexadecimal digits (a raw Ed25519 key)."))


def _token(given: str) -> str:
    if given and len(given) < 32:
        raise Invalid(_("A worker's token has at least 32 characters."))
    return given or TOKEN_PREFIX + secrets.token_urlsafe(32)


def _whole(device: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = device.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        words = gettext("A whole number from %(low)s to %(high)s.") % {"low": low, "high": high}
        raise Invalid(
            _("device.%(name)s: %(words)s") % {"name": name, "words": words},
            fields={"device": words},
        )
    return value
