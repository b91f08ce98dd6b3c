"""What decisions do: one function per type of proposal, in the transaction of the decision.

Each has its counterpart that takes it back when the decision is annulled. What has become
impossible since the vote opened raises `Impossible`, and the decision then says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext

from evals import effects as budgets
from evals.models import SuiteVersion
from oversight.accounts import effects as accounts
from oversight.accounts.models import Body
from oversight.ledger import services as ledger
from oversight.registry import effects as registry
from oversight.registry.choices import AuthorisationState
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
from proposals.digests import digest_of
from proposals.models import Amendment, Charter, Decision, Proposal, SuiteAdoption
from proposals.revisions import write_revision


@dataclass(frozen=True, slots=True)
class Carried:
    """A carried proposal as its effect sees it."""

    proposal: Proposal
    terms: Mapping[str, Any]
    """As the contract froze them."""

    decided_at: datetime
    until: datetime | None

    @property
    def actor(self) -> str:
        """The decision as the record names it."""
        return f"decision:{self.proposal.ref}"


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


# -- Authorisations


def _authorise(carried: Carried) -> dict[str, Any]:
    proposal, conditions = carried.proposal, carried.terms.get("conditions", {})
    deployment, version = proposal.deployment, proposal.version
    assert deployment is not None and version is not None  # noqa: S101, PT018 - a check constraint
    registry.grant_authorisation(
        actor=carried.actor,
        decision_ref=proposal.ref,
        deployment=deployment,
        version=version,
        starts_at=carried.decided_at,
        ends_at=carried.until,
        conditions=conditions,
    )
    return {
        "deployment": deployment.slug,
        "version": version.digest,
        **({"conditions": conditions} if conditions else {}),
    }


def _renew(carried: Carried) -> dict[str, Any]:
    """Grant anew what stands, or what has expired without anything in its place."""
    target = carried.proposal.target_ref
    try:
        registry.lock_standing(target)
    except Impossible as found:
        if found.code != "expired":
            raise
    return {**_authorise(carried), "authorisation": target}


def _suspend(carried: Carried) -> dict[str, Any]:
    return _change(carried, AuthorisationState.SUSPENDED)


def _retire(carried: Carried) -> dict[str, Any]:
    return _change(carried, AuthorisationState.REVOKED)


def _change(carried: Carried, to: AuthorisationState) -> dict[str, Any]:
    row = registry.lock_standing(carried.proposal.target_ref)
    try:
        registry.change_authorisation(
            actor=carried.actor, authorisation=row, to=to, decision_ref=carried.proposal.ref
        )
    except Conflict as found:
        raise Impossible(str(row.state), found.detail) from None
    return {"authorisation": row.decision_ref}


def end_emergency(proposal: Proposal) -> dict[str, Any]:
    """Lift the emergency suspension that the body was asked to ratify and did not."""
    row = registry.end_emergency(
        actor=f"decision:{proposal.ref}",
        decision_ref=proposal.target_ref,
        ratification_ref=proposal.ref,
    )
    return {"kind": proposal.type, "restored": proposal.target_ref} if row else {}


def call_off_emergency(proposal: Proposal, *, actor: str) -> None:
    """Lift an emergency suspension whose ratification was withdrawn, or its vote annulled.

    Nothing asks the body any more; else whoever suspended it could keep it so by ending the vote.
    """
    registry.end_emergency(
        actor=actor,
        decision_ref=proposal.target_ref,
        ratification_ref=proposal.ref,
        by=proposal.subject,
    )


def _ungrant(decision: Decision, by: str, at: datetime) -> list[str]:  # noqa: ARG001
    changed = registry.annul_grant(actor=f"decision:{by}", decision_ref=decision.ref, by=by)
    return [row.subject for row in changed]


def _unchange(decision: Decision, by: str, at: datetime) -> list[str]:  # noqa: ARG001
    changed = registry.annul_change(
        actor=f"decision:{by}",
        decision_ref=decision.ref,
        target_ref=decision.proposal.target_ref,
        by=by,
    )
    return [row.subject for row in changed]


# -- Standing criteria


def _adopt_suite(carried: Carried) -> dict[str, Any]:
    """Ask criteria of a suite from now on, in place of those asked of the suite before."""
    body = Body.objects.select_for_update().get(pk=carried.proposal.body_id)
    version = SuiteVersion.objects.select_related("suite").get(digest=carried.terms["suite"])
    criteria = carried.terms["criteria"]
    for earlier in SuiteAdoption.objects.filter(body=body, suite=version.suite, ended_at=None):
        _drop(earlier, actor=carried.actor, by=carried.proposal.ref, at=carried.decided_at)
    if criteria:
        _, digest = digest_of(criteria)
        leaf = ledger.append(
            type=Leaf.SUITE_ADOPTED,
            actor=carried.actor,
            subject=body.subject,
            digests={"suite": version.digest, "criteria": digest},
            facts={"criteria": len(criteria)},
        )
        SuiteAdoption.objects.create(
            body=body,
            suite=version.suite,
            version=version,
            criteria=criteria,
            decision_ref=carried.proposal.ref,
            adopted_at=carried.decided_at,
            leaf_id=leaf.id,
        )
    return {"suite": version.digest, "criteria": criteria}


def _drop(row: SuiteAdoption, *, actor: str, by: str, at: datetime) -> None:
    row.ended_at, row.ended_by = at, by
    row.save(update_fields=["ended_at", "ended_by"])
    ledger.append(
        type=Leaf.SUITE_DROPPED,
        actor=actor,
        subject=row.body.subject,
        digests={"suite": row.version.digest},
        facts={"adopted_by": f"decision:{row.decision_ref}"},
    )


def _unadopt_suite(decision: Decision, by: str, at: datetime) -> list[str]:
    Body.objects.select_for_update().get(pk=decision.proposal.body_id)
    standing = SuiteAdoption.objects.select_related("body", "version__suite")
    row = standing.filter(decision_ref=decision.ref, ended_at=None).first()
    if row is None:
        return []
    _drop(row, actor=f"decision:{by}", by=by, at=at)
    return [f"suite:{row.version.digest}"]


# -- The charter


def _amend_charter(carried: Carried) -> dict[str, Any]:
    """Put the next charter in force. Votes that are open keep the one they were opened under."""
    body = Body.objects.select_for_update().get(pk=carried.proposal.body_id)
    current = Charter.objects.filter(body=body).order_by("-number")[0]
    if current.number != carried.terms["base"]:
        raise Impossible(
            "charter-changed",
            gettext(
                "It was written against charter %(terms)s; charter %(number)s is in force since."
            )
            % {
                "terms": carried.terms["base"],
                "number": current.number,
            },
        )
    made = _put_in_force(
        body,
        carried.terms["charter"],
        number=current.number + 1,
        actor=carried.actor,
        ref=carried.proposal.ref,
        at=carried.decided_at,
    )
    return {"charter": made.number, "digest": made.digest}


def _put_in_force(
    body: Body, document: dict[str, Any], *, number: int, actor: str, ref: str, at: datetime
) -> Charter:
    """Write a charter's next version; the caller holds the lock on the body."""
    _, digest = digest_of(document)
    leaf = ledger.append(
        type=Leaf.CHARTER_ADOPTED,
        actor=actor,
        subject=body.subject,
        digests={"charter": digest},
        facts={"number": number},
    )
    return Charter.objects.create(
        body=body,
        number=number,
        document=document,
        digest=digest,
        decision_ref=ref,
        adopted_at=at,
        leaf_id=leaf.id,
    )


