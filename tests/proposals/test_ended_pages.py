"""What pages say when a proposal has ended, and where a charter does not know a thing."""

import pytest
from django.urls import reverse

from proposals.charter_chapters import chapters, in_common
from proposals.choices import ProposalType
from proposals.services.arguments import support_argument
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return factories.make_cast()


def decided(cast, *, said):
    proposal = factories.make_deliberated_proposal(cast)
    if said:
        support_argument(by=cast.chair, argument=factories.make_argument(cast.outsider, proposal))
        factories.make_argument(cast.chair, proposal)
        factories.make_statement(cast.member, proposal, "A person must take over.")
    return factories.decide(cast, proposal)


def page(client, address):
    return client.get(address).content.decode()


def test_nothing_is_announced_on_what_has_ended(client, cast):
    proposal = decided(cast, said=False).proposal
    for name in ("proposal", "proposal-arguments", "proposal-opinions"):
        said = page(client, reverse(name, args=[proposal.ref]))
        said = said[said.index("<main") :]
        assert " yet" not in said, name
        assert "See the opinion map" not in said, name
    assert "There is no map." in said
    assert "Nobody made a statement" in said


def test_a_map_that_came_about_for_want_of_answers_is_not_offered(client, cast):
    proposal = decided(cast, said=True).proposal
    said = page(client, proposal.get_absolute_url())
    assert "See the statements" in said
    assert "Nobody argued against it." in said
    assert "1 of 1 supports" in said
    assert "Nobody supported it" in said
    assert "0 of" not in said


def test_a_decision_leads_to_what_was_argued_and_stated(client, cast):
    decision = decided(cast, said=True)
    said = page(client, decision.get_absolute_url())
    assert f'{reverse("proposal-arguments", args=[decision.ref])}">the arguments</a>' in said
    assert f'{reverse("proposal-statements", args=[decision.ref])}">the statements</a>' in said
    assert "the arguments" not in page(client, decided(cast, said=False).get_absolute_url())


def test_who_cannot_delegate_is_not_told_to(client, cast):
    proposal = factories.make_deliberated_proposal(cast)
    client.force_login(cast.member)
    said = page(client, proposal.get_absolute_url())
    assert "Delegate your vote" not in said
    assert "Declare a conflict of interest" not in said
    form = page(client, reverse("delegation", args=[cast.body.slug]))
    assert "Every member votes in person." in form
    assert "Delegate my vote" not in form


def test_who_can_delegate_is_told_for_what(client):
    charter = factories.quick_charter(recusal="declared")
    charter["general_motion"]["delegation"] = "transitive"
    cast = factories.make_cast(charter=charter)
    proposal = factories.make_deliberated_proposal(cast)
    client.force_login(cast.member)
    said = page(client, proposal.get_absolute_url())
    assert "Delegate your vote" in said
    assert "Declare a conflict of interest" in said
    form = page(client, reverse("delegation", args=[cast.body.slug]))
    assert "It counts in votes to carry a general motion" in form
    assert "authorise" not in form


@pytest.mark.parametrize("kind", [ProposalType.MOTION, ProposalType.ELECTION])
def test_a_motion_is_not_said_to_take_effect(client, cast, kind):
    client.force_login(cast.member)
    form = page(client, f"/proposals/new/?type={kind}")
    assert "nothing in the registry changes" in form
    assert "its effect takes place" not in form
    assert "by the system itself" not in page(
        client, factories.make_deliberated_proposal(cast).get_absolute_url()
    )


def test_rules_that_all_decisions_share_are_said_once(client, cast):
    said = page(client, reverse("body", args=[cast.body.slug]))
    assert "In every vote" in said
    assert said.count("Every member votes in person.") == 1
    assert said.count("Carried by ") == 2


def test_what_is_in_common_and_what_is_left_are_all_there_is():
    found = chapters(factories.quick_charter())
    common, rest = in_common(found)
    assert common
    for whole, left in zip(found, rest, strict=True):
        assert set(whole.words) == {*common, *left.words}
        assert len(whole.words) == len(common) + len(left.words)
    assert in_common(found[:1]) == ((), found[:1])


def test_minutes_skip_no_heading(client, cast):
    said = page(client, factories.make_minutes(cast, is_adopted=True).get_absolute_url())
    assert said.index("<h1") < said.index("<h2") < said.index("<h3")
