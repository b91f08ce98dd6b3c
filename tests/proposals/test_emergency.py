"""An emergency suspension: at once at the gate, ratified or over, by the clock alone."""

import re
from datetime import timedelta

import pytest
from django.utils.translation import override

from oversight.accounts.models import Notice
from oversight.ledger.models import Opening, PendingLeaf
from oversight.registry import gate
from oversight.registry.choices import GateCode
from oversight.registry.models import Authorisation
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.choices import Origin, ProposalType, Status
from proposals.models import Proposal
from proposals.services import closing, emergency, stages, voting
from tests.factories import (
    make_ballot,
    make_cast,
    make_decision,
    make_deployment,
    make_model_version,
    quick_charter,
)

pytestmark = pytest.mark.django_db

REASON = "It gave out addresses of residents."


def make_authorised(**rules):
    cast = make_cast(charter=quick_charter(**rules))
    return cast, make_decision(cast, deployment=make_deployment(), version=make_model_version())


@pytest.fixture
def scene():
    return make_authorised()


def row_of(decision):
    return Authorisation.objects.get(decision_ref=decision.ref)


def answer(decision, moment=None):
    row = row_of(decision)
    return gate.answer(
        subject=row.version.digest, deployment_slug=row.deployment.slug, moment=moment
    )


def suspend(cast, decision, by=None, reason=REASON):
    return emergency.suspend_at_once(
        by=by or cast.clerk, authorisation=row_of(decision), reason=reason
    )


def vote_on(cast, proposal, *choices):
    stages.fix_text(by=cast.clerk, proposal=proposal)
    voting.open_vote(by=cast.clerk, proposal=proposal)
    for person, choice in zip(cast.members, choices, strict=True):
        make_ballot(person, proposal, choice)
    return closing.close_vote(by=cast.clerk, proposal=proposal)


def test_a_clerk_suspends_at_once_and_the_gate_says_until_when(scene):
    cast, decision = scene
    suspend(cast, decision)
    told = answer(decision)
    assert told.code == GateCode.SUSPENDED
    assert "unless it is ratified" in told.reason
    assert not Authorisation.objects.in_force().exists()


def test_it_lapses_at_the_charters_second_without_any_job(scene):
    cast, decision = scene
    proposal = suspend(cast, decision)
    until = row_of(decision).suspended_until
    assert until == proposal.drafted_at.replace(microsecond=0) + timedelta(hours=336) or (
        abs(until - proposal.drafted_at - timedelta(hours=336)) < timedelta(seconds=2)
    )
    assert answer(decision, until - timedelta(microseconds=1)).code == GateCode.SUSPENDED
    assert answer(decision, until).allowed
    assert Authorisation.objects.in_force(until).exists()
    assert not Authorisation.objects.in_force(until - timedelta(microseconds=1)).exists()


def test_it_asks_the_body_to_ratify_by_itself_and_says_why_in_public(scene):
    cast, decision = scene
    proposal = suspend(cast, decision)
    assert (proposal.type, proposal.status, proposal.origin, proposal.target_ref) == (
        ProposalType.SUSPEND,
        Status.DELIBERATION,
        Origin.EMERGENCY,
        decision.ref,
    )
    assert REASON in proposal.text.body_markdown
    leaf = PendingLeaf.objects.get(type="registry.authorisation.suspended")
    assert leaf.actor == cast.clerk.actor
    assert leaf.content["facts"]["by"] == proposal.subject
    assert Opening.objects.get(leaf_id=leaf.pk).value == {"reason": REASON}
    assert Notice.objects.filter(about=proposal.ref, person=cast.member).exists()


def test_the_ratification_is_written_in_the_language_of_whoever_suspends(scene):
    cast, decision = scene
    with override("fr"):
        text = suspend(cast, decision).text
    assert text.title.startswith("Ratifier la suspension de ")
    assert "devient caduque le " in text.summary
    assert "## Pourquoi tout de suite" in text.body_markdown
    assert not re.search(r"\d{4}-\d\d-\d\dT", text.summary)


def test_ratified_it_lapses_no_more(scene):
    cast, decision = scene
    proposal = suspend(cast, decision)
    until = row_of(decision).suspended_until
    ratified = vote_on(cast, proposal, "yes", "yes", "yes")
    assert ratified.effect == {"kind": "suspend_authorisation", "authorisation": decision.ref}
    assert row_of(decision).suspended_until is None
    assert answer(decision, until + timedelta(days=1)).code == GateCode.SUSPENDED


