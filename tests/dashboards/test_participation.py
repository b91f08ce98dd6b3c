"""Participation: turnout by vote and by member, and what is public about one member's votes."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oversight.dashboards.participation import given_by, members_of, votes_of
from proposals.models import Contract
from proposals.services import closing, roll
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return factories.make_cast(
        charter=factories.quick_charter(delegation="transitive", recusal="declared")
    )


def vote(cast, *choices, title="A motion", before=lambda proposal: None):
    """Hold a vote; where a choice is None that member casts no ballot."""
    proposal = factories.make_final_proposal(cast, title=title)
    before(proposal)
    proposal = factories.open_vote(cast, proposal)
    for person, choice in zip(cast.members, choices, strict=True):
        if choice:
            factories.make_ballot(person, proposal, choice)
    now = timezone.now()
    Contract.objects.filter(proposal=proposal).update(
        opens_at=now - timedelta(days=1), closes_at=now
    )
    proposal.refresh_from_db()
    return closing.close_vote(by=cast.clerk, proposal=proposal)


def seat(cast, person):
    return cast.body.memberships.get(person=person)


def counts(cast):
    votes = votes_of(cast.body)
    return {
        str(row.seat.person): (row.on_roll, row.cast, row.delegated, row.missed, row.recused)
        for row in members_of(cast.body, votes)
    }


def test_turnout_counts_each_member_once_however_often_they_voted(cast):
    first = vote(cast, "yes", "no", None)
    (row,) = votes_of(cast.body)
    assert (row.ref, row.on_roll, row.cast, row.delegated) == (first.ref, 3, 2, 0)
    assert row.share == pytest.approx(2 / 3)
    assert row.title == "A motion"


def test_a_vote_that_another_carried_is_no_missed_one(cast):
    giver, receiver = cast.members[2], cast.members[0]
    roll.give_delegation(by=giver, body=cast.body, to=seat(cast, receiver))
    vote(cast, "yes", "no", None)
    assert counts(cast)[str(giver)] == (1, 0, 1, 0, 0)
    (given,) = given_by(seat(cast, giver), votes_of(cast.body))
    assert given.words == f"delegated to {receiver}"


def test_a_vote_that_was_delegated_and_that_nobody_cast_is_missed(cast):
    giver, receiver = cast.members[2], cast.members[0]
    roll.give_delegation(by=giver, body=cast.body, to=seat(cast, receiver))
    vote(cast, None, "no", None)
    assert counts(cast)[str(giver)] == (1, 0, 0, 1, 0)
    (row,) = votes_of(cast.body)
    assert (row.cast, row.delegated, row.share) == (1, 0, pytest.approx(1 / 3))
    (given,) = given_by(seat(cast, giver), [row])
    assert given.words == f"delegated to {receiver}, and no ballot counted"


@pytest.mark.parametrize("voter", [0, 1])
def test_a_chain_of_delegations_is_followed_to_the_first_who_voted(cast, voter):
    first, second, last = cast.members[2], cast.members[1], cast.members[0]
    roll.give_delegation(by=first, body=cast.body, to=seat(cast, second))
    roll.give_delegation(by=second, body=cast.body, to=seat(cast, last))
    decision = vote(cast, *("yes" if number == voter else None for number in range(3)))
    (row,) = votes_of(cast.body)
    turnout = decision.sheet["quorum"]["present"]
    assert (row.cast, row.delegated) == (1, int(turnout) - 1) == (1, 2 - voter)


def test_a_ballot_of_ones_own_counts_as_cast_in_spite_of_a_delegation(cast):
    giver, receiver = cast.members[2], cast.members[0]
    roll.give_delegation(by=giver, body=cast.body, to=seat(cast, receiver))
    vote(cast, "yes", "no", "no")
    assert counts(cast)[str(giver)] == (1, 1, 0, 0, 0)


def test_who_is_recused_is_on_no_roll_and_misses_nothing(cast):
    person = cast.members[1]
    vote(
        cast, "yes", None, "yes",
        before=lambda p: roll.declare_conflict(by=person, proposal=p, reason="My firm sells it."),
    )  # fmt: skip
    assert counts(cast)[str(person)] == (0, 0, 0, 0, 1)
    (given,) = given_by(seat(cast, person), votes_of(cast.body))
    assert given.words.startswith("recused")


def test_the_page_of_a_member_says_how_they_voted_where_that_is_public(client, cast):
    decision = vote(cast, "yes", "no", None, title="Shown by name")
    for person, words in zip(cast.members, ("For", "Against", "did not vote"), strict=True):
        answer = client.get(f"/bodies/{cast.body.slug}/members/{seat(cast, person).public_id}/")
        page = answer.content.decode()
        assert "Shown by name" in page
        assert words in page[page.index("Vote by vote") :]
        assert decision.get_absolute_url() in page


def test_the_page_of_a_member_never_says_how_they_voted_in_secret(client):
    charter = factories.quick_charter(secrecy="secret", delegation="none")
    cast = factories.make_cast(charter=charter)
    vote(cast, "no", "yes", "yes")
    person = cast.members[0]
    (given,) = given_by(seat(cast, person), votes_of(cast.body))
    assert given.words == "voted; how is secret from the public"
    page = client.get(f"/bodies/{cast.body.slug}/members/{seat(cast, person).public_id}/")
    body = page.content.decode()
    assert ">no<" not in body[body.index("Vote by vote") :]
    assert "tone-bad" not in body[body.index("Vote by vote") :]


def test_an_open_vote_shows_nothing_of_who_has_voted(client, cast):
    proposal = factories.make_open_vote(cast)
    factories.make_ballot(cast.members[0], proposal, "no")
    assert votes_of(cast.body) == []
    assert counts(cast)[str(cast.members[0])] == (0, 0, 0, 0, 0)
    page = client.get(f"/bodies/{cast.body.slug}/participation/").content.decode()
    assert "No vote has ended yet." in page


def test_a_clerk_has_no_page_of_votes(client, cast):
    clerkship = seat(cast, cast.clerk)
    address = f"/bodies/{cast.body.slug}/members/{clerkship.public_id}/"
    assert client.get(address).status_code == 404


def test_the_twins_say_the_same(client, cast):
    decision = vote(cast, "yes", "no", None)
    data = client.get(f"/bodies/{cast.body.slug}/participation.json").json()
    assert [row["decision"] for row in data["votes"]] == [decision.ref]
    assert {row["name"]: row["cast"] for row in data["members"]} == {
        str(person): cast_ for person, cast_ in zip(cast.members, (1, 1, 0), strict=True)
    }
    votes = client.get(f"/bodies/{cast.body.slug}/participation.csv").content.decode()
    members = client.get(f"/bodies/{cast.body.slug}/members.csv").content.decode()
    assert votes.splitlines()[1].startswith(decision.ref)
    assert len(members.splitlines()) == 4


def test_the_pages_cost_the_same_however_many_votes_there_were(client, cast):
    vote(cast, "yes", "no", None)
    at = f"/bodies/{cast.body.slug}/participation/"
    client.get(at)
    with CaptureQueriesContext(connection) as before:
        client.get(at)
    for _ in range(3):
        vote(cast, "yes", None, "no")
    with CaptureQueriesContext(connection) as after:
        client.get(at)
    assert len(after) == len(before) <= 12
