"""A server that lets through what it must not is contradicted by its own log."""

import pytest
from django.db import transaction

from evals import effects as budgets
from evals.models import ComputeBudget
from oversight.ledger.sequencer import sequence_once
from oversight.registry import effects as registry
from oversight.registry.models import Authorisation
from proposals.choices import ProposalType, StatementKind
from proposals.effects import charters
from proposals.services import annulment, emergency, statements
from tests.audit.conftest import bundle_of
from tests.audit.test_effects_replayed import CRITERION, authorised
from tests.factories import make_decision, make_proposal, make_run, quick_charter


def suspended_by_a_member(world, patch):
    patch.setattr("proposals.policy.can_suspend_at_once", lambda *who: True)
    emergency.suspend_at_once(
        by=world.cast.member,
        authorisation=Authorisation.objects.get(decision_ref=world.decision.ref),
        reason="I do not like it.",
    )


def suspended_for_ever(world, patch):
    real = registry.suspend_at_once
    far = world.decision.decided_at.replace(year=2099, microsecond=0)
    patch.setattr(registry, "suspend_at_once", lambda **told: real(**told | {"until": far}))
    emergency.suspend_at_once(
        by=world.cast.clerk,
        authorisation=Authorisation.objects.get(decision_ref=world.decision.ref),
        reason="It gave out addresses.",
    )


def annulled_by_an_outsider(world, patch):
    patch.setattr("proposals.policy.can_state_reasons", lambda *who: True)
    annulment.record_ruling(
        by=world.cast.outsider, decision=world.decision, authority="Me", reason="Because."
    )


def more_taken_back_than_was_done(world, patch):
    other = authorised(world.cast)
    decision = make_decision(world.cast)
    patch.setattr(
        "proposals.effects.reverse",
        lambda decision, *, by, at: registry.annul_grant(
            actor=f"decision:{by}", decision_ref=other.ref, by=by
        ),
    )
    annulment.record_ruling(
        by=world.cast.clerk, decision=decision, authority="Court", reason="Because."
    )


def another_charter_than_was_voted_on(world, patch):
    real, other = charters._put_in_force, quick_charter(voting_hours=1)
    patch.setattr(charters, "_put_in_force", lambda body, _, **told: real(body, other, **told))
    decided = {"base": 1, "charter": quick_charter(voting_hours=24)}
    make_decision(world.cast, type=ProposalType.AMEND_CHARTER, terms=decided)


def other_conditions_than_were_voted_on(world, patch):
    real = registry.grant_authorisation
    loose = {"conditions": {"regions": ["DE"]}}
    patch.setattr(registry, "grant_authorisation", lambda **told: real(**told | loose))
    authorised(world.cast, terms={"conditions": {"regions": ["CH"]}})


def a_standing_criterion_left_out(world, patch):
    adopt = {"suite": world.suite.digest, "criteria": [CRITERION]}
    make_decision(world.cast, type=ProposalType.ADOPT_SUITE, terms=adopt)
    patch.setattr("proposals.services.drafting._ask_standing_criteria", lambda *who: None)
    authorised(world.cast)


def a_dissent_of_the_winners(world, patch):
    patch.setattr(statements, "lost", lambda *who: True)
    statements.make_statement(
        by=world.cast.member,
        decision=make_decision(world.cast),
        kind=StatementKind.DISSENT,
        text="I won, and yet.",
    )


def drafted_by_whom_the_charter_does_not_name(world, patch):
    patch.setattr("proposals.policy.can_propose", lambda *who: True)
    make_proposal(world.cast, by=world.cast.outsider)


def more_hours_than_were_voted(world, patch):
    real = budgets.allocate
    patch.setattr(budgets, "allocate", lambda **told: real(**told | {"hours": 99}))
    make_decision(world.cast, type=ProposalType.ALLOCATE, terms={"hours": 9})


def a_budget_for_longer_than_the_charter_says(world, patch):
    real, far = budgets.allocate, world.decision.decided_at.replace(year=2099, microsecond=0)
    patch.setattr(budgets, "allocate", lambda **told: real(**told | {"until": far}))
    make_decision(world.cast, type=ProposalType.ALLOCATE, terms={"hours": 9})


def a_budget_that_nobody_voted(world, patch):
    with transaction.atomic():
        budgets.allocate(
            actor=f"decision:{world.decision.ref}",
            decision_ref="2026-999",
            body=world.cast.body,
            hours=9,
            starts_at=world.decision.decided_at,
            until=world.decision.decided_at.replace(year=2099),
        )


def two_budgets_at_once(world, patch):
    make_decision(world.cast, type=ProposalType.ALLOCATE, terms={"hours": 9})
    patch.setattr(budgets, "_end", lambda row, **told: type(row).objects.filter(pk=row.pk).delete())
    make_decision(world.cast, type=ProposalType.ALLOCATE, terms={"hours": 9})


def a_run_paid_by_what_had_ended(world, patch):
    make_decision(world.cast, type=ProposalType.ALLOCATE, terms={"hours": 9})
    ended = ComputeBudget.objects.get()
    make_decision(world.cast, type=ProposalType.ALLOCATE, terms={"hours": 9})
    patch.setattr("evals.services.runs.paying_budget", lambda body: ended)
    make_run(world.cast.member, world.suite, world.version, body=world.cast.body)


@pytest.mark.parametrize(
    ("lets_through", "words"),
    [
        (suspended_by_a_member, "the charter does not let"),
        (suspended_for_ever, "another time than the charter says"),
        (annulled_by_an_outsider, "is no clerk of the body"),
        (more_taken_back_than_was_done, "changes what that did not do"),
        (another_charter_than_was_voted_on, "the charter in force from now on"),
        (other_conditions_than_were_voted_on, "the conditions of the authorisation"),
        (a_standing_criterion_left_out, "what the body asks of all such"),
        (a_dissent_of_the_winners, "was not on the losing side"),
        (more_hours_than_were_voted, "the hours that it allocated"),
        (a_budget_for_longer_than_the_charter_says, "the end of the budget"),
        (a_budget_that_nobody_voted, "what allocates it"),
        (two_budgets_at_once, "still stands"),
        (a_run_paid_by_what_had_ended, "its budget does not stand"),
        (drafted_by_whom_the_charter_does_not_name, "has no seat in"),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
def test_what_must_not_happen_is_seen(world, verify_here, monkeypatch, lets_through, words):
    lets_through(world, monkeypatch)
    sequence_once()
    status, report = verify_here(bundle_of())
    wrong = [each["says"] for each in report["checks"] if each["verdict"] == "contradicts"]
    assert status == 1
    assert any(words in says for says in wrong), wrong
