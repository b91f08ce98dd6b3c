"""What waits for one person's vote, the soonest close first, and who votes for them meanwhile."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from oversight.accounts.models import Person
from proposals.choices import Status
from proposals.models import Contract, Proposal, RollEntry
from proposals.titles import titled

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Awaited:
    """One open vote with the person on its roll, or one tie that waits for their casting vote."""

    proposal: Proposal
    title: str
    closes_at: datetime
    has_voted: bool
    is_casting_vote: bool
    weight: int
    delegate: str
    """To whom the vote is delegated, as it stands now; empty without a delegation."""

    voted_for_them: str
    """Whose ballot counts for them unless they vote themselves; empty while nobody's does."""

    delegators: int
    """How many others have delegated to them directly."""


def awaiting(person: Person, limit: int = SHOWN) -> list[Awaited]:
    """Return what waits for the person: ties first, then open votes without their ballot."""
    return [*_ties(person), *_votes(_not_cast(person), limit)]


def cast_in(person: Person, limit: int = SHOWN) -> list[Awaited]:
    """Return the open votes in which the person has voted, and may still vote anew."""
    return _votes(_open_to(person).filter(ballots__isnull=False).distinct(), limit)


def awaiting_count(person: Person) -> int:
    """Return in how many open votes no ballot counts for the person, theirs or another's."""
    delegated_to = dict(_not_cast(person).values_list("pk", "delegate_id"))
    voted_for = first_who_voted([entry for entry, to in delegated_to.items() if to])
    return len(delegated_to) - len(voted_for)


def _open_to(person: Person) -> QuerySet[RollEntry]:
    return RollEntry.objects.filter(
        membership__person=person,
        contract__proposal__status=Status.VOTING,
        contract__casting_until=None,
        contract__closes_at__gt=timezone.now(),
    )


def _not_cast(person: Person) -> QuerySet[RollEntry]:
    return _open_to(person).filter(ballots__isnull=True)


def _votes(entries: QuerySet[RollEntry], limit: int) -> list[Awaited]:
    to_them = RollEntry.objects.filter(delegate=OuterRef("pk"), delegation_revoked_at=None)
    numbers = to_them.order_by().values("delegate").annotate(number=Count("pk")).values("number")
    rows = (
        entries.select_related("contract__proposal__body", "delegate__membership__person")
        # The document is long where thousands may vote, and nothing of it is shown.
        .defer("contract__document")
        .annotate(
            delegators=Subquery(numbers),
            ballot_number=Count("ballots"),
        )
        .order_by("contract__closes_at", "pk")[:limit]
    )
    found = list(titled(rows, "contract__proposal"))
    carriers = _names(first_who_voted([row.pk for row in found if row.delegate_id]))
    return [
        Awaited(
            proposal=row.contract.proposal,
            title=row.shown_title,
            closes_at=row.contract.closes_at,
            has_voted=bool(row.ballot_number),
            is_casting_vote=False,
            weight=row.weight,
            delegate=str(row.delegate.membership.person)
            if row.delegate and row.delegation_revoked_at is None
            else "",
            voted_for_them=carriers.get(row.pk, ""),
            delegators=row.delegators or 0,
        )
        for row in found
    ]


def _ties(person: Person) -> list[Awaited]:
    """Return the ties that wait for the person as the chair whom the contract names."""
    tied = Contract.objects.filter(
        proposal__status=Status.VOTING,
        casting_until__gt=timezone.now(),
        roll__membership__person=person,
    )
    seats = {f"member:{seat}" for seat in person.memberships.values_list("public_id", flat=True)}
    return [
        Awaited(
            proposal=contract.proposal,
            title=contract.proposal.title,
            closes_at=contract.casting_until,
            has_voted=False,
            is_casting_vote=True,
            weight=1,
            delegate="",
            voted_for_them="",
            delegators=0,
        )
        for contract in tied.select_related("proposal__body").order_by("casting_until")[:SHOWN]
        if contract.casting_until and contract.content["chair"] in seats
    ]


def first_who_voted(entries: Collection[int]) -> dict[int, int]:
    """Return by roll entry without a ballot whose ballot counts for it, along its delegations.

    The chains were frozen without a circle; each is followed in the database, because a roll of
    thousands is long to read for one place on it.
    """
    if not entries:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_CHAINS, [list(entries)])
        return dict(cursor.fetchall())


_CHAINS = """
    WITH RECURSIVE chain (start, entry, has_voted) AS (
        SELECT e.id, e.id, EXISTS (SELECT FROM proposals_ballot b WHERE b.entry_id = e.id)
        FROM proposals_rollentry e WHERE e.id = ANY(%s)
      UNION
        SELECT chain.start, e.delegate_id,
               EXISTS (SELECT FROM proposals_ballot b WHERE b.entry_id = e.delegate_id)
        FROM chain JOIN proposals_rollentry e ON e.id = chain.entry
        WHERE NOT chain.has_voted
          AND e.delegate_id IS NOT NULL AND e.delegation_revoked_at IS NULL
    )
    SELECT start, entry FROM chain WHERE has_voted AND entry <> start
"""


def _names(carriers: dict[int, int]) -> dict[int, str]:
    entries = RollEntry.objects.filter(pk__in=carriers.values())
    names = {
        row.pk: str(row.membership.person) for row in entries.select_related("membership__person")
    }
    return {entry: names[carrier] for entry, carrier in carriers.items()}


def without_a_vote(contract: Contract) -> Sequence[RollEntry]:
    """Return who is on the roll and neither voted nor is voted for, with their people."""
    entries = contract.roll.filter(ballots__isnull=True).select_related("membership__person")
    rows = list(entries.order_by("pk"))
    carried = first_who_voted([row.pk for row in rows if row.delegate_id])
    return [row for row in rows if row.pk not in carried]
