"""Reasons, explanations of votes and dissents: by whom, until when, on the record."""

from datetime import timedelta

import pytest

from oversight.ledger.models import Opening, PendingLeaf
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.choices import StatementKind
from proposals.models import Decision, Statement
from proposals.services import closing, roll, statements
from tests.factories import (
    make_ballot,
    make_cast,
    make_decision,
    make_open_vote,
    make_proposal,
    quick_charter,
)

pytestmark = pytest.mark.django_db

REASONS, EXPLANATION, DISSENT = StatementKind


@pytest.fixture
def cast():
    return make_cast()


def state(by, decision, kind, text="It was decided in haste."):
    return statements.make_statement(by=by, decision=decision, kind=kind, text=text)


def test_who_lost_puts_a_dissent_on_the_record(cast):
    decision = make_decision(cast, ("yes", "yes", "no"))
    made = state(cast.chair, decision, DISSENT)
    leaf = PendingLeaf.objects.get(pk=made.leaf_id)
    seat = cast.body.memberships.get(person=cast.chair)
    assert (leaf.actor, leaf.content["facts"]) == (seat.actor, {"kind": "dissent"})
    assert leaf.content["digests"]["decision"] == decision.digest
    assert Opening.objects.get(leaf_id=leaf.pk).value == {"text": "It was decided in haste."}


@pytest.mark.parametrize(
    ("choices", "losers"),
    [
        (("yes", "yes", "no"), {"chair"}),
        (("yes", "no", "no"), {"member"}),
        (("no", "no", "abstain"), set()),
    ],
)
def test_only_the_losing_side_dissents_and_all_voters_explain(cast, choices, losers):
    decision = make_decision(cast, choices)
    for role in ("member", "second_member", "chair"):
        person = cast.named(role)
        offered = statements.kinds_open_to(person, decision, database_now())
        assert (DISSENT in offered) == (role in losers)
        assert EXPLANATION in offered
        if role not in losers:
            with pytest.raises(NotAllowed, match="whose side lost"):
                state(person, decision, DISSENT)


def test_who_delegated_dissents_from_what_the_delegates_ballot_lost():
    cast = make_cast(charter=quick_charter(delegation="transitive"))
    seat = cast.body.memberships.get(person=cast.chair)
    roll.give_delegation(by=cast.member, body=cast.body, to=seat)
    proposal = make_open_vote(cast)
    make_ballot(cast.chair, proposal, "no")
    make_ballot(cast.second_member, proposal, "yes")
    make_ballot(cast.member, proposal, "yes")
    decision = closing.close_vote(by=cast.clerk, proposal=proposal)
    assert DISSENT not in statements.kinds_open_to(cast.member, decision, database_now())
    assert DISSENT in statements.kinds_open_to(cast.chair, decision, database_now())


def test_a_member_speaks_once_and_cannot_change_it(cast):
    decision = make_decision(cast)
    state(cast.chair, decision, EXPLANATION)
    with pytest.raises(Conflict, match="already"):
        state(cast.chair, decision, DISSENT)


def test_the_time_is_that_of_the_votes_charter(cast):
    decision = make_decision(cast)
    Decision.objects.update(decided_at=database_now() - timedelta(hours=168))
    decision.refresh_from_db()
    with pytest.raises(Conflict, match="could be made until"):
        state(cast.chair, decision, DISSENT)
    assert statements.kinds_open_to(cast.chair, decision, database_now()) == []


def test_a_charter_without_time_for_dissents_takes_none():
    cast = make_cast(charter=quick_charter(dissent_hours=0))
    with pytest.raises(Conflict):
        state(cast.chair, make_decision(cast), DISSENT)


def test_a_clerk_states_the_reasons_once_at_any_time(cast):
    decision = make_decision(cast)
    Decision.objects.update(decided_at=database_now() - timedelta(days=400))
    for role in ("member", "outsider", "administrator", "auditor"):
        with pytest.raises(NotAllowed):
            state(cast.named(role), decision, REASONS)
    made = state(cast.clerk, decision, REASONS)
    assert made.membership is None
    with pytest.raises(Conflict, match="on the record already"):
        state(cast.clerk, decision, REASONS)


@pytest.mark.parametrize("role", ["clerk", "outsider", "auditor", "administrator"])
def test_who_had_no_vote_explains_none(cast, role):
    with pytest.raises(NotAllowed):
        state(cast.named(role), make_decision(cast), EXPLANATION)


def test_who_did_not_vote_explains_no_vote(cast):
    proposal = make_open_vote(cast)
    for person in cast.members[:2]:
        make_ballot(person, proposal)
    proposal.contract.closes_at = database_now()
    proposal.contract.opens_at = database_now() - timedelta(hours=1)
    proposal.contract.save()
    decision = closing.close_due_vote(proposal=proposal)
    with pytest.raises(NotAllowed, match="whose vote was counted"):
        state(cast.chair, decision, EXPLANATION)


@pytest.mark.parametrize("text", ["", " \n ", "x" * 10_001, "nul\x00"])
def test_a_statement_that_cannot_be_used_is_refused(cast, text):
    with pytest.raises(Invalid):
        state(cast.chair, make_decision(cast), DISSENT, text)
    assert not Statement.objects.exists()


def test_a_draft_has_no_decision_to_speak_of(cast):
    assert not Decision.objects.filter(proposal=make_proposal(cast)).exists()
