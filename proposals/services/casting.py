"""Casting ballots. In a rush this is all that counts, so its questions stay prepared."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oversight.accounts.models import Person
from oversight.ledger import services as ledger
from oversight.web import prepared
from oversight.web.clock import in_words
from oversight.web.languages import lowered
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import papers
from proposals.choices import Leaf, Status
from proposals.models import Ballot, Contract, Proposal
from proposals.papers import PaperError

NOT_ON_ROLL = gettext_lazy(
    "You are not on the roll of this vote, which was frozen at its opening: you had no vote in the "
    "body then, or had declared a conflict of interest."
)


@transaction.atomic(durable=True)
def cast_ballot(*, by: Person, proposal: Proposal, choice: str | Mapping[str, Any]) -> Ballot:
    """Cast or change a ballot; the last one before the close counts.

    Sending the same vote again returns the ballot that is there. Two requests of one member at
    the same moment are served one after the other by the lock on their roll entry.

    Args:
        by: a member on the roll.
        proposal: with an open vote.
        choice: what the ballot says (`proposals.papers`); for a motion the word alone will do.

    Raises:
        NotAllowed: the person is not on the roll.
        Conflict: the vote is not open, by the database's clock.
        Invalid: the ballot names what the contract does not offer.
    """
    contract = _contract_of(proposal)
    if contract is None:
        raise Conflict(_("There is no vote open on this proposal."))
    content = _read_paper(contract, choice)
    place = _lock_place(contract, by)
    # The clock is read under the locks: waiting for them must not carry a ballot past the close.
    now, number, last = _require_open(contract, place)
    if place is None:
        raise NotAllowed(str(NOT_ON_ROLL))
    if number and last == content:
        return Ballot.objects.get(entry=place.entry, number=number)
    return _write_ballot(place, proposal, contract, number=number + 1, content=content, now=now)


def find_vote(ref: str) -> Proposal | None:
    """Return the proposal of a vote with its contract, as far as casting needs them.

    None where no vote was ever opened. Everybody sees a proposal that has come so far.
    """
    row = prepared.one(_VOTE, [ref])
    if row is None:
        return None
    proposal = Proposal.from_db(connection.alias, ["id", "ref"], row[:2])
    # In the order of the models' fields, as Django wants them.
    names = ["id", "proposal_id", "digest"]
    proposal.contract = Contract.from_db(connection.alias, names, [row[2], row[0], row[3]])
    return proposal


def lock_for_casting(contract: Contract) -> None:
    """Hold off the close until this transaction ends, without holding off other ballots."""
    prepared.run("SELECT pg_advisory_xact_lock_shared(%s::int, %s::int)", [_VOTE_LOCK, contract.pk])


def lock_for_closing(contract: Contract) -> None:
    """Wait for ballots under way, then let no new one in until this transaction ends."""
    prepared.run("SELECT pg_advisory_xact_lock(%s::int, %s::int)", [_VOTE_LOCK, contract.pk])


class _Place(NamedTuple):
    """A place on a roll, as casting needs it."""

    entry: int
    actor: str


def _contract_of(proposal: Proposal) -> Contract | None:
    """Return the contract as the caller fetched it with the proposal, or without its document."""
    if Proposal.contract.is_cached(proposal) and hasattr(proposal, "contract"):
        return proposal.contract
    return Contract.objects.defer("document").filter(proposal=proposal).first()


def _read_paper(contract: Contract, given: object) -> papers.Content:
    """Return what a ballot says, in its one form.

    Raises:
        Invalid: an option the contract does not have, or one named twice.
    """
    try:
        return papers.read(_paper(contract.pk, contract.digest), given)
    except PaperError as error:
        raise Invalid(error.problem, fields={error.field: error.problem}) from None


@lru_cache(maxsize=64)
def _paper(contract_id: int, digest: str) -> dict[str, Any]:
    """Return the part of a contract that says what ballots can say.

    Kept, because a contract never changes and one with thousands on its roll is long to read.
    """
    content = Contract.objects.get(pk=contract_id, digest=digest).content
    return {name: content[name] for name in ("method", "options", "highest") if name in content}


def _lock_place(contract: Contract, person: Person) -> _Place | None:
    """Hold off the close, and return the person's place on the roll, locked likewise."""
    row = prepared.one(_PLACE, [_VOTE_LOCK, contract.pk, contract.pk, person.pk])
    return _Place(row[0], f"member:{row[1]}") if row else None


