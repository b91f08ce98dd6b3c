"""Amendments that the body decides on: the vote, what it blocks, and what it changes."""

import pytest

from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.choices import ProposalType
from proposals.services import amendments, closing, drafting, stages, voting
from tests.factories import (
    make_amendment,
    make_ballot,
    make_cast,
    make_deliberated_proposal,
)

pytestmark = pytest.mark.django_db

TEXT = """The operator must log every request for twelve months.

A person takes over when the caller asks for one.
"""


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def proposal(cast):
    return make_deliberated_proposal(cast, text=TEXT)


@pytest.fixture
def amendment(cast, proposal):
    return make_amendment(cast.second_member, proposal, "twelve", "six")


def put(cast, amendment):
    return amendments.put_to_vote(by=cast.second_member, amendment=amendment)


def decide(cast, vote, *choices):
    """Take the vote on an amendment to its end."""
    stages.fix_text(by=cast.clerk, proposal=vote)
    voting.open_vote(by=cast.clerk, proposal=vote)
    for person, choice in zip(cast.members, choices, strict=True):
        make_ballot(person, vote, choice)
    return closing.close_vote(by=cast.clerk, proposal=vote)


def revise(cast, proposal, text):
    base = proposal.text
    return drafting.revise_text(
        by=cast.member,
        proposal=proposal,
        title=base.title,
        summary=base.summary,
        text=text,
        base_number=base.number,
    )


def test_the_vote_is_a_proposal_in_deliberation_that_says_what_changes(
    client, cast, proposal, amendment
):
    vote = put(cast, amendment)
    assert (vote.type, vote.status, vote.body) == ("amend_text", "deliberation", cast.body)
    assert vote.title == f"Amendment 1 to {proposal.ref}: {proposal.title}"
    for months in ("twelve", "six"):
        sentence = f"> The operator must log every request for {months} months."
        assert sentence in vote.text.body_markdown
    assert vote.text.terms == {
        "proposal": proposal.ref,
        "amendment": 1,
        "digest": amendment.versions.get().digest,
    }
    leaf = PendingLeaf.objects.get(type="proposals.amendment.put")
    assert leaf.content["facts"] == {"number": 1, "vote": vote.ref}
    page = client.get(vote.get_absolute_url()).content.decode()
    assert amendment.get_absolute_url() in page
    assert vote.ref in client.get(amendment.get_absolute_url()).content.decode()
    with pytest.raises(Conflict, match=f"Amendment 1 .* is put to a vote: {vote.ref}"):
        stages.fix_text(by=cast.clerk, proposal=proposal)


def test_a_carried_amendment_makes_the_next_revision_whatever_the_proposer_says(
    client, cast, proposal, amendment
):
    amendments.reject_amendment(by=cast.member, amendment=amendment, reason="Never.")
    vote = put(cast, amendment)
    decision = decide(cast, vote, "no", "yes", "yes")
    amendment.refresh_from_db()
    text = proposal.text
    assert (decision.outcome, amendment.status) == ("carried", "carried")
    assert text.body_markdown == TEXT.replace("twelve", "six")
    assert (text.number, text.amendment, text.author) == (2, amendment, cast.second_member)
    leaf = PendingLeaf.objects.get(pk=text.leaf_id).content
    assert leaf["actor"] == f"decision:{vote.ref}"
    assert leaf["facts"] == {"number": 2, "amendment": 1}
    assert decision.content["effect"] == {
        "kind": "amend_text",
        "proposal": proposal.ref,
        "amendment": 1,
        "revision": 2,
        "text": text.digest,
    }
    page = client.get(decision.get_absolute_url()).content.decode()
    assert f"revision 2 of {proposal.ref}" in page
    assert stages.fix_text(by=cast.clerk, proposal=proposal).status == "final_text"


@pytest.mark.parametrize("choices", [("no", "no", "yes"), ("yes", "no", "abstain")])
def test_an_amendment_that_is_not_carried_changes_nothing(cast, proposal, amendment, choices):
    decide(cast, put(cast, amendment), *choices)
    amendment.refresh_from_db()
    assert amendment.status == "not_carried"
    assert proposal.text.number == 1
    with pytest.raises(Conflict):
        put(cast, amendment)


