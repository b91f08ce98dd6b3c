"""The timeline of a use: acts, what the clock alone does, and what is ahead, in the right order."""

from datetime import timedelta

import pytest

from oversight.dashboards.deployment_acts import history
from oversight.ledger.sequencer import sequence_once
from oversight.registry.models import Authorisation
from oversight.registry.services import describe
from oversight.web.clock import database_now
from proposals.choices import ProposalType
from proposals.models import Proposal
from proposals.services import emergency
from tests.factories import (
    make_cast,
    make_decision,
    make_deployment,
    make_model_version,
    quick_charter,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast(charter=quick_charter(review_days=10))


def authorised(cast, deployment, **terms):
    terms = {"days": 60, **terms}
    return make_decision(cast, deployment=deployment, version=make_model_version(), terms=terms)


def told(deployment, later=timedelta(0)):
    sequence_once()
    rows = list(Authorisation.objects.filter(deployment=deployment).with_parts())
    proposals = Proposal.objects.with_parts()
    now = database_now() + later
    return [
        (event["title"].partition(":")[0], event.get("is_ahead", False))
        for event in history(deployment, rows, proposals, now)
    ]


def test_from_registration_to_retirement(cast):
    deployment = make_deployment(cast.operator, cast.organisation)
    describe(by=cast.operator, what=deployment, document={"goal": "Answers."})
    authorised(cast, deployment)
    second = authorised(cast, deployment)
    make_decision(cast, type=ProposalType.SUSPEND, target=second)
    make_decision(cast, type=ProposalType.RETIRE, target=second)
    assert told(deployment) == [
        ("Registered", False),
        ("Described by the operator", False),
        ("Proposed", False),
        ("Authorised and live", False),
        ("Proposed", False),
        ("Replaced", False),
        ("Authorised and live", False),
        ("Proposed", False),
        ("Suspended", False),
        ("Proposed", False),
        ("Retired", False),
    ]


def test_what_is_ahead_moves_into_the_past_at_its_second_without_a_job(cast):
    deployment = make_deployment()
    authorised(cast, deployment)
    now, ahead = told(deployment)[-1], told(deployment)[-2:]
    assert ahead == [
        ("The renewal is drafted by itself", True),
        ("Ends unless it is renewed", True),
    ]
    assert now[1]
    assert told(deployment, timedelta(days=61))[-1] == ("Expired", False)


def test_an_emergency_lapses_in_the_timeline_as_at_the_gate(cast):
    deployment = make_deployment()
    row = Authorisation.objects.get(decision_ref=authorised(cast, deployment).ref)
    emergency.suspend_at_once(by=cast.clerk, authorisation=row, reason="It gave out addresses.")
    assert ("Suspension lapses unless ratified", True) in told(deployment)
    until = Authorisation.objects.get(pk=row.pk).suspended_until - database_now()
    assert ("Suspension lapsed", False) in told(deployment, until + timedelta(seconds=1))


def test_the_page_shows_conditions_and_timeline(client, cast):
    deployment = make_deployment()
    authorised(cast, deployment, conditions={"regions": ["CH"], "maximum_temperature": "0.7"})
    sequence_once()
    page = client.get(deployment.get_absolute_url()).content.decode()
    assert "regions: CH; temperature: at most 0.7" in page
    assert "<dt>Regions</dt><dd>CH</dd>" in page
    assert "is-latest" in page
