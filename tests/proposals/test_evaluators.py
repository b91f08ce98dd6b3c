"""Where a charter asks for admitted evaluators, nobody else's suites and results count."""

import json

import pytest

from evals.choices import Outcome
from oversight.accounts.choices import OrganisationRole
from oversight.accounts.services import affiliate
from oversight.ledger.sequencer import sequence_once
from oversight.web.refusals import Conflict, Invalid
from proposals.choices import ProposalType
from proposals.models import Proposal
from proposals.readiness import judgements_of
from proposals.services import annulment, closing, stages, voting
from tests import factories
from tests.audit.conftest import bundle_of, program
from tests.dashboards.conftest import own_log, record_can_be_emptied_between_tests  # noqa: F401
from tests.ledger.record_fixtures import _log_folder  # noqa: F401

pytestmark = pytest.mark.django_db

CRITERION = {
    "task": "facts",
    "metric": "acc",
    "comparison": "at_least",
    "threshold": "0.5",
    "must_pass": True,
}


@pytest.fixture(autouse=True)
def no_nudges(monkeypatch):
    monkeypatch.setattr("evals.services.runs.nudge_workers", lambda resource_class: None)


@pytest.fixture
def cast():
    return factories.make_cast(charter=factories.quick_charter(evaluators="admitted"))


@pytest.fixture
def suite(cast):
    return factories.make_suite(cast.evaluator)


@pytest.fixture
def proposal(cast):
    version, deployment = factories.make_model_version(), factories.make_deployment()
    return factories.make_deliberated_proposal(cast, version=version, deployment=deployment)


def admit(cast):
    """Let the body admit the organisation of the standing cast."""
    organisation = {"organisation": cast.organisation.slug, "name": cast.organisation.name}
    return factories.make_decision(cast, type=ProposalType.ADMIT_EVALUATOR, terms=organisation)


def a_strangers_worker(cast):
    return factories.make_worker(cast.administrator, factories.make_organisation())


def run_by(cast, proposal, suite, worker):
    run = factories.make_run(cast.member, suite, proposal.version, purpose=proposal.subject)
    return factories.finish_run(run, worker, right=70)


def decide(cast, proposal):
    stages.fix_text(by=cast.clerk, proposal=proposal)
    contract = voting.open_vote(by=cast.clerk, proposal=proposal)
    for person in cast.members:
        factories.make_ballot(person, proposal, "yes")
    closing.close_vote(by=cast.clerk, proposal=Proposal.objects.get(pk=proposal.pk))
    return contract


def verified(tmp_path, capsys, **scope):
    """Return what the verifier ends with and says of a bundle."""
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle_of(**scope))
    status = program.main([str(path), "--json"])
    return status, json.loads(capsys.readouterr().out)["checks"]


def test_a_suite_of_an_evaluator_who_is_not_admitted_asks_nothing(cast, proposal, suite):
    with pytest.raises(Invalid, match="only suites of evaluators that it has admitted") as refused:
        factories.make_criterion(cast, proposal, suite)
    assert "suite" in refused.value.fields
    admit(cast)
    factories.make_criterion(cast, proposal, suite)


def test_a_suite_that_the_body_adopted_may_be_asked_whoever_published_it(cast, proposal, suite):
    adopt = {"suite": suite.digest, "criteria": [CRITERION]}
    factories.make_decision(cast, type=ProposalType.ADOPT_SUITE, terms=adopt)
    factories.make_criterion(cast, proposal, suite, threshold="0.4")


def test_only_results_of_admitted_organisations_answer_a_criterion(cast, proposal, suite):
    admitted = admit(cast)
    factories.make_criterion(cast, proposal, suite, threshold="0.5")
    stranger = a_strangers_worker(cast)
    run_by(cast, proposal, suite, stranger)
    assert [j.outcome for j in judgements_of(proposal)] == [Outcome.NO_RESULT]
    with pytest.raises(
        Conflict, match="No admitted evaluator has a result yet for “Facts on public services”"
    ):
        stages.fix_text(by=cast.clerk, proposal=proposal)
    own = run_by(cast, proposal, suite, cast.machine.worker)
    run_by(cast, proposal, suite, stranger)
    assert [j.run for j in judgements_of(proposal)] == [own]
    words = {"authority": "Court", "reason": "It was not heard."}
    annulment.record_ruling(by=cast.clerk, decision=admitted, **words)
    assert [j.outcome for j in judgements_of(proposal)] == [Outcome.NO_RESULT]


def test_without_the_rule_everybodys_results_count(suite):
    cast = factories.make_cast()
    version, deployment = factories.make_model_version(), factories.make_deployment()
    proposal = factories.make_deliberated_proposal(cast, version=version, deployment=deployment)
    factories.make_criterion(cast, proposal, suite, threshold="0.5")
    run_by(cast, proposal, suite, a_strangers_worker(cast))
    assert [j.outcome for j in judgements_of(proposal)] == [Outcome.MET]
    assert "evaluators" not in decide(cast, proposal).content


def test_an_evaluator_of_another_organisation_becomes_none_by_a_colleague(cast, proposal):
    admit(cast)
    other = factories.make_organisation()
    stranger = factories.make_evaluator(other)
    with pytest.raises(Invalid):
        factories.make_criterion(cast, proposal, factories.make_suite(stranger))
    affiliate(
        by=cast.administrator,
        person=stranger,
        organisation=cast.organisation,
        role=OrganisationRole.EVALUATOR,
    )
    factories.make_criterion(cast, proposal, factories.make_suite(stranger))


def test_the_contract_names_them_and_the_verifier_proves_it(
    cast, proposal, suite, tmp_path, capsys
):
    admit(cast)
    factories.make_criterion(cast, proposal, suite, threshold="0.5")
    run_by(cast, proposal, suite, cast.machine.worker)
    run_by(cast, proposal, suite, a_strangers_worker(cast))
    assert decide(cast, proposal).content["evaluators"] == [cast.organisation.slug]
    sequence_once()
    for scope in ({}, {"decision": proposal.ref}):
        status, checks = verified(tmp_path, capsys, **scope)
        wrong = [c for c in checks if c["verdict"] not in {"proven", "note"}]
        assert (status, wrong) == (0, [])


@pytest.mark.parametrize(
    ("judged_by_all", "words"),
    [("evaluators.counted_organisations", "by no evaluator"), ("services", "suite is of no")],
)
def test_a_server_that_counts_others_is_contradicted(
    cast,
    proposal,
    suite,
    tmp_path,
    capsys,
    monkeypatch,
    judged_by_all,
    words,
):
    if judged_by_all == "services":
        monkeypatch.setattr("proposals.services.drafting.asks_for_admission", lambda _: False)
        factories.make_criterion(cast, proposal, suite, threshold="0.5")
        admit(cast)
    else:
        admit(cast)
        factories.make_criterion(cast, proposal, suite, threshold="0.5")
        monkeypatch.setattr("proposals.readiness.counted_organisations", lambda _: None)
    run_by(cast, proposal, suite, a_strangers_worker(cast))
    if judged_by_all == "services":
        run_by(cast, proposal, suite, cast.machine.worker)
    decide(cast, proposal)
    sequence_once()
    status, checks = verified(tmp_path, capsys)
    wrong = [c["says"] for c in checks if c["verdict"] == "contradicts"]
    assert status == 1
    assert any(words in says for says in wrong), wrong


def test_the_rule_is_told_in_words_where_authorisations_are_decided(client, cast):
    page = client.get(f"/bodies/{cast.body.slug}/").content.decode()
    assert "only from workers of the evaluators that the body has admitted" in page
