"""Opening a vote and casting ballots."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection, transaction

from evals.criteria import as_contract_rows
from oversight.accounts.choices import BodyRole, NoticeKind
from oversight.accounts.models import Body, Membership, Person
from oversight.accounts.services import notify
from oversight.ledger import services as ledger
from oversight.web.clock import database_now, in_words, stamp
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import papers, policy
from proposals.charter import DecisionRules
from proposals.choices import Leaf, Status
from proposals.digests import digest_of
from proposals.evaluators import admitted_slugs, asks_for_admission
from proposals.evidence import frozen_runs
from proposals.models import (
    Ballot,
    Charter,
    Contract,
    Delegation,
    Proposal,
    Revision,
    RollEntry,
)
from proposals.papers import PaperError
from proposals.readiness import judgements_of, obstacles_to_vote, shown_evidence
from proposals.services.charters import charter_of
from proposals.services.reminding import CLOSES_SOON
from proposals.services.stages import closing_time, lock_proposal, move
from proposals.tally import consent, score
from proposals.tally.consent import Stance
from proposals.tally.lot import commit
from proposals.tally.motion import Choice, TieRule

NOT_ON_ROLL = (
    "You are not on the roll of this vote, which was frozen at its opening: you had no vote in the "
    "body then, or had declared a conflict of interest."
)
CASTING_HOURS = 168
"""How long after a tied vote the chair may give the casting vote."""


@transaction.atomic(durable=True)
def open_vote(*, by: Person, proposal: Proposal, closes_at: datetime | None = None) -> Contract:
    """Freeze the decision contract and the roll, and open the vote.

    Raises:
        Conflict: the proposal is not in final text, its notice is still running, or the body has
            no members.
    """
    if not policy.can_move_stage(by, proposal):
        raise NotAllowed("Only a clerk of the body opens a vote.")
    return open_locked(lock_proposal(proposal), actor=by.actor, closes_at=closes_at)


def open_locked(locked: Proposal, *, actor: str, closes_at: datetime | None) -> Contract:
    """Open the vote on a proposal whose lock the caller holds."""
    if locked.status != Status.FINAL_TEXT:
        raise Conflict(
            f"A vote opens on a final text; this proposal is in “{locked.get_status_display()}”."
        )
    # Whoever changes the body's members or charter waits until the roll is frozen, so that the log
    # has their acts on the same side of the opening as the contract.
    Body.objects.select_for_update().get(pk=locked.body_id)
    charter = charter_of(locked.body)
    early = obstacles_to_vote(locked, charter, database_now())
    if early:
        raise Conflict("The vote cannot open yet. " + " ".join(early))
    opens_at = database_now().replace(microsecond=0)
    ends_at = closing_time(charter, locked, opens_at, closes_at)
    seats, recused = _seats(locked)
    rules = charter.rules_for(locked.type)
    delegated = _delegated(seats) if rules.delegation == "transitive" else {}
    content = _contract(locked, charter, seats) | {
        "recusals": [{"member": seat.actor, "weight": seat.weight} for seat in recused],
        "delegation": rules.delegation,
        **_delegation_rows(seats, delegated, rules),
        "opens_at": stamp(opens_at),
        "closes_at": stamp(ends_at),
    }
    seed = _commit_to_lot(locked, content, by=actor, at=opens_at)
    document, digest = digest_of(content)
    move(locked, Status.VOTING, by=actor)
    leaf = ledger.append(
        type=Leaf.VOTE_OPENED,
        actor=actor,
        subject=locked.subject,
        digests={"contract": digest},
        facts={"opens_at": stamp(opens_at), "closes_at": stamp(ends_at), "roll": len(seats)},
        at=opens_at,
    )
    # The notice of the opening is its reminder, too.
    is_short = ends_at - opens_at <= CLOSES_SOON
    contract = Contract.objects.create(
        proposal=locked,
        document=document,
        digest=digest,
        opens_at=opens_at,
        closes_at=ends_at,
        lot_seed=seed,
        reminded_at=opens_at if is_short else None,
        leaf_id=leaf.id,
    )
    _freeze_roll(contract, seats, delegated)
    notify(
        kind=NoticeKind.VOTE_CLOSING if is_short else NoticeKind.VOTE_OPENED,
        body=locked.body,
        about=locked.ref,
        people=[seat.person for seat in seats],
        subject=f"Your vote is wanted: {locked.title}"[:160],
        text=f"The vote on {locked.ref} is open until {in_words(ends_at, locked.body.time_zone)}.",
        path=f"{locked.get_absolute_url()}ballot/",
    )
    return contract


def _seats(proposal: Proposal) -> tuple[list[Membership], list[Membership]]:
    """Return who is on the roll now, and who stepped off it; the caller holds the body's lock."""
    members = list(
        Membership.objects.in_term(database_now())
        .voting()
        .filter(body=proposal.body)
        .select_for_update(of=("self",))
        .order_by("id")
    )
    recused = set(proposal.recusals.values_list("membership", flat=True))
    seats = [seat for seat in members if seat.pk not in recused]
    if not seats:
        raise Conflict(f"{proposal.body} has no members in term who could vote on this.")
    return seats, [seat for seat in members if seat.pk in recused]


