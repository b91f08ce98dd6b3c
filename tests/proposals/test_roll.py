"""The roll: conflicts of interest, delegations and their races, changes of members under a vote."""

import threading

import pytest
from django.db import connection
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from oversight.accounts import services as accounts
from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.ballot_box import last_ballots, tally
from proposals.choices import ProposalType
from proposals.delegations import carriers, chain_from
from proposals.digests import digest_of
from proposals.models import Delegation, Recusal, RollEntry
from proposals.services import closing, roll
from tests.factories import (
    make_ballot,
    make_cast,
    make_deliberated_proposal,
    make_final_proposal,
    make_open_vote,
    make_person,
    open_vote,
)
from tests.proposals.test_methods import ruled
from tests.scenes import make_council

pytestmark = pytest.mark.django_db

MOTION = ProposalType.MOTION


def cast_with(*, vote=None, **rules):
    return make_cast(charter=ruled(MOTION, vote=vote, **{"recusal": "declared"} | rules))


def delegating(size=4, **rules):
    charter = ruled(MOTION, delegation="transitive", **rules)
    return make_council(size, charter=charter)


def seat(council, number):
    return council.body.memberships.get(person=council.members[number])


def delegate(council, giver, receiver):
    return roll.give_delegation(
        by=council.members[giver], body=council.body, to=seat(council, receiver)
    )


# -- Recusal ---------------------------------------------------------------------------------


def test_a_declared_conflict_is_public_and_takes_the_member_off_the_roll(client):
    cast = cast_with()
    proposal = make_final_proposal(cast)
    declared = roll.declare_conflict(by=cast.member, proposal=proposal, reason="My firm sells it.")
    leaf = PendingLeaf.objects.get(pk=declared.leaf_id)
    assert leaf.type == "proposals.conflict.declared"
    assert "firm" not in bytes(leaf.body).decode()
    assert "My firm sells it." in client.get(proposal.get_absolute_url()).content.decode()
    proposal = open_vote(cast, proposal)
    content = proposal.contract.content
    mine = cast.body.memberships.get(person=cast.member).actor
    assert content["recusals"] == [{"member": mine, "weight": 1}]
    assert mine not in [entry["member"] for entry in content["roll"]]
    with pytest.raises(NotAllowed, match="conflict of interest"):
        make_ballot(cast.member, proposal)
    for person in (cast.second_member, cast.chair):
        make_ballot(person, proposal)
    assert closing.close_vote(by=cast.clerk, proposal=proposal).outcome == "carried"


@pytest.mark.parametrize(
    ("base", "outcome"), [("roll", "carried"), ("roll_and_recused", "no_quorum")]
)
def test_the_charter_says_whether_the_recused_count_in_the_quorum(base, outcome):
    cast = cast_with(vote={"quorum": "3/4", "quorum_base": base})
    proposal = make_final_proposal(cast)
    roll.declare_conflict(by=cast.member, proposal=proposal, reason="A relative.")
    proposal = open_vote(cast, proposal)
    for person in (cast.second_member, cast.chair):
        make_ballot(person, proposal)
    assert closing.close_vote(by=cast.clerk, proposal=proposal).outcome == outcome


def test_a_conflict_is_declared_once_with_a_reason_by_a_member_before_the_vote():
    cast = cast_with()
    proposal = make_deliberated_proposal(cast)
    for reason in (" ", "x" * 1001, "a\x00b"):
        with pytest.raises(Invalid):
            roll.declare_conflict(by=cast.member, proposal=proposal, reason=reason)
    for person in (cast.clerk, cast.outsider, cast.administrator):
        with pytest.raises(NotAllowed):
            roll.declare_conflict(by=person, proposal=proposal, reason="A relative.")
    roll.declare_conflict(by=cast.member, proposal=proposal, reason="A relative.")
    with pytest.raises(Conflict, match="already"):
        roll.declare_conflict(by=cast.member, proposal=proposal, reason="Again.")
    opened = make_open_vote(cast)
    with pytest.raises(Conflict, match="you can abstain"):
        roll.declare_conflict(by=cast.member, proposal=opened, reason="Too late.")
    assert Recusal.objects.count() == 1


