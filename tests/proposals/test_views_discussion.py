"""The discussion on a proposal's page: speaking, answering, hiding, and long talks."""

import pytest
from django.urls import reverse

from oversight.ledger.models import PendingLeaf
from proposals.models import Comment
from proposals.services import moderation, stages
from proposals.threads import THREADS_A_PAGE, Sent, discussion_of
from tests.factories import (
    make_cast,
    make_comment,
    make_decision,
    make_deliberated_proposal,
    make_proposal,
)

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def proposal(cast):
    return make_deliberated_proposal(cast)


@pytest.fixture
def path(proposal):
    return reverse("proposal-comment", args=[proposal.ref])


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("anonymous", 302),
        ("outsider", 302),
        ("member", 302),
        ("clerk", 302),
        ("administrator", 302),
    ],
)
def test_everybody_with_an_account_speaks(client, cast, path, role, status):
    if person := cast.named(role):
        client.force_login(person)
    answer = client.post(path, {"text": "A thought."})
    assert answer.status_code == status
    assert Comment.objects.exists() == (role != "anonymous")
    assert ("/accounts/login/" in answer["Location"]) == (role == "anonymous")


def test_nobody_speaks_on_a_draft(client, cast):
    path = reverse("proposal-comment", args=[make_proposal(cast).ref])
    client.force_login(cast.member)
    assert client.post(path, {"text": "Early."}).status_code == 403
    client.force_login(cast.outsider)
    assert client.post(path, {"text": "Early."}).status_code == 404
    assert not Comment.objects.exists()


def test_a_comment_is_on_the_record_without_its_words(client, cast, path):
    client.force_login(cast.outsider)
    client.post(path, {"text": "A thought with a **name** in it."})
    leaf = PendingLeaf.objects.get(type="proposals.comment.made")
    assert b"thought" not in bytes(leaf.body)
    assert leaf.content["actor"] == cast.outsider.actor


def test_htmx_gets_the_discussion_with_the_new_comment_in_focus(client, cast, path):
    client.force_login(cast.outsider)
    answer = client.post(path, {"text": "A thought."}, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in page
    assert 'id="discussion"' in page
    assert 'data-announce="Your comment is on the page."' in page
    assert page.count("data-focus") == 1


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_comment_of_5001_characters_is_refused_and_kept(client, cast, path, headers):
    client.force_login(cast.outsider)
    text = "word " * 1000 + "x"
    answer = client.post(path, {"text": text}, headers=headers)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "at most 5000 characters" in page
    assert text in page
    assert ("<html" in page) == (not headers)
    assert not Comment.objects.exists()


def test_line_ends_count_once(client, cast, path):
    client.force_login(cast.outsider)
    text = "\r\n".join(["x"] * 2500)  # 4,999 characters as the reader counts them
    assert client.post(path, {"text": text}).status_code == 302
    assert "\r" not in Comment.objects.get().text


@pytest.mark.parametrize("text", ["", "   ", "a\x00b"])
def test_an_empty_or_broken_comment_is_refused(client, cast, path, text):
    client.force_login(cast.outsider)
    assert client.post(path, {"text": text}, headers=HTMX).status_code == 422
    assert not Comment.objects.exists()


def test_an_answer_stands_under_what_it_answers(client, cast, proposal, path):
    first = make_comment(cast.outsider, proposal, "Why?")
    client.force_login(cast.member)
    answer = client.post(path, {"text": "Because.", "parent": first.pk})
    made = Comment.objects.get(text="Because.")
    assert made.parent == first
    assert answer["Location"].endswith(f"#comment-{made.pk}")
    thread = discussion_of(proposal).threads[0]
    assert [reply.comment.text for reply in thread.replies] == ["Because."]
    assert cast.outsider.notices.filter(subject__contains="answered you").exists()


def test_a_refused_answer_opens_where_it_was_typed(client, cast, proposal, path):
    make_comment(cast.outsider, proposal, "Another.")
    first = make_comment(cast.outsider, proposal, "Why?")
    client.force_login(cast.member)
    answer = client.post(path, {"text": " ", "parent": first.pk}, headers=HTMX)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert page.count("error-summary") == 1
    assert page.count("<details open>") == 1
    assert f'id="answer_{first.pk}_text"' in page


@pytest.mark.parametrize("parent", ["999999999", "abc", "-1", "9" * 30])
def test_an_answer_to_nothing_is_refused(client, cast, path, parent):
    client.force_login(cast.member)
    answer = client.post(path, {"text": "Hello?", "parent": parent})
    assert answer.status_code in {404, 422}
    assert not Comment.objects.exists()


def test_an_answer_to_a_comment_elsewhere_is_refused(client, cast, path):
    elsewhere = make_comment(cast.outsider, make_deliberated_proposal(cast))
    client.force_login(cast.member)
    assert client.post(path, {"text": "Hm.", "parent": elsewhere.pk}).status_code == 404


def test_a_discussion_that_ended_keeps_what_was_typed(client, cast, proposal, path):
    stages.withdraw(by=cast.member, proposal=proposal, reason="Enough.")
    client.force_login(cast.outsider)
    answer = client.post(path, {"text": "A last word."})
    assert answer.status_code == 409
    assert "The discussion has ended" in answer.content.decode()
    assert "A last word." in answer.content.decode()


def test_the_discussion_of_a_decided_proposal_stays_readable_without_forms(client, cast):
    proposal = make_decision(cast).proposal
    client.force_login(cast.member)
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "The discussion has ended; it stays as it was." in page
    assert "Say it in public" not in page


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("anonymous", 302),
        ("outsider", 403),
        ("member", 403),
        ("administrator", 403),
        ("auditor", 403),
        ("clerk", 302),
    ],
)
def test_only_the_clerk_hides(client, cast, proposal, role, status):
    comment = make_comment(cast.outsider, proposal, "A private name.")
    if person := cast.named(role):
        client.force_login(person)
    path = reverse("proposal-comment-hide", args=[proposal.ref, comment.pk])
    assert client.post(path, {"reason": "Names a person."}).status_code == status
    comment.refresh_from_db()
    assert (comment.hidden_at is not None) == (role == "clerk")


