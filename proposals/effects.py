"""What carried decisions do: one function per proposal type, in the decision's transaction."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from oversight.registry import effects as registry
from proposals.choices import ProposalType
from proposals.models import Proposal

Effect = Callable[[Proposal, datetime, datetime | None], dict[str, Any]]


def execute(proposal: Proposal, decided_at: datetime, until: datetime | None) -> dict[str, Any]:
    """Carry out what the proposal says and return a description for the decision's record."""
    return _EFFECTS[ProposalType(proposal.type)](proposal, decided_at, until)


def _authorise(proposal: Proposal, decided_at: datetime, until: datetime | None) -> dict[str, Any]:
    deployment, version = proposal.deployment, proposal.version
    assert deployment is not None and version is not None  # noqa: S101, PT018 - a check constraint
    registry.grant_authorisation(
        actor=f"decision:{proposal.ref}",
        decision_ref=proposal.ref,
        deployment=deployment,
        version=version,
        starts_at=decided_at,
        ends_at=until,
    )
    return {
        "kind": ProposalType.AUTHORISE.value,
        "deployment": deployment.slug,
        "version": version.digest,
    }


def _nothing(proposal: Proposal, decided_at: datetime, until: datetime | None) -> dict[str, Any]:  # noqa: ARG001
    return {"kind": ProposalType.MOTION.value}


_EFFECTS: dict[ProposalType, Effect] = {
    ProposalType.AUTHORISE: _authorise,
    ProposalType.MOTION: _nothing,
    # An election is never carried: it ends in names, which its sheet holds.
    ProposalType.ELECTION: _nothing,
}
