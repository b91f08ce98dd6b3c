"""Ballots: who may cast, until when, what counts, and what is hidden."""

import json
import threading

import pytest
from django.db import connection

from oversight.accounts import services as accounts
from oversight.ledger.commitment import opens
from oversight.ledger.models import Opening, PendingLeaf
from oversight.registry import gate
from oversight.registry.models import Authorisation
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import ballot_box
from proposals.choices import TRANSITIONS, Leaf, Status
from proposals.models import Ballot, Contract, Proposal
from proposals.services import casting, closing, drafting, stages, voting
from proposals.tasks import close_due_votes
from tests.scenes import (
    make_council,
    make_criterion,
    make_final,
    make_finished_run,
    make_open_vote,
    make_person,
    make_proposal,
    make_suite,
)

pytestmark = pytest.mark.django_db


def vote(council, proposal, *choices):
    return [
        casting.cast_ballot(by=member, proposal=proposal, choice=choice)
        for member, choice in zip(council.members, choices, strict=False)
    ]


def make_due(proposal):
    """Let the deadline pass, as far as the database knows."""
    opened = database_now()
    Contract.objects.filter(proposal=proposal).update(
        opens_at=opened.replace(year=opened.year - 1), closes_at=opened
    )


def test_the_contract_freezes_text_roll_rules_and_times_under_its_digest():
    council, proposal = make_open_vote()
    content = proposal.contract.content
    assert content["text"]["digest"] == proposal.text.digest
    assert len(content["roll"]) == 3
    assert content["rules"]["threshold"] == "2/3"
    assert content["time_zone"] == "Europe/Zurich"
    leaf = PendingLeaf.objects.get(pk=proposal.contract.leaf_id)
    assert leaf.content["digests"]["contract"] == proposal.contract.digest
    assert council.clerk.actor == leaf.content["actor"]


def test_a_roll_change_after_the_opening_changes_nothing():
    council, proposal = make_open_vote()
    newcomer = make_person()
    accounts.appoint(by=accounts.shell_person(), body=council.body, person=newcomer)
    with pytest.raises(NotAllowed, match="not on the roll"):
        casting.cast_ballot(by=newcomer, proposal=proposal, choice="yes")
    leaver = council.members[2]
    accounts.end_membership(by=accounts.shell_person(), membership=leaver.memberships.get())
    assert casting.cast_ballot(by=leaver, proposal=proposal, choice="no").number == 1


@pytest.mark.parametrize("who", ["outsider", "clerk"])
def test_nobody_outside_the_roll_votes(who):
    council, proposal = make_open_vote()
    with pytest.raises(NotAllowed):
        casting.cast_ballot(by=getattr(council, who), proposal=proposal, choice="yes")
    assert not Ballot.objects.exists()


def test_an_unknown_choice_is_refused_by_name():
    council, proposal = make_open_vote()
    with pytest.raises(Invalid, match="“maybe” is not an option"):
        casting.cast_ballot(by=council.proposer, proposal=proposal, choice="maybe")


def test_the_last_ballot_counts_and_the_same_choice_again_changes_nothing():
    council, proposal = make_open_vote()
    first = casting.cast_ballot(by=council.proposer, proposal=proposal, choice="no")
    again = casting.cast_ballot(by=council.proposer, proposal=proposal, choice="no")
    second = casting.cast_ballot(by=council.proposer, proposal=proposal, choice="yes")
    assert first == again
    assert (first.number, second.number) == (1, 2)
    assert [b.choice for b in ballot_box.last_ballots(proposal.contract)] == ["yes"]


def test_the_leaf_of_a_ballot_commits_to_the_choice_and_does_not_show_it():
    council, proposal = make_open_vote()
    ballot = casting.cast_ballot(by=council.proposer, proposal=proposal, choice="yes")
    leaf = PendingLeaf.objects.get(pk=ballot.leaf_id)
    assert b'"yes"' not in bytes(leaf.body)
    opening = Opening.objects.get(leaf_id=leaf.pk)
    assert opens(leaf.content["commits"]["choice"], bytes(opening.salt), {"choice": "yes"})
    assert not opens(leaf.content["commits"]["choice"], bytes(opening.salt), {"choice": "no"})


