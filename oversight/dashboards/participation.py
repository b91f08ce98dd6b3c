"""Who takes part in what a body decides: turnout by vote, and by member."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from oversight.accounts.models import Body, Membership
from oversight.dashboards.results import CHOICES
from oversight.web.clock import exact
from oversight.web.written import Written
from proposals.awaiting import first_who_voted
from proposals.choices import DecisionOutcome
from proposals.models import Ballot, Delegation, Recusal, Revision, RollEntry
from proposals.titles import language_at

VOTES_SHOWN = 200
"""The newest votes of a body that its participation is told of."""

COUNTS = ("on_roll", "cast", "delegated", "recused")

_CARRIED = """
    chain (start, entry, has_voted) AS (
        SELECT e.id, e.delegate_id,
            EXISTS (SELECT FROM proposals_ballot b WHERE b.entry_id = e.delegate_id)
        FROM proposals_rollentry e JOIN v ON v.contract_id = e.contract_id
        WHERE e.delegate_id IS NOT NULL AND e.delegation_revoked_at IS NULL
            AND NOT EXISTS (SELECT FROM proposals_ballot b WHERE b.entry_id = e.id)
      UNION
        SELECT chain.start, e.delegate_id,
            EXISTS (SELECT FROM proposals_ballot b WHERE b.entry_id = e.delegate_id)
        FROM chain JOIN proposals_rollentry e ON e.id = chain.entry
        WHERE NOT chain.has_voted
            AND e.delegate_id IS NOT NULL AND e.delegation_revoked_at IS NULL
    )
"""
"""Delegations of the votes `v`, followed to the first who voted, as the count follows them."""

_ENTRY = """
    EXISTS (SELECT 1 FROM proposals_ballot b WHERE b.entry_id = e.id) AS has_cast,
    e.id IN (SELECT start FROM chain WHERE has_voted) AS is_carried
"""
_VOTES = f"""
    WITH RECURSIVE v AS (
        SELECT c.id AS contract_id, p.id AS proposal_id, p.ref, d.decided_at, d.outcome,
            c.document::jsonb ->> 'secrecy' = 'secret' AS secret
        FROM proposals_decision d JOIN proposals_proposal p ON p.id = d.proposal_id
        JOIN proposals_contract c ON c.proposal_id = p.id
        WHERE p.body_id = %s ORDER BY d.decided_at DESC, d.id DESC LIMIT {VOTES_SHOWN}
    ), {_CARRIED}
    SELECT v.contract_id, v.proposal_id, v.ref, v.decided_at, v.outcome, v.secret,
        count(*), count(*) FILTER (WHERE has_cast), count(*) FILTER (WHERE is_carried),
        (SELECT count(*) FROM proposals_recusal r WHERE r.proposal_id = v.proposal_id)
    FROM v JOIN LATERAL (
        SELECT {_ENTRY} FROM proposals_rollentry e WHERE e.contract_id = v.contract_id
    ) entry ON true
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY v.decided_at DESC, v.ref DESC
"""  # noqa: S608 - all of it is ours
_MEMBERS = f"""
    WITH RECURSIVE v AS (SELECT unnest(%s::bigint[]) AS contract_id), {_CARRIED}
    SELECT membership_id, count(*), count(*) FILTER (WHERE has_cast),
        count(*) FILTER (WHERE is_carried)
    FROM (
        SELECT e.membership_id, {_ENTRY}
        FROM proposals_rollentry e JOIN v ON v.contract_id = e.contract_id
    ) entry GROUP BY 1
"""  # noqa: S608 - all of it is ours


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote that has ended, and how many of its roll took part."""

    contract_id: int
    proposal_id: int
    ref: str
    decided_at: datetime
    outcome: str
    is_secret: bool
    on_roll: int
    cast: int
    delegated: int
    recused: int
    title: str = ""

    @property
    def share(self) -> float:
        """The part of the roll whose vote counted, cast or carried by another."""
        return (self.cast + self.delegated) / self.on_roll if self.on_roll else 0

    @property
    def outcome_words(self) -> str:
        """The outcome in words."""
        return str(DecisionOutcome(self.outcome).label)


@dataclass(frozen=True, slots=True)
class Member:
    """One seat, and how often its member took part."""

    seat: Membership
    is_in_term: bool
    on_roll: int
    cast: int
    delegated: int
    recused: int

    @property
    def share(self) -> float | None:
        """The part of the votes on whose roll the seat was that counted; None where on none."""
        return (self.cast + self.delegated) / self.on_roll if self.on_roll else None

    @property
    def missed(self) -> int:
        """How many votes passed without one."""
        return self.on_roll - self.cast - self.delegated


