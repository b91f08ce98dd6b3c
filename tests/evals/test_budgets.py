"""Budgets of compute: voted by a body, spent by its evaluations, and what happens beyond them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from evals import budgets
from evals.choices import RunState, TaskRunState
from evals.models import ComputeBudget, Run, TaskRun
from evals.services import checks, leases
from evals.services.budgets import stop_spent
from evals.services.runs import request_replication, request_run
from evals.tasks import check_endpoints, stop_spent_budgets
from oversight.ledger.models import Opening, PendingLeaf
from oversight.web.refusals import Conflict, Invalid
from proposals.choices import ProposalType
from tests.factories import (
    make_body,
    make_cast,
    make_criterion,
    make_decision,
    make_deliberated_proposal,
    make_deployment,
    make_model_version,
    make_question_suite,
    make_suite,
    quick_charter,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_nudges(monkeypatch):
    monkeypatch.setattr("evals.services.runs.nudge_workers", lambda resource_class: None)


@pytest.fixture
def cast():
    return make_cast(charter=quick_charter())


def allocate(cast, hours=10, choices=("yes", "yes", "yes"), **terms):
    return make_decision(cast, choices, type=ProposalType.ALLOCATE, terms={"hours": hours, **terms})


def ask(cast, body=None):
    return request_run(
        by=cast.member,
        suite_version=make_question_suite(),
        model_version=make_model_version(),
        body=body or cast.body,
    )


def use(run, hours):
    """Let hosts have held the run's work for so many hours."""
    run.task_runs.update(busy_seconds=Decimal(hours) * 3600)


def standing(cast):
    return ComputeBudget.objects.get(body=cast.body, ended_at=None)


# -- The decision


def test_a_carried_decision_allocates_and_its_leaf_says_how_much(cast):
    decision = allocate(cast, hours=10, days=30)
    row = standing(cast)
    assert (row.hours, row.decision_ref) == (10, decision.ref)
    assert row.until == decision.decided_at + timedelta(days=30)
    assert decision.effect["budget"] == decision.ref
    leaf = PendingLeaf.objects.get(type="evals.budget.allocated")
    assert (leaf.actor, leaf.subject) == (f"decision:{decision.ref}", row.subject)
    assert leaf.content["facts"]["hours"] == 10
    assert leaf.content["facts"]["body"] == cast.body.slug


def test_not_carried_it_allocates_nothing(cast):
    allocate(cast, choices=("no", "no", "yes"))
    assert not ComputeBudget.objects.exists()


def test_it_lasts_no_longer_than_the_charter_lets_anything_last(cast):
    longest = quick_charter()["authorise_deployment"]["sunset_days"]
    decision = allocate(cast)
    assert standing(cast).until == decision.decided_at + timedelta(days=longest)
    with pytest.raises(Invalid) as refusal:
        allocate(cast, days=longest + 1)
    assert "days" in refusal.value.fields


def test_another_takes_its_place_and_an_annulment_brings_it_back(cast):
    first = allocate(cast, hours=10)
    second = allocate(cast, hours=20)
    assert standing(cast).decision_ref == second.ref
    make_decision(cast, type=ProposalType.ANNUL, target=second)
    assert standing(cast).decision_ref == first.ref
    make_decision(cast, type=ProposalType.ANNUL, target=first)
    assert not ComputeBudget.objects.filter(ended_at=None).exists()
    # What was never voted limits nothing.
    assert ask(cast).budget is None


def test_annulling_what_was_replaced_since_changes_nothing(cast):
    first = allocate(cast)
    second = allocate(cast, hours=20)
    make_decision(cast, type=ProposalType.ANNUL, target=first)
    assert standing(cast).decision_ref == second.ref


def test_what_stands_follows_from_the_log_alone(cast):
    other = make_cast(charter=quick_charter())
    first = allocate(cast)
    second = allocate(cast, hours=20)
    allocate(other, hours=5)
    make_decision(cast, type=ProposalType.ANNUL, target=second)
    leaves = PendingLeaf.objects.filter(type__startswith="evals.budget.").order_by("position")
    found = budgets.standing_by_the_log(leaf.content for leaf in leaves)
    rows = ComputeBudget.objects.filter(ended_at=None).select_related("body")
    assert found == {row.body.slug: row.subject for row in rows}
    assert found[cast.body.slug] == f"budget:{first.ref}"
    assert not Opening.objects.filter(leaf_id__in=leaves.values("id")).exists()


# -- Asking


def test_a_body_that_voted_none_has_no_limit(cast):
    assert ask(cast).budget is None


def test_what_is_evidence_for_no_proposal_is_charged_to_no_budget_whoever_asks(cast):
    allocate(cast, hours=1)
    use(ask(cast), hours=1)
    with pytest.raises(Conflict, match="is spent"):
        ask(cast)
    asked = {"by": cast.member, "suite_version": make_question_suite()}
    version = make_model_version()
    request_run(**asked, model_version=version)
    request_replication(**asked, model_version=version, organisations=2, tolerance="0.02")
    checks.plan_checks(**asked, version=version, with_weights=True)
    assert check_endpoints() == 1
    own = Run.objects.filter(model_version=version)
    assert [run.budget for run in own] == [None] * 4
    assert stop_spent() == 1


def test_a_run_within_the_budget_says_what_pays_for_it(cast):
    allocate(cast)
    run = ask(cast)
    assert run.budget == standing(cast)
    leaf = PendingLeaf.objects.get(pk=run.leaf_id)
    assert leaf.content["facts"]["budget"] == run.budget.subject


