"""Counts a vote by its frozen contract, whatever its method; pure, so that anyone can repeat it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from proposals.papers import ELECTION_METHODS
from proposals.tally import consent, score, yes_no
from proposals.tally.casting import CastingVote
from proposals.tally.consent import ConsentBallot
from proposals.tally.election import Election
from proposals.tally.exact import Json
from proposals.tally.lot import Lot
from proposals.tally.methods import METHODS
from proposals.tally.motion import Rules, Votes
from proposals.tally.quorum import Quorum, QuorumCheck, Turnout
from proposals.tally.score import ScoreElection
from proposals.tally.sheet import Decider, ElectionSheet, TieRule

Contract = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Counted:
    """One ballot as it enters the count."""

    content: Mapping[str, Any]
    weight: int
    """The member's own, and that of those whom the ballot carries."""

    voters: int = 1
    """Members whose weight that is."""

    by: str = ""
    """Whose ballot it is; empty where that is secret."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a vote ended, with the whole sheet."""

    outcome: str
    sheet: dict[str, Json]
    waits_for_chair: bool
    """Whether a tie falls to the chair, who has not given the casting vote."""


def count(
    contract: Contract,
    ballots: Sequence[Counted],
    *,
    lot_seed: str | None = None,
    casting_vote: Sequence[str] | None = None,
) -> Result:
    """Count the ballots by the contract's method, rules and roll.

    Args:
        contract: the frozen document.
        ballots: those that count, one of each member who cast one.
        lot_seed: the revealed seed, where ties fall to a lot.
        casting_vote: the chair's order, where they fall to the chair: `["yes"]` for a motion.

    Raises:
        InputError: what the contract or a ballot holds cannot be counted.
    """
    if contract["method"] == yes_no.METHOD:
        sheet = _count_motion(contract, ballots, lot_seed, casting_vote)
        pending = sheet.tie is not None and sheet.tie.resolved_by is yes_no.Resolution.PENDING
        waits = pending and _falls_to_chair(contract)
        return Result(sheet.outcome.value, sheet.as_json(), waits)
    if contract["method"] == consent.METHOD:
        found = _count_consent(contract, ballots)
        return Result(found.outcome.value, found.as_json(), waits_for_chair=False)
    counted = _count_election(contract, ballots, _decider(contract, lot_seed, casting_vote))
    waits = counted.outcome.value == "tied" and _falls_to_chair(contract) and not casting_vote
    return Result(counted.outcome.value, counted.as_json(), waits)


def quorum_so_far(contract: Contract, *, cast: int, voters: int) -> QuorumCheck:
    """Hold those who have taken part so far against the frozen quorum, as the count will.

    Args:
        contract: the frozen document.
        cast: weight of the ballots, and of those whom they carry.
        voters: members whose weight that is.
    """
    return _quorum(contract).check(Turnout.of(cast=cast, voters=voters, **_roll(contract)))


def _falls_to_chair(contract: Contract) -> bool:
    return bool(contract["rules"]["tie_rule"] == TieRule.CHAIR)


def _count_motion(
    contract: Contract,
    ballots: Sequence[Counted],
    seed: str | None,
    casting_vote: Sequence[str] | None,
) -> yes_no.YesNoSheet:
    cast = ((ballot.content["choice"], ballot.weight) for ballot in ballots)
    votes = Votes.from_ballots(cast, **_entitled(contract, ballots))
    chair = casting_vote[0] if casting_vote else None
    return yes_no.count(Rules.of(**contract["rules"]), votes, casting_vote=chair, lot_seed=seed)


def _count_consent(contract: Contract, ballots: Sequence[Counted]) -> consent.ConsentSheet:
    read = [
        ConsentBallot.of(
            each.content["choice"], each.weight, reason=each.content.get("reason", ""), by=each.by
        )
        for each in ballots
    ]
    return consent.count(read, quorum=_quorum(contract), **_entitled(contract, ballots))


def _count_election(
    contract: Contract, ballots: Sequence[Counted], decider: Decider | None
) -> ElectionSheet:
    method, names = contract["method"], contract["options"]
    if method == score.METHOD:
        points = [(each.weight, each.content["scores"]) for each in ballots]
        scored = ScoreElection.of(
            candidates=names, highest=contract["highest"], ballots=points, seats=contract["seats"]
        )
        sheet = score.count(scored, decider)
    else:
        ranked = [(each.weight, each.content["ranking"]) for each in ballots]
        election = Election.of(candidates=names, ballots=ranked, seats=contract["seats"])
        sheet = METHODS[method](election, decider)
    cast = sum((Fraction(ballot.weight) for ballot in ballots), Fraction(0))
    turnout = Turnout.of(cast=cast, **_entitled(contract, ballots))
    return sheet.under(_quorum(contract).check(turnout))


def _decider(
    contract: Contract, seed: str | None, casting_vote: Sequence[str] | None
) -> Decider | None:
    rule = contract["rules"]["tie_rule"]
    if rule == TieRule.LOT and seed is not None:
        return Lot(seed)
    if rule == TieRule.CHAIR:
        return CastingVote(tuple(casting_vote or ()))
    return None


def _quorum(contract: Contract) -> Quorum:
    rules = contract["rules"]
    return Quorum.of(rules["quorum"], rules["quorum_base"])


def _entitled(contract: Contract, ballots: Sequence[Counted]) -> dict[str, Any]:
    """Return who could vote and how many members did, as the contract froze the roll."""
    return {"voters": sum(ballot.voters for ballot in ballots), **_roll(contract)}


def _roll(contract: Contract) -> dict[str, Any]:
    return {
        "roll": sum(entry["weight"] for entry in contract["roll"]),
        "recused": sum(entry["weight"] for entry in contract["recusals"]),
        "members": len(contract["roll"]),
    }


def is_election(method: str) -> bool:
    """Say whether a method chooses among options."""
    return method in ELECTION_METHODS