def _require_open(contract: Contract, place: _Place | None) -> tuple[datetime, int, object]:
    """Return the database's time, at which the vote is open, and the last ballot of the place.

    The ballot as its number and content, 0 and None before the first: all in one question, asked
    under the locks.
    """
    row = prepared.one(_STANDING, [place.entry if place else None, contract.pk])
    assert row is not None  # noqa: S101 - contracts are never removed
    status, casting_until, closes_at, now, number, said = row
    if status != Status.VOTING:
        raise Conflict(_("The vote is over: %(lower)s.") % {"lower": lowered(Status(status).label)})
    if casting_until is not None:
        raise Conflict(_("The vote is over: it is tied and waits for the chair's casting vote."))
    if now >= closes_at:
        raise Conflict(
            _(
                "The vote closed at %(stamp)s. Ballots are refused from then on; an earlier "
                "ballot of yours stands."
            )
            % {
                "stamp": in_words(closes_at, contract.proposal.body.time_zone),
            }
        )
    return now, number or 0, json.loads(said) if said else None


def _write_ballot(
    place: _Place,
    proposal: Proposal,
    contract: Contract,
    *,
    number: int,
    content: papers.Content,
    now: datetime,
) -> Ballot:
    """Append a ballot with its salted commitment; the caller holds the roll entry's lock.

    The leaf has the very time that was held against the close, so that anyone can repeat it.
    """
    committed = ledger.commit_to(content)
    leaf = ledger.append(
        type=Leaf.BALLOT_CAST,
        actor=place.actor,
        subject=proposal.subject,
        digests={"contract": contract.digest},
        commits={"choice": committed.digest},
        facts={"number": number},
        at=now,
    )
    ledger.keep_opening(leaf, "choice", committed)
    word = content.get("choice", "")
    row = prepared.one(_BALLOT, [place.entry, number, word, json.dumps(content), now, leaf.id])
    assert row is not None  # noqa: S101 - an insert that returns
    names = ["id", "entry_id", "number", "choice", "content", "cast_at", "leaf_id"]
    values = [row[0], place.entry, number, word, content, now, leaf.id]
    return Ballot.from_db(connection.alias, names, values)


_VOTE_LOCK = 0x766F7465  # any constant: keeps these advisory locks apart from others

_VOTE = """
    SELECT p.id, p.ref, c.id, c.digest
    FROM proposals_proposal p JOIN proposals_contract c ON c.proposal_id = p.id
    WHERE p.ref = %s
"""
_PLACE = """
    WITH held AS MATERIALIZED (
        SELECT pg_advisory_xact_lock_shared(%s::int, %s::int)::text AS lock
    )
    SELECT place.id, m.public_id
    FROM held, accounts_membership m, LATERAL (
        SELECT e.id FROM proposals_rollentry e
        WHERE e.contract_id = %s AND e.membership_id = m.id AND held.lock IS NOT NULL
        LIMIT 1 FOR UPDATE
    ) AS place
    WHERE m.person_id = %s
"""
"""The lock of the vote, then that of the place.

From the person's seats to the roll and never the other way: right after an opening, when the
database knows nothing of the new roll yet, it would read the whole of it for every ballot.
"""
_STANDING = """
    SELECT p.status, c.casting_until, c.closes_at, clock_timestamp(), b.number, b.content
    FROM proposals_contract c
    JOIN proposals_proposal p ON p.id = c.proposal_id
    LEFT JOIN LATERAL (
        SELECT number, content FROM proposals_ballot WHERE entry_id = %s::bigint
        ORDER BY number DESC LIMIT 1
    ) b ON true
    WHERE c.id = %s
"""
"""A question of its own: it has to see what the locks waited for."""
_BALLOT = """
    INSERT INTO proposals_ballot (entry_id, number, choice, content, cast_at, leaf_id)
    VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
"""
