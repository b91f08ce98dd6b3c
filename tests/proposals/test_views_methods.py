"""Ballots of every method on the page and in the API: steps, errors, access, the casting vote."""

import pytest
from django.urls import reverse

from proposals.choices import ProposalType
from proposals.models import Ballot, Decision
from tests.factories import make_cast, make_open_vote, make_proposal
from tests.proposals.test_methods import BALLOTS, OPTIONS, election, ruled, tied_for_the_chair

pytestmark = pytest.mark.django_db

A, B, C = OPTIONS


@pytest.fixture(autouse=True)
def no_waiting(settings):
    settings.RECEIPT_WAIT_SECONDS = 0


def ballot_address(proposal):
    return reverse("proposal-ballot", args=[proposal.ref])


SENT = {
    "approval": ({"ranking": [B, A]}, {"ranking": [A, B]}),
    "plurality": ({"ranking": B}, {"ranking": [B]}),
    "score": ({"points-0": "5", "points-2": "0"}, {"scores": {A: 5, C: 0}}),
    "irv": ({"rank-0": "2", "rank-1": "1"}, {"ranking": [B, A]}),
    "scottish-stv": ({"rank-2": "3", "rank-1": "1"}, {"ranking": [B, C]}),
    "schulze": ({"rank-0": "1", "rank-1": "1", "rank-2": "2"}, {"ranking": [[A, B], C]}),
}


@pytest.mark.parametrize("method", SENT)
def test_a_ballot_of_every_method_is_cast_by_a_plain_form_and_shown_again(client, method):
    cast, proposal = election(method=method)
    client.force_login(cast.member)
    sent, kept = SENT[method]
    answer = client.post(ballot_address(proposal), sent)
    assert answer.status_code == 202
    assert Ballot.objects.get().content == kept
    assert "Ben &lt;script&gt;" in answer.content.decode()
    page = client.get(ballot_address(proposal))
    assert page.context["form"].initial or page.context["form"].fields
    assert client.post(ballot_address(proposal), sent).status_code == 202
    assert Ballot.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "sent", "words"),
    [
        ("irv", {"rank-0": "1", "rank-1": "1"}, "Two options share a rank"),
        ("irv", {"rank-0": "9"}, "from 1 to 3, or nothing"),
        ("irv", {"rank-0": "first"}, "from 1 to 3, or nothing"),
        ("score", {"points-0": "6"}, "from 0 to 5"),
        ("approval", {"ranking": ["Dan"]}, "not one of the available choices"),
        ("plurality", {"ranking": "Dan"}, "not one of the available choices"),
    ],
)
def test_a_ballot_that_cannot_be_counted_comes_back_with_the_fault(client, method, sent, words):
    cast, proposal = election(method=method)
    client.force_login(cast.member)
    answer = client.post(ballot_address(proposal), sent)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Ballot.objects.exists()


def test_a_ballot_with_points_says_how_far_they_go_and_translates_no_option(client):
    charter = ruled(ProposalType.ELECTION, method="score", highest=7)
    cast = make_cast(charter=charter)
    options = ["Members", "Decision", "Yes"]
    proposal = make_open_vote(cast, type=ProposalType.ELECTION, options=options, seats=1)
    client.force_login(cast.member)
    assert "From 0 to 7 for each" in client.get(ballot_address(proposal)).content.decode()
    page = client.get(f"/fr{ballot_address(proposal)}").content.decode()
    assert "De 0 à 7" in page
    for option in options:
        assert f">{option}</label>" in page


def test_an_objection_without_its_reason_comes_back(client):
    cast = make_cast(charter=ruled(ProposalType.MOTION, method="consent"))
    proposal = make_open_vote(cast)
    client.force_login(cast.member)
    answer = client.post(ballot_address(proposal), {"choice": "object"})
    assert answer.status_code == 422
    assert "without a reason does not stand" in answer.content.decode()
    sent = {"choice": "object", "reason": "It costs\r\ntoo much."}
    assert client.post(ballot_address(proposal), sent).status_code == 202
    assert Ballot.objects.get().content["reason"] == "It costs\ntoo much."


def test_the_buttons_of_a_ranking_put_it_in_order_and_cast_nothing(client):
    cast, proposal = election(method="irv")
    client.force_login(cast.member)
    address = ballot_address(proposal)

    def names(answer):
        rows = answer.context["form"].rows()
        return [(row["name"], row["field"].value()) for row in rows]

    ranked = {"rank-0": "1", "rank-1": "2"}
    assert names(client.post(address, ranked | {"step": "up:1"})) == [(B, 1), (A, 2), (C, None)]
    assert names(client.post(address, ranked | {"step": "up:2"})) == [(A, 1), (B, 2), (C, 3)]
    assert names(client.post(address, ranked | {"step": "out:0"})) == [(B, 1), (A, None), (C, None)]
    assert names(client.post(address, {"rank-2": "3", "step": "sort"}))[0] == (C, 1)
    for odd in ("up:99", "up:-1", "down:x", "explode", "up:1:2"):
        assert client.post(address, ranked | {"step": odd}).status_code == 200
    assert client.post(address, {"rank-0": "x", "step": "sort"}).status_code == 422
    assert not Ballot.objects.exists()


