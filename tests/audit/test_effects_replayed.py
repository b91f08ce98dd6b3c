"""Every effect, emergency and annulment is played again from the log, and a forged one is seen."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from oversight.ledger.sequencer import sequence_once
from oversight.registry.models import Authorisation
from oversight.web.clock import database_now
from proposals.choices import ProposalType, StatementKind
from proposals.models import Decision, Proposal
from proposals.services import (
    annulment,
    attachments,
    closing,
    emergency,
    scheduling,
    stages,
    statements,
    voting,
)
from proposals.tasks import look_ahead, open_due_votes
from tests import factories
from tests.audit.conftest import bundle_of
from tests.factories import make_decision, quick_charter

CRITERION = {
    "task": "facts",
    "metric": "acc",
    "comparison": "at_least",
    "threshold": "0.5",
    "must_pass": False,
}


def proven(result):
    status, report = result
    wrong = [c for c in report["checks"] if c["verdict"] not in {"proven", "note"}]
    assert (status, report["verdict"], wrong) == (0, "proven", [])
    return report


def authorised(cast, **fields):
    made = {"deployment": factories.make_deployment(), "version": factories.make_model_version()}
    return make_decision(cast, **made | fields)


def ratification(cast, decision, *choices):
    proposal = emergency.suspend_at_once(
        by=cast.clerk,
        authorisation=Authorisation.objects.get(decision_ref=decision.ref),
        reason="It gave out addresses.",
    )
    stages.fix_text(by=cast.clerk, proposal=proposal)
    voting.open_vote(by=cast.clerk, proposal=proposal)
    for person, choice in zip(cast.members, choices, strict=True):
        factories.make_ballot(person, proposal, choice)
    return closing.close_vote(by=cast.clerk, proposal=proposal)


def test_all_that_decisions_do_is_proven(world, verify):
    cast = world.cast
    terms = {"conditions": {"regions": ["CH"]}, "days": 20, "review_days": 5}
    kept = authorised(cast, terms=terms)
    make_decision(cast, type=ProposalType.RENEW, target=kept)
    make_decision(cast, type=ProposalType.SUSPEND, target=authorised(cast))
    make_decision(cast, type=ProposalType.RETIRE, target=authorised(cast))
    ratification(cast, authorised(cast), "yes", "yes", "yes")
    ratification(cast, authorised(cast), "no", "no", "yes")
    adopt = {"suite": world.suite.digest, "criteria": [CRITERION]}
    make_decision(cast, type=ProposalType.ADOPT_SUITE, terms=adopt)
    factories.make_proposal(cast, version=world.version, deployment=world.deployment)
    charter = {"base": 1, "charter": quick_charter(proposers="members_and_clerks")}
    make_decision(cast, type=ProposalType.AMEND_CHARTER, terms=charter)
    stages.open_deliberation(by=cast.clerk, proposal=factories.make_proposal(cast, by=cast.clerk))
    office = {"organisation": "office", "name": "Statistics office"}
    make_decision(cast, type=ProposalType.ADMIT_EVALUATOR, terms=office)
    make_decision(cast, type=ProposalType.ALLOCATE, terms={"hours": 9, "days": 20})
    factories.make_run(cast.member, world.suite, world.version, body=cast.body)
    make_decision(cast, type=ProposalType.ALLOCATE, terms={"hours": 18})
    sequence_once()
    proven(verify(bundle_of()))


def test_a_standing_comparison_is_proven_also_of_the_version_it_names(world, verify):
    cast = world.cast
    asked = CRITERION | {
        "comparison": "not_worse",
        "threshold": "0.3",
        "beside": world.version.digest,
        "must_pass": True,
    }
    terms = {"suite": world.suite.digest, "criteria": [asked]}
    make_decision(cast, type=ProposalType.ADOPT_SUITE, terms=terms)
    other = factories.make_model_version(cast.evaluator)
    for version in (world.version, other):
        proposal = factories.make_deliberated_proposal(
            cast, version=version, deployment=factories.make_deployment()
        )
        run = factories.make_run(cast.member, world.suite, version, purpose=proposal.subject)
        factories.finish_run(run, world.worker, right=70)
        decided = factories.decide(cast, proposal)
        assert not decided.is_override
    sequence_once()
    proven(verify(bundle_of()))


def test_a_lapsed_suspension_and_the_gates_answer_are_proven(world, verify):
    cast = world.cast
    short = quick_charter(emergency_hours=72)
    charter = {"base": 1, "charter": short}
    make_decision(cast, type=ProposalType.AMEND_CHARTER, terms=charter)
    emergency.suspend_at_once(
        by=cast.clerk,
        authorisation=Authorisation.objects.get(decision_ref=world.decision.ref),
        reason="It gave out addresses.",
    )
    sequence_once()
    report = proven(verify(bundle_of()))
    assert any("in service by decision: nothing" in check["says"] for check in report["checks"])


@pytest.mark.parametrize("how", ["withdrawn", "annulled"])
def test_a_suspension_that_can_be_ratified_no_more_is_proven_lifted(world, verify, how):
    cast = world.cast
    proposal = suspended(world)
    if how == "annulled":
        stages.fix_text(by=cast.clerk, proposal=proposal)
        voting.open_vote(by=cast.clerk, proposal=proposal)
        stages.annul_vote(by=cast.clerk, proposal=proposal, reason="A wrong text.")
    else:
        stages.withdraw(by=cast.clerk, proposal=proposal, reason="It was a false alarm.")
    sequence_once()
    report = proven(verify(bundle_of()))
    assert any(world.decision.ref in check["says"] for check in report["checks"])


def test_a_suspension_kept_by_withdrawing_what_would_ratify_it_is_seen(world, verify, monkeypatch):
    monkeypatch.setattr("proposals.services.stages.call_off_emergency", lambda *_, **__: None)
    stages.withdraw(by=world.cast.clerk, proposal=suspended(world), reason="I know better.")
    sequence_once()
    status, report = verify(bundle_of())
    wrong = [each["says"] for each in report["checks"] if each["verdict"] == "contradicts"]
    assert status == 1
    assert any("what asked to ratify that has ended" in says for says in wrong)


def suspended(world):
    return emergency.suspend_at_once(
        by=world.cast.clerk,
        authorisation=Authorisation.objects.get(decision_ref=world.decision.ref),
        reason="It gave out addresses.",
    )


@pytest.mark.parametrize("by_ruling", [True, False])
def test_annulments_are_proven_with_what_they_take_back(world, verify, by_ruling):
    cast = world.cast
    first = authorised(cast)
    second = authorised(cast, deployment=first.proposal.deployment)
    retired = make_decision(cast, type=ProposalType.RETIRE, target=authorised(cast))
    charter = {"base": 1, "charter": quick_charter(voting_hours=24)}
    amended = make_decision(cast, type=ProposalType.AMEND_CHARTER, terms=charter)
    office = {"organisation": "office", "name": "Statistics office"}
    admitted = make_decision(cast, type=ProposalType.ADMIT_EVALUATOR, terms=office)
    adopt = {"suite": world.suite.digest, "criteria": [CRITERION]}
    adopted = make_decision(cast, type=ProposalType.ADOPT_SUITE, terms=adopt)
    make_decision(cast, type=ProposalType.ALLOCATE, terms={"hours": 9})
    allocated = make_decision(cast, type=ProposalType.ALLOCATE, terms={"hours": 18})
    for decision in (second, retired, admitted, adopted, allocated, amended):
        if by_ruling:
            words = {"authority": "Court", "reason": "No hearing."}
            annulment.record_ruling(by=cast.clerk, decision=decision, **words)
        else:
            make_decision(cast, type=ProposalType.ANNUL, target=decision)
    sequence_once()
    proven(verify(bundle_of()))


def test_statements_and_a_vote_that_the_clock_opened_are_proven(world, verify):
    cast = world.cast
    proposal = factories.make_final_proposal(cast)
    opens_at = database_now() + timedelta(seconds=1)
    scheduling.schedule_vote(by=cast.clerk, proposal=proposal, opens_at=opens_at)
    decision = make_decision(cast, ("yes", "yes", "no"))
    words = {"decision": decision, "text": "So it is."}
    statements.make_statement(by=cast.clerk, kind=StatementKind.REASONS, **words)
    statements.make_statement(by=cast.chair, kind=StatementKind.DISSENT, **words)
    statements.make_statement(by=cast.member, kind=StatementKind.EXPLANATION, **words)
    while not open_due_votes():
        pass
    sequence_once()
    proven(verify(bundle_of()))


REVIEWED = {"days": 90, "review_days": 1}


def let_the_clock_draft(world, monkeypatch, *, later, terms=None):
    """Let the clock draft a renewal, as the log sees it so much later."""
    made = authorised(world.cast, terms=terms or {"days": 1})
    if terms:
        Decision.objects.filter(pk=made.pk).update(review_at=database_now())
    Authorisation.objects.filter(decision_ref=made.ref).update(
        starts_at=database_now() - timedelta(days=2)
    )
    moment = database_now() + later
    with monkeypatch.context() as patch:
        patch.setattr("oversight.ledger.services.timezone", SimpleNamespace(now=lambda: moment))
        look_ahead()
        draft, clerk = Proposal.objects.get(origin="clock"), world.cast.clerk
        attachments.add_attachment(by=clerk, proposal=draft, name="a.txt", data=b"words")
    assert Proposal.objects.filter(origin="clock").exists()
    sequence_once()


def test_a_renewal_drafted_in_time_by_the_clock_and_completed_by_a_clerk_is_proven(
    world, verify, monkeypatch
):
    let_the_clock_draft(world, monkeypatch, later=timedelta(hours=13))
    proven(verify(bundle_of()))


def test_a_renewal_drafted_at_the_review_is_proven(world, verify, monkeypatch):
    let_the_clock_draft(world, monkeypatch, later=timedelta(days=2), terms=REVIEWED)
    proven(verify(bundle_of()))


def test_a_renewal_drafted_before_the_review_is_seen(world, verify, monkeypatch):
    let_the_clock_draft(world, monkeypatch, later=timedelta(hours=20), terms=REVIEWED)
    status, report = verify(bundle_of())
    wrong = [each["says"] for each in report["checks"] if each["verdict"] == "contradicts"]
    assert status == 1
    assert any("it was drafted long before the end" in says for says in wrong)


def test_a_review_that_the_text_does_not_have_is_seen(world, verify, monkeypatch):
    monkeypatch.setattr(
        "proposals.services.closing._review", lambda _, now: now + timedelta(days=1)
    )
    authorised(world.cast)
    sequence_once()
    status, report = verify(bundle_of())
    wrong = [each["says"] for each in report["checks"] if each["verdict"] == "contradicts"]
    assert status == 1
    assert any("the review of what was decided" in says for says in wrong)


def test_a_renewal_drafted_long_before_the_end_is_seen(world, verify, monkeypatch):
    let_the_clock_draft(world, monkeypatch, later=timedelta(hours=1))
    status, report = verify(bundle_of())
    wrong = [each["says"] for each in report["checks"] if each["verdict"] == "contradicts"]
    assert status == 1
    assert any("it was drafted long before the end" in says for says in wrong)