def test_its_words_cannot_change_during_the_vote_and_others_can(cast, proposal, amendment):
    vote = put(cast, amendment)
    other = make_amendment(cast.chair, proposal, "twelve months", "a year")
    for act in (
        lambda: revise(cast, proposal, TEXT.replace("twelve", "ten")),
        lambda: amendments.accept_amendment(by=cast.member, amendment=other),
    ):
        with pytest.raises(Conflict, match="voting on amendment 1"):
            act()
    for act in (amendments.accept_amendment, amendments.withdraw_amendment):
        with pytest.raises(Conflict):
            act(
                by=cast.member if "accept" in act.__name__ else cast.second_member,
                amendment=amendment,
            )
    revise(cast, proposal, TEXT.replace("asks", "wishes"))
    decide(cast, vote, "yes", "yes", "yes")
    expected = TEXT.replace("asks", "wishes").replace("twelve", "six")
    assert proposal.text.body_markdown == expected


def test_two_amendments_of_the_same_words_are_not_voted_on_at_once(cast, proposal, amendment):
    other = make_amendment(cast.chair, proposal, "twelve months", "a year")
    put(cast, amendment)
    with pytest.raises(Conflict, match="same words and is being voted on"):
        amendments.put_to_vote(by=cast.chair, amendment=other)


def test_an_amendment_that_no_longer_fits_is_not_put_to_a_vote(cast, proposal, amendment):
    revise(cast, proposal, TEXT.replace("twelve", "ten"))
    with pytest.raises(Conflict, match="write it anew first"):
        put(cast, amendment)


@pytest.mark.parametrize("end", ["withdraw", "annul"])
def test_a_vote_that_is_withdrawn_or_annulled_leaves_the_amendment_open(
    cast, proposal, amendment, end
):
    vote = put(cast, amendment)
    if end == "withdraw":
        stages.withdraw(by=cast.second_member, proposal=vote, reason="Settled.")
    else:
        stages.fix_text(by=cast.clerk, proposal=vote)
        voting.open_vote(by=cast.clerk, proposal=vote)
        stages.annul_vote(by=cast.clerk, proposal=vote, reason="Wrong roll.")
    amendment.refresh_from_db()
    assert (amendment.status, amendment.vote) == ("open", None)
    assert put(cast, amendment).ref != vote.ref


def test_a_proposal_is_not_withdrawn_while_the_body_decides_on_its_text(cast, proposal, amendment):
    vote = put(cast, amendment)
    with pytest.raises(Conflict, match="deciding on amendment 1"):
        stages.withdraw(by=cast.member, proposal=proposal, reason="Enough.")
    stages.withdraw(by=cast.second_member, proposal=vote, reason="Settled.")
    assert stages.withdraw(by=cast.member, proposal=proposal, reason="Enough.").status


def test_only_the_author_or_a_clerk_puts_it_to_a_vote(cast, proposal, amendment):
    for person in (cast.member, cast.chair, cast.outsider, cast.administrator):
        with pytest.raises(NotAllowed):
            amendments.put_to_vote(by=person, amendment=amendment)
    assert amendments.put_to_vote(by=cast.clerk, amendment=amendment).proposer == cast.clerk


def test_the_vote_itself_is_neither_rewritten_nor_amended_nor_drafted_by_hand(
    cast, proposal, amendment
):
    vote = put(cast, amendment)
    with pytest.raises(NotAllowed):
        drafting.revise_text(
            by=cast.second_member, proposal=vote, title="x", summary="y", text="z", base_number=1
        )
    with pytest.raises(NotAllowed):
        amendments.propose_amendment(
            by=cast.chair, proposal=vote, text="x", reason="y", base_number=1
        )
    with pytest.raises(Invalid, match="Put the amendment to a vote"):
        drafting.draft_proposal(
            by=cast.member,
            body=cast.body,
            type=ProposalType.AMENDMENT,
            title="x",
            summary="y",
            text="z",
            terms={"proposal": proposal.ref, "amendment": 1, "digest": "sha256:" + "0" * 64},
        )
