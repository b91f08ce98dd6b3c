"""What a decision's page says of the decision: its text, its kind, its majority, its effect."""

import json

import pytest
from django.urls import reverse

from oversight.ledger.sequencer import sequence_once
from proposals.choices import ProposalType, StatementKind
from proposals.models import Contract
from proposals.services import amendments, closing, drafting
from proposals.services.statements import make_statement
from tests.factories import (
    decide,
    make_amendment,
    make_ballot,
    make_cast,
    make_decision,
    make_deliberated_proposal,
    make_election_decision,
    make_open_vote,
    quick_charter,
)
from tests.proposals.test_methods import ruled

pytestmark = pytest.mark.django_db
CHAIR_BREAKS_TIES = {"vote": {"tie_rule": "chair"}}


@pytest.fixture
def cast():
    return make_cast()


def page_of(client, decision):
    return client.get(decision.get_absolute_url()).content.decode()


def decisions_of(client):
    content = b"".join(client.get("/data/decisions.json").streaming_content)
    return json.loads(content)["rows"]


def tied(cast):
    proposal = make_open_vote(cast)
    for person, choice in zip(cast.members, ("yes", "no", "abstain"), strict=True):
        make_ballot(person, proposal, choice)
    assert closing.close_vote(by=cast.clerk, proposal=proposal) is None
    return proposal


def test_the_rules_of_a_vote_lead_to_the_charter_that_it_was_held_under(client, cast):
    before = make_open_vote(cast)
    document = quick_charter(voting_hours=24)
    make_decision(cast, type=ProposalType.AMEND_CHARTER, terms={"base": 1, "charter": document})
    page = client.get(before.get_absolute_url()).content.decode()
    assert f'href="{reverse("charter", args=[cast.body.slug, 1])}">Charter 1 of the body' in page


def test_a_decision_about_no_model_is_named_by_what_it_was_about(client, cast):
    document = quick_charter(voting_hours=24)
    terms = {"base": 1, "charter": document}
    amended = make_decision(cast, type=ProposalType.AMEND_CHARTER, terms=terms)
    assert "Its subject was to amend the charter." in page_of(client, amended)
    assert "Its subject was to carry a general motion." in page_of(client, make_decision(cast))


def test_the_text_that_was_put_to_the_vote_stands_on_the_decisions_page(client, cast):
    proposal = make_deliberated_proposal(cast)
    made = make_amendment(cast.member, proposal, "answers at night", "answers by day")
    amendments.accept_amendment(by=cast.proposer, amendment=made)
    decision = decide(cast, proposal)
    page, text = page_of(client, decision), proposal.text
    assert "answers by day" in page
    assert text.digest in page
    assert reverse("proposal-revision", args=[proposal.ref, text.number]) in page
    assert "1 amendment was taken into the text after they were last changed" in page


def test_who_makes_a_text_final_is_told_that_its_summary_may_say_what_it_said_before(client, cast):
    proposal = make_deliberated_proposal(cast)
    told = "1 amendment was taken into the text since title and summary were last changed."
    client.force_login(cast.clerk)
    assert told not in client.get(proposal.get_absolute_url()).content.decode()
    made = make_amendment(cast.member, proposal, "answers at night", "answers by day")
    amendments.accept_amendment(by=cast.proposer, amendment=made)
    for person in (cast.clerk, cast.proposer):
        client.force_login(person)
        assert told in client.get(proposal.get_absolute_url()).content.decode()
    client.force_login(cast.outsider)
    assert told not in client.get(proposal.get_absolute_url()).content.decode()
    text = proposal.text
    drafting.revise_text(
        by=cast.proposer,
        proposal=proposal,
        title=text.title,
        summary="It answers by day.",
        text=text.body_markdown,
        base_number=text.number,
    )
    client.force_login(cast.clerk)
    assert told not in client.get(proposal.get_absolute_url()).content.decode()