def test_a_run_beyond_the_budget_is_refused_and_leaves_nothing(cast):
    allocate(cast, hours=10)
    use(ask(cast), 10)
    with pytest.raises(Conflict, match=r"is spent: 10\.0 of 10 hours"):
        ask(cast)
    assert Run.objects.count() == 1
    # Others have their own.
    assert ask(cast, body=make_body()).budget is None
    allocate(cast, hours=1)
    assert ask(cast).budget.hours == 1


def test_a_budget_whose_time_is_over_pays_for_nothing_until_another_is_voted(cast):
    allocate(cast)
    now = timezone.now()
    ComputeBudget.objects.update(starts_at=now - timedelta(days=2), until=now)
    with pytest.raises(Conflict, match="ended on"):
        ask(cast)
    allocate(cast)
    ask(cast)


def test_the_page_of_a_proposal_refuses_with_409_and_says_what_to_do(cast, client):
    allocate(cast, hours=1)
    use(ask(cast), 2)
    proposal = make_deliberated_proposal(
        cast, version=make_model_version(), deployment=make_deployment()
    )
    make_criterion(cast, proposal, make_suite(cast.evaluator))
    client.force_login(cast.member)
    answer = client.post(reverse("proposal-evaluate", args=[proposal.ref]))
    assert answer.status_code == 409
    assert "The body can vote another." in answer.content.decode()
    by_api = client.post(reverse("api-evaluations", args=[proposal.ref]))
    assert (by_api.status_code, "is spent" in by_api.json()["detail"]) == (409, True)
    assert not Run.objects.filter(purpose=proposal.subject).exists()


# -- Spending


def test_every_attempt_counts_whatever_came_of_it(cast):
    allocate(cast)
    run = ask(cast)
    task_run = cast.machine.claim()
    earlier = timezone.now() - timedelta(minutes=30)
    TaskRun.objects.filter(pk=task_run.pk).update(started_at=earlier)
    (held,) = budgets.standings([run.budget])
    assert Decimal("0.49") < held.used_hours < Decimal("0.51")
    leases.hear_failure(
        worker=cast.machine.worker,
        task_run_id=task_run.pk,
        token=task_run.lease_token,
        code="out-of-disk",
        message="Full.",
    )
    (given_back,) = budgets.standings([run.budget])
    assert Decimal("0.49") < given_back.used_hours < Decimal("0.51")
    again = cast.machine.claim()
    TaskRun.objects.filter(pk=again.pk).update(started_at=earlier)
    (twice,) = budgets.standings([run.budget])
    assert Decimal("0.99") < twice.used_hours < Decimal("1.01")


def test_what_runs_is_stopped_when_the_budget_is_spent_and_says_why(cast):
    allocate(cast, hours=1)
    running, waiting = ask(cast), ask(cast)
    task_run = cast.machine.claim()
    assert task_run.run_id == running.pk
    assert stop_spent_budgets() == 0
    long_ago = timezone.now() - timedelta(hours=2)
    TaskRun.objects.filter(pk=task_run.pk).update(started_at=long_ago)
    assert stop_spent_budgets() == 2
    waiting.refresh_from_db()
    assert waiting.state == RunState.CANCELLED
    assert "budget of 1 hours" in waiting.reason
    beat = {"worker": cast.machine.worker, "task_run_id": task_run.pk}
    beat |= {"token": task_run.lease_token, "stage": "running", "done": 1, "total": 20}
    assert leases.hear_heartbeat(**beat) is True
    leases.hear_failure(
        worker=cast.machine.worker,
        task_run_id=task_run.pk,
        token=task_run.lease_token,
        code="cancelled",
        message="Told to stop.",
    )
    running.refresh_from_db()
    assert running.state == RunState.CANCELLED
    assert "is spent" in running.reason
    part = running.task_runs.get()
    assert (part.state, "is spent" in part.reason) == (TaskRunState.CANCELLED, True)
    leaf = PendingLeaf.objects.filter(type="evals.run.cancelled", subject=running.subject).get()
    assert (leaf.actor, leaf.content["facts"]["budget"]) == (
        "system:budget",
        running.budget.subject,
    )
    assert stop_spent() == 0


def test_a_run_of_another_budget_goes_on(cast):
    allocate(cast, hours=1)
    old = ask(cast)
    use(old, 2)
    allocate(cast, hours=1)
    new = ask(cast)
    assert stop_spent() == 1
    new.refresh_from_db()
    assert new.state == RunState.QUEUED


# -- What everybody sees


def test_budgets_stand_on_the_compute_page_and_as_data(cast, client):
    allocate(cast, hours=10)
    use(ask(cast), 4)
    allocate(make_cast(charter=quick_charter()), hours=7)
    page = client.get("/compute/").content.decode()
    assert 'id="budgets"' in page
    for words in ("6.00", "4.00"):
        assert words in page
    rows = client.get("/compute.json").json()["budgets"]
    mine = next(row for row in rows if row["body"] == cast.body.slug)
    assert (mine["state"], mine["used_hours"], mine["left_hours"], mine["runs"]) == (
        "open",
        "4.0000",
        "6.0000",
        1,
    )
    assert mine in client.get("/api/v1/budgets/").json()["results"]
    assert cast.body.slug in client.get("/compute/budgets.csv").content.decode()


def test_the_decision_and_the_proposal_say_it_in_words(cast, client):
    decision = allocate(cast, hours=1200)
    page = client.get(decision.get_absolute_url()).content.decode()
    assert "It allocated 1,200 hours of hosts." in page
    client.force_login(cast.member)
    form = client.get(f"/proposals/new/?type={ProposalType.ALLOCATE.value}")
    assert "Hours of hosts" in form.content.decode()
