"""Votes by every method from the charter to the sheet; ties, lots, the chair, secrecy."""

import json

import pytest
from django.urls import reverse

from oversight.ledger.commitment import opens
from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import charter
from proposals.choices import ProposalType
from proposals.counting import Counted, count
from proposals.models import Ballot, CastingVote, Contract, Decision
from proposals.services import closing, drafting
from proposals.tally.lot import commit
from tests.factories import (
    make_ballot,
    make_cast,
    make_deliberated_proposal,
    make_open_vote,
    quick_charter,
)

pytestmark = pytest.mark.django_db

ELECTION = ProposalType.ELECTION
OPTIONS = ["Ann", "Ben <script>", "Cäcilie"]
A, B, C = OPTIONS

BALLOTS = {
    "approval": [{"ranking": [A, B]}, {"ranking": [B]}, {"ranking": []}],
    "plurality": [{"ranking": [B]}, {"ranking": [B]}, {"ranking": [A]}],
    "score": [{"scores": {A: 5, B: 4}}, {"scores": {B: 4, C: 0}}, {"scores": {}}],
    "irv": [{"ranking": [B, A]}, {"ranking": [C, B]}, {"ranking": [B]}],
    "scottish-stv": [{"ranking": [B, A]}, {"ranking": [A, B]}, {"ranking": [B]}],
    "schulze": [{"ranking": [[A, B], C]}, {"ranking": [B, C, A]}, {"ranking": [B]}],
}


def ruled(kind=ELECTION, *, vote=None, **rules):
    """Return a charter with these rules for one type of decision."""
    document = quick_charter()
    document[kind.value] |= rules
    document[kind.value]["vote"] |= vote or {}
    return document


def election(*, vote=None, options=OPTIONS, seats=1, **rules):
    cast = make_cast(charter=ruled(vote=vote, **rules))
    return cast, make_open_vote(cast, type=ELECTION, options=options, seats=seats)


def decide(cast, proposal, ballots):
    for person, content in zip(cast.members, ballots, strict=True):
        make_ballot(person, proposal, content)
    return closing.close_vote(by=cast.clerk, proposal=proposal)


@pytest.mark.parametrize("method", BALLOTS)
def test_an_election_by_every_method_chooses_and_stores_its_whole_sheet(method):
    cast, proposal = election(method=method)
    content = proposal.contract.content
    assert (content["method"], content["options"], content["seats"]) == (method, OPTIONS, 1)
    decision = decide(cast, proposal, BALLOTS[method])
    assert (decision.outcome, decision.sheet["elected"]) == ("elected", [B])
    assert decision.sheet["stages"]
    assert decision.content["effect"] == {}
    for row in decision.content["ballots"]:
        leaf = PendingLeaf.objects.get(pk=row["leaf"])
        said = {name: row[name] for name in ("ranking", "scores") if name in row}
        assert opens(leaf.content["commits"]["choice"], bytes.fromhex(row["salt"]), said)


def test_consent_is_carried_until_a_reasoned_objection_stands():
    for objection, outcome in ((None, "carried"), ("It costs too much.", "not_carried")):
        cast = make_cast(charter=ruled(ProposalType.MOTION, method="consent"))
        proposal = make_open_vote(cast)
        assert proposal.contract.content["options"] == ["consent", "abstain", "object"]
        last = {"choice": "object", "reason": objection} if objection else "abstain"
        decision = decide(cast, proposal, ["consent", "consent", last])
        assert decision.outcome == outcome
        assert decision.sheet["standing"] == bool(objection)


def test_two_seats_are_filled_in_proportion():
    cast, proposal = election(method="scottish-stv", seats=2)
    decision = decide(cast, proposal, [{"ranking": r} for r in ([A, B], [B], [A, C])])
    assert decision.sheet["seats"] == 2
    assert set(decision.sheet["elected"]) == {A, B}


def test_a_method_for_one_seat_refuses_two():
    cast = make_cast(charter=ruled(method="schulze"))
    with pytest.raises(Invalid, match="schulze, chooses one; this asks for 2"):
        make_deliberated_proposal(cast, type=ELECTION, options=OPTIONS, seats=2)


