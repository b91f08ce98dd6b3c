"""A model's page: every decision about its versions, and incidents where they served."""

from datetime import timedelta

import pytest

from oversight.incidents.models import Incident
from oversight.registry.models import Authorisation
from proposals.choices import ProposalType
from tests import factories
from tests.incidents.made import make_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client, world):
    def show():
        return client.get(world.version.model.get_absolute_url()).content.decode()

    return show


def test_an_incident_of_a_use_stands_with_the_model_that_served_it_then(world, page):
    incident = make_incident(world.cast.clerk, deployments=[world.deployment])
    assert incident.get_absolute_url() in page()

    # Reported before the model began to serve there, it was about another.
    began = Authorisation.objects.get().starts_at
    Incident.objects.update(reported_at=began - timedelta(seconds=1))
    assert incident.get_absolute_url() not in page()


def test_an_incident_after_the_end_of_an_authorisation_is_not_its_models(world, page):
    incident = make_incident(world.cast.clerk, deployments=[world.deployment])
    Authorisation.objects.update(state="revoked", state_changed_at=incident.reported_at)
    assert incident.get_absolute_url() in page()
    Incident.objects.update(reported_at=incident.reported_at + timedelta(seconds=1))
    assert incident.get_absolute_url() not in page()


def test_an_incident_after_an_authorisation_has_run_out_is_not_its_models(world, page):
    incident = make_incident(world.cast.clerk, deployments=[world.deployment])
    Authorisation.objects.update(ends_at=incident.reported_at)
    assert incident.get_absolute_url() in page()
    Incident.objects.update(reported_at=incident.reported_at + timedelta(seconds=1))
    assert incident.get_absolute_url() not in page()


def test_an_incident_while_a_model_is_suspended_stays_with_it(world, page):
    incident = make_incident(world.cast.clerk, deployments=[world.deployment])
    before = incident.reported_at - timedelta(seconds=1)
    Authorisation.objects.update(state="suspended", state_changed_at=before)
    assert incident.get_absolute_url() in page()


def test_the_day_on_which_it_happened_counts_where_it_is_known(world, page):
    incident = make_incident(world.cast.clerk, deployments=[world.deployment])
    began = Authorisation.objects.get().starts_at
    Incident.objects.update(occurred_on=began.date() - timedelta(days=2))
    assert incident.get_absolute_url() not in page()
    Incident.objects.update(occurred_on=began.date(), reported_at=began + timedelta(days=900))
    Authorisation.objects.update(state="revoked", state_changed_at=began + timedelta(days=2))
    assert incident.get_absolute_url() in page()


def test_an_incident_of_another_use_is_not_on_the_page(world, page):
    other = factories.make_deployment(world.cast.operator, world.cast.organisation)
    incident = make_incident(world.cast.clerk, deployments=[other])
    assert incident.get_absolute_url() not in page()


def test_a_proposal_about_what_authorised_a_version_is_on_its_page(world, page):
    retired = factories.make_deliberated_proposal(
        world.cast,
        type=ProposalType.RETIRE,
        title="End the helpdesk's model",
        target=world.decision,
    )
    assert world.decision.get_absolute_url() in page()
    assert retired.get_absolute_url() in page()
