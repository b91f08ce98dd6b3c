"""Lists of the network API ask the database as often for many rows as for few."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from proposals.models import Decision
from tests import factories


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/v1/proposals/", "/api/v1/decisions/"])
def test_a_list_costs_no_more_queries_with_more_rows(client, address):
    cast = factories.make_cast()

    def cost():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            rows = client.get(address).json()["results"]
        return len(asked), len(rows)

    factories.make_decision(cast)
    few = cost()
    for _ in range(3):
        factories.make_decision(cast)
        factories.make_deliberated_proposal(cast)
    many = cost()
    assert many[1] > few[1]
    assert many[0] == few[0]
    titles = [row["title"] for row in client.get(address).json()["results"]]
    assert all(titles)


@pytest.mark.django_db
def test_decisions_are_filtered_by_what_people_ask_for(client):
    here, there = factories.make_cast(), factories.make_cast()
    first, second = factories.make_decision(here), factories.make_decision(there)

    def refs(**asked):
        answer = client.get("/api/v1/decisions/", asked)
        assert answer.status_code == 200, answer.content
        return {row["ref"] for row in answer.json()["results"]}

    assert refs(body=here.body.slug) == {first.ref}
    assert refs(outcome="carried") == {first.ref, second.ref}
    assert refs(outcome="tied") == set()
    assert refs(type="authorise_deployment") | refs(type="general_motion") == {
        first.ref,
        second.ref,
    }
    # Decisions are stamped in whole seconds, and two of a fast test share one.
    earlier = second.decided_at - timedelta(hours=1)
    Decision.objects.filter(pk=first.pk).update(decided_at=earlier)
    moment = second.decided_at.isoformat()
    assert refs(since=moment) == {second.ref}
    assert refs(until=moment) == {first.ref}


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [{"outcome": "won"}, {"since": "yesterday"}, {"colour": "red"}])
def test_a_filter_of_decisions_that_cannot_be_used_is_refused(client, asked):
    answer = client.get("/api/v1/decisions/", asked)
    assert answer.status_code == 400
    (name,) = asked
    said = answer.json()["errors"][name]
    assert "outcome" not in asked or "Use one of carried, " in said
