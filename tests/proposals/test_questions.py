"""Questions to the proposer: they hold up the final text until they are answered."""

import contextlib
import threading

import pytest
from django.db import connection
from django.urls import reverse

from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Conflict, Invalid
from proposals.models import Comment
from proposals.services import moderation, stages
from tests.factories import make_cast, make_comment, make_deliberated_proposal, make_final_proposal

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def proposal(cast):
    return make_deliberated_proposal(cast)


def ask(cast, proposal, text="Who <b>pays</b>?"):
    return make_comment(cast.outsider, proposal, text, is_question=True)


def answer(person, proposal, question):
    return make_comment(person, proposal, "The canton.", parent=question)


def test_the_text_is_not_final_before_the_proposer_has_answered(client, cast, proposal):
    question = ask(cast, proposal)
    with pytest.raises(Conflict, match=r"has not answered An outsider: “Who <b>pays</b>\?”"):
        stages.fix_text(by=cast.clerk, proposal=proposal)
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "has not answered An outsider: “Who &lt;b&gt;pays&lt;/b&gt;?”" in page
    assert "Question, not answered" in page
    for other in (cast.clerk, cast.outsider, cast.second_member):
        answer(other, proposal, question)
    with pytest.raises(Conflict, match="has not answered"):
        stages.fix_text(by=cast.clerk, proposal=proposal)
    given = answer(cast.member, proposal, question)
    question.refresh_from_db()
    assert question.answer == given
    assert "Question, answered" in client.get(proposal.get_absolute_url()).content.decode()
    assert stages.fix_text(by=cast.clerk, proposal=proposal).status == "final_text"


def test_the_record_alone_shows_which_answer_settled_which_question(cast, proposal):
    question = ask(cast, proposal)
    given = answer(cast.member, proposal, question)
    later = answer(cast.member, proposal, question)
    facts = {
        comment.pk: PendingLeaf.objects.get(pk=comment.leaf_id).content.get("facts", {})
        for comment in (question, given, later)
    }
    assert facts[question.pk] == {"kind": "question"}
    assert facts[given.pk] == {"answers": str(question.leaf_id)}
    assert facts[later.pk] == {}


def test_a_clerk_answers_where_the_proposer_has_gone(cast, proposal):
    question = ask(cast, proposal)
    cast.member.is_active = False
    cast.member.save(update_fields=["is_active"])
    proposal.refresh_from_db()
    answer(cast.clerk, proposal, question)
    question.refresh_from_db()
    assert question.answer is not None


def test_a_hidden_question_holds_up_nothing(cast, proposal):
    question = ask(cast, proposal)
    moderation.hide(by=cast.clerk, said=question, reason="An insult.")
    assert stages.fix_text(by=cast.clerk, proposal=proposal).status == "final_text"


def test_only_five_open_questions_are_named(cast, proposal):
    for number in range(8):
        ask(cast, proposal, f"Question {number}?")
    with pytest.raises(Conflict, match="And 3 more questions are unanswered"):
        stages.fix_text(by=cast.clerk, proposal=proposal)


@pytest.mark.parametrize(
    ("questions", "last"), [(6, "And 1 more question is"), (8, "And 3 more questions are")]
)
def test_what_stands_in_the_way_is_counted_whole_though_five_are_named(
    client, cast, proposal, questions, last
):
    for number in range(questions):
        ask(cast, proposal, f"Question {number}?")
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert f"{questions} things stand in the way of the final text." in page
    assert f"<li>{last} unanswered.</li>" in page


def test_a_question_begins_a_thread_in_the_deliberation(cast, proposal):
    first = make_comment(cast.outsider, proposal)
    with pytest.raises(Invalid, match="thread of its own"):
        make_comment(cast.outsider, proposal, "Why?", parent=first, is_question=True)
    with pytest.raises(Conflict, match="text is final"):
        ask(cast, make_final_proposal(cast))
    assert not Comment.objects.filter(is_question=True).exists()


def test_a_question_is_asked_on_the_page_and_by_the_api(client, cast, proposal):
    client.force_login(cast.outsider)
    assert 'name="is_question"' in client.get(proposal.get_absolute_url()).content.decode()
    address = reverse("proposal-comment", args=[proposal.ref])
    assert client.post(address, {"text": "Who pays?", "is_question": "on"}).status_code == 302
    sent = {"text": "Since when?", "is_question": True}
    address = reverse("api-comments", args=[proposal.ref])
    assert client.post(address, sent, content_type="application/json").status_code == 201
    assert Comment.objects.filter(is_question=True).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_question_and_the_final_text_at_once_leave_no_question_open():
    cast = make_cast()
    proposal = make_deliberated_proposal(cast)
    start = threading.Barrier(2)

    def put():
        try:
            start.wait()
            ask(cast, proposal)
        except Conflict:
            pass
        finally:
            connection.close()

    thread = threading.Thread(target=put)
    thread.start()
    start.wait()
    with contextlib.suppress(Conflict):
        stages.fix_text(by=cast.clerk, proposal=proposal)
    thread.join()
    proposal.refresh_from_db()
    is_open = Comment.objects.filter(is_question=True, answer=None).exists()
    assert is_open == (proposal.status == "deliberation")
