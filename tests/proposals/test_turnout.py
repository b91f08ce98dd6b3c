"""Who counts toward the quorum so far: cards, page, API and count reckon alike."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oversight.dashboards.cards import open_cards
from oversight.web.clock import database_now
from proposals.ballot_box import last_ballots, tally
from proposals.choices import ProposalType
from proposals.models import Contract, Proposal
from proposals.services import closing, roll
from proposals.standing import vote_of
from proposals.turnout import turnout, turnouts
from tests.factories import (
    make_ballot,
    make_cast,
    make_final_proposal,
    make_open_vote,
    open_vote,
)
from tests.proposals.test_methods import ruled
from tests.proposals.test_roll import delegate
from tests.scenes import make_council

pytestmark = pytest.mark.django_db
BASES = ("roll", "roll_and_recused", "members")


def council_with(base="roll", quorum="1/2", size=6, **rules):
    rules = {"delegation": "transitive", "recusal": "declared"} | rules
    charter = ruled(ProposalType.MOTION, vote={"quorum": quorum, "quorum_base": base}, **rules)
    return make_council(size, charter=charter)


def vote_with_chains(council):
    """A vote: 0 to 1 to 2, 3 to 4, and 5 is recused; weights differ."""
    for number, weight in ((0, 4), (3, 2), (5, 3)):
        council.body.memberships.filter(person=council.members[number]).update(weight=weight)
    for giver, receiver in ((0, 1), (1, 2), (3, 4)):
        delegate(council, giver, receiver)
    proposal = make_final_proposal(council)
    roll.declare_conflict(by=council.members[5], proposal=proposal, reason="A relative.")
    return open_vote(council, proposal)


def said(client, path):
    return " ".join(client.get(path).content.decode().split())


def card_of(proposal):
    (card,) = open_cards(Proposal.objects.filter(pk=proposal.pk).with_parts())
    return card


@pytest.mark.parametrize("base", BASES)
def test_cards_page_api_and_count_agree_after_every_ballot(client, base):
    council = council_with(base, "2/3")
    proposal = vote_with_chains(council)
    # Nobody, then a carrier of two, one who takes theirs back by voting, and the rest.
    for voter in (None, 2, 0, 4, 3, 1):
        if voter is not None:
            make_ballot(council.members[voter], proposal)
        contract = Contract.objects.get(proposal=proposal)
        counted = tally(contract, last_ballots(contract)).sheet["quorum"]
        row = Proposal.objects.with_parts().get(pk=proposal.pk)
        listed, alone, paged = (
            turnout(contract),
            vote_of(row),
            client.get(reverse("api-proposal", args=[proposal.ref])).json()["turnout"],
        )
        assert listed == alone.so_far
        assert listed.quorum.as_json() == counted
        assert paged["quorum"] == counted
        assert (paged["voted"], paged["carried"]) == (alone.voted_count, alone.carried_count)
        words = "; the quorum is met." if counted["met"] else "; the quorum is not met yet."
        assert words in card_of(proposal).facts[0]
        assert ("reached yet" not in alone.quorum_words) is counted["met"]


def test_of_a_secret_vote_no_more_is_told_than_that_members_have_voted(client):
    council = council_with(size=3, secrecy="secret", delegation="none")
    proposal = make_open_vote(council)
    told = []
    for choice in ("yes", "no"):  # a changed ballot, of either choice, changes nothing
        make_ballot(council.members[0], proposal, choice)
        told.append(client.get(reverse("api-proposal", args=[proposal.ref])).json()["turnout"])
    assert told[0] == told[1]
    assert told[0].keys() == {"roll", "voted", "carried", "quorum"}
    assert card_of(proposal).facts[0] == "1 of 3 on the roll have voted; the quorum is not met yet."
    page = said(client, proposal.get_absolute_url())
    assert "1 of 3 members" in page
    assert page.count("roll-state tone-good") == 1


def test_a_card_counts_delegations_and_no_recused_as_the_page_does(client):
    council = council_with()
    proposal = vote_with_chains(council)
    make_ballot(council.members[2], proposal)
    told = "1 of 5 on the roll have voted, 2 more by delegation; the quorum is met."
    for path in (reverse("home"), reverse("deciding")):
        assert told in said(client, path)
    page = said(client, proposal.get_absolute_url())
    assert "1 of 5 members has voted, 2 more by delegation." in page
    assert "1 of 5 members, 2 more by delegation" in page
    assert "half of the roll must vote; reached" in page


def test_the_recused_stand_in_the_base_of_a_cards_quorum_where_the_charter_says_so():
    outcomes = {}
    for base in BASES[:2]:
        council = council_with(base, "1/2", size=3, delegation="none")
        proposal = make_final_proposal(council)
        roll.declare_conflict(by=council.members[0], proposal=proposal, reason="A relative.")
        proposal = open_vote(council, proposal)
        make_ballot(council.members[1], proposal)
        outcomes[base] = turnout(proposal.contract).quorum.is_met
    assert outcomes == {"roll": True, "roll_and_recused": False}


def test_a_delegation_taken_back_counts_no_more():
    council = council_with()
    proposal = vote_with_chains(council)
    make_ballot(council.members[2], proposal)
    roll.revoke_delegation(by=council.members[1], body=council.body)
    assert (turnout(proposal.contract).voted, turnout(proposal.contract).carried) == (1, 0)


def test_once_the_vote_is_over_the_quorum_is_missed_and_not_awaited(client):
    council = council_with()
    proposal = make_open_vote(council)
    Contract.objects.filter(proposal=proposal).update(
        opens_at=database_now().replace(year=2020), closes_at=database_now().replace(year=2021)
    )
    assert "; the quorum is not met." in card_of(proposal).facts[0]
    assert "must vote; not reached<" in said(client, proposal.get_absolute_url())


def test_the_turnout_of_many_votes_takes_two_queries():
    council = council_with()
    proposals = [vote_with_chains(council)]
    proposals += [make_open_vote(council) for _ in range(3)]
    contents = {each.contract.pk: each.contract.content for each in proposals}
    make_ballot(council.members[2], proposals[0])
    make_ballot(council.members[4], proposals[1])
    with CaptureQueriesContext(connection) as queries:
        found = turnouts(contents)
    assert len(queries) == 2
    assert [(each.voted, each.carried) for each in found.values()] == [
        (1, 2),
        (1, 1),
        (0, 0),
        (0, 0),
    ]
    assert turnouts({}) == {}


def test_a_proposal_without_a_vote_has_no_turnout_and_a_tie_says_until_when_it_waits(client):
    cast = make_cast(charter=ruled(ProposalType.MOTION, vote={"tie_rule": "chair"}))
    final = make_final_proposal(cast)
    found = client.get(reverse("api-proposal", args=[final.ref])).json()
    assert (found["turnout"], found["casting_until"]) == (None, None)
    proposal = make_open_vote(cast)
    for person, choice in zip(cast.members, ("yes", "no", "abstain"), strict=True):
        make_ballot(person, proposal, choice)
    closing.close_vote(by=cast.clerk, proposal=proposal)
    found = client.get(reverse("api-proposal", args=[proposal.ref])).json()
    assert found["casting_until"] > found["closes_at"][:10]
    assert found["turnout"]["voted"] == 3
