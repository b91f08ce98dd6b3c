"""What waits for one's vote, and the reminder a day before the close."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from oversight.accounts.choices import NoticeKind, Scope
from oversight.accounts.models import Notice
from oversight.accounts.services import create_api_key
from proposals.awaiting import awaiting, awaiting_count, cast_in, first_who_voted
from proposals.choices import ProposalType
from proposals.models import Contract
from proposals.services import closing, roll
from proposals.tasks import remind_of_votes
from tests.api.conftest import bearer
from tests.factories import (
    make_ballot,
    make_cast,
    make_final_proposal,
    make_open_vote,
    open_vote,
)
from tests.proposals.test_methods import ruled
from tests.scenes import make_council

pytestmark = pytest.mark.django_db


def in_hours(hours):
    return timezone.now() + timedelta(hours=hours)


def delegating(size=4):
    return make_council(size, charter=ruled(ProposalType.MOTION, delegation="transitive"))


def delegate(council, giver, receiver):
    seat = council.body.memberships.get(person=council.members[receiver])
    return roll.give_delegation(by=council.members[giver], body=council.body, to=seat)


def text(answer):
    return " ".join(answer.content.decode().split())


# -- The list --------------------------------------------------------------------------------


def test_the_soonest_close_comes_first_and_what_one_voted_on_goes():
    cast = make_cast()
    late = make_open_vote(cast, closes_at=in_hours(72))
    soon = make_open_vote(cast, closes_at=in_hours(30))
    assert [each.proposal for each in awaiting(cast.member)] == [soon, late]
    assert awaiting_count(cast.member) == 2
    make_ballot(cast.member, soon)
    assert [each.proposal for each in awaiting(cast.member)] == [late]
    assert [each.proposal for each in cast_in(cast.member)] == [soon]
    assert awaiting_count(cast.member) == 1
    assert awaiting(cast.outsider) == awaiting(cast.clerk) == []


def test_a_changed_ballot_lists_its_vote_once():
    cast = make_cast()
    proposal = make_open_vote(cast)
    make_ballot(cast.member, proposal, "yes")
    make_ballot(cast.member, proposal, "no")
    assert len(cast_in(cast.member)) == 1


def test_a_vote_that_is_over_waits_for_nobody():
    cast = make_cast()
    proposal = make_open_vote(cast)
    opened = proposal.contract.opens_at
    Contract.objects.update(opens_at=opened.replace(year=opened.year - 1), closes_at=opened)
    assert awaiting(cast.member) == []
    assert awaiting_count(cast.member) == 0


def test_a_tie_waits_for_the_chair_alone():
    cast = make_cast(charter=ruled(ProposalType.MOTION, vote={"tie_rule": "chair"}))
    proposal = make_open_vote(cast)
    for person, choice in zip(cast.members, ("yes", "no", "abstain"), strict=True):
        make_ballot(person, proposal, choice)
    assert closing.close_vote(by=cast.clerk, proposal=proposal) is None
    (waits,) = awaiting(cast.chair)
    assert (waits.proposal, waits.is_casting_vote) == (proposal, True)
    assert awaiting(cast.member) == []


def test_a_delegation_says_who_votes_for_one_and_for_how_many_one_votes():
    council = delegating()
    delegate(council, 0, 1)
    delegate(council, 1, 2)
    proposal = make_open_vote(council)
    (mine,) = awaiting(council.members[0])
    assert (mine.delegate, mine.voted_for_them) == (str(council.members[1]), "")
    assert awaiting(council.members[2])[0].delegators == 1
    make_ballot(council.members[2], proposal)
    (mine,) = awaiting(council.members[0])
    assert mine.voted_for_them == str(council.members[2])
    roll.revoke_delegation(by=council.members[1], body=council.body)
    assert awaiting(council.members[0])[0].voted_for_them == ""
    roll.revoke_delegation(by=council.members[0], body=council.body)
    assert awaiting(council.members[0])[0].delegate == ""


def test_a_chain_stops_at_the_first_who_voted():
    council = delegating(5)
    for giver in range(4):
        delegate(council, giver, giver + 1)
    proposal = make_open_vote(council)
    make_ballot(council.members[2], proposal)
    make_ballot(council.members[4], proposal)
    entry = dict(proposal.contract.roll.values_list("membership__person", "pk"))
    at = [entry[person.pk] for person in council.members]
    without = [at[0], at[1], at[3]]
    assert first_who_voted(without) == {at[0]: at[2], at[1]: at[2], at[3]: at[4]}


def test_the_list_costs_the_same_however_long():
    cast = make_cast()
    make_open_vote(cast)

    def cost():
        with CaptureQueriesContext(connection) as queries:
            awaiting(cast.member)
        return len(queries)

    few = cost()
    for _ in range(3):
        make_open_vote(cast)
    assert cost() == few <= 3


def test_my_work_and_the_masthead_say_what_waits(client):
    cast = make_cast()
    proposal = make_open_vote(cast, title="Keep <b> the minutes")
    client.force_login(cast.member)
    page = text(client.get("/my/"))
    assert "One vote waits for you." in page
    assert "Keep &lt;b&gt; the minutes" in page
    assert reverse("proposal-ballot", args=[proposal.ref]) in page
    assert 'href="/my/#votes"' in text(client.get("/in-service/"))
    make_ballot(cast.member, proposal)
    assert 'href="/my/#votes"' not in text(client.get("/in-service/"))
    assert "You have voted" in text(client.get("/my/"))


def test_a_visitors_pages_ask_for_nobodys_votes(client):
    with CaptureQueriesContext(connection) as queries:
        client.get("/how-to-verify/")
    assert not any("rollentry" in each["sql"] for each in queries)


def test_a_program_is_told_what_waits():
    cast = make_cast()
    proposal = make_open_vote(cast)
    _, secret = create_api_key(person=cast.member, name="P", scopes=[Scope.NOTICES])
    (row,) = bearer(secret).get("/api/v1/my/votes/").json()
    assert (row["ref"], row["body"], row["weight"]) == (proposal.ref, cast.body.slug, 1)
    assert row["has_voted"] is False


@pytest.mark.parametrize("secrecy", ["open", "secret"])
def test_a_program_finds_the_votes_in_which_one_has_voted_and_not_how(secrecy):
    cast = make_cast(charter=ruled(ProposalType.MOTION, secrecy=secrecy))
    done, waiting = make_open_vote(cast), make_open_vote(cast)
    _, secret = create_api_key(person=cast.member, name="P", scopes=[Scope.NOTICES])
    told = []
    for choice in ("yes", "no"):
        make_ballot(cast.member, done, choice)
        told.append(bearer(secret).get("/api/v1/my/votes/").json())
    assert [(row["ref"], row["has_voted"]) for row in told[0]] == [
        (waiting.ref, False),
        (done.ref, True),
    ]
    assert told[0] == told[1], "what was chosen shows nowhere"
    for person in cast.members:
        if person != cast.member:
            make_ballot(person, done)
    make_ballot(cast.member, done)
    closing.close_vote(by=cast.clerk, proposal=done)
    rows = bearer(secret).get("/api/v1/my/votes/").json()
    assert [row["ref"] for row in rows] == [waiting.ref]


# -- The call to vote ------------------------------------------------------------------------


def called(proposal):
    """Return the notices of a vote's opening, by the name of who has them."""
    kinds = [NoticeKind.VOTE_OPENED, NoticeKind.VOTE_CLOSING]
    rows = Notice.objects.filter(kind__in=kinds, about=proposal.ref)
    return {str(row.person): row for row in rows.select_related("person")}


