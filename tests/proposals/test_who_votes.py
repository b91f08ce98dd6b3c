"""Delegated and tied votes: every page says the same of who votes, and until when."""

import pytest
from django.urls import reverse

from oversight.accounts.choices import BodyRole
from oversight.accounts.services import appoint
from oversight.web.refusals import Conflict
from proposals.choices import ProposalType
from proposals.models import Proposal
from proposals.services import closing, roll
from proposals.standing import vote_of
from tests.factories import (
    make_administrator,
    make_ballot,
    make_cast,
    make_evaluator,
    make_open_vote,
    make_person,
)
from tests.proposals.test_methods import ruled

pytestmark = pytest.mark.django_db
WANTED = "Your vote is wanted"
WAITS = '<span class="visually-hidden"> vote waits for you</span>'
YOURSELF = "You can vote yourself until the close: then your own ballot counts instead."


def said(client, path):
    return " ".join(client.get(path).content.decode().split())


@pytest.fixture
def cast():
    return make_cast(charter=ruled(ProposalType.MOTION, delegation="transitive"))


@pytest.fixture
def delegated(cast):
    """A vote in which the second member has delegated to the first."""
    seat = cast.body.memberships.get(person=cast.member)
    roll.give_delegation(by=cast.second_member, body=cast.body, to=seat)
    return make_open_vote(cast)


@pytest.fixture
def tied():
    """A vote that ended early in a tie, and its people."""
    cast = make_cast(charter=ruled(ProposalType.MOTION, vote={"tie_rule": "chair"}))
    proposal = make_open_vote(cast)
    for person, choice in zip(cast.members, ("yes", "no", "abstain"), strict=True):
        make_ballot(person, proposal, choice)
    closing.close_vote(by=cast.clerk, proposal=proposal)
    return cast, proposal


# -- Delegated -------------------------------------------------------------------------------


def test_whose_delegate_has_not_voted_is_asked_for_a_ballot_on_every_page(client, cast, delegated):
    client.force_login(cast.second_member)
    page, mine, ballot = (
        said(client, path)
        for path in (
            delegated.get_absolute_url(),
            reverse("my-work"),
            reverse("proposal-ballot", args=[delegated.ref]),
        )
    )
    told = f"You delegated your vote to {cast.member}. No ballot counts for you yet. {YOURSELF}"
    for text in (page, mine, ballot):
        assert told in text
        assert WAITS in text
    assert WANTED in page
    assert "One vote waits for you." in mine


def test_whose_delegate_has_voted_is_told_so_and_nothing_waits(client, cast, delegated):
    make_ballot(cast.member, delegated)
    client.force_login(cast.second_member)
    page, mine, ballot = (
        said(client, path)
        for path in (
            delegated.get_absolute_url(),
            reverse("my-work"),
            reverse("proposal-ballot", args=[delegated.ref]),
        )
    )
    told = (
        f"You delegated your vote to {cast.member}. The ballot of {cast.member} is cast and counts "
        f"for you, too. {YOURSELF}"
    )
    for text in (page, mine, ballot):
        assert told in text
        assert WAITS not in text
    assert "Voted for you" in page
    assert WANTED not in page
    assert "No votes wait for you." in mine


def test_a_ballot_of_ones_own_ends_what_the_delegate_does_for_one(client, cast, delegated):
    make_ballot(cast.member, delegated)
    make_ballot(cast.second_member, delegated, "no")
    client.force_login(cast.second_member)
    page = said(client, delegated.get_absolute_url())
    assert "You have voted" in page
    assert "You delegated your vote" not in page


def test_a_delegates_ballot_says_for_whom_it_counts_while_it_does(client, cast, delegated):
    path = reverse("proposal-ballot", args=[delegated.ref])
    counts_for = f"unless they vote themselves: {cast.second_member}."
    for person, counts in ((cast.member, True), (cast.chair, False)):
        client.force_login(person)
        assert (counts_for in said(client, path)) is counts
    make_ballot(cast.second_member, delegated)
    client.force_login(cast.member)
    assert counts_for not in said(client, path)


def test_turnout_tells_ballots_from_delegations_and_an_early_close_asks_for_ballots(
    client, cast, delegated
):
    make_ballot(cast.member, delegated)
    make_ballot(cast.chair, delegated)
    client.force_login(cast.clerk)
    page = said(client, delegated.get_absolute_url())
    assert "2 of 3 members, 1 more by delegation" in page
    assert "so a vote ends earlier only once they have, too." in page
    assert "Close and count the vote" not in page
    with pytest.raises(Conflict, match="1 member has cast no ballot of their own yet"):
        closing.close_vote(by=cast.clerk, proposal=delegated)
    make_ballot(cast.second_member, delegated)
    page = said(client, delegated.get_absolute_url())
    assert "so a vote ends earlier only once they have, too." not in page
    assert "Close and count the vote" in said(client, delegated.get_absolute_url())


# -- Tied ------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["anonymous", "member", "chair", "clerk"])
def test_a_tied_vote_is_closed_on_every_page_and_for_everybody(client, tied, role):
    cast, proposal = tied
    if person := cast.named(role):
        client.force_login(person)
    page = said(client, proposal.get_absolute_url())
    assert "tied; the chair decides until" in page
    for words in ("It closes", ", closes ", "closes in", WANTED, "Close and count", "early once"):
        assert words not in page
    for path in (reverse("deciding"), reverse("home")):
        listed = said(client, path)
        assert "tied; the chair decides until" in listed
        assert "<span>closes" not in listed
    assert ("Give the casting vote" in page) is (role == "chair")
    assert "how is shown once it is decided" in page
    assert "Members of the body vote." not in page


def test_a_tied_vote_closed_when_its_last_ballots_were_counted(tied):
    _, proposal = tied
    vote = vote_of(Proposal.objects.get(pk=proposal.pk))
    assert vote.contract.opens_at <= vote.ended_at < vote.closes_at


def test_the_chairs_own_page_says_until_when_the_tie_waits(client, tied):
    cast, _ = tied
    client.force_login(cast.chair)
    mine = said(client, reverse("my-work"))
    assert "tied; the chair decides until" in mine
    assert "closes" not in mine.split('id="votes"')[1].split("</section>")[0].split("</p>", 1)[1]


# -- Words by role ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "breaks"), [("status_quo", False), ("lot", False), ("chair", True)]
)
def test_the_chair_is_named_by_the_charters_tie_rule(client, rule, breaks):
    cast = make_cast(charter=ruled(ProposalType.MOTION, vote={"tie_rule": rule}))
    page = said(client, reverse("participation", args=[cast.body.slug]))
    assert ("chair, with the casting vote in a tie" in page) is breaks
    assert "(a member with the casting vote)" not in page


def test_ones_own_page_speaks_of_votes_to_those_who_have_one_and_offers_them_a_draft(client, cast):
    for person, told, drafts in (
        (cast.member, "No votes wait for you.", True),
        (make_evaluator(), "Nothing waits for you.", False),
    ):
        client.force_login(person)
        mine = said(client, reverse("my-work"))
        assert told in mine
        assert ("Draft a proposal" in mine) is drafts


def test_who_is_on_no_roll_is_told_why(client, cast):
    proposal = make_open_vote(cast)
    late = make_person("A late member")
    administrator = make_administrator("Another administrator")
    appoint(by=administrator, body=cast.body, person=late, role=BodyRole.MEMBER)
    client.force_login(late)
    assert "You are not on the roll of this vote" in said(client, proposal.get_absolute_url())
