"""What proposals wait for from their proposer and from the clerk, on "My work" and their page."""

from functools import partial

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oversight.accounts.choices import Scope
from oversight.accounts.services import create_api_key
from proposals.choices import ProposalType
from proposals.models import Proposal
from proposals.next_steps import next_steps
from proposals.services import amendments, scheduling, stages
from tests.api.conftest import bearer, send
from tests.factories import (
    make_amendment,
    make_ballot,
    make_cast,
    make_comment,
    make_deliberated_proposal,
    make_final_proposal,
    make_model_version,
    make_open_vote,
    make_proposal,
    quick_charter,
)
from tests.proposals.test_awaiting import in_hours, text
from tests.proposals.test_methods import ruled

pytestmark = pytest.mark.django_db

TEXT = "It was one way."


def steps(person):
    return [(step.proposal.ref, step.words) for step in next_steps(person)]


def test_a_text_that_can_be_final_and_a_vote_that_can_open_wait_for_the_clerk(client):
    cast = make_cast()
    ready, final = make_deliberated_proposal(cast, title="Ready"), make_final_proposal(cast)
    make_proposal(cast)
    assert steps(cast.clerk) == [
        (ready.ref, "Declare the text final"),
        (final.ref, "Open the vote"),
    ]
    assert next_steps(cast.member) == next_steps(cast.outsider) == next_steps(cast.auditor) == []
    client.force_login(cast.clerk)
    page = text(client.get("/my/"))
    assert "Two proposals wait for you." in page
    assert f'href="{ready.get_absolute_url()}"' in page
    client.force_login(cast.member)
    assert "Next steps" not in text(client.get("/my/"))


def test_what_the_charter_or_the_clock_holds_back_waits_for_nobody():
    cast = make_cast(charter=quick_charter(deliberation_hours=48, notice_hours=48))
    make_deliberated_proposal(cast)
    assert steps(cast.clerk) == []
    other = make_cast()
    final = make_final_proposal(other)
    scheduling.schedule_vote(by=other.clerk, proposal=final, opens_at=in_hours(2))
    make_open_vote(other)
    assert steps(other.clerk) == []


def test_an_open_amendment_waits_for_the_proposer_and_holds_up_the_clerk(client):
    cast = make_cast()
    proposal = make_deliberated_proposal(cast, text=TEXT)
    amendment = make_amendment(cast.second_member, proposal, "one", "another")
    words = f"Accept or reject amendment 1 by {cast.second_member}"
    assert steps(cast.member) == [(proposal.ref, words)]
    assert steps(cast.clerk) == steps(cast.second_member) == []
    client.force_login(cast.member)
    link = f'<a href="{amendment.get_absolute_url()}">'
    page = text(client.get(proposal.get_absolute_url()))
    assert f"Accept or reject {link}amendment 1</a>: the text cannot be final before." in page
    assert link in text(client.get("/my/"))
    client.force_login(cast.second_member)
    page = text(client.get(proposal.get_absolute_url()))
    assert "the text cannot be final before" not in page
    amendments.accept_amendment(by=cast.member, amendment=amendment)
    assert steps(cast.member) == []
    assert steps(cast.clerk) == [(proposal.ref, "Declare the text final")]


def test_questions_wait_for_the_proposer_until_they_are_answered():
    cast = make_cast()
    proposal = make_deliberated_proposal(cast)
    asked = [
        make_comment(cast.outsider, proposal, f"Why? {number}", is_question=True)
        for number in range(2)
    ]
    assert steps(cast.member) == [(proposal.ref, "Answer 2 questions")]
    assert steps(cast.clerk) == []
    for question in asked:
        make_comment(cast.member, proposal, "Because.", parent=question)
    assert steps(cast.member) == []


def test_the_answers_of_a_proposer_who_left_fall_to_the_clerk():
    cast = make_cast()
    proposal = make_deliberated_proposal(cast, text=TEXT)
    make_amendment(cast.second_member, proposal, "one", "another")
    cast.member.is_active = False
    cast.member.save()
    words = f"Accept or reject amendment 1 by {cast.second_member}"
    assert steps(cast.clerk) == [(proposal.ref, words)]


def test_what_waits_for_a_proposer_costs_the_same_however_much():
    cast = make_cast()

    def cost():
        proposal = make_deliberated_proposal(cast, text=TEXT)
        make_amendment(cast.second_member, proposal, "one", "another")
        with CaptureQueriesContext(connection) as queries:
            next_steps(cast.member)
        return len(queries)

    assert cost() == cost() <= 4