def votes_of(body: Body) -> list[Vote]:
    """Return the newest votes of a body that have ended, newest first; two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_VOTES, [body.pk])
        rows = cursor.fetchall()
    newest = Revision.objects.filter(proposal__in=[row[1] for row in rows])
    written = newest.order_by("number").values_list(
        "proposal_id", "title", language_at("proposal__")
    )
    titles = {proposal: Written(title, language) for proposal, title, language in written}
    return [replace(Vote(*row), title=titles.get(row[1], "")) for row in rows]


def members_of(body: Body, votes: Sequence[Vote]) -> list[Member]:
    """Return every seat that was on one of these rolls or is filled, the newest terms last."""
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, [[vote.contract_id for vote in votes]])
        counts = {row[0]: row[1:] for row in cursor.fetchall()}
    recusals = _recusals(votes)
    in_term = set(body.memberships.in_term().voting().values_list("pk", flat=True))
    seats = body.memberships.filter(pk__in={*counts, *in_term}).select_related("person")
    return [
        Member(seat, seat.pk in in_term, on_roll, cast, delegated, recusals.get(seat.pk, 0))
        for seat in seats
        for on_roll, cast, delegated in [counts.get(seat.pk, (0, 0, 0))]
    ]


def _recusals(votes: Sequence[Vote]) -> dict[int, int]:
    found: dict[int, int] = {}
    rows = Recusal.objects.filter(proposal__in=[vote.proposal_id for vote in votes])
    for seat in rows.values_list("membership_id", flat=True):
        found[seat] = found.get(seat, 0) + 1
    return found


def delegations_of(body: Body) -> list[Delegation]:
    """Return the delegations of a body that stand now."""
    rows = Delegation.objects.filter(giver__body=body, revoked_at=None)
    return list(rows.select_related("giver__person", "receiver__person"))


@dataclass(frozen=True, slots=True)
class Given:
    """What one seat did in one vote."""

    vote: Vote
    words: str
    tone: str = ""
    leaf_id: Any = None


def given_by(seat: Membership, votes: Sequence[Vote]) -> list[Given]:
    """Return what a seat did in each of these votes on whose roll it was, or why it was not.

    How a member voted in a secret vote is never read here: only that they did.
    """
    by_contract = {vote.contract_id: vote for vote in votes}
    entries = {
        entry.contract_id: entry
        for entry in RollEntry.objects.filter(
            membership=seat, contract__in=by_contract
        ).select_related("delegate__membership__person")
    }
    last = Ballot.objects.filter(entry__in=[entry.pk for entry in entries.values()])
    ballots = {row.entry_id: row for row in last.order_by("entry_id", "number")}
    waived = [e.pk for e in entries.values() if e.delegate_id and e.pk not in ballots]
    carried = first_who_voted(waived)
    recused = set(Recusal.objects.filter(membership=seat).values_list("proposal_id", flat=True))
    found = []
    for vote in votes:
        entry = entries.get(vote.contract_id)
        if entry:
            found.append(_given(vote, entry, ballots, is_carried=entry.pk in carried))
        elif vote.proposal_id in recused:
            found.append(Given(vote, _("recused: declared a conflict of interest"), "wait"))
    return found


def _given(
    vote: Vote, entry: RollEntry, ballots: Mapping[int, Ballot], *, is_carried: bool
) -> Given:
    ballot = ballots.get(entry.pk)
    if ballot and vote.is_secret:
        return Given(vote, _("voted; how is secret from the public"), leaf_id=ballot.leaf_id)
    if ballot:
        tone = {"yes": "good", "no": "bad"}.get(ballot.choice, "")
        words = str(CHOICES.get(ballot.choice, ballot.words))
        return Given(vote, words, tone, ballot.leaf_id)
    if entry.delegate and entry.delegation_revoked_at is None:
        to = {"person": entry.delegate.membership.person}
        if is_carried:
            return Given(vote, _("delegated to %(person)s") % to)
        return Given(vote, _("delegated to %(person)s, and no ballot counted") % to, "wait")
    return Given(vote, _("did not vote"), "wait")


def vote_records(votes: Sequence[Vote]) -> list[dict[str, Any]]:
    """Return votes as data."""
    return [
        {
            "decision": vote.ref,
            "title": vote.title,
            "decided_at": exact(vote.decided_at),
            "outcome": vote.outcome,
            "secret": vote.is_secret,
            **{name: getattr(vote, name) for name in COUNTS},
        }
        for vote in votes
    ]


def member_records(members: Sequence[Member]) -> list[dict[str, Any]]:
    """Return members as data."""
    return [
        {
            "member": member.seat.public_id,
            "name": str(member.seat.person),
            "in_term": member.is_in_term,
            **{name: getattr(member, name) for name in COUNTS},
        }
        for member in members
    ]