def test_not_carried_it_is_over_at_once(scene):
    cast, decision = scene
    refused = vote_on(cast, suspend(cast, decision), "no", "no", "yes")
    assert refused.effect == {"kind": "suspend_authorisation", "restored": decision.ref}
    assert answer(decision).allowed
    leaf = PendingLeaf.objects.get(type="registry.authorisation.restored")
    assert leaf.actor == f"decision:{refused.ref}"


@pytest.mark.parametrize("how", ["withdrawn", "annulled"])
def test_what_can_be_ratified_no_more_is_over_at_once(scene, how):
    cast, decision = scene
    proposal = suspend(cast, decision)
    if how == "annulled":
        stages.fix_text(by=cast.clerk, proposal=proposal)
        voting.open_vote(by=cast.clerk, proposal=proposal)
        stages.annul_vote(by=cast.clerk, proposal=proposal, reason="A wrong text.")
    else:
        stages.withdraw(by=cast.clerk, proposal=proposal, reason="It was a false alarm.")
    assert answer(decision).allowed
    leaf = PendingLeaf.objects.get(type="registry.authorisation.restored")
    assert (leaf.actor, leaf.content["facts"]["by"]) == (cast.clerk.actor, proposal.subject)


def test_withdrawn_after_it_lapsed_or_was_decided_otherwise_changes_nothing(scene):
    cast, decision = scene
    proposal = suspend(cast, decision)
    Authorisation.objects.update(suspended_until=database_now())
    make_decision(cast, type=ProposalType.RETIRE, target=decision)
    stages.withdraw(by=cast.clerk, proposal=proposal, reason="It was a false alarm.")
    assert answer(decision).code == GateCode.REVOKED
    assert not PendingLeaf.objects.filter(type="registry.authorisation.restored").exists()


def test_ratified_too_late_it_begins_anew(scene):
    cast, decision = scene
    proposal = suspend(cast, decision)
    Authorisation.objects.update(suspended_until=database_now())
    assert answer(decision).allowed
    vote_on(cast, proposal, "yes", "yes", "yes")
    assert answer(decision).code == GateCode.SUSPENDED


def test_not_carried_after_it_lapsed_changes_nothing(scene):
    cast, decision = scene
    proposal = suspend(cast, decision)
    Authorisation.objects.update(suspended_until=database_now())
    assert vote_on(cast, proposal, "no", "no", "no").effect == {}
    assert answer(decision).allowed


def test_each_authorisation_can_be_suspended_so_once(scene):
    cast, decision = scene
    proposal = suspend(cast, decision)
    with pytest.raises(Conflict, match="is under way"):
        suspend(cast, decision)
    vote_on(cast, proposal, "no", "no", "no")
    with pytest.raises(Conflict, match=r"has ended\. Only the body"):
        suspend(cast, decision)


@pytest.mark.parametrize(
    ("emergency_by", "allowed"),
    [
        ("none", set()),
        ("clerk", {"clerk"}),
        ("chair", {"chair"}),
        ("clerk_or_chair", {"clerk", "chair"}),
    ],
)
def test_the_charter_says_who_suspends_at_once(emergency_by, allowed):
    cast, decision = make_authorised(emergency=emergency_by)
    for role in ("member", "chair", "clerk", "outsider", "auditor", "administrator"):
        if role in allowed:
            continue
        with pytest.raises(NotAllowed):
            suspend(cast, decision, cast.named(role))
    assert answer(decision).allowed
    for role in sorted(allowed)[:1]:
        suspend(cast, decision, cast.named(role))
        assert answer(decision).code == GateCode.SUSPENDED


def test_a_charter_that_does_not_know_emergencies_lets_nobody():
    charter = quick_charter()
    for rules in charter.values():
        rules.pop("emergency", None)
        rules.pop("emergency_hours", None)
    cast = make_cast(charter=charter)
    decision = make_decision(cast, deployment=make_deployment(), version=make_model_version())
    with pytest.raises(NotAllowed):
        suspend(cast, decision)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "nul\x00"])
def test_a_suspension_without_a_usable_reason_is_refused(scene, reason):
    cast, decision = scene
    with pytest.raises(Invalid) as refusal:
        suspend(cast, decision, reason=reason)
    assert "reason" in refusal.value.fields
    assert not Proposal.objects.filter(origin=Origin.EMERGENCY).exists()


def test_what_is_not_in_force_cannot_be_suspended(scene):
    cast, decision = scene
    make_decision(cast, type=ProposalType.RETIRE, target=decision)
    with pytest.raises(Conflict, match="was revoked"):
        suspend(cast, decision)
    assert not Proposal.objects.filter(origin=Origin.EMERGENCY).exists()
