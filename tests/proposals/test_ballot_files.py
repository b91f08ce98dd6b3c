"""The ballots of a decided election as BLT: what other programs count comes to the same."""

import json

import pytest
from django.urls import reverse

from proposals.choices import ProposalType
from proposals.models import Contract
from proposals.services import closing, roll
from proposals.tally import blt
from proposals.tally.command import main
from tests.factories import make_ballot, make_cast, make_decision, make_open_vote, quick_charter

pytestmark = pytest.mark.django_db

A, B, C = OPTIONS = ['Ann "the first"', "Ben #2", "Cäcilie \\ co"]


def elected(method, ballots, *, before=None, **rules):
    charter = quick_charter()
    charter[ProposalType.ELECTION.value] |= {"method": method, **rules}
    cast = make_cast(charter=charter)
    if before:
        before(cast)
    proposal = make_open_vote(
        cast, type=ProposalType.ELECTION, options=OPTIONS, seats=1, title="Who is to speak\t?"
    )
    for person, ranking in zip(cast.members, ballots, strict=True):
        if ranking is not None:
            make_ballot(person, proposal, {"ranking": ranking})
    if None in ballots:
        opened = proposal.contract.opens_at
        Contract.objects.filter(proposal=proposal).update(
            opens_at=opened.replace(year=opened.year - 1), closes_at=opened
        )
        return closing.close_due_vote(proposal=proposal)
    return closing.close_vote(by=cast.clerk, proposal=proposal)


@pytest.mark.parametrize(
    ("method", "ballots"),
    [
        ("scottish-stv", [[B, A], [A, B], [B]]),
        ("irv", [[B, A], [C, B], [B]]),
        ("schulze", [[[A, B], C], [B, C, A], []]),
        ("approval", [[A, B], [B], []]),
        ("plurality", [[B], [B], [A]]),
    ],
)
def test_the_file_counted_by_the_command_gives_the_decisions_sheet(
    client, tmp_path, capsysbinary, method, ballots
):
    decision = elected(method, ballots)
    answer = client.get(reverse("decision-ballots-blt", args=[decision.ref]))
    assert answer["Content-Disposition"] == f'attachment; filename="{decision.ref}.blt"'
    file = tmp_path / "ballots.blt"
    file.write_bytes(answer.content)
    assert main([method, str(file)]) == 0
    sheet = json.loads(capsysbinary.readouterr().out)
    assert sheet["elected"] == decision.sheet["elected"] == [B]
    assert sheet["stages"] == decision.sheet["stages"]
    assert client.get(reverse("api-decision-ballots-blt", args=[decision.ref])).content == (
        answer.content
    )
    assert reverse("decision-ballots-blt", args=[decision.ref]) in (
        client.get(decision.get_absolute_url()).content.decode()
    )


def test_names_and_title_survive_whatever_they_hold(client):
    decision = elected("irv", [[B, A], [C, B], [B]])
    found = blt.parse(client.get(reverse("decision-ballots-blt", args=[decision.ref])).content)
    assert list(found.candidates) == OPTIONS
    assert found.title == f"{decision.ref} Who is to speak ?"


def test_a_ballot_has_the_weight_of_those_it_carries(client):
    def delegate(cast):
        seat = cast.body.memberships.get(person=cast.member)
        roll.give_delegation(by=cast.second_member, body=cast.body, to=seat)

    decision = elected("irv", [[B, A], None, [A]], before=delegate, delegation="transitive")
    found = blt.parse(client.get(reverse("decision-ballots-blt", args=[decision.ref])).content)
    assert sorted(found.ballots.values()) == [1, 2]


@pytest.mark.parametrize("name", ["decision-ballots-blt", "api-decision-ballots-blt"])
def test_a_vote_without_orders_has_no_such_file(client, name):
    decision = make_decision(make_cast())
    assert client.get(reverse(name, args=[decision.ref])).status_code == 404
    assert client.get(reverse(name, args=["1999-001"])).status_code == 404
    assert "ballots.blt" not in client.get(decision.get_absolute_url()).content.decode()
