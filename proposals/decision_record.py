"""The public record of a decision: every ballot that was counted, and how anyone checks it."""

from typing import Any

import rfc8785

from oversight.ledger.models import Opening
from proposals.ballot_box import carried_by, is_secret
from proposals.counting import Result
from proposals.models import Ballot, CastingVote, Contract, RollEntry


def record_of(contract: Contract, ballots: list[Ballot], result: Result) -> dict[str, Any]:
    """Return the part that the vote gives: every counted ballot, what a lot or the chair added."""
    given = CastingVote.objects.filter(contract=contract).first()
    return {
        "v": 1,
        "decision": contract.proposal.ref,
        "contract": contract.digest,
        "outcome": result.outcome,
        "sheet": result.sheet,
        "ballots": _secret_ballots(ballots)
        if is_secret(contract)
        else _open_ballots(contract, ballots),
        **({"lot_seed": contract.lot_seed} if contract.lot_seed else {}),
        **({"casting_vote": _opened_casting_vote(given)} if given else {}),
    }


def _open_ballots(contract: Contract, ballots: list[Ballot]) -> list[dict[str, Any]]:
    """Return ballots by name, each with the opening of its commitment and whom it carries."""
    carried = carried_by(contract, ballots)
    openings = {
        opening.leaf_id: opening
        for opening in Opening.objects.filter(
            leaf_id__in=[b.leaf_id for b in ballots], field="choice"
        )
    }
    return [
        {
            "member": b.entry.membership.actor,
            "weight": b.entry.weight,
            "number": b.number,
            **b.content,
            "leaf": str(b.leaf_id),
            "salt": bytes(openings[b.leaf_id].salt).hex(),
            **_carries(carried[b.entry_id]),
        }
        for b in ballots
    ]


def _carries(entries: list[RollEntry]) -> dict[str, Any]:
    rows = [{"member": each.membership.actor, "weight": each.weight} for each in entries]
    return {"carries": rows} if rows else {}


def _secret_ballots(ballots: list[Ballot]) -> list[dict[str, Any]]:
    """Return what was voted and with what weight, in an order that says nothing of who."""
    return sorted(({**b.content, "weight": b.entry.weight} for b in ballots), key=rfc8785.dumps)


def _opened_casting_vote(given: CastingVote) -> dict[str, Any]:
    opening = Opening.objects.get(leaf_id=given.leaf_id, field="choice")
    return {
        "member": given.entry.membership.actor,
        "names": given.names,
        "leaf": str(given.leaf_id),
        "salt": bytes(opening.salt).hex(),
    }
