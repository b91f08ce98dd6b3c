"""Enrolling workers and hearing from them."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from evals.choices import Leaf, ResourceClass, TaskRunState
from evals.models import TaskRun, Worker
from evals.services.leases import give_back
from oversight.accounts.models import Organisation, Person
from oversight.accounts.policy import is_administrator
from oversight.accounts.services import digest_of_secret
from oversight.ledger import services as ledger
from oversight.web.refusals import Conflict, Invalid, NotAllowed

TOKEN_PREFIX = "owk_"  # noqa: S105 - a visible prefix, not a secret


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
        raise NotAllowed("Only an administrator enrols workers.")
    if not 1 <= len(name) <= 80:
        raise Invalid("A worker's name has 1 to 80 characters.", fields={"name": "1 to 80"})
    if len(public_key) != 64 or any(c not in "0123456789abcdef" for c in public_key):
        raise Invalid("The public key is 64 hexadecimal digits (a raw Ed25519 key).")
    if token and len(token) < 32:
        raise Invalid("A worker's token has at least 32 characters.")
    secret = token or TOKEN_PREFIX + secrets.token_urlsafe(32)
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
        raise Conflict(f"{organisation} already has a worker {name}; revoke it first.") from None
    return worker, secret


@transaction.atomic(durable=True)
def revoke_worker(*, by: Person, worker: Worker) -> Worker:
    """Revoke a worker's key: it claims and reports nothing any more; its leases go back."""
    if not is_administrator(by):
        raise NotAllowed("Only an administrator revokes workers.")
    held = list(_held(worker))
    row = Worker.objects.select_for_update().get(pk=worker.pk)
    if row.revoked_at is not None:
        raise Conflict("This worker is revoked already.")
    row.revoked_at = timezone.now()
    row.save(update_fields=["revoked_at"])
    ledger.append(type=Leaf.WORKER_REVOKED, actor=by.actor, subject=row.actor)
    for task_run in held:
        give_back(task_run, code="worker-revoked", reason="The worker's key was revoked.")
    return row


@transaction.atomic(durable=True)
def hear_hello(
    *, worker: Worker, boot_id: str, software: Mapping[str, Any], device: Mapping[str, Any]
) -> Worker:
    """Note that a worker has started; what it held before its restart goes back to the queue."""
    if not 1 <= len(boot_id) <= 64:
        raise Invalid("boot_id has 1 to 64 characters.", fields={"boot_id": "1 to 64 characters"})
    held = list(_held(worker).exclude(boot_id=boot_id))
    row = Worker.objects.select_for_update().get(pk=worker.pk)
    for task_run in held:
        give_back(task_run, code="worker-restarted", reason="The worker restarted.")
    row.boot_id = boot_id
    row.software = dict(software)
    row.device = dict(device)
    row.last_seen_at = timezone.now()
    row.save(update_fields=["boot_id", "software", "device", "last_seen_at"])
    return row


def worker_of_token(token: str) -> Worker | None:
    """Return the usable worker of a bearer token, or None."""
    found = Worker.objects.usable().filter(token_digest=digest_of_secret(token))
    return found.select_related("organisation").first()


def _held(worker: Worker) -> Any:
    return TaskRun.objects.select_for_update().filter(worker=worker, state=TaskRunState.RUNNING)