def test_a_hidden_comment_shows_its_public_reason_and_not_its_words(client, cast, proposal):
    comment = make_comment(cast.outsider, proposal, "A private name.")
    moderation.hide(by=cast.clerk, said=comment, reason="Names a person.")
    assert discussion_of(proposal).threads[0].html == ""
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "Names a person." in page
    assert "A private name." not in page


def test_hiding_needs_a_reason_and_is_done_once(client, cast, proposal):
    comment = make_comment(cast.outsider, proposal, "Words.")
    path = reverse("proposal-comment-hide", args=[proposal.ref, comment.pk])
    client.force_login(cast.clerk)
    for reason in ("", "x" * 401):
        answer = client.post(path, {"reason": reason}, headers=HTMX)
        assert answer.status_code == 422
        assert "error-summary" in answer.content.decode()
    done = client.post(path, {"reason": "Off topic."}, headers=HTMX)
    assert done.status_code == 200
    assert "The comment is hidden." in done.content.decode()
    assert client.post(path, {"reason": "Again."}).status_code == 409


def test_deep_answers_stand_beside_each_other_for_a_phone(cast, proposal):
    comment = None
    for number in range(6):
        comment = make_comment(cast.outsider, proposal, f"Level {number}", parent=comment)

    def depth(nodes):
        return 1 + max((depth(node.replies) for node in nodes), default=-1) if nodes else 0

    threads = discussion_of(proposal).threads
    assert depth(threads) == 3
    assert len(threads[0].replies[0].replies) == 4


def test_a_long_discussion_comes_page_by_page_and_leads_to_what_was_just_said(
    client, cast, proposal
):
    for number in range(THREADS_A_PAGE + 2):
        last = make_comment(cast.outsider, proposal, f"Thought {number}")
    first = discussion_of(proposal)
    assert len(first.threads) == THREADS_A_PAGE
    assert first.comment_count == THREADS_A_PAGE + 2
    assert discussion_of(proposal, sent=Sent(made=last)).page.number == 2
    client.force_login(cast.outsider)
    answer = client.post(reverse("proposal-comment", args=[proposal.ref]), {"text": "Last."})
    assert "?page=2#comment-" in answer["Location"]
    assert "Last." in client.get(answer["Location"]).content.decode()
    assert client.get(f"{proposal.get_absolute_url()}?page=nonsense").status_code == 200


def test_a_long_discussion_takes_no_more_queries(
    cast, proposal, django_assert_num_queries, settings
):
    for number in range(12):
        make_comment(cast.outsider, proposal, f"Thought {number}")
    with django_assert_num_queries(3):
        discussion_of(proposal)


def test_hostile_words_stay_words(client, cast, proposal):
    make_comment(cast.outsider, proposal, "<script>alert(1)</script> [x](javascript:alert(2))")
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    assert 'href="javascript:' not in page


def test_htmx_gets_where_the_proposal_stands_and_the_masthead_renewed_beside_it(client, cast, path):
    client.force_login(cast.outsider)
    asked = client.post(path, {"text": "Why?", "is_question": "on"}, headers=HTMX).content.decode()
    unanswered = f"The proposer has not answered {cast.outsider}"
    box = asked.split('id="where-it-stands"')[1]
    assert 'hx-swap-oob="true"' in box.split(">")[0]
    assert unanswered in box
    assert 'id="record-status" data-beside hx-swap-oob="true"' in asked
    client.force_login(cast.proposer)
    answer = {"text": "Because.", "parent": Comment.objects.get().pk}
    answered = client.post(path, answer, headers=HTMX).content.decode()
    assert unanswered not in answered.split('id="where-it-stands"')[1]
    assert "hx-swap-oob" not in client.get(path.replace("comments/", "")).content.decode()
