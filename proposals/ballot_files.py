"""A decided election's ballots as BLT, the file that other counting programs read."""

from oversight.web.plain_text import one_line
from proposals.models import Decision
from proposals.papers import ELECTION_METHODS
from proposals.tally import blt, score
from proposals.tally.election import Election

AS_BLT = frozenset(ELECTION_METHODS) - {score.METHOD}
"""Methods whose ballots BLT can say: orders of preference and bare names, not points."""


def has_blt(decision: Decision) -> bool:
    """Say whether the decision's ballots can be written as BLT."""
    return decision.sheet["method"] in AS_BLT


def ballots_as_blt(decision: Decision) -> str:
    """Return the ballots that were counted, from the public record alone.

    A ballot has its own weight and that of the members it carried by delegation; equal ballots
    are one line. Counted again by the contract's method it gives the sheet, but for ties that a
    lot or the chair broke, which a BLT file cannot say.
    """
    contract, record = decision.proposal.contract.content, decision.content
    ballots = [
        (row["weight"] + sum(each["weight"] for each in row.get("carries", [])), row["ranking"])
        for row in record["ballots"]
    ]
    election = Election.of(
        candidates=contract["options"],
        ballots=ballots,
        seats=contract["seats"],
        title=one_line(f"{decision.ref} {decision.proposal.title}"),
    )
    return blt.dump(election)