def test_a_charter_without_recusals_keeps_everybody_on_the_roll():
    cast = cast_with(recusal="none")
    with pytest.raises(Conflict, match="does not let members step off"):
        roll.declare_conflict(
            by=cast.member, proposal=make_deliberated_proposal(cast), reason="A relative."
        )


def test_a_vote_does_not_open_when_everybody_is_recused():
    cast = cast_with()
    proposal = make_final_proposal(cast)
    for person in cast.members:
        roll.declare_conflict(by=person, proposal=proposal, reason="A relative.")
    with pytest.raises(Conflict, match="could vote on this"):
        open_vote(cast, proposal)


# -- Delegation ------------------------------------------------------------------------------


def test_a_vote_goes_along_the_chain_to_the_first_who_votes():
    council = delegating()
    delegate(council, 0, 1)
    delegate(council, 1, 2)
    proposal = make_open_vote(council)
    contract = proposal.contract
    actors = [seat(council, n).actor for n in range(4)]
    assert contract.content["delegations"] == [
        {"from": actors[0], "to": actors[1]},
        {"from": actors[1], "to": actors[2]},
    ]
    make_ballot(council.members[2], proposal, "yes")
    make_ballot(council.members[3], proposal, "no")
    ballots = last_ballots(contract)
    result = tally(contract, ballots)
    assert result.sheet["votes"]["yes"] == "3"
    make_ballot(council.members[1], proposal, "no")
    result = tally(contract, last_ballots(contract))
    assert (result.sheet["votes"]["yes"], result.sheet["votes"]["no"]) == ("1", "3")
    make_ballot(council.members[0], proposal, "yes")
    decision = closing.close_vote(by=council.clerk, proposal=proposal)
    assert decision.sheet["votes"]["yes"] == "2"
    assert not [row for row in decision.content["ballots"] if "carries" in row]


def test_the_record_says_whom_a_ballot_carries(monkeypatch, client):
    council = delegating(3)
    delegate(council, 0, 1)
    proposal = make_open_vote(council)
    make_ballot(council.members[1], proposal, "yes")
    closes = proposal.contract.closes_at
    monkeypatch.setattr("proposals.services.closing.database_now", lambda: closes)
    decision = closing.close_due_vote(proposal=proposal)
    (row,) = decision.content["ballots"]
    assert row["carries"] == [{"member": seat(council, 0).actor, "weight": 1}]
    assert (row["weight"], decision.sheet["votes"]["yes"]) == (1, "2")
    assert (
        f"also for {council.members[0]}" in client.get(decision.get_absolute_url()).content.decode()
    )


def test_a_delegation_given_after_the_opening_holds_for_the_next_vote_only():
    council = delegating()
    proposal = make_open_vote(council)
    delegate(council, 0, 1)
    make_ballot(council.members[1], proposal)
    contract = proposal.contract
    assert tally(contract, last_ballots(contract)).sheet["votes"]["yes"] == "1"


def test_a_delegation_is_taken_back_under_an_open_vote_until_its_close():
    council = delegating()
    delegate(council, 0, 1)
    proposal = make_open_vote(council)
    contract = proposal.contract
    make_ballot(council.members[1], proposal)
    assert tally(contract, last_ballots(contract)).sheet["votes"]["yes"] == "2"
    roll.revoke_delegation(by=council.members[0], body=council.body)
    assert tally(contract, last_ballots(contract)).sheet["votes"]["yes"] == "1"
    assert PendingLeaf.objects.filter(type="proposals.delegation.revoked").count() == 1
    _, digest = digest_of(contract.content)
    assert digest == contract.digest
    with pytest.raises(Conflict, match="have not delegated"):
        roll.revoke_delegation(by=council.members[0], body=council.body)


