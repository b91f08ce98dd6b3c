"""Lists of the network API ask the database as often for many rows as for few."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

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
