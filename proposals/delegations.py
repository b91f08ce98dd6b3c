"""Who carries whose vote: chains of delegation, followed without a database. Pure."""

from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

Member = TypeVar("Member", bound=Hashable)


def carriers(to: Mapping[Member, Member], voted: Collection[Member]) -> dict[Member, Member]:
    """Return who votes for whom, for each member without a ballot of their own.

    A chain is followed to the first member who voted; one that ends before, or comes back to
    where it began, carries nobody.

    Args:
        to: whom each member delegated to.
        voted: who cast a ballot of their own; that ballot overrides their delegation.
    """
    done = set(voted)
    found = {member: _first_who_voted(member, to, done) for member in to if member not in done}
    return {member: carrier for member, carrier in found.items() if carrier is not None}


def chain_from(member: Member, to: Mapping[Member, Member]) -> list[Member]:
    """Return whom a vote would go to, one after the other, until it stops or would repeat."""
    chain: list[Member] = []
    here = to.get(member)
    while here is not None and here not in chain:
        chain.append(here)
        here = to.get(here)
    return chain


def _first_who_voted(
    member: Member, to: Mapping[Member, Member], voted: set[Member]
) -> Member | None:
    return next((each for each in chain_from(member, to) if each in voted), None)
