"""Annulments: by a new decision or an authority's ruling, and what they take back."""

import pytest

from oversight.accounts.models import EvaluatorAdmission
from oversight.ledger.models import Opening, PendingLeaf
from oversight.registry.choices import AuthorisationState
from oversight.registry.models import Authorisation
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.choices import ProposalType
from proposals.models import Charter, Decision, SuiteAdoption
from proposals.services import annulment
from tests.factories import (
    make_cast,
    make_decision,
    make_deployment,
    make_model_version,
    make_proposal,
    make_suite,
    quick_charter,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def authorised(cast, **fields):
    fields = {"deployment": make_deployment(), "version": make_model_version()} | fields
    return make_decision(cast, **fields)


def rule(cast, decision, **words):
    words = {"authority": "Administrative Court, VB.2026.1", "reason": "No hearing."} | words
    return annulment.record_ruling(by=cast.clerk, decision=decision, **words)


def annul(cast, decision):
    return make_decision(cast, type=ProposalType.ANNUL, target=decision)


def state(decision):
    return Authorisation.objects.get(decision_ref=decision.ref).state


BOTH = pytest.mark.parametrize("act", [rule, annul])


@BOTH
def test_an_annulled_authorisation_ends_and_what_it_replaced_stands_again(cast, act):
    first = authorised(cast)
    deployment = first.proposal.deployment
    second = authorised(cast, deployment=deployment)
    act(cast, second)
    assert (state(first), state(second)) == ("granted", "revoked")
    found = Decision.objects.get(pk=second.pk)
    assert found.is_annulled
    assert found.record == second.record


@BOTH
def test_what_has_expired_meanwhile_does_not_come_back(cast, act):
    first = authorised(cast)
    second = authorised(cast, deployment=first.proposal.deployment)
    Authorisation.objects.filter(decision_ref=first.ref).update(ends_at=database_now())
    act(cast, second)
    assert (state(first), state(second)) == ("superseded", "revoked")


@BOTH
def test_what_a_later_decision_has_replaced_stays_replaced(cast, act):
    first = authorised(cast)
    deployment = first.proposal.deployment
    second, third = (authorised(cast, deployment=deployment) for _ in range(2))
    act(cast, second)
    assert (state(first), state(second), state(third)) == ("superseded", "revoked", "granted")
    act(cast, third)
    assert state(second) == "revoked"


@BOTH
@pytest.mark.parametrize("kind", [ProposalType.SUSPEND, ProposalType.RETIRE])
def test_an_annulled_suspension_or_end_is_undone(cast, act, kind):
    first = authorised(cast)
    ended = make_decision(cast, type=kind, target=first)
    assert state(first) != AuthorisationState.GRANTED
    act(cast, ended)
    assert state(first) == AuthorisationState.GRANTED


@BOTH
def test_an_end_is_not_undone_where_something_else_stands_since(cast, act):
    first = authorised(cast)
    retired = make_decision(cast, type=ProposalType.RETIRE, target=first)
    second = authorised(cast, deployment=first.proposal.deployment)
    act(cast, retired)
    assert (state(first), state(second)) == ("revoked", "granted")


@BOTH
def test_an_annulled_amendment_brings_the_charter_before_it_back_as_the_next(cast, act):
    document = quick_charter(voting_hours=24)
    decision = make_decision(
        cast, type=ProposalType.AMEND_CHARTER, terms={"base": 1, "charter": document}
    )
    act(cast, decision)
    first, _, third = Charter.objects.filter(body=cast.body).order_by("number")
    assert third.document == first.document


@BOTH
def test_an_annulled_adoption_and_admission_end(cast, act):
    suite = make_suite(cast.evaluator)
    criterion = {
        "task": "facts",
        "metric": "acc",
        "comparison": "at_least",
        "threshold": "0.6",
        "must_pass": True,
    }
    adopted = make_decision(
        cast,
        type=ProposalType.ADOPT_SUITE,
        terms={"suite": suite.digest, "criteria": [criterion]},
    )
    admitted = make_decision(
        cast,
        type=ProposalType.ADMIT_EVALUATOR,
        terms={"organisation": "office", "name": "Office"},
    )
    act(cast, adopted)
    act(cast, admitted)
    assert not SuiteAdoption.objects.filter(ended_at=None).exists()
    assert not EvaluatorAdmission.objects.filter(ended_at=None).exists()


def test_an_annulment_is_on_the_record_with_its_reason(cast):
    decision = make_decision(cast)
    rule(cast, decision)
    leaf = PendingLeaf.objects.get(type="proposals.decision.annulled")
    assert (leaf.actor, leaf.subject) == (cast.clerk.actor, f"proposal:{decision.ref}")
    assert leaf.content["digests"]["decision"] == decision.digest
    assert Opening.objects.get(leaf_id=leaf.pk).value == {
        "by": "Administrative Court, VB.2026.1",
        "reason": "No hearing.",
    }


def test_an_annulling_decision_says_what_it_took_back(cast):
    first = authorised(cast)
    annulling = annul(cast, first)
    assert annulling.effect["annulled"] == first.ref
    assert annulling.effect["changed"] == [f"authorisation:{first.ref}"]
    assert Decision.objects.get(pk=first.pk).annulled_by == annulling.ref


def test_nothing_is_annulled_twice_and_no_annulment_is_annulled(cast):
    decision = make_decision(cast)
    annulling = annul(cast, decision)
    for target in (decision, annulling):
        with pytest.raises(Conflict):
            rule(cast, target)
        with pytest.raises(Invalid):
            make_proposal(cast, type=ProposalType.ANNUL, target=target)


def test_a_ruling_during_the_vote_on_an_annulment_leaves_it_without_effect(cast):
    decision = make_decision(cast)
    late = make_proposal(cast, type=ProposalType.ANNUL, target=decision)
    rule(cast, decision)
    assert late.text.number == 1
    with pytest.raises(Conflict):
        rule(cast, decision)


@pytest.mark.parametrize("role", ["member", "chair", "outsider", "auditor", "administrator"])
def test_only_a_clerk_records_a_ruling(cast, role):
    decision = make_decision(cast)
    with pytest.raises(NotAllowed):
        annulment.record_ruling(
            by=cast.named(role), decision=decision, authority="Court", reason="Because."
        )
    assert not Decision.objects.get(pk=decision.pk).is_annulled


@pytest.mark.parametrize(
    ("field", "value"),
    [("authority", ""), ("authority", "x" * 161), ("reason", " "), ("reason", "x" * 1001)],
)
def test_a_ruling_without_authority_or_reason_is_refused(cast, field, value):
    with pytest.raises(Invalid) as refusal:
        rule(cast, make_decision(cast), **{field: value})
    assert field in refusal.value.fields
