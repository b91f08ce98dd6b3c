"""What the clock does by itself: opening votes, drafting renewals, reminding; each exactly once."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from oversight.accounts import services as accounts
from oversight.accounts.choices import BodyRole
from oversight.accounts.models import Notice, NoticeSettings
from oversight.ledger.models import PendingLeaf
from oversight.registry.models import Authorisation
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.choices import Origin, ProposalType, Status
from proposals.models import Proposal
from proposals.services import drafting, renewals, scheduling, stages
from proposals.tasks import look_ahead, open_due_votes
from tests.factories import (
    make_cast,
    make_decision,
    make_deliberated_proposal,
    make_deployment,
    make_final_proposal,
    make_model_version,
    make_person,
    make_proposal,
    quick_charter,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def in_hours(hours):
    return database_now() + timedelta(hours=hours)


def schedule(cast, proposal, opens_at=None, **fields):
    return scheduling.schedule_vote(
        by=cast.clerk, proposal=proposal, opens_at=opens_at or in_hours(1), **fields
    )


def let_the_time_come(proposal):
    Proposal.objects.filter(pk=proposal.pk).update(vote_opens_at=database_now())


def status(proposal):
    return Proposal.objects.get(pk=proposal.pk).status


# -- Opening ---------------------------------------------------------------------------------


def test_the_clock_opens_a_vote_when_its_time_has_come_and_not_before(cast):
    proposal = make_final_proposal(cast)
    schedule(cast, proposal)
    assert open_due_votes() == 0
    assert status(proposal) == Status.FINAL_TEXT
    let_the_time_come(proposal)
    assert open_due_votes() == 1
    assert status(proposal) == Status.VOTING
    assert PendingLeaf.objects.get(type="proposals.vote.opened").actor == "system:clock"
    assert open_due_votes() == 0


def test_the_time_is_on_the_record_and_can_be_set_anew(cast):
    proposal = make_final_proposal(cast)
    schedule(cast, proposal)
    closes = in_hours(9).replace(microsecond=0)
    schedule(cast, proposal, in_hours(2), closes_at=closes)
    leaf = PendingLeaf.objects.filter(type="proposals.vote.scheduled").latest("position")
    assert leaf.actor == cast.clerk.actor
    assert leaf.content["facts"]["closes_at"] == closes.strftime("%Y-%m-%dT%H:%M:%SZ")
    let_the_time_come(proposal)
    open_due_votes()
    assert Proposal.objects.get(pk=proposal.pk).contract.closes_at == closes


def test_what_is_in_the_way_is_said_once_and_the_vote_opens_when_it_is_gone():
    cast = make_cast(charter=quick_charter(notice_hours=24))
    proposal = make_final_proposal(cast)
    schedule(cast, proposal)
    let_the_time_come(proposal)
    Notice.objects.all().delete()
    assert open_due_votes() == 0
    assert open_due_votes() == 0
    found = Proposal.objects.get(pk=proposal.pk)
    assert "notice of the final text until" in found.opening_refused
    assert [notice.person for notice in Notice.objects.all()] == [cast.clerk]
    Proposal.objects.filter(pk=proposal.pk).update(status_changed_at=in_hours(-25))
    assert open_due_votes() == 1


def test_going_back_to_deliberation_forgets_the_time(cast):
    proposal = make_final_proposal(cast)
    schedule(cast, proposal)
    stages.reopen_deliberation(by=cast.clerk, proposal=proposal)
    assert Proposal.objects.get(pk=proposal.pk).vote_opens_at is None
    with pytest.raises(Conflict):
        scheduling.open_due_vote(proposal=proposal)


@pytest.mark.parametrize("role", ["member", "chair", "outsider", "auditor", "administrator"])
def test_only_a_clerk_sets_the_time(cast, role):
    with pytest.raises(NotAllowed):
        scheduling.schedule_vote(
            by=cast.named(role), proposal=make_final_proposal(cast), opens_at=in_hours(1)
        )


@pytest.mark.parametrize(
    ("opens", "closes", "field"),
    [(-1, None, "opens_at"), (24 * 91, None, "opens_at"), (2, 1, "closes_at")],
)
def test_a_time_that_makes_no_sense_is_refused(cast, opens, closes, field):
    proposal = make_final_proposal(cast)
    more = {"closes_at": in_hours(closes)} if closes else {}
    with pytest.raises(Invalid) as refusal:
        schedule(cast, proposal, in_hours(opens), **more)
    assert field in refusal.value.fields


def test_a_text_that_is_not_final_has_no_time(cast):
    with pytest.raises(Conflict, match="final text"):
        schedule(cast, make_deliberated_proposal(cast))


# -- Renewals --------------------------------------------------------------------------------


def authorised(cast, **fields):
    return make_decision(cast, deployment=make_deployment(), version=make_model_version(), **fields)


def let_it_end_in(decision, **left):
    now = database_now()
    Authorisation.objects.filter(decision_ref=decision.ref).update(
        starts_at=now - timedelta(days=100), ends_at=now + timedelta(**left)
    )


def drafted():
    return Proposal.objects.filter(origin=Origin.CLOCK)


def test_the_renewal_is_drafted_in_time_and_once(cast):
    decision = authorised(cast, terms={"conditions": {"languages": ["de"]}})
    let_it_end_in(decision, days=31)
    look_ahead()
    assert not drafted().exists()
    let_it_end_in(decision, days=29)
    look_ahead()
    look_ahead()
    proposal = drafted().get()
    assert (proposal.type, proposal.status, proposal.target_ref) == (
        ProposalType.RENEW,
        Status.DRAFT,
        decision.ref,
    )
    assert proposal.text.terms == {"conditions": {"languages": ["de"]}}
    leaf = PendingLeaf.objects.get(pk=proposal.leaf_id)
    assert (leaf.actor, leaf.content["facts"]["origin"]) == ("system:clock", "clock")


def test_the_renewal_is_drafted_in_the_language_of_the_clerk_who_completes_it(cast):
    NoticeSettings.objects.create(person=cast.clerk, language="de")
    let_it_end_in(authorised(cast), days=29)
    look_ahead()
    text = drafted().get().text
    assert text.title.startswith("Verlängern: ")
    assert "Dies würde sie verlängern." in text.summary
    assert "Die Schriftführung des Gremiums ergänzt den Text" in text.body_markdown


def test_clerks_of_several_languages_get_the_draft_in_the_sites_own(cast):
    other = make_person("Another clerk")
    accounts.appoint(by=cast.administrator, body=cast.body, person=other, role=BodyRole.CLERK)
    NoticeSettings.objects.create(person=other, language="de")
    let_it_end_in(authorised(cast), days=29)
    look_ahead()
    assert drafted().get().text.title.startswith("Renew: ")


def test_nothing_is_drafted_where_somebody_has_or_the_charter_says_never(cast):
    decision = authorised(cast)
    make_proposal(cast, type=ProposalType.RENEW, target=decision)
    let_it_end_in(decision, days=2)
    other = make_cast(charter=quick_charter(review_days=0))
    let_it_end_in(authorised(other), days=2)
    look_ahead()
    assert not drafted().exists()


def test_a_withdrawn_renewal_is_not_drafted_again(cast):
    decision = authorised(cast)
    let_it_end_in(decision, days=2)
    look_ahead()
    stages.withdraw(by=cast.clerk, proposal=drafted().get(), reason="It goes.")
    look_ahead()
    assert drafted().count() == 1


def test_a_clerk_takes_up_what_the_clock_drafted(cast):
    let_it_end_in(authorised(cast), days=2)
    look_ahead()
    proposal = drafted().get()
    words = {"title": "Renew it", "summary": "It has served well.", "text": "So be it."}
    for role in ("member", "outsider"):
        with pytest.raises(NotAllowed):
            drafting.revise_text(by=cast.named(role), proposal=proposal, base_number=1, **words)
    drafting.revise_text(by=cast.clerk, proposal=proposal, base_number=1, **words)
    stages.open_deliberation(by=cast.clerk, proposal=proposal)
    assert stages.fix_text(by=cast.clerk, proposal=proposal).status == Status.FINAL_TEXT


@pytest.mark.django_db(transaction=True)
def test_two_clocks_that_look_at_once_draft_one_renewal():
    decision = authorised(make_cast())
    let_it_end_in(decision, days=2)
    both, failed = threading.Barrier(2), []

    def draft():
        try:
            both.wait()
            renewals.draft_renewal(decision=decision)
        except Conflict as refused:
            failed.append(refused)
        finally:
            connection.close()

    threads = [threading.Thread(target=draft) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) == 1
    assert drafted().count() == 1


# -- Reviews ---------------------------------------------------------------------------------


def review_in(decision, **left):
    type(decision).objects.filter(pk=decision.pk).update(
        review_at=database_now() + timedelta(**left)
    )


def test_a_review_is_decided_with_the_authorisation_and_on_the_record(cast, client):
    decision = authorised(cast, terms={"days": 90, "review_days": 30})
    assert decision.review_at - decision.decided_at == timedelta(days=30)
    said = decision.content["review_at"]
    assert said == f"{decision.review_at:%Y-%m-%dT%H:%M:%SZ}"
    assert PendingLeaf.objects.get(pk=decision.leaf_id).content["facts"]["review_at"] == said
    page = client.get(decision.get_absolute_url()).content.decode()
    assert "To be reviewed" in page
    proposed = client.get(decision.proposal.get_absolute_url()).content.decode()
    assert "It is reviewed after 30 days" in proposed
    answer = client.get(f"/api/v1/decisions/{decision.ref}/").json()
    assert answer["review_at"] is not None


def test_nothing_that_was_not_carried_is_reviewed(cast):
    lost = make_decision(
        cast,
        ("no", "no", "no"),
        deployment=make_deployment(),
        version=make_model_version(),
        terms={"review_days": 30},
    )
    assert lost.review_at is None
    assert "review_at" not in lost.content


@pytest.mark.parametrize("terms", [{"days": 30, "review_days": 30}, {"review_days": 3650}])
def test_a_review_that_would_come_after_the_end_is_refused(cast, terms):
    with pytest.raises(Invalid) as refused:
        authorised(cast, terms=terms)
    assert "review_days" in refused.value.fields


def test_the_renewal_is_drafted_at_the_review_long_before_the_end_and_once(cast):
    decision = authorised(cast, terms={"days": 90, "review_days": 10})
    let_it_end_in(decision, days=80)
    look_ahead()
    assert not drafted().exists()
    review_in(decision, seconds=-1)
    look_ahead()
    look_ahead()
    assert drafted().get().target_ref == decision.ref


def test_a_review_counts_where_the_charter_drafts_nothing_by_itself():
    other = make_cast(charter=quick_charter(review_days=0))
    decision = authorised(other, terms={"days": 90, "review_days": 10})
    review_in(decision, seconds=-1)
    look_ahead()
    assert drafted().count() == 1


@pytest.mark.parametrize(
    ("language", "subject", "text"),
    [
        ("en", "Ends on ", "Its renewal 2026-002 is in: draft."),
        ("fr", "Fin le ", "2026-002 est à ce stade\u202f: brouillon."),
        ("de", "Ende am ", "Verlängerung 2026-002 steht hier: Entwurf."),
    ],
)
def test_people_are_reminded_in_their_language(cast, language, subject, text):
    NoticeSettings.objects.create(person=cast.member, language=language)
    decision = authorised(cast, terms={"days": 90})
    let_it_end_in(decision, days=6)
    look_ahead()
    told = Notice.objects.get(person=cast.member, kind="reminder", subject__startswith=subject)
    assert told.text.endswith(text)


def test_people_are_reminded_of_a_review_and_of_the_end_apart(cast):
    decision = authorised(cast, terms={"days": 90, "review_days": 40})
    let_it_end_in(decision, days=80)
    told = Notice.objects.filter(person=cast.member, kind="reminder")
    for days, number in ((35, 0), (29, 1), (29, 1), (6, 2), (0.5, 3), (-1, 3)):
        review_in(decision, days=days)
        look_ahead()
        assert told.filter(subject__startswith="Review on").count() == number, days
    let_it_end_in(decision, days=6)
    look_ahead()
    assert told.filter(subject__startswith="Ends on").count() == 1


# -- Reminders -------------------------------------------------------------------------------


def reminders(person):
    return Notice.objects.filter(person=person, kind="reminder", subject__startswith="Ends on")


def test_the_bodys_people_are_reminded_once_for_each_number_of_days(cast):
    decision = authorised(cast)
    for days, number in ((40, 0), (29, 1), (29, 1), (13, 2), (6, 3), (0.5, 4)):
        let_it_end_in(decision, days=days)
        look_ahead()
        assert reminders(cast.member).count() == number, days
    assert reminders(cast.clerk).count() == 4
    assert not reminders(cast.outsider).exists()


def test_reminders_missed_while_the_clock_stood_make_one_notice(cast):
    let_it_end_in(authorised(cast), hours=20)
    look_ahead()
    assert reminders(cast.member).count() == 1


def test_a_short_authorisation_is_not_reminded_of_before_it_began(cast):
    decision = authorised(cast, terms={"days": 10})
    look_ahead()
    assert not reminders(cast.member).exists()
    assert Authorisation.objects.get().decision_ref == decision.ref