def test_options_are_part_of_the_text_and_each_change_is_a_revision_on_the_record():
    cast = make_cast(charter=ruled())
    proposal = make_deliberated_proposal(cast, type=ELECTION, options=OPTIONS)
    text = proposal.text
    words = {"title": text.title, "summary": text.summary, "text": text.body_markdown}
    common = {"by": cast.member, "proposal": proposal, "base_number": 1} | words
    assert drafting.revise_text(**common).number == 1
    revision = drafting.revise_text(**common, options=[A, B])
    assert (revision.number, revision.options, revision.seats) == (2, [A, B], 1)
    leaf = PendingLeaf.objects.get(pk=revision.leaf_id)
    assert leaf.content["digests"]["text"] == revision.digest != text.digest
    with pytest.raises(Invalid, match="used twice"):
        drafting.revise_text(**common | {"base_number": 2}, options=[A, A])


def test_a_ballot_naming_an_unknown_or_repeated_option_is_refused_and_nothing_is_kept():
    cast, proposal = election(method="irv")
    for ranking in (["Dan"], [A, A], [[A, B]]):
        with pytest.raises(Invalid):
            make_ballot(cast.member, proposal, {"ranking": ranking})
    assert not Ballot.objects.exists()
    assert not PendingLeaf.objects.filter(type="proposals.ballot.cast").exists()


def test_the_same_ranking_written_otherwise_is_the_same_ballot():
    cast, proposal = election(method="schulze")
    first = make_ballot(cast.member, proposal, {"ranking": [[A, B]]})
    assert make_ballot(cast.member, proposal, {"ranking": [[B, A]]}) == first


# -- Ties ------------------------------------------------------------------------------------


def test_a_lot_is_committed_to_before_the_opening_and_revealed_after_the_close():
    cast, proposal = election(method="approval", vote={"tie_rule": "lot"})
    contract = proposal.contract
    leaves = PendingLeaf.objects.filter(subject=proposal.subject).order_by("position")
    types = [leaf.type for leaf in leaves]
    assert types.index("proposals.lot.committed") < types.index("proposals.vote.opened")
    assert contract.lot_seed not in contract.document
    commitment = contract.content["lot"]["commitment"]
    decision = decide(cast, proposal, [{"ranking": [A]}, {"ranking": [B]}, {"ranking": []}])
    assert decision.outcome == "elected"
    assert decision.sheet["ties"][0]["resolved_by"] == "lot"
    seed = decision.content["lot_seed"]
    assert f"sha256:{commit(seed)}" == commitment
    revealed = PendingLeaf.objects.get(type="proposals.lot.revealed").content
    assert (revealed["facts"]["seed"], revealed["digests"]["seed"]) == (seed, commitment)


def test_a_tie_under_the_status_quo_decides_nothing():
    cast, proposal = election(method="approval", vote={"tie_rule": "status_quo"})
    decision = decide(cast, proposal, [{"ranking": [A]}, {"ranking": [B]}, {"ranking": []}])
    assert (decision.outcome, decision.sheet["elected"]) == ("tied", [])


def tied_for_the_chair():
    cast, proposal = election(method="approval", vote={"tie_rule": "chair"})
    assert decide(cast, proposal, [{"ranking": [A]}, {"ranking": [B]}, {"ranking": []}]) is None
    return cast, proposal


def test_a_tie_waits_for_the_chair_whose_casting_vote_decides_at_once():
    cast, proposal = tied_for_the_chair()
    assert not Decision.objects.exists()
    with pytest.raises(Conflict, match="tied and waits"):
        make_ballot(cast.member, proposal, {"ranking": [B]})
    with pytest.raises(Conflict, match="waits for the chair"):
        closing.close_due_vote(proposal=proposal)
    with pytest.raises(NotAllowed):
        closing.give_casting_vote(by=cast.member, proposal=proposal, names=OPTIONS)
    with pytest.raises(Invalid, match="Rank every option"):
        closing.give_casting_vote(by=cast.chair, proposal=proposal, names=[B])
    decision = closing.give_casting_vote(by=cast.chair, proposal=proposal, names=[B, A, C])
    assert (decision.outcome, decision.sheet["elected"]) == ("elected", [B])
    given = decision.content["casting_vote"]
    leaf = PendingLeaf.objects.get(type="proposals.casting.given").content
    salt = bytes.fromhex(given["salt"])
    assert opens(leaf["commits"]["choice"], salt, {"casting_vote": [B, A, C]})
    with pytest.raises(Conflict):
        closing.give_casting_vote(by=cast.chair, proposal=proposal, names=[A, B, C])


