"""What lies in the ballot box of a vote: the ballots that count, whom they carry, and the count."""

from proposals.counting import Counted, Result, count
from proposals.delegations import carriers
from proposals.models import Ballot, CastingVote, Contract, RollEntry


def last_ballots(contract: Contract) -> list[Ballot]:
    """Return the ballot that counts of each roll entry that has voted."""
    return list(
        Ballot.objects.filter(entry__contract=contract)
        .select_related("entry__membership__person")
        .order_by("entry_id", "-number")
        .distinct("entry_id")
    )


def tally(contract: Contract, ballots: list[Ballot]) -> Result:
    """Count the ballots by the contract's own frozen rules and roll, never by today's."""
    given = CastingVote.objects.filter(contract=contract).first()
    carried = carried_by(contract, ballots)
    counted = [
        Counted(
            ballot.content,
            ballot.entry.weight + sum(entry.weight for entry in carried[ballot.entry_id]),
            voters=1 + len(carried[ballot.entry_id]),
            by=_shown_voter(contract, ballot),
        )
        for ballot in ballots
    ]
    return count(
        contract.content,
        counted,
        lot_seed=contract.lot_seed or None,
        casting_vote=given.names if given else None,
    )


def carried_by(contract: Contract, ballots: list[Ballot]) -> dict[int, list[RollEntry]]:
    """Return by roll entry whose votes its ballot carries, as delegations stand."""
    standing = contract.roll.exclude(delegate=None).filter(delegation_revoked_at=None)
    givers = {entry.pk: entry for entry in standing.select_related("membership__person")}
    to = {pk: entry.delegate_id for pk, entry in givers.items() if entry.delegate_id is not None}
    found: dict[int, list[RollEntry]] = {ballot.entry_id: [] for ballot in ballots}
    for giver, carrier in carriers(to, found.keys()).items():
        found[carrier].append(givers[giver])
    return found


def _shown_voter(contract: Contract, ballot: Ballot) -> str:
    """Return whose ballot it is, as a sheet may name them."""
    return "" if is_secret(contract) else ballot.entry.membership.actor


def is_secret(contract: Contract) -> bool:
    """Say whether nobody is ever shown how a member voted."""
    return bool(contract.content["secrecy"] == "secret")
