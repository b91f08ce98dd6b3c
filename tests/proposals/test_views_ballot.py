"""The ballot's page: who casts, what is answered, what is hidden, what is refused."""

import re

import pytest
from django.urls import reverse

from oversight.accounts.services import end_membership
from oversight.web.clock import database_now
from proposals import ballot_box
from proposals.models import Ballot, Contract
from proposals.services import closing, stages
from tests.factories import (
    make_ballot,
    make_cast,
    make_deliberated_proposal,
    make_open_vote,
)

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def no_waiting(settings):
    settings.RECEIPT_WAIT_SECONDS = 0


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def proposal(cast):
    return make_open_vote(cast)


@pytest.fixture
def path(proposal):
    return reverse("proposal-ballot", args=[proposal.ref])


def close_by_the_clock(proposal):
    """Let the deadline pass, as far as the database knows."""
    now = database_now()
    Contract.objects.filter(proposal=proposal).update(
        opens_at=now.replace(year=now.year - 1), closes_at=now
    )


@pytest.mark.parametrize(
    ("role", "read", "cast_status"),
    [
        ("member", 200, 202),
        ("chair", 200, 202),
        ("clerk", 403, 403),
        ("outsider", 403, 403),
        ("administrator", 403, 403),
        ("auditor", 403, 403),
        ("anonymous", 302, 302),
    ],
)
def test_only_the_roll_gets_a_ballot(client, cast, path, role, read, cast_status):
    if person := cast.named(role):
        client.force_login(person)
    assert client.get(path).status_code == read
    assert client.post(path, {"choice": "yes"}).status_code == cast_status
    assert Ballot.objects.exists() == (cast_status == 202)


def test_the_page_says_what_is_asked_by_which_rules_and_who_will_see_it(client, cast, path):
    client.force_login(cast.member)
    page = client.get(path).content.decode()
    for words in (
        "Publish the minutes within a week",
        "Until the close your choice is hidden",
        "published by name",
        "more than half of the votes for and against",
        "the last one counts",
    ):
        assert words in page
    assert page.count('type="radio"') == 3
    assert " checked" not in page[page.index("<form") : page.rindex("</form>")]


@pytest.mark.usefixtures("inline_sequencer")
def test_a_cast_ballot_is_answered_with_its_receipt(client, cast, path, settings):
    settings.RECEIPT_WAIT_SECONDS = 2
    client.force_login(cast.member)
    answer = client.post(path, {"choice": "yes"})
    assert answer.status_code == 201
    page = answer.content.decode()
    assert "Your ballot is cast: For" in page
    assert "c2sp.org/tlog-proof@v1" in page
    assert reverse("record-check") in page
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.usefixtures("inline_sequencer")
def test_the_receipt_on_the_page_passes_the_check_it_leads_to(client, cast, path, settings):
    settings.RECEIPT_WAIT_SECONDS = 2
    client.force_login(cast.member)
    text = client.post(path, {"choice": "no"}).context["receipt"].text
    answer = client.post(reverse("record-check"), {"receipt": text.replace("\n", "\r\n")})
    assert answer.status_code == 200
    assert answer.context["result"].ok
    kept = client.get(reverse("ledger:proof", args=[client.get(path).context["receipt"].index]))
    assert kept.status_code == 200


def test_a_receipt_that_waits_is_said_so_with_its_address(client, cast, path):
    client.force_login(cast.member)
    answer = client.post(path, {"choice": "yes"})
    assert answer.status_code == 202
    leaf = Ballot.objects.get().leaf_id
    assert f"/receipts/{leaf}/" in answer.content.decode()


def test_the_part_is_answered_to_htmx_and_the_page_to_others(client, cast, path):
    client.force_login(cast.member)
    part = client.post(path, {"choice": "yes"}, headers=HTMX)
    assert "<html" not in part.content.decode()
    assert 'id="ballot"' in part.content.decode()
    assert "data-announce" in part.content.decode()
    assert "HX-Request" in part["Vary"]
    # The masthead counts no vote any more, and the act that the ballot is.
    assert 'id="awaited-votes" data-beside hx-swap-oob="true" hidden' in part.content.decode()
    assert 'id="record-status" data-beside hx-swap-oob="true"' in part.content.decode()
    whole = client.post(path, {"choice": "yes"})
    assert "<html" in whole.content.decode()