def _delegated(seats: list[Membership]) -> dict[int, int]:
    """Return by membership to whom of the roll it delegates; the caller holds the body's lock."""
    ids = [seat.pk for seat in seats]
    standing = Delegation.objects.filter(giver__in=ids, receiver__in=ids, revoked_at=None)
    return dict(standing.values_list("giver", "receiver"))


def _delegation_rows(
    seats: list[Membership], delegated: dict[int, int], rules: DecisionRules
) -> dict[str, Any]:
    """Return the delegations as the contract lists them; nothing where the charter has none."""
    if rules.delegation == "none":
        return {}
    actors = {seat.pk: seat.actor for seat in seats}
    rows = [
        {"from": seat.actor, "to": actors[delegated[seat.pk]]}
        for seat in seats
        if seat.pk in delegated
    ]
    return {"delegations": rows}


def _freeze_roll(contract: Contract, seats: list[Membership], delegated: dict[int, int]) -> None:
    """Write the roll as it is now, with whom each delegated to."""
    entries = RollEntry.objects.bulk_create(
        RollEntry(contract=contract, membership=seat, weight=seat.weight) for seat in seats
    )
    by_seat = {entry.membership_id: entry for entry in entries}
    for giver, receiver in delegated.items():
        by_seat[giver].delegate = by_seat[receiver]
    changed = [by_seat[giver] for giver in delegated]
    RollEntry.objects.bulk_update(changed, ["delegate"], batch_size=1000)


def _commit_to_lot(proposal: Proposal, content: dict[str, Any], *, by: str, at: datetime) -> str:
    """Draw the seed of a lot and put its digest on the record and into the contract.

    Nobody can vote yet, so whoever drew the seed could not know whom it would favour. Returns the
    seed, or nothing where ties do not fall to a lot.
    """
    if content["rules"]["tie_rule"] != TieRule.LOT or content["method"] == consent.METHOD:
        return ""
    seed = secrets.token_hex(32)
    commitment = f"sha256:{commit(seed)}"
    content["lot"] = {"commitment": commitment}
    ledger.append(
        type=Leaf.LOT_COMMITTED,
        actor=by,
        subject=proposal.subject,
        digests={"seed": commitment},
        at=at,
    )
    return seed


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
        raise Conflict("There is no vote open on this proposal.")
    content = read_paper(contract, choice)
    lock_for_casting(contract)
    place = _lock_place(contract, by)
    # The clock is read under the locks: waiting for them must not carry a ballot past the close.
    now, number, last = _require_open(contract, place)
    if place is None:
        raise NotAllowed(NOT_ON_ROLL)
    if number and last == content:
        return Ballot.objects.get(entry=place.entry, number=number)
    return _write_ballot(place, proposal, contract, number=number + 1, content=content, now=now)


class _Place(NamedTuple):
    """A place on a roll, as casting needs it."""

    entry: int
    actor: str


def _contract_of(proposal: Proposal) -> Contract | None:
    """Return the contract as the caller fetched it with the proposal, or without its document."""
    if Proposal.contract.is_cached(proposal) and hasattr(proposal, "contract"):
        return proposal.contract
    return Contract.objects.defer("document").filter(proposal=proposal).first()


def read_paper(contract: Contract, given: object) -> papers.Content:
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


def lock_for_casting(contract: Contract) -> None:
    """Hold off the close until this transaction ends, without holding off other ballots."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [_VOTE_LOCK, contract.pk])


def lock_for_closing(contract: Contract) -> None:
    """Wait for ballots under way, then let no new one in until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_VOTE_LOCK, contract.pk])


