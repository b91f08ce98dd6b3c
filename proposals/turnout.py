"""Who counts toward the quorum of a vote so far: by a ballot of their own, or by a delegate's.

Numbers only, and none that the roll on the vote's page does not show: never how anybody voted.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.utils.translation import gettext

from proposals.counting import quorum_so_far
from proposals.delegations import carriers
from proposals.models import Ballot, Contract, RollEntry
from proposals.tally.quorum import QuorumCheck


class Heads(NamedTuple):
    """Some members of a roll."""

    number: int
    weight: int

    @classmethod
    def of(cls, weights: Iterable[int]) -> Self:
        """Count those of these weights."""
        each = list(weights)
        return cls(len(each), sum(each))


@dataclass(frozen=True, slots=True)
class SoFar:
    """How many have taken part in a vote, as the count would have it now."""

    roll: int
    """Members who could; who is recused is not among them."""

    voted: int
    """Of these, by a ballot of their own."""

    carried: int
    """Of these, by the ballot of a delegate and none of their own."""

    quorum: QuorumCheck


def carried_words(taken_part: SoFar) -> str:
    """Return how many more a sentence about ballots has to name; empty where nobody is carried."""
    if not taken_part.carried:
        return ""
    return gettext(", %(carried_count)s more by delegation") % {"carried_count": taken_part.carried}


def so_far(content: Mapping[str, Any], *, voted: Heads, carried: Heads) -> SoFar:
    """Hold those who have taken part against the contract's quorum.

    Args:
        content: the frozen contract.
        voted: who cast a ballot of their own.
        carried: for whom else one of these ballots counts (`delegations.carriers`).
    """
    check = quorum_so_far(
        content, cast=voted.weight + carried.weight, voters=voted.number + carried.number
    )
    return SoFar(len(content["roll"]), voted.number, carried.number, check)


def turnouts(contents: Mapping[int, Mapping[str, Any]]) -> dict[int, SoFar]:
    """Return how many have taken part in some votes, by contract, in one or two queries.

    Args:
        contents: the frozen contracts by their keys.
    """
    if not contents:
        return {}
    has_voted = Exists(Ballot.objects.filter(entry=OuterRef("pk")))
    entries = RollEntry.objects.filter(contract__in=contents).annotate(has_voted=has_voted)
    cast = entries.filter(has_voted=True).order_by().values("contract")
    voted = {
        row["contract"]: Heads(row["number"], row["weights"])
        for row in cast.annotate(number=Count("pk"), weights=Sum("weight"))
    }
    carried = _carried([key for key, each in contents.items() if each.get("delegations")])
    nobody = Heads(0, 0)
    return {
        key: so_far(content, voted=voted.get(key, nobody), carried=Heads.of(carried.get(key, [])))
        for key, content in contents.items()
    }


def turnout(contract: Contract) -> SoFar:
    """Return how many have taken part in one vote."""
    return turnouts({contract.pk: contract.content})[contract.pk]


def _carried(contracts: Collection[int]) -> dict[int, list[int]]:
    """Return by contract the weights of those for whom a delegate's ballot counts.

    Reads the places that delegated and those to which they did, never the whole of a roll.
    """
    if not contracts:
        return {}
    standing = Q(delegate__isnull=False, delegation_revoked_at=None)
    rows = RollEntry.objects.filter(standing, contract__in=contracts).annotate(
        has_voted=Exists(Ballot.objects.filter(entry=OuterRef("pk"))),
        delegate_voted=Exists(Ballot.objects.filter(entry=OuterRef("delegate"))),
    )
    givers = list(rows)
    to = {row.pk: row.delegate_id for row in givers if row.delegate_id is not None}
    voted = {row.pk for row in givers if row.has_voted}
    voted |= {row.delegate_id for row in givers if row.delegate_voted and row.delegate_id}
    carrier = carriers(to, voted)
    found: dict[int, list[int]] = {}
    for row in givers:
        if row.pk in carrier:
            found.setdefault(row.contract_id, []).append(row.weight)
    return found