def test_sending_the_same_ballot_twice_casts_it_once(client, cast, path):
    client.force_login(cast.member)
    assert client.post(path, {"choice": "yes"}).status_code == 202
    assert client.post(path, {"choice": "yes"}).status_code == 202
    assert Ballot.objects.count() == 1


def test_a_changed_vote_replaces_the_last_and_both_are_kept(client, cast, proposal, path):
    client.force_login(cast.member)
    client.post(path, {"choice": "yes"})
    client.post(path, {"choice": "abstain"})
    assert [b.choice for b in Ballot.objects.order_by("number")] == ["yes", "abstain"]
    assert [b.choice for b in ballot_box.last_ballots(proposal.contract)] == ["abstain"]
    page = client.get(path).content.decode()
    assert "You voted: Abstain" in page
    assert re.findall(r'value="(\w+)"[^>]* checked', page) == ["abstain"]


@pytest.mark.parametrize("choice", ["", "maybe", "yes no", "<script>alert(1)</script>"])
def test_an_impossible_choice_is_refused_with_the_part(client, cast, path, choice):
    client.force_login(cast.member)
    answer = client.post(path, {"choice": choice}, headers=HTMX)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "error-summary" in page
    assert "<html" not in page
    assert "<script>alert" not in page
    assert not Ballot.objects.exists()


def test_after_the_deadline_a_ballot_is_refused_and_the_page_says_so(client, cast, proposal, path):
    client.force_login(cast.member)
    make_ballot(cast.member, proposal, "no")
    close_by_the_clock(proposal)
    assert "is being counted" in client.get(path).content.decode()
    answer = client.post(path, {"choice": "yes"}, headers=HTMX)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "The vote closed at" in page
    assert "You voted: Against" in page
    assert [b.choice for b in Ballot.objects.all()] == ["no"]


def test_after_the_decision_a_ballot_is_refused_and_shown_as_counted(client, cast, proposal, path):
    for person in cast.members:
        make_ballot(person, proposal)
    closing.close_vote(by=cast.clerk, proposal=proposal)
    client.force_login(cast.member)
    assert client.post(path, {"choice": "no"}).status_code == 409
    page = client.get(path).content.decode()
    assert "Your ballot was counted." in page
    assert 'type="radio"' not in page
    client.force_login(cast.outsider)
    assert client.get(path).status_code == 404
    assert client.post(path, {"choice": "no"}).status_code == 409


def test_an_annulled_vote_takes_no_ballot(client, cast, proposal, path):
    stages.annul_vote(by=cast.clerk, proposal=proposal, reason="Wrong text.")
    client.force_login(cast.member)
    assert client.post(path, {"choice": "yes"}).status_code == 409
    assert not Ballot.objects.exists()


def test_a_proposal_without_a_vote_has_no_ballot(client, cast):
    path = reverse("proposal-ballot", args=[make_deliberated_proposal(cast).ref])
    client.force_login(cast.member)
    assert client.get(path).status_code == 404
    assert client.post(path, {"choice": "yes"}).status_code == 409


def test_who_lost_the_seat_after_the_opening_still_has_the_ballot(client, cast, path):
    end_membership(by=cast.administrator, membership=cast.member.memberships.get())
    client.force_login(cast.member)
    assert client.post(path, {"choice": "yes"}).status_code == 202


def test_one_member_never_sees_the_ballot_of_another(client, cast, proposal, path):
    make_ballot(cast.member, proposal, "no")
    client.force_login(cast.chair)
    page = client.get(path).content.decode()
    assert "You voted" not in page
    assert " checked" not in page[page.index("<form") : page.rindex("</form>")]