def _lock_place(contract: Contract, person: Person) -> _Place | None:
    """Return the person's place on the roll, locked until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, [contract.pk, person.pk])
        found = cursor.fetchone()
    return _Place(found[0], f"member:{found[1]}") if found else None


_VOTE_LOCK = 0x766F7465  # any constant: keeps these advisory locks apart from others


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
    return Ballot.objects.create(
        entry_id=place.entry,
        number=number,
        choice=content.get("choice", ""),
        content=content,
        cast_at=now,
        leaf_id=leaf.id,
    )


def _require_open(contract: Contract, place: _Place | None) -> tuple[datetime, int, object]:
    """Return the database's time, at which the vote is open, and the last ballot of the place.

    The ballot as its number and content, 0 and None before the first: all in one question, asked
    under the locks.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [place.entry if place else None, contract.pk])
        status, casting_until, closes_at, now, number, said = cursor.fetchone()
    if status != Status.VOTING:
        raise Conflict(f"The vote is over: {Status(status).label.lower()}.")
    if casting_until is not None:
        raise Conflict("The vote is over: it is tied and waits for the chair's casting vote.")
    if now >= closes_at:
        raise Conflict(
            f"The vote closed at {stamp(closes_at)}. Ballots are refused from then on; "
            "an earlier ballot of yours stands."
        )
    return now, number or 0, json.loads(said) if said else None


# In a rush these two are asked for every ballot, and making their text anew each time took the web
# process longer than all their answers.
_PLACE = """
    SELECT e.id, m.public_id
    FROM proposals_rollentry e JOIN accounts_membership m ON m.id = e.membership_id
    WHERE e.contract_id = %s AND m.person_id = %s
    FOR UPDATE OF e
"""
_STANDING = """
    SELECT p.status, c.casting_until, c.closes_at, clock_timestamp(), b.number, b.content
    FROM proposals_contract c
    JOIN proposals_proposal p ON p.id = c.proposal_id
    LEFT JOIN LATERAL (
        SELECT number, content FROM proposals_ballot WHERE entry_id = %s
        ORDER BY number DESC LIMIT 1
    ) b ON true
    WHERE c.id = %s
"""


def _contract(proposal: Proposal, charter: Charter, seats: list[Membership]) -> dict[str, Any]:
    """Return everything the vote is held under but its times, without floats or names."""
    judgements = judgements_of(proposal)
    rules = charter.rules_for(proposal.type)
    failed = any(j.is_failed for j in judgements)
    text = proposal.text
    return {
        "v": 1,
        "proposal": proposal.ref,
        "body": proposal.body.slug,
        "type": proposal.type,
        "text": {"revision": text.number, "digest": text.digest},
        "subject": {
            "deployment": proposal.deployment.slug if proposal.deployment else None,
            "version": proposal.version.digest if proposal.version else None,
        },
        "charter": {"number": charter.number, "digest": charter.digest},
        "method": rules.method,
        **_asked(text, rules),
        "rules": rules.effective(criterion_failed=failed).as_json(),
        "override": failed,
        "roll": [{"member": seat.actor, "weight": seat.weight} for seat in seats],
        "criteria": as_contract_rows(judgements),
        **_evaluators(proposal, charter),
        **_beside_the_text(proposal),
        "secrecy": rules.secrecy,
        "time_zone": proposal.body.time_zone,
        "sunset_days": rules.sunset_days,
        **({"terms": text.terms} if text.terms else {}),
        **({"target": proposal.target_ref} if proposal.target_ref else {}),
        **_chair(rules, seats),
    }


def _asked(text: Revision, rules: DecisionRules) -> dict[str, Any]:
    """Return what ballots can say: the options, and what else the method has to know."""
    if rules.method == consent.METHOD:
        return {"options": [stance.value for stance in Stance]}
    if not text.options:
        return {"options": [choice.value for choice in Choice]}
    points = {"highest": rules.highest} if rules.method == score.METHOD else {}
    return {"options": text.options, "seats": text.seats, **points}


def _evaluators(proposal: Proposal, charter: Charter) -> dict[str, Any]:
    """Return whose evidence counted, where the charter asks that the body has admitted them."""
    if proposal.version is None or not asks_for_admission(proposal, charter):
        return {}
    return {"evaluators": admitted_slugs(proposal.body)}


def _beside_the_text(proposal: Proposal) -> dict[str, Any]:
    """Return the files and the runs that belong to the text; nothing where there are none."""
    rows = proposal.attachments.filter(removed_at=None).select_related("artefact")
    files = [{"digest": row.digest, "size": row.artefact.size} for row in rows]
    runs = frozen_runs(shown_evidence(proposal))
    return {**({"attachments": files} if files else {}), **({"runs": runs} if runs else {})}


def _chair(rules: DecisionRules, seats: list[Membership]) -> dict[str, Any]:
    """Return who may give the casting vote, where ties fall to the chair."""
    if rules.vote.tie_rule is not TieRule.CHAIR:
        return {}
    chair = next((seat.actor for seat in seats if seat.role == BodyRole.CHAIR), None)
    return {"chair": chair, "casting_hours": CASTING_HOURS}
