"""What a decision does to the registry, inside the decision's own transaction.

These steps are called by the deciding floor while it holds the lock on its proposal. Each locks the
deployment first, so that two decisions about one deployment take effect one after the other.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from oversight.ledger import services as ledger
from oversight.registry.choices import TRANSITIONS, AuthorisationState, Leaf
from oversight.registry.models import Authorisation, Deployment, ModelVersion
from oversight.web.clock import stamp
from oversight.web.refusals import Conflict


def grant_authorisation(
    *,
    actor: str,
    decision_ref: str,
    deployment: Deployment,
    version: ModelVersion,
    starts_at: datetime,
    ends_at: datetime | None,
    conditions: Mapping[str, Any] | None = None,
) -> Authorisation:
    """Authorise a version for a deployment; what stood there before is superseded.

    Raises:
        Conflict: the decision has already granted one.
    """
    _require_transaction()
    Deployment.objects.select_for_update().get(pk=deployment.pk)
    if Authorisation.objects.filter(decision_ref=decision_ref).exists():
        raise Conflict(f"Decision {decision_ref} has already taken effect.")
    for earlier in deployment.authorisations.standing().select_for_update():
        _move(earlier, AuthorisationState.SUPERSEDED)
        ledger.append(
            type=Leaf.AUTHORISATION_SUPERSEDED,
            actor=actor,
            subject=earlier.subject,
            facts={"by": f"authorisation:{decision_ref}"},
        )
    leaf = ledger.append(
        type=Leaf.AUTHORISATION_GRANTED,
        actor=actor,
        subject=f"authorisation:{decision_ref}",
        digests={"version": version.digest},
        facts={
            "deployment": deployment.slug,
            "starts_at": stamp(starts_at),
            "ends_at": stamp(ends_at) if ends_at else None,
        },
    )
    return Authorisation.objects.create(
        deployment=deployment,
        version=version,
        decision_ref=decision_ref,
        conditions=dict(conditions or {}),
        starts_at=starts_at,
        ends_at=ends_at,
        leaf_id=leaf.id,
    )


def change_authorisation(
    *, actor: str, authorisation: Authorisation, to: AuthorisationState, decision_ref: str
) -> Authorisation:
    """Suspend, restore or revoke an authorisation because a decision says so."""
    _require_transaction()
    row = Authorisation.objects.select_for_update().get(pk=authorisation.pk)
    _move(row, to)
    leaves = {
        AuthorisationState.SUSPENDED: Leaf.AUTHORISATION_SUSPENDED,
        AuthorisationState.REVOKED: Leaf.AUTHORISATION_REVOKED,
        AuthorisationState.GRANTED: Leaf.AUTHORISATION_GRANTED,
        AuthorisationState.SUPERSEDED: Leaf.AUTHORISATION_SUPERSEDED,
    }
    ledger.append(
        type=leaves[to],
        actor=actor,
        subject=row.subject,
        digests={"version": row.version.digest},
        facts={"deployment": row.deployment.slug, "by": f"decision:{decision_ref}"},
    )
    return row


def _move(row: Authorisation, to: AuthorisationState) -> None:
    """Change the state under the caller's row lock."""
    if to not in TRANSITIONS[AuthorisationState(row.state)]:
        raise Conflict(f"This authorisation is {row.state}; it cannot become {to}.")
    row.state = to
    row.state_changed_at = timezone.now()
    row.save(update_fields=["state", "state_changed_at"])


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("An effect belongs into the transaction of its decision.")