def test_a_ballot_after_the_close_is_refused_by_the_databases_clock():
    council, proposal = make_open_vote()
    vote(council, proposal, "yes")
    make_due(proposal)
    with pytest.raises(Conflict, match="closed at"):
        casting.cast_ballot(by=council.members[1], proposal=proposal, choice="yes")
    assert Ballot.objects.count() == 1


def test_a_vote_closes_early_only_when_all_have_voted():
    council, proposal = make_open_vote()
    vote(council, proposal, "yes", "yes")
    with pytest.raises(Conflict, match="1 member has cast no ballot of their own yet"):
        closing.close_vote(by=council.clerk, proposal=proposal)
    casting.cast_ballot(by=council.members[2], proposal=proposal, choice="no")
    decision = closing.close_vote(by=council.clerk, proposal=proposal)
    assert decision.outcome == "carried"


def test_a_carried_authorisation_takes_effect_in_the_same_moment_and_the_gate_opens():
    council, proposal = make_open_vote()
    before = gate.answer(subject=proposal.version.digest, deployment_slug=proposal.deployment.slug)
    vote(council, proposal, "yes", "yes", "no")
    decision = closing.close_vote(by=council.clerk, proposal=proposal)
    after = gate.answer(subject=proposal.version.digest, deployment_slug=proposal.deployment.slug)
    assert (before.allowed, after.allowed) == (False, True)
    assert after.authorisation.decision_ref == proposal.ref
    assert after.authorisation.ends_at == decision.in_force_until
    assert PendingLeaf.objects.filter(type="registry.authorisation.granted").count() == 1


@pytest.mark.parametrize(
    ("choices", "outcome"),
    [
        (["yes", "yes", "no"], "carried"),
        (["yes", "no", "no"], "not_carried"),
        (["abstain", "abstain", "abstain"], "not_carried"),
        (["yes"], "no_quorum"),
        ([], "no_quorum"),
    ],
)
def test_the_deadline_closes_the_vote_whatever_was_cast(choices, outcome):
    council, proposal = make_open_vote()
    vote(council, proposal, *choices)
    assert close_due_votes() == 0
    make_due(proposal)
    assert close_due_votes() == 1
    proposal = Proposal.objects.get(pk=proposal.pk)
    assert (proposal.status, proposal.decision.outcome) == (Status.DECIDED, outcome)
    assert Authorisation.objects.exists() == (outcome == "carried")
    assert close_due_votes() == 0


def test_the_public_record_opens_every_counted_ballot_and_holds_no_name():
    council, proposal = make_open_vote()
    ballots = vote(council, proposal, "no", "yes", "yes")
    decision = closing.close_vote(by=council.clerk, proposal=proposal)
    record = json.loads(decision.record)
    assert {b["choice"] for b in record["ballots"]} == {"yes", "no"}
    for row, ballot in zip(record["ballots"], ballots, strict=True):
        leaf = PendingLeaf.objects.get(pk=ballot.leaf_id)
        salt = bytes.fromhex(row["salt"])
        assert opens(leaf.content["commits"]["choice"], salt, {"choice": row["choice"]})
    assert "Member 1" not in decision.record
    leaf = PendingLeaf.objects.get(pk=decision.leaf_id)
    assert leaf.content["digests"]["decision"] == decision.digest


