"""Opening a vote: the decision contract and the roll, frozen as they are now."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from evals.criteria import as_contract_rows
from oversight.accounts.choices import BodyRole, NoticeKind
from oversight.accounts.models import Body, Membership, Person
from oversight.accounts.services import notify
from oversight.ledger import services as ledger
from oversight.web.clock import database_now, stamp, when_read
from oversight.web.languages import filled
from oversight.web.refusals import Conflict, NotAllowed
from proposals import policy
from proposals.charter_rules import DecisionRules
from proposals.choices import Leaf, Status
from proposals.digests import digest_of
from proposals.evaluators import admitted_slugs, asks_for_admission
from proposals.evidence import frozen_runs
from proposals.models import (
    Charter,
    Contract,
    Delegation,
    Proposal,
    Revision,
    RollEntry,
)
from proposals.readiness import judgements_of, obstacles_to_vote, shown_evidence
from proposals.services.charters import charter_of
from proposals.services.reminding import CLOSES_SOON
from proposals.services.stages import closing_time, lock_proposal, move
from proposals.tally import consent, score
from proposals.tally.consent import Stance
from proposals.tally.lot import commit
from proposals.tally.motion import Choice, TieRule

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
        raise NotAllowed(gettext("Only a clerk of the body opens a vote."))
    return open_locked(lock_proposal(proposal), actor=by.actor, closes_at=closes_at)


def open_locked(locked: Proposal, *, actor: str, closes_at: datetime | None) -> Contract:
    """Open the vote on a proposal whose lock the caller holds."""
    if locked.status != Status.FINAL_TEXT:
        raise Conflict(
            gettext("A vote opens on a final text; this proposal is in “%(status)s”.")
            % {"status": locked.get_status_display()}
        )
    # Whoever changes the body's members or charter waits until the roll is frozen, so that the log
    # has their acts on the same side of the opening as the contract.
    Body.objects.select_for_update().get(pk=locked.body_id)
    charter = charter_of(locked.body)
    early = obstacles_to_vote(locked, charter, database_now())
    if early:
        raise Conflict(gettext("The vote cannot open yet. ") + " ".join(early))
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
    _call_to_vote(locked, seats, delegated, ends_at=ends_at, is_reminder=is_short)
    return contract


def _call_to_vote(
    proposal: Proposal,
    seats: Sequence[Membership],
    delegated: dict[int, int],
    *,
    ends_at: datetime,
    is_reminder: bool,
) -> None:
    """Ask for their vote who is on the roll; who delegated it is told who votes for them."""
    about: dict[str, Any] = {
        "kind": NoticeKind.VOTE_CLOSING if is_reminder else NoticeKind.VOTE_OPENED,
        "body": proposal.body,
        "about": proposal.ref,
        "path": f"{proposal.get_absolute_url()}ballot/",
    }
    when = {"ref": proposal.ref, "until": when_read(ends_at, proposal.body.time_zone)}
    notify(
        people=[seat.person for seat in seats if seat.pk not in delegated],
        subject=filled(_("Your vote is wanted: %(title)s"), title=proposal.title),
        text=filled(_("The vote on %(ref)s is open until %(until)s."), **when),
        **about,
    )
    people = {seat.pk: seat.person for seat in seats}
    givers: dict[int, list[Person]] = {}
    for giver, receiver in delegated.items():
        givers.setdefault(receiver, []).append(people[giver])
    for receiver, told in givers.items():
        name = str(people[receiver])
        notify(
            people=told,
            subject=filled(
                _("%(delegate)s votes for you: %(title)s"), delegate=name, title=proposal.title
            ),
            text=filled(
                _(
                    "The vote on %(ref)s is open until %(until)s. You delegated your vote to "
                    "%(delegate)s: that ballot counts for you, too, or that of whoever "
                    "%(delegate)s delegated to. You can vote yourself until then; your own "
                    "ballot counts instead."
                ),
                delegate=name,
                **when,
            ),
            **about,
        )


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
        raise Conflict(
            gettext("%(body)s has no members in term who could vote on this.")
            % {
                "body": proposal.body,
            }
        )
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