@pytest.mark.parametrize("hours", [12, 72])
def test_who_delegated_is_told_who_votes_for_them_and_the_recused_are_told_nothing(hours):
    rules = {"delegation": "transitive", "recusal": "declared", "voting_hours": 1}
    council = make_council(5, charter=ruled(ProposalType.MOTION, **rules))
    delegate(council, 0, 2)
    delegate(council, 1, 2)
    proposal = make_final_proposal(council, title="Keep it")
    roll.declare_conflict(by=council.members[4], proposal=proposal, reason="A relative.")
    told = called(open_vote(council, proposal, closes_at=in_hours(hours)))
    to = str(council.members[2])
    subjects = {name: row.subject for name, row in told.items()}
    assert subjects == {
        "Member 1": f"{to} votes for you: Keep it",
        "Member 2": f"{to} votes for you: Keep it",
        "Member 3": "Your vote is wanted: Keep it",
        "Member 4": "Your vote is wanted: Keep it",
    }
    assert "You can vote yourself until then" in told["Member 1"].text
    assert told["Member 1"].path == reverse("proposal-ballot", args=[proposal.ref])


def test_who_delegated_to_somebody_off_the_roll_is_asked_for_their_own_vote():
    rules = {"delegation": "transitive", "recusal": "declared"}
    council = make_council(3, charter=ruled(ProposalType.MOTION, **rules))
    delegate(council, 0, 1)
    proposal = make_final_proposal(council, title="Keep it")
    roll.declare_conflict(by=council.members[1], proposal=proposal, reason="A relative.")
    told = called(open_vote(council, proposal))
    assert told.keys() == {"Member 1", "Member 3"}
    assert told["Member 1"].subject == "Your vote is wanted: Keep it"


