"""Closing a vote: count, decide, carry out the effect, publish the record, all in one commit."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from oversight.accounts.models import Person
from oversight.accounts.services import notify
from oversight.ledger import services as ledger
from oversight.ledger.models import Opening
from oversight.web.clock import database_now, stamp
from oversight.web.refusals import Conflict, NotAllowed
from proposals import policy
from proposals.choices import DecisionOutcome, Leaf, ProposalType, Status
from proposals.digests import digest_of
from proposals.effects import execute
from proposals.models import Ballot, Contract, Decision, Proposal
from proposals.services.stages import lock_proposal, move
from proposals.services.voting import lock_for_closing
from proposals.tally.motion import Rules, Votes
from proposals.tally.yes_no import YesNoSheet, count


@transaction.atomic(durable=True)
def close_vote(*, by: Person, proposal: Proposal) -> Decision:
    """Close a vote before its deadline, because everybody on the roll has voted.

    Raises:
        Conflict: somebody on the roll has not voted and the deadline has not passed.
    """
    if not policy.can_move_stage(by, proposal):
        raise NotAllowed("Only a clerk of the body closes a vote early.")
    return _close(proposal, by.actor)


@transaction.atomic(durable=True)
def close_due_vote(*, proposal: Proposal) -> Decision:
    """Close a vote whose deadline has passed."""
    return _close(proposal, "system:clock")


def _close(proposal: Proposal, actor: str) -> Decision:
    locked = lock_proposal(proposal)
    if locked.status != Status.VOTING:
        raise Conflict(f"There is no open vote: {locked.get_status_display().lower()}.")
    contract = locked.contract
    lock_for_closing(contract)
    now = database_now()
    ballots = last_ballots(contract)
    missing = contract.roll.count() - len(ballots)
    if now < contract.closes_at and missing:
        people = "member has" if missing == 1 else "members have"
        raise Conflict(
            f"{missing} {people} not voted yet. The vote closes at {stamp(contract.closes_at)}, "
            "or earlier once all have voted."
        )
    return _decide(locked, contract, ballots, now.replace(microsecond=0), actor)


def last_ballots(contract: Contract) -> list[Ballot]:
    """Return the ballot that counts of each roll entry that has voted."""
    return list(
        Ballot.objects.filter(entry__contract=contract)
        .select_related("entry__membership__person")
        .order_by("entry_id", "-number")
        .distinct("entry_id")
    )


def tally(contract: Contract, ballots: list[Ballot]) -> YesNoSheet:
    """Count the ballots by the contract's own frozen rules and roll, never by today's."""
    content = contract.content
    roll = sum(entry["weight"] for entry in content["roll"])
    votes = Votes.from_ballots(((b.choice, b.entry.weight) for b in ballots), roll=roll)
    return count(Rules.of(**content["rules"]), votes)


def _decide(
    proposal: Proposal, contract: Contract, ballots: list[Ballot], now: datetime, actor: str
) -> Decision:
    sheet = tally(contract, ballots)
    outcome = DecisionOutcome(sheet.outcome.value)
    carried = outcome == DecisionOutcome.CARRIED
    until = None
    effect: dict[str, Any] = {}
    if carried:
        if proposal.type == ProposalType.AUTHORISE:
            until = now + timedelta(days=contract.content["sunset_days"])
        effect = execute(proposal, now, until)
    content = _record(contract, ballots, sheet) | {
        "decided_at": stamp(now),
        "effect": effect,
        "in_force_until": stamp(until) if until else None,
    }
    record, digest = digest_of(content)
    move(proposal, Status.DECIDED, by=actor)
    leaf = ledger.append(
        type=Leaf.DECISION_MADE,
        actor=actor,
        subject=proposal.subject,
        digests={"contract": contract.digest, "decision": digest},
        facts={"outcome": str(outcome), "in_force_until": stamp(until) if until else None},
        at=now,
    )
    decision = Decision.objects.create(
        proposal=proposal,
        outcome=outcome,
        record=record,
        digest=digest,
        decided_at=now,
        in_force_until=until,
        is_override=carried and bool(contract.content["override"]),
        leaf_id=leaf.id,
    )
    notify(
        people={b.entry.membership.person for b in ballots} | {proposal.proposer},
        subject=f"{outcome.label}: {proposal.title}"[:160],
        text=f"The vote on {proposal.ref} has closed. Outcome: {outcome.label.lower()}.",
        path=decision.get_absolute_url(),
    )
    return decision


def _record(contract: Contract, ballots: list[Ballot], sheet: YesNoSheet) -> dict[str, Any]:
    """Return the public record: every counted ballot with the opening of its commitment."""
    openings = {
        opening.leaf_id: opening
        for opening in Opening.objects.filter(
            leaf_id__in=[b.leaf_id for b in ballots], field="choice"
        )
    }
    return {
        "v": 1,
        "decision": contract.proposal.ref,
        "contract": contract.digest,
        "outcome": sheet.outcome.value,
        "sheet": sheet.as_json(),
        "ballots": [
            {
                "member": b.entry.membership.actor,
                "weight": b.entry.weight,
                "number": b.number,
                "choice": b.choice,
                "leaf": str(b.leaf_id),
                "salt": bytes(openings[b.leaf_id].salt).hex(),
            }
            for b in ballots
        ],
    }