def test_a_revocation_after_the_close_changes_nothing_of_that_vote():
    council = delegating()
    delegate(council, 0, 1)
    proposal = make_open_vote(council)
    type(proposal.contract).objects.filter(proposal=proposal).update(
        opens_at=proposal.drafted_at.replace(year=2020),
        closes_at=proposal.drafted_at.replace(year=2021),
    )
    roll.revoke_delegation(by=council.members[0], body=council.body)
    entry = RollEntry.objects.get(contract=proposal.contract, membership=seat(council, 0))
    assert entry.delegation_revoked_at is None


@pytest.mark.parametrize("chain", [[(0, 1)], [(0, 1), (1, 2)], [(0, 1), (1, 2), (2, 3)]])
def test_a_circle_of_delegations_is_refused(chain):
    council = delegating()
    for giver, receiver in chain:
        delegate(council, giver, receiver)
    with pytest.raises(Conflict, match="in a circle"):
        delegate(council, chain[-1][1], 0)
    assert Delegation.objects.count() == len(chain)


def test_a_delegation_goes_to_another_member_with_a_vote():
    council = delegating()
    with pytest.raises(Invalid):
        delegate(council, 0, 0)
    clerk = council.body.memberships.get(person=council.clerk)
    with pytest.raises(Invalid):
        roll.give_delegation(by=council.members[0], body=council.body, to=clerk)
    with pytest.raises(NotAllowed):
        roll.give_delegation(by=council.outsider, body=council.body, to=seat(council, 0))
    accounts.end_membership(by=accounts.shell_person(), membership=seat(council, 1))
    with pytest.raises(Invalid):
        delegate(council, 0, 1)


def test_delegating_anew_replaces_the_standing_delegation():
    council = delegating()
    first = delegate(council, 0, 1)
    assert delegate(council, 0, 1) == first
    delegate(council, 0, 2)
    first.refresh_from_db()
    assert first.revoked_at is not None
    assert Delegation.objects.filter(revoked_at=None).count() == 1


def test_a_delegation_to_somebody_off_the_roll_is_not_frozen():
    council = delegating(recusal="declared")
    delegate(council, 0, 1)
    proposal = make_final_proposal(council)
    roll.declare_conflict(by=council.members[1], proposal=proposal, reason="A relative.")
    assert open_vote(council, proposal).contract.content["delegations"] == []


