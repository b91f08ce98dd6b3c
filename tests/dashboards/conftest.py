"""A small world on the record, and the ways the tests look at its pages."""

import re
from dataclasses import dataclass

import pytest

from evals.models import Run, SuiteVersion, Worker
from oversight.dashboards.tables.dictionary import FORMS, LISTS
from oversight.ledger.sequencer import sequence_once
from oversight.registry.models import Deployment, ModelVersion
from proposals.models import Decision, Proposal
from proposals.services import casting, closing, stages, voting
from tests import factories
from tests.incidents.made import make_incident
from tests.ledger.record_fixtures import (  # noqa: F401 - fixtures are found by their name here
    _log_folder,
    own_log,
    record_can_be_emptied_between_tests,
)


@pytest.fixture(autouse=True)
def no_nudges(monkeypatch):
    """Leave the broker out; it has tests of its own."""
    monkeypatch.setattr("evals.services.runs.nudge_workers", lambda resource_class: None)


@dataclass
class World:
    """One of everything that the public pages show."""

    cast: factories.Cast
    suite: SuiteVersion
    version: ModelVersion
    deployment: Deployment
    worker: Worker
    run: Run
    decision: Decision

    def decide(self, choices=("yes", "yes", "yes"), *, right=70, threshold="0.65") -> Decision:
        """Hold another vote on the same use, with one criterion and one run as its evidence."""
        proposal = factories.make_deliberated_proposal(
            self.cast,
            version=self.version,
            deployment=self.deployment,
            # Asked for where the criterion turns out not to be met.
            terms={"override_reason": "Staff check every answer."} if right < 70 else {},
        )
        factories.make_criterion(self.cast, proposal, self.suite, threshold=threshold)
        run = factories.make_run(
            self.cast.member, self.suite, self.version, purpose=proposal.subject
        )
        self.run = factories.finish_run(run, self.worker, right=right)
        stages.fix_text(by=self.cast.clerk, proposal=proposal)
        voting.open_vote(by=self.cast.clerk, proposal=proposal)
        for person, choice in zip(self.cast.members, choices, strict=True):
            casting.cast_ballot(by=person, proposal=proposal, choice=choice)
        proposal = Proposal.objects.get(pk=proposal.pk)
        return closing.close_vote(by=self.cast.clerk, proposal=proposal)


@pytest.fixture
def world(db) -> World:
    """Return a decided, evaluated, sequenced world."""
    cast = factories.make_cast()
    suite = factories.make_suite(cast.evaluator)
    found = World(
        cast=cast,
        suite=suite,
        version=factories.make_model_version(cast.evaluator),
        deployment=factories.make_deployment(cast.operator, cast.organisation),
        worker=factories.make_worker(cast.administrator, cast.organisation),
        run=None,
        decision=None,
    )
    found.decision = found.decide()
    sequence_once()
    return found


