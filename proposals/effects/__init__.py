"""What decisions do: one function per type of proposal, in the transaction of the decision.

Each has its counterpart that takes it back when the decision is annulled. What has become
impossible since the vote opened raises `Impossible`, and the decision then says so. What they do to
`authorisations`, `charters` and standing `criteria` is in modules of these names.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext

from evals import effects as budgets
from oversight.accounts import effects as accounts
from oversight.accounts.models import Body
from oversight.ledger import services as ledger
from oversight.web.clock import stamp
from oversight.web.refusals import Conflict, Impossible
from proposals.choices import (
    AMENDMENT_TRANSITIONS,
    AmendmentStatus,
    DecisionOutcome,
    Leaf,
    ProposalType,
    Status,
)
from proposals.effects import authorisations, charters, criteria
from proposals.effects.carried import Carried
from proposals.models import Amendment, Decision, Proposal
from proposals.revisions import write_revision

Effect = Callable[[Carried], dict[str, Any]]
Reversal = Callable[[Decision, str, datetime], list[str]]


def execute(carried: Carried) -> dict[str, Any]:
    """Carry out what the proposal says and return a description for the decision's record.

    Raises:
        Impossible: it cannot take effect any more; call it in a savepoint.
    """
    kind = ProposalType(carried.proposal.type)
    return {"kind": kind.value, **_EFFECTS[kind](carried)}


def reverse(decision: Decision, *, by: str, at: datetime) -> list[str]:
    """Take back what an annulled decision did, as far as it still stands.

    Args:
        decision: that is annulled.
        by: the reference of what annuls it: a decision of the body, or the decision itself where an
            authority has ruled.
        at: when.

    Returns:
        What changed, as the record names it.
    """
    if decision.outcome != DecisionOutcome.CARRIED or decision.impossible:
        return []
    return _REVERSALS[ProposalType(decision.proposal.type)](decision, by, at)


def _nothing(carried: Carried) -> dict[str, Any]:  # noqa: ARG001 - every effect is called alike
    return {}


def _nothing_back(decision: Decision, by: str, at: datetime) -> list[str]:  # noqa: ARG001
    return []


# -- Evaluators


def _admit_evaluator(carried: Carried) -> dict[str, Any]:
    body = Body.objects.select_for_update().get(pk=carried.proposal.body_id)
    admitted = accounts.admit_evaluator(
        actor=carried.actor,
        decision_ref=carried.proposal.ref,
        body=body,
        slug=carried.terms["organisation"],
        name=carried.terms["name"],
        website=carried.terms.get("website", ""),
        at=carried.decided_at,
    )
    return {"organisation": admitted.organisation.slug}


def _unadmit_evaluator(decision: Decision, by: str, at: datetime) -> list[str]:
    row = accounts.end_admission(actor=f"decision:{by}", decision_ref=decision.ref, at=at)
    return [row.organisation.subject] if row else []


# -- Compute


def _allocate(carried: Carried) -> dict[str, Any]:
    """Put a budget in force, in place of the one that stands."""
    longest = carried.proposal.contract.content["sunset_days"]
    until = carried.decided_at + timedelta(days=min(carried.terms.get("days", longest), longest))
    body = Body.objects.select_for_update().get(pk=carried.proposal.body_id)
    made = budgets.allocate(
        actor=carried.actor,
        decision_ref=carried.proposal.ref,
        body=body,
        hours=carried.terms["hours"],
        starts_at=carried.decided_at,
        until=until,
    )
    return {"budget": made.decision_ref, "hours": made.hours, "until": stamp(until)}


def _unallocate(decision: Decision, by: str, at: datetime) -> list[str]:
    Body.objects.select_for_update().get(pk=decision.proposal.body_id)
    changed = budgets.annul(actor=f"decision:{by}", decision_ref=decision.ref, by=by, at=at)
    return [row.subject for row in changed]


# -- Annulments


def _annul(carried: Carried) -> dict[str, Any]:
    """Annul an earlier decision of the body by this one."""
    target = lock_decision(carried.proposal.target_ref)
    if target.is_annulled:
        raise Impossible(
            "annulled-already",
            gettext("Decision %(ref)s is annulled already.") % {"ref": target.ref},
        )
    changed = annul(
        target,
        actor=carried.actor,
        by=carried.proposal.ref,
        annulled_by=carried.proposal.ref,
        reason=carried.proposal.text.summary,
        at=carried.decided_at,
    )
    return {"annulled": target.ref, "changed": changed}


def lock_decision(ref: str) -> Decision:
    """Return a decision with its row locked until the transaction ends."""
    rows = Decision.objects.select_for_update(of=("self",)).select_related("proposal__body")
    return rows.get(proposal__ref=ref)


def annul(
    decision: Decision, *, actor: str, by: str, annulled_by: str, reason: str, at: datetime
) -> list[str]:
    """Annul a decision whose lock the caller holds, and take back what it did.

    Its record stays as it is: what was decided then was decided then. Only the decision's standing
    changes, in public and for good.
    """
    committed = ledger.commit_to({"by": annulled_by, "reason": reason})
    leaf = ledger.append(
        type=Leaf.DECISION_ANNULLED,
        actor=actor,
        subject=decision.proposal.subject,
        digests={"decision": decision.digest},
        commits={"reason": committed.digest},
        facts={"by": f"decision:{by}"},
        at=at,
    )
    ledger.keep_opening(leaf, "reason", committed)
    decision.annulled_at, decision.annulled_by = at, annulled_by
    decision.annulment_reason, decision.annulment_leaf_id = reason, leaf.id
    decision.save(
        update_fields=["annulled_at", "annulled_by", "annulment_reason", "annulment_leaf_id"]
    )
    return reverse(decision, by=by, at=at)


# -- Amendments


def _amend_text(carried: Carried) -> dict[str, Any]:
    """Take an amendment over into the text, whose words nothing could change meanwhile."""
    terms = carried.terms
    parent = Proposal.objects.select_for_update().get(ref=terms["proposal"])
    amendment = parent.amendments.select_related("base", "author").get(vote=carried.proposal)
    base = parent.text
    if parent.status != Status.DELIBERATION or amendment.base_id != base.pk:
        raise Impossible("text-changed", gettext("The text has changed since."))
    settle_amendment(carried.proposal, AmendmentStatus.CARRIED, carried.decided_at)
    revision = write_revision(
        parent,
        amendment.author,
        base.number + 1,
        {**base.document, "text": amendment.text},
        actor=carried.actor,
        amendment=amendment,
    )
    return {
        "proposal": parent.ref,
        "amendment": amendment.number,
        "revision": revision.number,
        "text": revision.digest,
    }


def settle_amendment(vote: Proposal, to: AmendmentStatus, at: datetime) -> None:
    """Give the amendment that a proposal decides on its new state; open again when it does not.

    The caller has the lock of the vote's row; this takes that of the amended proposal.
    """
    amendment = Amendment.objects.select_related("proposal").get(vote=vote)
    Proposal.objects.select_for_update().get(pk=amendment.proposal_id)
    if to not in AMENDMENT_TRANSITIONS[AmendmentStatus(amendment.status)]:
        raise Conflict(gettext("%(amendment)s is not being voted on.") % {"amendment": amendment})
    amendment.status, amendment.status_changed_at = to, at
    if to == AmendmentStatus.OPEN:
        amendment.vote = None
    amendment.save(update_fields=["status", "status_changed_at", "vote"])


_EFFECTS: dict[ProposalType, Effect] = {
    ProposalType.AUTHORISE: authorisations.authorise,
    ProposalType.MOTION: _nothing,
    # An election is never carried: it ends in names, which its sheet holds.
    ProposalType.ELECTION: _nothing,
    ProposalType.RENEW: authorisations.renew,
    ProposalType.SUSPEND: authorisations.suspend,
    ProposalType.RETIRE: authorisations.retire,
    ProposalType.ADOPT_SUITE: criteria.adopt_suite,
    ProposalType.AMEND_CHARTER: charters.amend_charter,
    ProposalType.ADMIT_EVALUATOR: _admit_evaluator,
    ProposalType.ALLOCATE: _allocate,
    ProposalType.ANNUL: _annul,
    ProposalType.AMENDMENT: _amend_text,
}
_REVERSALS: dict[ProposalType, Reversal] = {
    **dict.fromkeys(ProposalType, _nothing_back),
    ProposalType.AUTHORISE: authorisations.ungrant,
    ProposalType.RENEW: authorisations.ungrant,
    ProposalType.SUSPEND: authorisations.unchange,
    ProposalType.RETIRE: authorisations.unchange,
    ProposalType.ADOPT_SUITE: criteria.unadopt_suite,
    ProposalType.AMEND_CHARTER: charters.unamend_charter,
    ProposalType.ADMIT_EVALUATOR: _unadmit_evaluator,
    ProposalType.ALLOCATE: _unallocate,
}
