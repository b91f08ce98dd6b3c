"""Closing a vote: count, decide, carry out the effect, publish the record, all in one commit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import ASKING, NoticeKind
from oversight.accounts.models import Person
from oversight.accounts.services import call_off, notify
from oversight.ledger import services as ledger
from oversight.web.clock import database_now, in_words, stamp, when_read
from oversight.web.languages import filled, lowered
from oversight.web.refusals import Conflict, Impossible, Invalid, NotAllowed
from proposals import policy
from proposals.ballot_box import last_ballots, tally
from proposals.choices import (
    GRANTING,
    AmendmentStatus,
    DecisionOutcome,
    Leaf,
    Origin,
    ProposalType,
    Status,
)
from proposals.counting import Result
from proposals.decision_record import record_of
from proposals.digests import digest_of
from proposals.effects import execute, settle_amendment
from proposals.effects.authorisations import end_emergency
from proposals.effects.carried import Carried
from proposals.models import Ballot, CastingVote, Contract, Decision, Proposal
from proposals.papers import MOTION_METHODS
from proposals.services.casting import lock_for_closing
from proposals.services.stages import lock_proposal, move

_PERSON = "membership__person"


@transaction.atomic(durable=True)
def close_vote(*, by: Person, proposal: Proposal) -> Decision | None:
    """Close a vote before its deadline, because everybody on the roll has voted.

    By a ballot of their own: who delegated may still vote themselves until the close, and an early
    one would take that from them.

    Returns the decision; None when the vote is tied and waits for the chair.

    Raises:
        Conflict: somebody on the roll has not voted and the deadline has not passed.
    """
    if not policy.can_move_stage(by, proposal):
        raise NotAllowed(gettext("Only a clerk of the body closes a vote early."))
    return _close(proposal, by.actor)


@transaction.atomic(durable=True)
def close_due_vote(*, proposal: Proposal) -> Decision | None:
    """Close a vote whose deadline has passed; None when it is tied and waits for the chair."""
    return _close(proposal, "system:clock")


@transaction.atomic(durable=True)
def give_casting_vote(*, by: Person, proposal: Proposal, names: Sequence[str]) -> Decision:
    """Break a tie that falls to the chair; the decision is made at once.

    Args:
        by: the chair whom the contract names.
        proposal: whose vote is tied.
        names: `yes` or `no` for a motion; for an election all its options, the preferred first.

    Raises:
        NotAllowed: somebody else than the contract's chair.
        Conflict: the vote does not wait for a casting vote.
        Invalid: the names are not the contract's options.
    """
    locked = lock_proposal(proposal)
    contract = getattr(locked, "contract", None)
    now = database_now()
    if locked.status != Status.VOTING or contract is None or contract.casting_until is None:
        raise Conflict(gettext("There is no tie that waits for the chair's casting vote."))
    chair = contract.content["chair"]
    entry = contract.roll.filter(membership__person=by, membership__public_id=chair[7:]).first()
    if entry is None:
        raise NotAllowed(
            gettext("The tie falls to the chair whom the contract of this vote names.")
        )
    if now >= contract.casting_until:
        raise Conflict(
            gettext("The chair's time ended at %(stamp)s.")
            % {
                "stamp": in_words(contract.casting_until, locked.body.time_zone),
            }
        )
    order = _read_casting_vote(contract, names)
    committed = ledger.commit_to({"casting_vote": order})
    leaf = ledger.append(
        type=Leaf.CASTING_VOTE_GIVEN,
        actor=chair,
        subject=locked.subject,
        digests={"contract": contract.digest},
        commits={"choice": committed.digest},
        at=now,
    )
    ledger.keep_opening(leaf, "choice", committed)
    CastingVote.objects.create(
        contract=contract, entry=entry, names=order, given_at=now, leaf_id=leaf.id
    )
    decision = _settle(locked, contract, now.replace(microsecond=0), by.actor)
    assert decision is not None  # noqa: S101 - every tied option is ranked, so nothing is open
    return decision


def _read_casting_vote(contract: Contract, names: Sequence[str]) -> list[str]:
    content = contract.content
    if content["method"] in MOTION_METHODS:
        if list(names) not in (["yes"], ["no"]):
            raise Invalid(
                gettext("The casting vote is yes or no."), fields={"choice": gettext("Yes or no.")}
            )
    elif sorted(names) != sorted(content["options"]):
        message = gettext("Rank every option, each once, so that no tie is left open.")
        raise Invalid(message, fields={"ranking": message})
    return list(names)


def _close(proposal: Proposal, actor: str) -> Decision | None:
    locked = lock_proposal(proposal)
    if locked.status != Status.VOTING:
        raise Conflict(
            gettext("There is no open vote: %(lower)s.")
            % {
                "lower": lowered(locked.get_status_display()),
            }
        )
    contract = locked.contract
    lock_for_closing(contract)
    now = database_now()
    if contract.casting_until is not None and now < contract.casting_until:
        until = in_words(contract.casting_until, locked.body.time_zone)
        raise Conflict(
            gettext("The vote is tied and waits for the chair's casting vote until %(until)s.")
            % {
                "until": until,
            }
        )
    missing = contract.roll.count() - len(last_ballots(contract))
    if now < contract.closes_at and missing:
        raise Conflict(
            ngettext(
                "%(missing)s member has cast no ballot of their own yet. The vote closes at "
                "%(stamp)s, or earlier once all have.",
                "%(missing)s members have cast no ballots of their own yet. The vote closes at "
                "%(stamp)s, or earlier once all have.",
                missing,
            )
            % {"missing": missing, "stamp": in_words(contract.closes_at, locked.body.time_zone)}
        )
    return _settle(locked, contract, now.replace(microsecond=0), actor)


def _settle(proposal: Proposal, contract: Contract, now: datetime, actor: str) -> Decision | None:
    """Count and decide, or leave a tie to the chair; the caller holds the locks of the close."""
    ballots = last_ballots(contract)
    result = tally(contract, ballots)
    may_wait = contract.casting_until is None and contract.content.get("chair")
    if result.waits_for_chair and may_wait:
        _wait_for_chair(proposal, contract, now, actor)
        return None
    return _decide(proposal, contract, ballots, result, now=now, actor=actor)


def _wait_for_chair(proposal: Proposal, contract: Contract, now: datetime, actor: str) -> None:
    """End the casting and ask the chair; the caller holds the locks of the close."""
    contract.casting_until = now + timedelta(hours=contract.content["casting_hours"])
    contract.save(update_fields=["casting_until"])
    ledger.append(
        type=Leaf.VOTE_TIED,
        actor=actor,
        subject=proposal.subject,
        digests={"contract": contract.digest},
        facts={"casting_until": stamp(contract.casting_until)},
        at=now,
    )
    chair = contract.roll.get(membership__public_id=contract.content["chair"][7:])
    notify(
        kind=NoticeKind.TIE,
        body=proposal.body,
        about=proposal.ref,
        people=[chair.membership.person],
        subject=filled(_("Tied, and yours to decide: %(title)s"), title=proposal.title),
        text=filled(
            _(
                "The vote on %(ref)s is tied. Your casting vote decides; it is asked for "
                "until %(until)s, after which things stay as they are."
            ),
            ref=proposal.ref,
            until=when_read(contract.casting_until, proposal.body.time_zone),
        ),
        path=f"{proposal.get_absolute_url()}casting-vote/",
    )


def _decide(
    proposal: Proposal,
    contract: Contract,
    ballots: list[Ballot],
    result: Result,
    *,
    now: datetime,
    actor: str,
) -> Decision:
    outcome = DecisionOutcome(result.outcome)
    carried = outcome == DecisionOutcome.CARRIED
    effect, until = _take_effect(proposal, contract, now, carried=carried)
    review = _review(contract, now) if until else None
    review_fact = {"review_at": stamp(review)} if review else {}
    content = record_of(contract, ballots, result) | {
        "decided_at": stamp(now),
        "effect": effect,
        "in_force_until": stamp(until) if until else None,
        **review_fact,
    }
    record, digest = digest_of(content)
    _reveal_lot(proposal, contract, actor=actor, at=now)
    move(proposal, Status.DECIDED, by=actor)
    leaf = ledger.append(
        type=Leaf.DECISION_MADE,
        actor=actor,
        subject=proposal.subject,
        digests={"contract": contract.digest, "decision": digest},
        facts={
            "outcome": str(outcome),
            "in_force_until": stamp(until) if until else None,
            **review_fact,
            **({"impossible": effect["impossible"]} if "impossible" in effect else {}),
        },
        at=now,
    )
    decision = Decision.objects.create(
        proposal=proposal,
        outcome=outcome,
        record=record,
        digest=digest,
        decided_at=now,
        in_force_until=until,
        review_at=review,
        is_override=carried and bool(contract.content["override"]),
        impossible=effect.get("impossible", ""),
        leaf_id=leaf.id,
    )
    call_off(kinds=ASKING, about=proposal.ref)
    _tell_outcome(decision, contract)
    return decision


def _tell_outcome(decision: Decision, contract: Contract) -> None:
    proposal, outcome = decision.proposal, DecisionOutcome(decision.outcome)
    on_roll = {entry.membership.person for entry in contract.roll.select_related(_PERSON)}
    notify(
        kind=NoticeKind.DECISION,
        body=proposal.body,
        about=proposal.ref,
        people=on_roll | {proposal.proposer},
        subject=filled(_("%(label)s: %(words)s"), label=outcome.label, words=proposal.title),
        text=filled(
            _("The vote on %(ref)s has closed. Outcome: %(lower)s."),
            ref=proposal.ref,
            lower=lowered(outcome.label),
        ),
        path=decision.get_absolute_url(),
    )


def _review(contract: Contract, now: datetime) -> datetime | None:
    """Return when the body is to look again at what it authorised, where the text says so."""
    days = contract.content.get("terms", {}).get("review_days")
    return now + timedelta(days=days) if days else None


def _take_effect(
    proposal: Proposal, contract: Contract, now: datetime, *, carried: bool
) -> tuple[dict[str, Any], datetime | None]:
    """Carry out what was carried, whole or not at all; return what happened and until when.

    An effect that has become impossible since the opening leaves nothing behind but its reason: the
    body's will stands as decided, and the record says that nothing came of it.
    """
    if not carried and proposal.type == ProposalType.AMENDMENT:
        settle_amendment(proposal, AmendmentStatus.NOT_CARRIED, now)
        return {}, None
    if not carried:
        unratified = proposal.origin == Origin.EMERGENCY
        return (end_emergency(proposal) if unratified else {}), None
    content = contract.content
    terms, until = content.get("terms", {}), None
    if proposal.type in GRANTING:
        days = min(terms.get("days", content["sunset_days"]), content["sunset_days"])
        until = now + timedelta(days=days)
    try:
        with transaction.atomic():
            return execute(Carried(proposal, terms, now, until)), until
    except Impossible as found:
        return {"kind": proposal.type, "impossible": found.code}, None


def _reveal_lot(proposal: Proposal, contract: Contract, *, actor: str, at: datetime) -> None:
    """Show the seed that was committed to before the vote, whether or not a tie needed it."""
    if contract.lot_seed:
        ledger.append(
            type=Leaf.LOT_REVEALED,
            actor=actor,
            subject=proposal.subject,
            digests={"seed": contract.content["lot"]["commitment"]},
            facts={"seed": contract.lot_seed},
            at=at,
        )