@pytest.fixture
def addresses(world):
    """Return the address of every public page of the world."""
    run, decision = world.run, world.decision
    incident = make_incident(world.cast.clerk, deployments=[world.deployment])
    return [
        incident.get_absolute_url(),
        f"{incident.get_absolute_url()}oecd.json",
        "/",
        "/in-service/",
        world.version.model.get_absolute_url(),
        f"{world.version.model.get_absolute_url()}card.md",
        f"/versions/{world.version.digest}/card.md",
        world.deployment.get_absolute_url(),
        world.deployment.endpoint.get_absolute_url(),
        f"/versions/{world.version.digest}/changes/{world.version.digest}/",
        f"/versions/{world.version.digest}/changes/{world.version.digest}.json",
        "/findings/",
        world.suite.suite.get_absolute_url(),
        world.suite.get_absolute_url(),
        f"{world.suite.suite.get_absolute_url()}tasks/facts/",
        f"{world.suite.suite.get_absolute_url()}tasks/facts.json",
        f"{world.suite.suite.get_absolute_url()}tasks/facts.csv",
        "/findings/overview/?show=map",
        f"/charts/run/{run.ref}/",
        f"/charts/run/{run.ref}/embed/",
        f"/charts/run/{run.ref}.json",
        f"/charts/run/{run.ref}.csv",
        f"/charts/task/{world.suite.suite.slug}.facts/",
        f"/charts/turnout/{world.cast.body.slug}/",
        run.get_absolute_url(),
        f"{run.get_absolute_url()}samples/facts/",
        f"{run.get_absolute_url()}results.csv",
        f"{world.suite.suite.get_absolute_url()}history.json",
        f"{world.suite.suite.get_absolute_url()}history.csv",
        f"{world.suite.suite.get_absolute_url()}history.parquet",
        f"{run.get_absolute_url()}results.parquet",
        f"/compare/?run={run.ref}",
        "/deciding/",
        decision.get_absolute_url(),
        f"{decision.get_absolute_url()}record.json",
        f"{decision.get_absolute_url()}contract.json",
        *(f"{decision.get_absolute_url()}{form}" for form in REPORTS),
        *(f"{world.deployment.get_absolute_url()}{form}" for form in REPORTS),
        f"{world.deployment.get_absolute_url()}registers/",
        *(f"{world.deployment.get_absolute_url()}registers/{name}.json" for name in REGISTERS),
        *(f"/registers/{name}.json" for name in REGISTERS),
        *(f"/feeds/{name}.atom" for name in FEEDS),
        f"/bodies/{world.cast.body.slug}/",
        f"/bodies/{world.cast.body.slug}/charters/1/",
        f"/bodies/{world.cast.body.slug}/participation/",
        f"/bodies/{world.cast.body.slug}/participation.json",
        f"/bodies/{world.cast.body.slug}/participation.csv",
        f"/bodies/{world.cast.body.slug}/members.csv",
        f"/bodies/{world.cast.body.slug}/participation.parquet",
        f"/bodies/{world.cast.body.slug}/members.parquet",
        f"/bodies/{world.cast.body.slug}/members/{world.cast.member.memberships.get().public_id}/",
        f"/bodies/{world.cast.body.slug}/moderation/",
        f"{decision.proposal.get_absolute_url()}moderation/",
        f"{decision.proposal.get_absolute_url()}opinions/",
        *FIXED,
        "/record/0/",
        "/record/0/leaf.json",
    ]


FEEDS = ("proposals", "decisions", "runs")
REGISTERS = ("algoritmeregister", "atrs", "annex-viii")
REPORTS = ("report/", "report.json", "report.pdf")

FIXED = (
    "/models/",
    "/findings/overview/",
    "/findings/overview.json",
    "/findings/overview.csv",
    "/deployments/",
    "/endpoints/",
    "/compare/",
    "/compute/",
    "/compute.json",
    "/compute.csv",
    "/compute/budgets.csv",
    "/compute/by-model.csv",
    "/compute/by-body.csv",
    "/compute/by-run.csv",
    "/search/",
    "/search/?q=the",
    "/incidents/",
    "/incidents.json",
    "/incidents.csv",
    "/incidents/oecd.json",
    "/incidents/feed.atom",
    "/incidents/statistics/",
    "/incidents/statistics.json",
    "/incidents/statistics.csv",
    "/record/",
    "/record/check/",
    "/count/",
    "/how-to-verify/",
    "/data/",
    "/data/catalogue.jsonld",
    "/data/dictionary/",
    "/data/dictionary.json",
    *(f"/data/{table.name}.{form}" for table in LISTS for form in FORMS),
    "/incidents.parquet",
    "/incidents/statistics.parquet",
    "/compute.parquet",
    "/compute/budgets.parquet",
    *(f"/compute/by-{by}.parquet" for by in ("model", "body", "run")),
    "/accessibility/",
    "/ns/evaluation-result/v1",
    "/ns/gate-answer/v1",
    "/api/docs/",
    "/api/schema/",
)
"""Pages that are there whatever is on the record."""

EMPTY = ("/", "/in-service/", "/findings/", "/deciding/", *FIXED)


@pytest.fixture
def words():
    """Return a function that gives a page's text without its tags, spaces made single."""

    def read(response):
        body = re.sub(r"<(script|style)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
        return " ".join(re.sub(r"<[^>]*>", " ", body).split())

    return read