def _unamend_charter(decision: Decision, by: str, at: datetime) -> list[str]:
    """Put the charter before it in force again, unless a later one has replaced it since."""
    body = Body.objects.select_for_update().get(pk=decision.proposal.body_id)
    current, before = Charter.objects.filter(body=body).order_by("-number")[:2]
    if current.decision_ref != decision.ref:
        return []
    made = _put_in_force(
        body,
        before.document,
        number=current.number + 1,
        actor=f"decision:{by}",
        ref=by,
        at=at,
    )
    return [f"charter:{body.slug}:{made.number}"]


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
    ProposalType.AUTHORISE: _authorise,
    ProposalType.MOTION: _nothing,
    # An election is never carried: it ends in names, which its sheet holds.
    ProposalType.ELECTION: _nothing,
    ProposalType.RENEW: _renew,
    ProposalType.SUSPEND: _suspend,
    ProposalType.RETIRE: _retire,
    ProposalType.ADOPT_SUITE: _adopt_suite,
    ProposalType.AMEND_CHARTER: _amend_charter,
    ProposalType.ADMIT_EVALUATOR: _admit_evaluator,
    ProposalType.ALLOCATE: _allocate,
    ProposalType.ANNUL: _annul,
    ProposalType.AMENDMENT: _amend_text,
}
_REVERSALS: dict[ProposalType, Reversal] = {
    **dict.fromkeys(ProposalType, _nothing_back),
    ProposalType.AUTHORISE: _ungrant,
    ProposalType.RENEW: _ungrant,
    ProposalType.SUSPEND: _unchange,
    ProposalType.RETIRE: _unchange,
    ProposalType.ADOPT_SUITE: _unadopt_suite,
    ProposalType.AMEND_CHARTER: _unamend_charter,
    ProposalType.ADMIT_EVALUATOR: _unadmit_evaluator,
    ProposalType.ALLOCATE: _unallocate,
}
