"""What decisions do to authorisations: grant, renew, suspend, end, and all of that back."""

from datetime import datetime
from typing import Any

from oversight.registry import effects as registry
from oversight.registry.choices import AuthorisationState
from oversight.web.refusals import Conflict, Impossible
from proposals.effects.carried import Carried
from proposals.models import Decision, Proposal


def authorise(carried: Carried) -> dict[str, Any]:
    """Let a version serve a deployment until the sunset."""
    proposal, conditions = carried.proposal, carried.terms.get("conditions", {})
    deployment, version = proposal.deployment, proposal.version
    assert deployment is not None and version is not None  # noqa: S101, PT018 - a check constraint
    registry.grant_authorisation(
        actor=carried.actor,
        decision_ref=proposal.ref,
        deployment=deployment,
        version=version,
        starts_at=carried.decided_at,
        ends_at=carried.until,
        conditions=conditions,
    )
    return {
        "deployment": deployment.slug,
        "version": version.digest,
        **({"conditions": conditions} if conditions else {}),
    }


def renew(carried: Carried) -> dict[str, Any]:
    """Grant anew what stands, or what has expired without anything in its place."""
    target = carried.proposal.target_ref
    try:
        registry.lock_standing(target)
    except Impossible as found:
        if found.code != "expired":
            raise
    return {**authorise(carried), "authorisation": target}


def suspend(carried: Carried) -> dict[str, Any]:
    """Suspend what stands, until the body renews or ends it."""
    return _change(carried, AuthorisationState.SUSPENDED)


def retire(carried: Carried) -> dict[str, Any]:
    """End what stands, for good."""
    return _change(carried, AuthorisationState.REVOKED)


def _change(carried: Carried, to: AuthorisationState) -> dict[str, Any]:
    row = registry.lock_standing(carried.proposal.target_ref)
    try:
        registry.change_authorisation(
            actor=carried.actor, authorisation=row, to=to, decision_ref=carried.proposal.ref
        )
    except Conflict as found:
        raise Impossible(str(row.state), found.detail) from None
    return {"authorisation": row.decision_ref}


def end_emergency(proposal: Proposal) -> dict[str, Any]:
    """Lift the emergency suspension that the body was asked to ratify and did not."""
    row = registry.end_emergency(
        actor=f"decision:{proposal.ref}",
        decision_ref=proposal.target_ref,
        ratification_ref=proposal.ref,
    )
    return {"kind": proposal.type, "restored": proposal.target_ref} if row else {}


def call_off_emergency(proposal: Proposal, *, actor: str) -> None:
    """Lift an emergency suspension whose ratification was withdrawn, or its vote annulled.

    Nothing asks the body any more; else whoever suspended it could keep it so by ending the vote.
    """
    registry.end_emergency(
        actor=actor,
        decision_ref=proposal.target_ref,
        ratification_ref=proposal.ref,
        by=proposal.subject,
    )


def ungrant(decision: Decision, by: str, at: datetime) -> list[str]:  # noqa: ARG001
    """End what the decision granted; what that had replaced stands again."""
    changed = registry.annul_grant(actor=f"decision:{by}", decision_ref=decision.ref, by=by)
    return [row.subject for row in changed]


def unchange(decision: Decision, by: str, at: datetime) -> list[str]:  # noqa: ARG001
    """Put in force again what the decision suspended or ended."""
    changed = registry.annul_change(
        actor=f"decision:{by}",
        decision_ref=decision.ref,
        target_ref=decision.proposal.target_ref,
        by=by,
    )
    return [row.subject for row in changed]
