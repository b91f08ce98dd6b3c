"""Lists cost the same number of queries whatever they hold."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories
from tests.incidents.made import make_incident


def cost(client, address):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def grow(world):
    """Add two of everything that the lists show."""
    for _ in range(2):
        world.decide()
        factories.make_open_vote(world.cast)
        proposal = factories.make_deliberated_proposal(
            world.cast, version=world.version, deployment=world.deployment
        )
        factories.make_criterion(world.cast, proposal, world.suite)
        other = factories.make_model_version(
            world.cast.evaluator,
            model_slug=world.version.model.slug,
            label=f"x{factories.next_number()}",
        )
        run = factories.make_run(world.cast.evaluator, world.suite, other)
        factories.finish_run(run, world.worker)
        factories.make_deployment(world.cast.operator, world.cast.organisation)
        factories.make_suite(world.cast.evaluator)
        make_incident(world.cast.clerk, deployments=[world.deployment])


def add_first_cards(world):
    """Add what makes a list non-empty, so that only its length grows afterwards."""
    factories.make_open_vote(world.cast)
    proposal = factories.make_deliberated_proposal(
        world.cast, version=world.version, deployment=world.deployment
    )
    factories.make_criterion(world.cast, proposal, world.suite)
    make_incident(world.cast.clerk, deployments=[world.deployment])


@pytest.mark.parametrize(
    ("page", "budget"),
    [
        ("home", 18),
        ("incidents", 11),
        ("in_service", 11),
        ("findings", 5),
        ("deciding", 11),
        ("model", 14),
        ("deployment", 14),
        ("suite", 11),
        ("overview", 14),
        ("task", 7),
        ("body", 10),
        ("record", 6),
        ("decision", 21),
        ("run", 5),
    ],
)
def test_a_page_costs_no_more_queries_with_more_rows(client, world, page, budget):
    address = {
        "home": "/",
        "incidents": "/incidents/",
        "in_service": "/in-service/",
        "findings": "/findings/",
        "deciding": "/deciding/",
        "model": world.version.model.get_absolute_url(),
        "deployment": world.deployment.get_absolute_url(),
        "suite": world.suite.suite.get_absolute_url(),
        "overview": "/findings/overview/",
        "task": f"{world.suite.suite.get_absolute_url()}tasks/facts/",
        "body": f"/bodies/{world.cast.body.slug}/",
        "record": "/record/",
        "decision": world.decision.get_absolute_url(),
        "run": world.run.get_absolute_url(),
    }[page]
    add_first_cards(world)
    before = cost(client, address)
    grow(world)
    assert cost(client, address) == before
    assert before <= budget


def test_my_work_costs_no_more_queries_with_more_votes(client, world):
    add_first_cards(world)
    client.force_login(world.cast.member)
    before = cost(client, "/my/")
    grow(world)
    assert cost(client, "/my/") == before