def test_a_failed_must_pass_criterion_raises_the_threshold_to_the_override():
    council = make_council(size=3)
    suite = make_suite()
    proposal = make_proposal(council)
    make_criterion(council, proposal, suite, threshold="0.95")
    make_finished_run(suite=suite, model=proposal.version, right=2, purpose=proposal.subject)
    with pytest.raises(Conflict, match="a written reason for deciding against a criterion"):
        stages.fix_text(by=council.clerk, proposal=proposal)
    text = proposal.text
    drafting.revise_text(
        by=council.proposer,
        proposal=proposal,
        title=text.title,
        summary=text.summary,
        text=text.body_markdown,
        base_number=1,
        terms={"override_reason": "It only sorts mail."},
    )
    stages.fix_text(by=council.clerk, proposal=proposal)
    contract = voting.open_vote(by=council.clerk, proposal=proposal)
    assert contract.content["override"] is True
    assert contract.content["terms"]["override_reason"] == "It only sorts mail."
    assert contract.content["rules"]["threshold"] == "3/4"
    proposal.refresh_from_db()
    vote(council, proposal, "yes", "yes", "no")
    assert closing.close_vote(by=council.clerk, proposal=proposal).outcome == "not_carried"


def test_a_vote_opens_only_on_a_final_text_and_only_by_a_clerk():
    council = make_council()
    proposal = make_proposal(council)
    with pytest.raises(Conflict, match="final text"):
        voting.open_vote(by=council.clerk, proposal=proposal)
    stages.fix_text(by=council.clerk, proposal=proposal)
    with pytest.raises(NotAllowed):
        voting.open_vote(by=council.proposer, proposal=proposal)


def test_an_annulled_vote_counts_for_nothing_and_says_why():
    council, proposal = make_open_vote()
    vote(council, proposal, "yes", "yes", "yes")
    stages.annul_vote(by=council.clerk, proposal=proposal, reason="The roll was wrong.")
    proposal.refresh_from_db()
    assert (proposal.status, proposal.ending_reason) == ("annulled", "The roll was wrong.")
    with pytest.raises(Conflict):
        closing.close_vote(by=council.clerk, proposal=proposal)
    with pytest.raises(Conflict, match="over: annulled"):
        casting.cast_ballot(by=council.proposer, proposal=proposal, choice="no")
    assert not Authorisation.objects.exists()


@pytest.mark.parametrize("before", list(Status))
@pytest.mark.parametrize("after", list(Status))
def test_only_the_listed_stages_follow_each_other(before, after):
    proposal = make_proposal(draft=True)
    reason = "Because." if before in {Status.WITHDRAWN, Status.ANNULLED} else ""
    Proposal.objects.filter(pk=proposal.pk).update(status=before, ending_reason=reason)
    proposal = stages.lock_proposal(proposal)
    proposal.ending_reason = "Because."
    if after in TRANSITIONS[before]:
        stages.move(proposal, after, by="system:test")
        assert PendingLeaf.objects.filter(type=Leaf.STAGE_MOVED).exists()
    else:
        with pytest.raises(Conflict):
            stages.move(proposal, after, by="system:test")


@pytest.mark.django_db(transaction=True)
def test_one_member_voting_twice_at_once_has_one_ballot_that_counts():
    council, proposal = make_open_vote()
    member = council.proposer
    start = threading.Barrier(2)
    outcomes = []

    def cast(choice):
        try:
            start.wait()
            outcomes.append(casting.cast_ballot(by=member, proposal=proposal, choice=choice).number)
        finally:
            connection.close()

    threads = [threading.Thread(target=cast, args=(choice,)) for choice in ("yes", "no")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [1, 2]
    assert len(ballot_box.last_ballots(proposal.contract)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_ballot_and_the_close_at_once_never_leave_a_ballot_uncounted():
    council, proposal = make_final(make_council(size=2))
    voting.open_vote(by=council.clerk, proposal=proposal)
    proposal = Proposal.objects.with_parts().get(pk=proposal.pk)
    vote(council, proposal, "yes", "yes")
    start = threading.Barrier(2)
    accepted = []

    def change():
        try:
            start.wait()
            casting.cast_ballot(by=council.members[1], proposal=proposal, choice="no")
            accepted.append("no")
        except Conflict:
            accepted.append("refused")
        finally:
            connection.close()

    thread = threading.Thread(target=change)
    thread.start()
    start.wait()
    decision = closing.close_vote(by=council.clerk, proposal=proposal)
    thread.join()
    counted = {b["choice"] for b in json.loads(decision.record)["ballots"]}
    assert accepted == (["no"] if "no" in counted else ["refused"])