def test_the_first_button_of_a_ranking_only_sorts_it(client):
    cast, proposal = election(method="irv")
    client.force_login(cast.member)
    page = client.get(ballot_address(proposal)).content.decode()
    form = page[page.index('class="card form ballot-form"') :]
    assert form.index('value="sort"') < form.index("rank-0") < form.index("Cast my ballot")


@pytest.mark.parametrize("method", BALLOTS)
def test_the_api_casts_a_ballot_of_every_method(client, method):
    cast, proposal = election(method=method)
    client.force_login(cast.member)
    address = reverse("api-ballot", args=[proposal.ref])
    answer = client.post(address, BALLOTS[method][0], content_type="application/json")
    assert answer.status_code == 202, answer.content
    assert Ballot.objects.get().entry.membership.person == cast.member
    for bad in ({"ranking": [["Dan"]]}, {"ranking": [{"a": 1}]}, {"scores": {"Dan": 1}}, {}):
        answer = client.post(address, bad, content_type="application/json")
        assert answer.status_code == 422, (bad, answer.content)
    assert Ballot.objects.count() == 1


def test_an_election_is_drafted_on_the_page_and_by_the_api(client):
    cast = make_cast()
    client.force_login(cast.member)
    sent = {
        "body": cast.body.pk,
        "type": "election",
        "title": "Who chairs",
        "summary": "The chair for a year.",
        "text": "Two stand.",
        "options": "Ann\r\n\r\n Ben \r\nCat",
        "seats": "2",
    }
    answer = client.post(reverse("proposal-create"), sent | {"options": ""})
    assert answer.status_code == 422
    assert "one option a line" in answer.content.decode()
    assert client.post(reverse("proposal-create"), sent | {"seats": "3"}).status_code == 422
    answer = client.post(reverse("proposal-create"), sent)
    assert answer.status_code == 302
    page = client.get(answer.headers["Location"]).content.decode()
    assert "3 options, 2 to be chosen" in page
    data = sent | {"body": cast.body.slug, "options": ["Ann", "Ben"], "seats": 1}
    answer = client.post(reverse("api-proposals"), data, content_type="application/json")
    assert answer.status_code == 201, answer.content
    assert answer.json()["text"]["options"] == ["Ann", "Ben"]


def test_editing_keeps_the_options_in_the_form(client):
    cast = make_cast()
    proposal = make_proposal(cast, type=ProposalType.ELECTION, options=OPTIONS)
    client.force_login(cast.member)
    page = client.get(reverse("proposal-edit", args=[proposal.ref]))
    assert page.context["form"]["options"].value() == "\n".join(OPTIONS)


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("chair", 200),
        ("member", 403),
        ("clerk", 403),
        ("administrator", 403),
        ("outsider", 403),
        ("anonymous", 302),
    ],
)
def test_only_the_chair_of_the_contract_breaks_the_tie(client, role, status):
    cast, proposal = tied_for_the_chair()
    if person := cast.named(role):
        client.force_login(person)
    address = reverse("proposal-casting-vote", args=[proposal.ref])
    assert client.get(address).status_code == status
    sent = {"rank-0": "2", "rank-1": "1", "rank-2": "3"}
    unsure = client.post(address, sent)
    assert unsure.status_code == status
    assert not Decision.objects.exists()
    if status == 200:
        asked = unsure.content.decode()
        assert '<details class="confirm" open>' in asked
        assert 'name="rank-1" value="1"' in " ".join(asked.split())
    answer = client.post(address, sent | {"sure": "yes"})
    assert answer.status_code == (302 if status == 200 else status)
    assert Decision.objects.exists() == (status == 200)
    if status == 200:
        assert Decision.objects.get().sheet["elected"] == [B]
        assert client.get(address).status_code == 409


def test_the_chair_gives_the_casting_vote_by_the_api(client):
    cast, proposal = tied_for_the_chair()
    client.force_login(cast.chair)
    address = reverse("api-casting-vote", args=[proposal.ref])
    answer = client.post(address, {"names": [A]}, content_type="application/json")
    assert answer.status_code == 422
    answer = client.post(address, {"names": [A, B, C]}, content_type="application/json")
    assert answer.status_code == 201
    assert answer.json()["record"]["sheet"]["elected"] == [A]
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "See how it was decided" in page


def test_a_tied_vote_says_so_and_leads_the_chair_to_it(client):
    cast, proposal = tied_for_the_chair()
    client.force_login(cast.chair)
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "The vote is tied and waits for the chair" in page
    assert reverse("proposal-casting-vote", args=[proposal.ref]) in page
    client.force_login(cast.member)
    assert "the chair has the casting vote" in client.get(ballot_address(proposal)).content.decode()
