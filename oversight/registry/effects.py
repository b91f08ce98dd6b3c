"""What a decision does to the registry, inside the decision's own transaction.

These steps are called by the deciding floor while it holds the lock on its proposal. Each locks the
deployment first, so that two decisions about one deployment take effect one after the other. What
cannot take effect any more raises `Impossible` before anything is written.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from oversight.ledger import services as ledger
from oversight.registry.choices import TRANSITIONS, AuthorisationState, Leaf
from oversight.registry.documents import digest_of
from oversight.registry.models import Authorisation, Deployment, ModelVersion
from oversight.web.clock import database_now, stamp
from oversight.web.languages import lowered
from oversight.web.refusals import Conflict, Impossible

STANDING = frozenset({AuthorisationState.GRANTED, AuthorisationState.SUSPENDED})


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
        raise Conflict(
            _("Decision %(decision_ref)s has already taken effect.")
            % {
                "decision_ref": decision_ref,
            }
        )
    for earlier in deployment.authorisations.standing().select_for_update():
        _move(earlier, AuthorisationState.SUPERSEDED, by=decision_ref)
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
        digests={
            "version": version.digest,
            **({"conditions": digest_of_conditions(conditions)} if conditions else {}),
        },
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


def digest_of_conditions(conditions: Mapping[str, Any]) -> str:
    """Return the digest under which the record knows the conditions of an authorisation."""
    return digest_of(conditions)


def lock_standing(decision_ref: str) -> Authorisation:
    """Return the authorisation of a decision, locked, if it can still be acted upon.

    Raises:
        Impossible: it was never made, was replaced or ended by another decision, or has expired.
    """
    _require_transaction()
    known = Authorisation.objects.filter(decision_ref=decision_ref).first()
    if known is None:
        raise Impossible(
            "never-authorised",
            _("Decision %(decision_ref)s has authorised nothing.")
            % {
                "decision_ref": decision_ref,
            },
        )
    Deployment.objects.select_for_update().get(pk=known.deployment_id)
    row = Authorisation.objects.select_for_update(of=("self",)).with_parts().get(pk=known.pk)
    if AuthorisationState(row.state) not in STANDING:
        raise Impossible(
            str(row.state),
            _("The authorisation %(decision_ref)s was %(state)s.")
            % {
                "decision_ref": decision_ref,
                "state": lowered(row.get_state_display()),
            },
        )
    if row.ends_at is not None and database_now() >= row.ends_at:
        ended = stamp(row.ends_at)
        raise Impossible(
            "expired",
            _("The authorisation %(decision_ref)s expired on %(ended)s.")
            % {
                "decision_ref": decision_ref,
                "ended": ended,
            },
        )
    return row


def change_authorisation(
    *,
    actor: str,
    authorisation: Authorisation,
    to: AuthorisationState,
    decision_ref: str,
    until: datetime | None = None,
    by: str = "",
) -> Authorisation:
    """Suspend, restore, revoke or replace an authorisation because a decision says so.

    A suspension that was made in an emergency becomes the decision's own: it lapses no more. One
    that an annulment brings back keeps the time `until` which it had. `by` is what the record names
    where it is no decision.
    """
    _require_transaction()
    row = Authorisation.objects.select_for_update().get(pk=authorisation.pk)
    now = database_now()
    is_ratified = to == AuthorisationState.SUSPENDED == row.state_at(now) and row.suspended_until
    if is_ratified:
        row.suspended_until = None
        row.changed_by = decision_ref
        row.save(update_fields=["suspended_until", "changed_by"])
    else:
        _move(row, to, by=decision_ref, until=until)
    ledger.append(
        type=_LEAVES[to],
        actor=actor,
        subject=row.subject,
        digests={"version": row.version.digest},
        facts={
            "deployment": row.deployment.slug,
            "by": by or f"decision:{decision_ref}",
            **({"until": stamp(until)} if until else {}),
        },
    )
    return row


def suspend_at_once(
    *,
    actor: str,
    authorisation: Authorisation,
    until: datetime,
    ratification_ref: str,
    reason: str,
) -> Authorisation:
    """Suspend an authorisation in an emergency, until a time unless the body ratifies it.

    The gate refuses from the commit on, and by its own reading of the clock no more from `until`.
    """
    row = lock_standing(authorisation.decision_ref)
    if row.state_at(database_now()) == AuthorisationState.SUSPENDED:
        raise Conflict(_("This authorisation is suspended already."))
    _move(row, AuthorisationState.SUSPENDED, by=ratification_ref, until=until)
    committed = ledger.commit_to({"reason": reason})
    leaf = ledger.append(
        type=Leaf.AUTHORISATION_SUSPENDED,
        actor=actor,
        subject=row.subject,
        digests={"version": row.version.digest},
        commits={"reason": committed.digest},
        facts={
            "deployment": row.deployment.slug,
            "by": f"proposal:{ratification_ref}",
            "until": stamp(until),
        },
    )
    ledger.keep_opening(leaf, "reason", committed)
    return row


def end_emergency(
    *, actor: str, decision_ref: str, ratification_ref: str, by: str = ""
) -> Authorisation | None:
    """Lift an emergency suspension that the body has not ratified; None where it is over.

    `by` is the proposal itself, where it was ended before the body could decide.
    """
    _require_transaction()
    row = (
        Authorisation.objects.select_for_update()
        .filter(decision_ref=decision_ref, changed_by=ratification_ref)
        .exclude(suspended_until=None)
        .first()
    )
    if row is None or row.state_at(database_now()) != AuthorisationState.SUSPENDED:
        return None
    return change_authorisation(
        actor=actor,
        authorisation=row,
        to=AuthorisationState.GRANTED,
        decision_ref=ratification_ref,
        by=by,
    )


def annul_grant(*, actor: str, decision_ref: str, by: str) -> list[Authorisation]:
    """Take back what a decision authorised, and let stand again what it had replaced.

    Returns what changed. What has expired meanwhile stays as it is, and so does whatever another
    decision has done since.
    """
    changed = []
    granted = _lock(decision_ref)
    was_standing = granted is not None and AuthorisationState(granted.state) in STANDING
    if granted is not None and granted.state != AuthorisationState.REVOKED:
        to = AuthorisationState.REVOKED
        changed.append(
            change_authorisation(actor=actor, authorisation=granted, to=to, decision_ref=by)
        )
    if was_standing and granted is not None:
        replaced = Authorisation.objects.filter(
            deployment=granted.deployment_id,
            state=AuthorisationState.SUPERSEDED,
            changed_by=decision_ref,
        ).first()
        changed += _restore(replaced, actor=actor, by=by)
    return changed


def annul_change(*, actor: str, decision_ref: str, target_ref: str, by: str) -> list[Authorisation]:
    """Undo what a decision did to an authorisation: a suspension, or its end."""
    row = _lock(target_ref)
    if row is None or row.changed_by != decision_ref:
        return []
    return _restore(row, actor=actor, by=by)


def _restore(row: Authorisation | None, *, actor: str, by: str) -> list[Authorisation]:
    """Put back the state before its last change, unless its time is over or its place is taken."""
    if row is None or (row.ends_at is not None and database_now() >= row.ends_at):
        return []
    others = Authorisation.objects.standing().filter(deployment=row.deployment_id)
    if others.exclude(pk=row.pk).exists():
        return []
    to = AuthorisationState(row.state_before or AuthorisationState.GRANTED)
    until = row.suspended_until if to == AuthorisationState.SUSPENDED else None
    return [
        change_authorisation(actor=actor, authorisation=row, to=to, decision_ref=by, until=until)
    ]


def _lock(decision_ref: str) -> Authorisation | None:
    """Return a decision's authorisation with its deployment locked, if it made one."""
    _require_transaction()
    row = Authorisation.objects.filter(decision_ref=decision_ref).first()
    if row is not None:
        Deployment.objects.select_for_update().get(pk=row.deployment_id)
        row.refresh_from_db()
    return row


_LEAVES = {
    AuthorisationState.SUSPENDED: Leaf.AUTHORISATION_SUSPENDED,
    AuthorisationState.REVOKED: Leaf.AUTHORISATION_REVOKED,
    AuthorisationState.GRANTED: Leaf.AUTHORISATION_RESTORED,
    AuthorisationState.SUPERSEDED: Leaf.AUTHORISATION_SUPERSEDED,
}


def _move(
    row: Authorisation, to: AuthorisationState, *, by: str, until: datetime | None = None
) -> None:
    """Change the state under the caller's row lock."""
    now = database_now()
    before = row.state_at(now)
    if to not in TRANSITIONS[before]:
        raise Conflict(
            _("This authorisation is %(before)s; it cannot become %(to)s.")
            % {
                "before": before,
                "to": to,
            }
        )
    row.state_before, row.state, row.changed_by = before, to, by
    if to in STANDING:
        row.suspended_until = until
    row.state_changed_at = now
    row.save(
        update_fields=["state", "state_before", "changed_by", "suspended_until", "state_changed_at"]
    )


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("An effect belongs into the transaction of its decision.")