def test_a_chair_who_does_not_decide_leaves_the_status_quo(monkeypatch):
    _, proposal = tied_for_the_chair()
    until = Contract.objects.get(proposal=proposal).casting_until
    monkeypatch.setattr("proposals.services.closing.database_now", lambda: until)
    assert type(proposal).objects.due(until).count() == 1
    decision = closing.close_due_vote(proposal=proposal)
    assert (decision.outcome, CastingVote.objects.count()) == ("tied", 0)


def test_a_tied_motion_falls_to_the_chair_too():
    cast = make_cast(charter=ruled(ProposalType.MOTION, vote={"tie_rule": "chair"}))
    proposal = make_open_vote(cast)
    assert decide(cast, proposal, ["yes", "no", "abstain"]) is None
    decision = closing.give_casting_vote(by=cast.chair, proposal=proposal, names=["yes"])
    assert decision.outcome == "carried"
    assert decision.sheet["tie"]["resolved_by"] == "casting_vote"


# -- Secrecy ---------------------------------------------------------------------------------


def test_a_secret_vote_publishes_who_voted_and_never_how(client):
    cast = make_cast(charter=ruled(ProposalType.MOTION, secrecy="secret"))
    proposal = make_open_vote(cast)
    decision = decide(cast, proposal, ["no", "yes", "yes"])
    assert decision.content["ballots"] == [
        {"choice": "no", "weight": 1},
        {"choice": "yes", "weight": 1},
        {"choice": "yes", "weight": 1},
    ]
    for membership in cast.body.memberships.all():
        assert membership.actor not in decision.record
    page = client.get(decision.get_absolute_url()).content.decode()
    assert "Ballots without names" in page
    assert cast.member.display_name not in page[page.index('id="ballots"') :]


def test_the_ballot_of_a_secret_vote_says_what_secret_means(client):
    cast = make_cast(charter=ruled(ProposalType.MOTION, secrecy="secret"))
    proposal = make_open_vote(cast)
    client.force_login(cast.member)
    page = client.get(reverse("proposal-ballot", args=[proposal.ref])).content.decode()
    assert "secret from the public" in page
    assert "whoever runs this site could link your name" in page
    assert "published by name" not in page


# -- What anybody can do again ---------------------------------------------------------------


@pytest.mark.parametrize("method", BALLOTS)
def test_the_record_and_the_contract_alone_give_the_same_sheet(method):
    cast, proposal = election(method=method, vote={"tie_rule": "lot"})
    decision = decide(cast, proposal, BALLOTS[method])
    record = json.loads(decision.record)
    again = count(
        json.loads(proposal.contract.document),
        [Counted(row, row["weight"]) for row in record["ballots"]],
        lot_seed=record["lot_seed"],
    )
    assert (again.outcome, again.sheet) == (record["outcome"], record["sheet"])


@pytest.mark.parametrize("method", [*BALLOTS])
def test_the_count_has_a_page_and_json_and_the_decision_shows_it(client, method):
    cast, proposal = election(method=method)
    decision = decide(cast, proposal, BALLOTS[method])
    page = client.get(reverse("proposal-sheet", args=[proposal.ref]))
    assert "Ben &lt;script&gt;" in page.content.decode()
    assert client.get(reverse("proposal-sheet-json", args=[proposal.ref])).json() == decision.sheet
    for address in (decision.get_absolute_url(), proposal.get_absolute_url(), "/deciding/"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "Ben <script>" not in answer.content.decode()


def test_the_usual_charter_can_be_read():
    document = charter.first()
    assert charter.read(document)
    assert all(charter.rules_in(document, kind) for kind in ProposalType)
