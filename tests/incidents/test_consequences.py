"""What an incident leads to: a suspension with its clock, and a proposal to the body."""

import pytest

from oversight.incidents.choices import Linked, Status
from oversight.incidents.services import consequences, handling, links
from oversight.incidents.shown import suspensions_of
from oversight.ledger.models import PendingLeaf
from oversight.registry import gate
from oversight.registry.models import Authorisation
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.choices import ProposalType
from proposals.choices import Status as Stage
from proposals.models import Proposal
from tests.factories import (
    make_cast,
    make_decision,
    make_deployment,
    make_model_version,
    quick_charter,
)
from tests.incidents.made import TITLE, make_incident, make_report

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    cast = make_cast(charter=quick_charter())
    decision = make_decision(cast, deployment=make_deployment(), version=make_model_version())
    row = Authorisation.objects.get(decision_ref=decision.ref)
    incident = make_incident(cast.clerk, deployments=[row.deployment])
    return cast, row, incident


def suspend(cast, row, incident, by=None):
    return consequences.suspend_at_once(
        by=by or cast.clerk, incident=incident, authorisation=row, reason="It names debts."
    )


def allowed(row):
    answer = gate.answer(subject=row.version.digest, deployment_slug=row.deployment.slug)
    return answer.allowed


def test_a_clerk_suspends_from_the_incident_and_the_clock_is_shown(scene):
    cast, row, incident = scene
    assert consequences.suspendable(cast.clerk, incident) == [row]
    proposal = suspend(cast, row, incident)
    assert not allowed(row)
    link = incident.links.get(kind=Linked.SUSPENSION)
    assert link.proposal == proposal
    row.refresh_from_db()
    incident = type(incident).objects.with_parts().get(pk=incident.pk)
    assert suspensions_of([incident]) == {proposal.pk: row}
    assert row.suspended_until is not None
    leaf = PendingLeaf.objects.get(pk=link.leaf_id)
    assert leaf.content["facts"]["to"] == proposal.subject
    assert consequences.suspendable(cast.clerk, incident) == []
    with pytest.raises(Conflict, match="stays linked"):
        links.unlink(by=cast.clerk, link=link)


def test_what_the_incident_is_not_about_is_not_suspended_from_it(scene):
    cast, row, _ = scene
    other = make_incident(cast.clerk)
    with pytest.raises(Conflict, match="link it first"):
        suspend(cast, row, other)
    assert allowed(row)


def test_who_does_not_handle_it_does_not_suspend(scene):
    cast, row, incident = scene
    for role in ("member", "chair", "outsider", "auditor", "administrator", "operator"):
        with pytest.raises(NotAllowed):
            suspend(cast, row, incident, by=cast.named(role))
        assert consequences.suspendable(cast.named(role), incident) == []
    assert allowed(row)


def test_a_suspension_that_is_refused_leaves_nothing_behind(scene):
    cast, row, incident = scene
    suspend(cast, row, incident)
    before = PendingLeaf.objects.count()
    with pytest.raises(Conflict, match="suspended in an emergency before"):
        suspend(cast, row, incident)
    assert PendingLeaf.objects.count() == before
    assert Proposal.objects.filter(type=ProposalType.SUSPEND).count() == 1


def test_a_member_drafts_the_fitting_proposal_in_one_step(scene):
    cast, row, incident = scene
    proposal = consequences.propose_review(by=cast.member, incident=incident)
    assert (proposal.type, proposal.status, proposal.proposer, proposal.target_ref) == (
        ProposalType.SUSPEND,
        Stage.DRAFT,
        cast.member,
        row.decision_ref,
    )
    text = proposal.text
    assert incident.ref in text.title
    assert f"[{incident.ref}]({incident.get_absolute_url()})" in text.body_markdown
    assert TITLE in text.body_markdown
    assert incident.links.get(kind=Linked.REVIEW).proposal == proposal


def test_what_is_suspended_already_is_proposed_to_end(scene):
    cast, row, incident = scene
    suspend(cast, row, incident)
    assert (
        consequences.propose_review(by=cast.member, incident=incident).type == ProposalType.RETIRE
    )


def test_where_nothing_serves_the_body_is_asked_what_to_do(scene):
    cast, _, _ = scene
    incident = make_incident(cast.clerk)
    proposal = consequences.propose_review(by=cast.member, incident=incident)
    assert (proposal.type, proposal.target_ref) == (ProposalType.MOTION, "")
    with pytest.raises(Invalid, match="No use"):
        consequences.propose_review(by=cast.member, incident=incident, type=ProposalType.RETIRE)
    with pytest.raises(Invalid, match="asks for no such proposal"):
        consequences.propose_review(by=cast.member, incident=incident, type=ProposalType.ELECTION)


def test_who_may_not_propose_and_what_nobody_triaged_start_no_proposal(scene):
    cast, _, incident = scene
    for role in ("outsider", "clerk", "auditor", "administrator"):
        assert not consequences.can_review(cast.named(role), incident)
        with pytest.raises(NotAllowed):
            consequences.propose_review(by=cast.named(role), incident=incident)
    raw, _ = make_report()
    with pytest.raises(Conflict, match="triage it first"):
        consequences.propose_review(by=cast.member, incident=raw)
    assert consequences.can_review(cast.member, incident)


def test_hidden_words_come_into_no_proposal(scene):
    cast, _, incident = scene
    handling.hide_text(by=cast.clerk, incident=incident, reason="It names a person.")
    proposal = consequences.propose_review(by=cast.member, incident=incident)
    assert TITLE not in proposal.text.body_markdown + proposal.text.title + proposal.text.summary
    assert incident.status == Status.TRIAGED