def test_a_program_is_told_the_steps_in_english_and_takes_them_where_it_is_told():
    cast = make_cast()
    ready, final = make_deliberated_proposal(cast, text=TEXT), make_final_proposal(cast)
    make_amendment(cast.second_member, ready, "one", "another")
    question = make_comment(cast.outsider, ready, "Why?", is_question=True)

    def told(person):
        client = bearer(create_api_key(person=person, name="P", scopes=list(Scope))[1])
        rows = client.get("/api/v1/my/next-steps/", HTTP_ACCEPT_LANGUAGE="fr").json()
        return [row | {"do": partial(send, client, "POST", row["address"])} for row in rows]

    answer, reply = told(cast.member)
    assert (answer["kind"], answer["amendment"], answer["questions"]) == ("answer-amendment", 1, 0)
    assert answer["page"] == f"{settings.PUBLIC_URL}{ready.get_absolute_url()}amendments/1/"
    assert answer["do"]({"act": answer["acts"][0]}).status_code == 200
    assert (reply["kind"], reply["questions"], reply["acts"]) == ("answer-questions", 1, [])
    assert reply["page"] == f"{settings.PUBLIC_URL}{ready.get_absolute_url()}#discussion"
    assert reply["do"]({"text": "Because.", "parent": question.pk}).status_code == 201
    assert told(cast.member) == []
    fix, opening = told(cast.clerk)
    kinds = [(row["kind"], row["ref"], row["body"], row["amendment"]) for row in (fix, opening)]
    assert kinds == [
        ("fix-text", ready.ref, cast.body.slug, None),
        ("open-vote", final.ref, cast.body.slug, None),
    ]
    assert (fix["title"], fix["acts"]) == (ready.title, ["fix-text"])
    for row in (fix, opening):
        assert row["do"]({"act": row["acts"][0]}).status_code == 200
    assert [row["kind"] for row in told(cast.clerk)] == ["open-vote"]


def test_my_work_leads_a_member_to_their_delegation_where_the_charter_has_any(client):
    for delegation in ("none", "transitive"):
        cast = make_cast(charter=ruled(ProposalType.MOTION, delegation=delegation))
        address = reverse("delegation", args=[cast.body.slug])
        for person, sees in ((cast.member, delegation != "none"), (cast.clerk, False)):
            client.force_login(person)
            assert (f'href="{address}"' in text(client.get("/my/"))) == sees


def test_opening_a_deliberation_or_a_vote_takes_two_steps_and_says_what_is_fixed(client):
    cast = make_cast()
    draft, final = make_proposal(cast), make_final_proposal(cast)
    client.force_login(cast.member)
    page = text(client.get(draft.get_absolute_url()))
    fold = page.partition('<details class="confirm">')[2].partition("</details>")[0]
    assert "Opening it makes the draft public, for good." in fold
    assert 'name="act" value="deliberate">Yes, open it</button>' in fold
    client.force_login(cast.clerk)
    page = text(client.get(final.get_absolute_url()))
    fold = page.partition('<details class="confirm">')[2].partition("</details>")[0]
    assert "text, rules, roll and evidence are frozen" in fold
    assert 'name="act" value="open-vote">Open the vote</button>' in fold
    wrong = {"act": "open-vote", "closes_at": "2020-01-01T12:00"}
    answer = client.post(reverse("proposal-move", args=[final.ref]), wrong)
    assert '<details class="confirm" open>' in text(answer)


def test_a_text_is_final_and_in_deliberation_again_in_two_steps_that_say_what_follows(client):
    cast = make_cast()
    client.force_login(cast.clerk)
    for proposal, act, follows in (
        (make_deliberated_proposal(cast), "fix-text", "nothing in it or in its criteria changes"),
        (make_final_proposal(cast), "reopen", "Times that were set for the vote hold no more"),
    ):
        before, _, after = text(client.get(proposal.get_absolute_url())).partition(f'value="{act}"')
        fold = before.rpartition('<details class="confirm">')[2]
        assert follows in fold
        assert "</details>" not in fold
        assert f'value="{act}"' not in after


def test_closing_a_vote_takes_two_steps_and_says_what_is_fixed(client):
    cast = make_cast()
    vote = make_open_vote(cast)
    for person in cast.members:
        make_ballot(person, vote)
    client.force_login(cast.clerk)
    page = text(client.get(vote.get_absolute_url()))
    fold = page.partition('<details class="confirm">')[2].partition("</details>")[0]
    assert "Nobody votes or changes a vote after that" in fold
    assert 'name="act" value="close">Yes, close it</button>' in fold
    assert page.count('value="close"') == 1


def test_forms_that_cannot_apply_say_so_at_once(client):
    cast = make_cast()
    draft, motion, voted = (
        make_proposal(cast),
        make_deliberated_proposal(cast),
        make_open_vote(cast),
    )
    client.force_login(cast.member)
    for name, proposal, words in (
        ("proposal-conflict", draft, "declared once the deliberation is open"),
        ("proposal-conflict", voted, "declared before the vote opens"),
        ("proposal-criterion", motion, "Criteria belong to proposals about a model version."),
        ("proposal-criterion", voted, "Criteria belong to proposals about a model version."),
        ("proposal-edit", voted, "The text cannot change any more"),
        ("proposal-amend", voted, "Amendments belong to the deliberation"),
    ):
        answer = client.get(reverse(name, args=[proposal.ref]))
        assert answer.status_code == 409, (name, proposal.status)
        assert words in text(answer)
        back = f'<a class="button" href="{proposal.get_absolute_url()}">Back</a>'
        assert back in answer.content.decode()
    Proposal.objects.filter(pk=motion.pk).update(version=make_model_version())
    stages.fix_text(by=cast.clerk, proposal=motion)
    answer = client.get(reverse("proposal-criterion", args=[motion.ref]))
    assert (answer.status_code, "past that" in text(answer)) == (409, True)