@pytest.mark.django_db(transaction=True)
def test_two_members_who_delegate_to_each_other_at_once_make_no_circle():
    council = delegating(2)
    start, outcomes = threading.Barrier(2), []

    def give(giver, receiver):
        try:
            start.wait()
            delegate(council, giver, receiver)
            outcomes.append("given")
        except Conflict:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=give, args=pair) for pair in ((0, 1), (1, 0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["given", "refused"]
    assert Delegation.objects.filter(revoked_at=None).count() == 1


members = st.integers(0, 6)


@given(st.dictionaries(members, members), st.sets(members))
def test_everybody_is_carried_by_the_first_voter_along_their_chain(to, voted):
    found = carriers(to, voted)
    assert not set(found) & voted
    assert set(found.values()) <= voted
    for member in set(to) - voted:
        firsts = [each for each in chain_from(member, to) if each in voted]
        assert found.get(member) == (firsts[0] if firsts else None)


# -- Members come and go -----------------------------------------------------------------------


def test_changes_of_members_during_a_vote_change_nothing_of_it():
    cast = cast_with()
    proposal = make_open_vote(cast)
    before = proposal.contract.document
    accounts.end_membership(
        by=cast.administrator, membership=cast.body.memberships.get(person=cast.second_member)
    )
    newcomer = make_person("A newcomer")
    accounts.appoint(by=cast.administrator, body=cast.body, person=newcomer)
    with pytest.raises(NotAllowed):
        make_ballot(newcomer, proposal)
    for person in cast.members:
        make_ballot(person, proposal)
    decision = closing.close_vote(by=cast.clerk, proposal=proposal)
    assert decision.sheet["votes"]["yes"] == "3"
    assert type(proposal.contract).objects.get(proposal=proposal).document == before


# -- Pages and API -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"),
    [("member", 200), ("chair", 200), ("clerk", 403), ("outsider", 403), ("anonymous", 302)],
)
def test_only_members_find_the_pages_of_the_roll(client, role, status):
    cast = cast_with()
    proposal = make_deliberated_proposal(cast)
    if person := cast.named(role):
        client.force_login(person)
    for address in (
        reverse("proposal-conflict", args=[proposal.ref]),
        reverse("delegation", args=[cast.body.slug]),
    ):
        assert client.get(address).status_code == status
        sent = client.post(address, {"reason": ""}).status_code
        assert sent == (422 if status == 200 else status)


def test_a_member_declares_and_delegates_on_pages(client):
    cast = cast_with(delegation="transitive")
    proposal = make_deliberated_proposal(cast)
    client.force_login(cast.member)
    address = reverse("proposal-conflict", args=[proposal.ref])
    assert client.post(address, {"reason": "<b>A</b> relative."}).status_code == 302
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "&lt;b&gt;A&lt;/b&gt; relative." in page
    assert client.post(address, {"reason": "Again."}).status_code == 409
    address = reverse("delegation", args=[cast.body.slug])
    other = cast.body.memberships.get(person=cast.chair)
    assert client.post(address, {"to": other.pk}).status_code == 302
    assert "Your vote goes to The chair" in client.get(address).content.decode()
    client.force_login(cast.chair)
    assert "A member for the north" in client.get(address).content.decode()
    mine = cast.body.memberships.get(person=cast.member)
    assert client.post(address, {"to": mine.pk}).status_code == 409
    client.force_login(cast.member)
    assert client.post(address, {"act": "revoke"}).status_code == 302
    assert "You vote for yourself" in client.get(address).content.decode()
    assert client.post(address, {"act": "revoke"}).status_code == 409


@pytest.mark.parametrize("delegation", ["none", "transitive"])
def test_a_bodys_page_leads_its_members_to_their_delegation_where_there_is_any(client, delegation):
    cast = cast_with(delegation=delegation)
    page, address = (
        reverse("body", args=[cast.body.slug]),
        reverse("delegation", args=[cast.body.slug]),
    )
    for person, sees in ((None, False), (cast.clerk, False), (cast.member, True)):
        client.logout()
        if person:
            client.force_login(person)
        there = address in client.get(page).content.decode()
        assert there is (sees and delegation == "transitive"), person


def test_a_body_without_a_clerk_does_not_say_that_it_can_decide(client):
    cast = cast_with()
    page = reverse("body", args=[cast.body.slug])
    assert "Can decide" in client.get(page).content.decode()
    cast.body.memberships.filter(person=cast.clerk).delete()
    assert "Cannot decide yet" in client.get(page).content.decode()


def test_a_member_declares_and_delegates_by_the_api(client):
    cast = cast_with(delegation="transitive")
    proposal = make_deliberated_proposal(cast)
    client.force_login(cast.member)
    sent = {"data": {"reason": "A relative."}, "content_type": "application/json"}
    address = reverse("api-conflict", args=[proposal.ref])
    assert [client.post(address, **sent).status_code for _ in range(2)] == [201, 409]
    address = reverse("api-delegation", args=[cast.body.slug])
    other = cast.body.memberships.get(person=cast.chair)
    json = {"content_type": "application/json"}
    assert client.post(address, {"to": other.actor}, **json).status_code == 201
    assert client.post(address, {"to": "member:" + "0" * 16}, **json).status_code == 422
    assert [client.delete(address).status_code for _ in range(2)] == [204, 409]