# -- The reminder ----------------------------------------------------------------------------


def reminders():
    return Notice.objects.filter(kind=NoticeKind.VOTE_CLOSING)


def test_who_has_not_voted_is_told_once_and_at_once_a_day_before_the_close():
    cast = make_cast()
    proposal = make_open_vote(cast, closes_at=in_hours(48))
    make_ballot(cast.member, proposal)
    assert remind_of_votes() == 0
    Contract.objects.update(closes_at=in_hours(23))
    assert remind_of_votes() == 2
    assert {row.person for row in reminders()} == {cast.second_member, cast.chair}
    assert all(row.mail_at <= timezone.now() for row in reminders())
    assert remind_of_votes() == 0
    assert reminders().count() == 2


def test_who_is_voted_for_needs_no_reminder():
    council = delegating()
    delegate(council, 0, 1)
    proposal = make_open_vote(council, closes_at=in_hours(48))
    make_ballot(council.members[1], proposal)
    Contract.objects.update(closes_at=in_hours(23))
    remind_of_votes()
    assert {row.person for row in reminders()} == set(council.members[2:])


def test_a_vote_of_less_than_a_day_reminds_with_its_opening():
    cast = make_cast()
    make_open_vote(cast, closes_at=in_hours(2))
    assert {row.person for row in reminders()} == set(cast.members)
    assert remind_of_votes() == 0
    assert not Notice.objects.filter(kind=NoticeKind.VOTE_OPENED).exists()


def test_a_vote_that_was_annulled_reminds_nobody():
    from proposals.services.stages import annul_vote

    cast = make_cast()
    proposal = make_open_vote(cast, closes_at=in_hours(48))
    Contract.objects.update(closes_at=in_hours(23))
    annul_vote(by=cast.clerk, proposal=proposal, reason="A wrong text.")
    assert remind_of_votes() == 0
    told = Notice.objects.filter(subject__startswith="Annulled: ")
    assert {row.person for row in told} == set(cast.members)


def test_nobody_is_asked_by_mail_for_a_vote_that_is_over():
    council = make_council(size=2)
    proposal = make_open_vote(council)
    asked = Notice.objects.filter(kind=NoticeKind.VOTE_OPENED, about=proposal.ref)
    assert asked.filter(mail_at__isnull=False, read_at=None).count() == 2
    for member in council.members:
        make_ballot(by=member, proposal=proposal)
    closing.close_vote(by=council.clerk, proposal=proposal)
    assert asked.filter(mail_at=None, read_at__isnull=False).count() == 2
    told = Notice.objects.filter(kind=NoticeKind.DECISION, about=proposal.ref, read_at=None)
    assert told.exists()
