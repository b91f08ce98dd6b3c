"""The proposal's page costs the same number of queries however much was said on it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from proposals.services import arguments
from proposals.services.discussion import Quoted
from tests import factories
from tests.proposals.opinions.crowds import crowd

pytestmark = pytest.mark.django_db
BUDGET = 40


def talk(cast, proposal, number):
    """Add one of everything that is said on a page."""
    person = factories.make_person(f"Person {number}")
    passage = Quoted(1, "At most 20 requests a minute for each caller.")
    first = factories.make_comment(person, proposal, "Hm.", passage=passage)
    factories.make_comment(cast.member, proposal, "Yes.", parent=first)
    factories.make_comment(person, proposal, "@The chair, why?", is_question=True)
    made = factories.make_argument(person, proposal)
    arguments.support_argument(by=cast.member, argument=made)
    factories.make_statement(person, proposal)


@pytest.mark.parametrize("role", ["anonymous", "outsider", "second_member", "clerk"])
def test_the_page_costs_no_more_queries_with_more_talk(client, role):
    cast = factories.make_cast()
    proposal = factories.make_deliberated_proposal(cast)
    if person := cast.named(role):
        client.force_login(person)
    factories.make_amendment(cast.second_member, proposal, "answers at night", "answers by day")

    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(proposal.get_absolute_url()).status_code == 200
        return len(queries)

    for number in range(7):  # with more than five open questions one query counts the rest
        talk(cast, proposal, number)
    factories.make_opinions(proposal, crowd((8, 7), 7).rows)
    factories.draw_map(proposal)
    before = cost()
    for number in range(7, 10):
        talk(cast, proposal, number)
    factories.make_amendment(cast.chair, proposal, "A person takes over", "Somebody takes over")
    assert cost() == before
    assert before <= BUDGET