@pytest.mark.parametrize(("given", "outcome"), [("yes", "Carried"), ("no", "Not carried")])
def test_a_casting_vote_stands_beside_the_votes_that_it_decided(client, given, outcome):
    cast = make_cast(charter=ruled(ProposalType.MOTION, **CHAIR_BREAKS_TIES))
    proposal = tied(cast)
    decision = closing.give_casting_vote(by=cast.chair, proposal=proposal, names=[given])
    words = "1 for, 1 against, 1 abstained, decided by the chair&#x27;s casting vote"
    assert f'<h2 id="result">{words}</h2>' in page_of(client, decision)
    listed = client.get(reverse("deciding")).content.decode()
    assert words in listed
    assert outcome in listed


def test_a_vote_without_a_tie_says_nothing_of_one(client, cast):
    page = page_of(client, make_decision(cast))
    assert '<h2 id="result">2 for, 1 against</h2>' in page
    assert "“yes” is a vote for, “no” a vote against" in page


def test_only_a_decision_that_did_something_says_when_it_was_done(client, cast):
    at_once = "The effect took place in the same transaction as the decision"
    refused = make_decision(cast, ("no", "no", "no"))
    assert "Nothing: only a carried decision has an effect." in page_of(client, refused)
    assert at_once not in page_of(client, refused)
    assert at_once not in page_of(client, make_decision(cast))
    terms = {"base": 1, "charter": quick_charter(voting_hours=24)}
    amended = make_decision(cast, type=ProposalType.AMEND_CHARTER, terms=terms)
    assert at_once in page_of(client, amended)


def test_what_can_be_proposed_about_a_decision_names_this_one(client, cast):
    client.force_login(cast.member)
    page = page_of(client, make_decision(cast))
    assert "Propose to annul this decision" in page
    assert "an earlier decision" not in page


def test_the_timeline_says_which_statement_was_put_on_the_record(client, cast):
    decision = make_decision(cast)
    for person, kind in ((cast.clerk, StatementKind.REASONS), (cast.chair, StatementKind.DISSENT)):
        make_statement(by=person, decision=decision, kind=kind, text="Because it is so.")
    sequence_once()
    page = page_of(client, decision)
    assert "The reasons of the body were put on the record" in page
    assert "A member put a dissent on the record" in page
    assert "Reasons, an explanation or a dissent" not in page


def test_by_what_majority_a_motion_was_decided_stands_in_the_table_of_decisions(client):
    cast = make_cast(charter=ruled(ProposalType.MOTION, **CHAIR_BREAKS_TIES))
    closing.give_casting_vote(by=cast.chair, proposal=tied(cast), names=["yes"])
    row = decisions_of(client)[0]
    figures = ("votes_for", "votes_against", "abstentions", "votes_cast", "on_roll")
    assert [row[name] for name in figures] == ["1", "1", "1", "3", "3"]
    threshold = ("threshold", "threshold_comparison", "threshold_base", "share_for")
    rules = Contract.objects.get().content["rules"]
    assert [row[name] for name in threshold] == [
        *(rules[name] for name in ("threshold", "comparison", "base")),
        "1/2",
    ]
    assert (row["quorum"], row["quorum_base"]) == (rules["quorum"], rules["quorum_base"])
    assert (row["quorum_met"], row["tie_broken_by"]) == (True, "casting_vote")
    assert row["result"] == "1 for, 1 against, 1 abstained, decided by the chair's casting vote"


def test_an_election_has_no_votes_for_and_against_in_the_table_of_decisions(client, cast):
    make_election_decision(cast)
    row = decisions_of(client)[0]
    assert (row["votes_for"], row["votes_against"], row["threshold"]) == (None, None, None)
    assert (row["votes_cast"], row["result"]) == ("3", "Ann")


def test_the_feed_says_how_a_decision_ended_and_what_a_program_reads_stays_english(client, cast):
    make_decision(cast)
    for language in ("en", "fr"):
        feed = client.get("/feeds/decisions.atom", headers={"Accept-Language": language})
        assert "2 for, 1 against. The council publishes" in feed.content.decode()
