"""Standing behind a proposal in public, and taking that back before the vote."""

import pytest
from django.urls import reverse

from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Conflict, NotAllowed
from proposals.charter import read
from proposals.charter_rules import CharterError
from proposals.choices import ProposalType
from proposals.models import Support
from proposals.services import stages, support
from proposals.services.attachments import add_attachment
from tests.factories import (
    make_cast,
    make_deliberated_proposal,
    make_open_vote,
    make_proposal,
    quick_charter,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def proposal(cast):
    return make_deliberated_proposal(cast)


def test_a_member_supports_once_and_it_stands_on_the_page_and_on_the_record(client, cast, proposal):
    given = support.give_support(by=cast.second_member, proposal=proposal)
    assert support.give_support(by=cast.second_member, proposal=proposal) == given
    (leaf,) = PendingLeaf.objects.filter(type="proposals.support.given")
    assert leaf.content["actor"] == given.membership.actor
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "Supported by A member for the south" in page


def test_support_is_taken_back_and_given_again(client, cast, proposal):
    support.give_support(by=cast.chair, proposal=proposal)
    support.withdraw_support(by=cast.chair, proposal=proposal)
    assert "Supported by" not in client.get(proposal.get_absolute_url()).content.decode()
    with pytest.raises(Conflict):
        support.withdraw_support(by=cast.chair, proposal=proposal)
    support.give_support(by=cast.chair, proposal=proposal)
    assert Support.objects.count() == 2
    assert PendingLeaf.objects.filter(type="proposals.support.withdrawn").count() == 1


def test_who_proposed_it_or_has_no_vote_does_not_support(cast, proposal):
    for person in (cast.member, cast.clerk, cast.outsider, cast.auditor):
        with pytest.raises(NotAllowed):
            support.give_support(by=person, proposal=proposal)


def test_support_ends_with_the_opening_of_the_vote(cast):
    proposal = make_open_vote(cast)
    for act in (support.give_support, support.withdraw_support):
        with pytest.raises(Conflict, match="before the vote"):
            act(by=cast.chair, proposal=proposal)


def test_a_draft_is_supported_on_its_page_by_its_body_alone(client, cast):
    draft = make_proposal(cast)
    path = reverse("proposal-support", args=[draft.ref])
    for person, status in ((cast.outsider, 404), (cast.clerk, 403), (cast.second_member, 302)):
        client.force_login(person)
        assert client.post(path, {"act": "give"}).status_code == status, person
    assert "Take your support back" in client.get(draft.get_absolute_url()).content.decode()
    assert client.post(path, {"act": "burn"}).status_code == 422


# -- Seconders


def open_it(person, draft):
    return stages.open_deliberation(by=person, proposal=draft)


def test_the_deliberation_opens_when_as_many_support_it_as_the_charter_asks_for(client):
    cast = make_cast(charter=quick_charter(seconders=2))
    draft = make_proposal(cast)
    support.give_support(by=cast.second_member, proposal=draft)
    with pytest.raises(Conflict, match="asks for 2 other members to support it; one does"):
        open_it(cast.member, draft)
    client.force_login(cast.member)
    page = client.get(draft.get_absolute_url()).content.decode()
    assert "asks for 2 other members to support it; one does." in page
    assert "Open the deliberation" not in page
    assert "2 other members support a draft before its deliberation opens" in page
    support.give_support(by=cast.chair, proposal=draft)
    assert open_it(cast.member, draft).status == "deliberation"


def test_support_that_was_taken_back_does_not_count():
    cast = make_cast(charter=quick_charter(seconders=1))
    draft = make_proposal(cast)
    support.give_support(by=cast.chair, proposal=draft)
    support.withdraw_support(by=cast.chair, proposal=draft)
    with pytest.raises(Conflict, match="asks for one other member to support it; none do"):
        open_it(cast.clerk, draft)


def test_where_the_body_has_fewer_others_all_of_them_suffice():
    cast = make_cast(charter=quick_charter(seconders=9))
    draft = make_proposal(cast)
    support.give_support(by=cast.chair, proposal=draft)
    with pytest.raises(Conflict, match="asks for 2 other members"):
        open_it(cast.member, draft)
    support.give_support(by=cast.second_member, proposal=draft)
    assert open_it(cast.member, draft).status == "deliberation"


@pytest.mark.parametrize("number", [-1, 1001, "two", 1.5, True])
def test_a_number_of_seconders_that_is_none_is_refused(number):
    with pytest.raises(CharterError, match="seconders must be a whole number from 0 to 1000"):
        read(quick_charter(seconders=number))


def test_a_charter_that_does_not_know_the_rule_asks_for_none():
    assert read(quick_charter())[ProposalType.MOTION].seconders == 0


def test_programs_read_files_and_support_with_the_proposal(client):
    cast = make_cast()
    proposal = make_deliberated_proposal(cast)
    support.give_support(by=cast.chair, proposal=proposal)
    support.give_support(by=cast.second_member, proposal=proposal)
    support.withdraw_support(by=cast.second_member, proposal=proposal)
    add_attachment(by=cast.member, proposal=proposal, name="a.txt", data=b"words")
    said = client.get(f"/api/v1/proposals/{proposal.ref}/").json()
    assert said["support"] == [cast.body.memberships.get(person=cast.chair).actor]
    (file,) = said["attachments"]
    assert (file["name"], file["size"]) == ("a.txt", 5)
