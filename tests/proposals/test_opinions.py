"""The opinion map: statements, answers, what is drawn, published, exported, and shown to whom."""

import csv
import io
import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.choices import Answer
from proposals.crowds import (
    REST_MINUTES,
    answers_of,
    basis_of,
    map_of,
    next_statement,
    stale_maps,
)
from proposals.models import Opinion, OpinionMap, OpinionStatement
from proposals.opinions.answers import digest_of, read
from proposals.opinions.drawing import draw
from proposals.services import moderation, opinions, stages
from proposals.services.erasure import erase_person
from proposals.tasks import draw_opinion_maps
from tests import factories
from tests.proposals.opinions.crowds import crowd

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def cast():
    return factories.make_cast()


@pytest.fixture
def proposal(cast):
    return factories.make_deliberated_proposal(cast)


@pytest.fixture
def statements(cast, proposal):
    """Twelve statements, of people who may each make ten."""
    makers = (cast.outsider, cast.member)
    return [factories.make_statement(makers[n % 2], proposal, f"Opinion {n}.") for n in range(12)]


def path(name, proposal, *more):
    return reverse(name, args=[proposal.ref, *more])


def answer(person, statement, what=Answer.AGREE):
    return opinions.give_opinion(by=person, statement=statement, answer=what)


# -- Statements and answers


def test_a_statement_is_on_the_record_without_its_words(cast, proposal):
    made = factories.make_statement(cast.outsider, proposal, "A person must  take over.")
    assert made.text == "A person must take over."
    leaf = PendingLeaf.objects.get(pk=made.leaf_id)
    assert leaf.type == "proposals.opinion_statement.made"
    assert b"person must" not in bytes(leaf.body)
    assert set(leaf.content["commits"]) == {"text"}


@pytest.mark.parametrize("text", ["", " \n ", "a\x00b", "x" * 281])
def test_a_statement_that_cannot_be_used_is_refused(cast, proposal, text):
    with pytest.raises(Invalid):
        factories.make_statement(cast.outsider, proposal, text or " ")
    assert not OpinionStatement.objects.exists()


def test_a_statement_stands_once(cast, proposal):
    factories.make_statement(cast.outsider, proposal, "Answer at night.")
    with pytest.raises(Invalid, match="there already"):
        factories.make_statement(cast.member, proposal, "answer  at NIGHT.")


def test_nobody_fills_the_map_alone(cast, proposal):
    for _ in range(opinions.MAX_STATEMENTS_EACH):
        factories.make_statement(cast.outsider, proposal)
    with pytest.raises(Conflict, match="10 statements"):
        factories.make_statement(cast.outsider, proposal)
    factories.make_statement(cast.member, proposal)


def test_the_last_answer_counts(cast, statements):
    answer(cast.outsider, statements[0])
    answer(cast.outsider, statements[0], Answer.PASS)
    assert [each.answer for each in Opinion.objects.all()] == ["pass"]


def test_answers_and_statements_end_with_the_deliberation(cast, proposal, statements):
    stages.fix_text(by=cast.clerk, proposal=proposal)
    with pytest.raises(Conflict, match="deliberation is over"):
        answer(cast.outsider, statements[0])
    with pytest.raises(Conflict, match="deliberation is over"):
        factories.make_statement(cast.outsider, proposal)
    assert not Opinion.objects.exists()


def test_nobody_answers_on_a_draft(cast):
    with pytest.raises(NotAllowed):
        factories.make_statement(cast.member, factories.make_proposal(cast))


@pytest.mark.django_db(transaction=True)
def test_two_answers_of_one_person_at_once_leave_one():
    cast = factories.make_cast()
    proposal = factories.make_deliberated_proposal(cast)
    statement = factories.make_statement(cast.member, proposal)
    start = threading.Barrier(2)
    failed = []

    def put(what):
        try:
            start.wait()
            answer(cast.outsider, statement, what)
        except Exception as error:  # noqa: BLE001 - whatever it is fails the test
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=put, args=[what]) for what in (Answer.AGREE, Answer.PASS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert Opinion.objects.count() == 1


# -- The order of statements


def test_everybody_gets_the_statements_in_an_order_of_their_own(cast, proposal, statements):
    def order(person):
        found = []
        while (statement := next_statement(person, proposal)) is not None:
            found.append(statement.pk)
            answer(person, statement, Answer.PASS)
        return found

    people = [cast.outsider, cast.member, cast.auditor]
    orders = [order(person) for person in people]
    assert all(sorted(each) == sorted(made.pk for made in statements) for each in orders)
    assert len({tuple(each) for each in orders}) == 3
    Opinion.objects.all().delete()
    assert [order(person) for person in people] == orders


def test_a_hidden_statement_comes_to_nobody(cast, proposal, statements):
    for statement in statements[1:]:
        answer(cast.outsider, statement)
    moderation.hide(by=cast.clerk, said=statements[0], reason="An insult.")
    assert next_statement(cast.outsider, proposal) is None
    with pytest.raises(Conflict, match="hidden"):
        answer(cast.outsider, statements[0])


# -- The map


def test_the_input_is_what_people_answered_without_their_names(proposal, statements):
    rows = crowd((9, 8), 12).rows
    people = factories.make_opinions(proposal, rows)
    answers = answers_of(proposal)
    assert answers.rows == rows
    assert answers.statements == tuple(str(each.leaf_id) for each in statements)
    document = json.dumps(answers.document)
    for person in people:
        assert person.public_id not in document
        assert str(person) not in document


def test_the_sweep_draws_and_after_the_deliberation_publishes(cast, proposal, statements):
    assert draw_opinion_maps() == 1
    assert map_of(proposal).drawn["why_no_groups"] == "few_participants"
    factories.make_opinions(proposal, crowd((20, 15), 12).rows)
    # Not before it has rested: two maps close in time would show single answers.
    assert draw_opinion_maps() == 0
    OpinionMap.objects.update(drawn_at=timezone.now() - timedelta(minutes=REST_MINUTES, seconds=1))
    assert draw_opinion_maps() == 1
    newest = map_of(proposal)
    assert [group["size"] for group in newest.drawn["groups"]] == [20, 15]
    assert newest.leaf_id is None
    stages.fix_text(by=cast.clerk, proposal=proposal)
    assert draw_opinion_maps() == 1
    assert draw_opinion_maps() == 0
    published = OpinionMap.objects.get()
    leaf = PendingLeaf.objects.get(pk=published.leaf_id).content
    assert leaf["digests"] == {"input": published.input_digest, "map": published.digest}
    assert leaf["facts"] == {"participants": 35, "statements": 12}
    assert leaf["actor"] == "system:clock"


def test_what_is_published_stays_when_a_person_is_erased(cast, proposal, statements):
    people = factories.make_opinions(proposal, crowd((20, 15), 12).rows)
    stages.fix_text(by=cast.clerk, proposal=proposal)
    draw_opinion_maps()
    before = OpinionMap.objects.get().input
    erased = erase_person(person=people[0])
    assert erased.opinions > 0
    assert not Opinion.objects.filter(person=people[0]).exists()
    assert draw_opinion_maps() == 0
    assert OpinionMap.objects.get().input == before


def test_a_deliberation_that_was_taken_up_again_gets_a_map_of_its_own(cast, proposal, statements):
    factories.make_opinions(proposal, crowd((20, 15), 12).rows)
    stages.fix_text(by=cast.clerk, proposal=proposal)
    draw_opinion_maps()
    stages.reopen_deliberation(by=cast.clerk, proposal=proposal)
    stages.fix_text(by=cast.clerk, proposal=proposal)
    assert draw_opinion_maps() == 0
    stages.reopen_deliberation(by=cast.clerk, proposal=proposal)
    answer(cast.outsider, statements[0])
    stages.fix_text(by=cast.clerk, proposal=proposal)
    assert draw_opinion_maps() == 1
    assert OpinionMap.objects.exclude(leaf_id=None).count() == 2


def test_answers_of_a_few_are_never_published(client, cast, proposal, statements):
    factories.make_opinions(proposal, crowd((4, 4), 12).rows)
    stages.fix_text(by=cast.clerk, proposal=proposal)
    draw_opinion_maps()
    assert not PendingLeaf.objects.filter(type="proposals.opinions.mapped").exists()
    for name in ("opinions-map", "opinions-input", "opinions-input-csv"):
        assert client.get(path(name, proposal)).status_code == 404
    page = client.get(path("proposal-opinions", proposal)).content.decode()
    assert "Groups and answers are shown once 12 people have answered 5 statements each" in page
    listed = client.get(path("proposal-statements", proposal)).content.decode()
    assert "% agree" not in listed
    assert client.get(path("api-opinions", proposal)).json() == {"opinions": None}


def test_an_answer_while_it_is_drawn_is_not_lost(cast, proposal, statements):
    factories.make_opinions(proposal, crowd((20, 15), 12).rows)
    basis, answers = basis_of(proposal), answers_of(proposal)
    answer(cast.outsider, statements[0])
    with pytest.raises(Conflict, match="newer answers"):
        opinions.keep_map(proposal=proposal, basis=basis, answers=answers, drawn=draw(answers))
    assert [found for found, _ in stale_maps(timezone.now())] == [proposal]


def test_a_hidden_statement_leaves_the_next_map(cast, proposal, statements):
    factories.make_opinions(proposal, crowd((20, 15), 12).rows)
    factories.draw_map(proposal)
    before = basis_of(proposal)
    moderation.hide(by=cast.clerk, said=statements[3], reason="An insult.")
    assert basis_of(proposal) != before
    assert len(factories.draw_map(proposal).drawn["statements"]) == 11


# -- Files


def test_the_published_files_draw_the_same_map_again(client, proposal, statements):
    factories.make_opinions(proposal, crowd((20, 15), 12).rows)
    kept = factories.draw_map(proposal)
    sent = client.get(path("opinions-input", proposal)).json()
    again = read(sent)
    assert again.digest == sent["digest"] == kept.input_digest
    assert digest_of(draw(again)) == sent["map"] == kept.digest
    assert sent["texts"][str(statements[0].leaf_id)] == "Opinion 0."
    result = client.get(path("opinions-map", proposal)).content
    assert digest_of(json.loads(result)) == kept.digest
    table = client.get(path("opinions-input-csv", proposal)).content.decode()
    rows = list(csv.reader(io.StringIO(table)))
    assert rows[0][:2] == ["row", "group"]
    assert len(rows) == 36
    assert {cell for row in rows[1:] for cell in row[2:]} <= {"1", "-1", "0", ""}


# -- Pages


@pytest.mark.parametrize(
    ("role", "status"),
    [("anonymous", 302), ("outsider", 302), ("member", 302), ("clerk", 302), ("auditor", 302)],
)
def test_everybody_with_an_account_answers(client, cast, proposal, statements, role, status):
    if person := cast.named(role):
        client.force_login(person)
    sent = {"statement": statements[0].pk, "answer": "agree"}
    done = client.post(path("proposal-answer", proposal), sent)
    assert done.status_code == status
    assert Opinion.objects.exists() == (role != "anonymous")
    done = client.post(path("proposal-statements", proposal), {"text": "Something new."})
    assert done.status_code == status
    assert OpinionStatement.objects.filter(text="Something new.").exists() == (role != "anonymous")


def test_one_statement_after_the_other_with_and_without_scripts(client, cast, proposal, statements):
    client.force_login(cast.outsider)
    first = next_statement(cast.outsider, proposal)
    sent = {"statement": first.pk, "answer": "disagree"}
    done = client.post(path("proposal-answer", proposal), sent)
    assert done["Location"].endswith("/opinions/#next")
    second = next_statement(cast.outsider, proposal)
    page = client.get(path("proposal-opinions", proposal)).content.decode()
    assert second.text in page
    assert "1 of 12" in page
    part = client.post(
        path("proposal-answer", proposal),
        {"statement": second.pk, "answer": "pass"},
        headers=HTMX,
    ).content.decode()
    assert "<html" not in part
    assert next_statement(cast.outsider, proposal).text in part
    assert "data-focus" in part
    # From the list one comes back to the list, at the statement.
    done = client.post(path("proposal-answer", proposal), sent | {"answer": "agree", "page": 1})
    assert done["Location"].endswith(f"/statements/?page=1#statement-{first.pk}")
    listed = client.get(path("proposal-statements", proposal)).content.decode()
    assert listed.count("is-chosen") == 2


@pytest.mark.parametrize(
    ("statement", "what"),
    [("own", "maybe"), ("own", ""), ("", "agree"), ("x", "agree"), ("9" * 30, "agree")],
)
def test_an_answer_that_cannot_be_used_is_refused(
    client, cast, proposal, statements, statement, what
):
    client.force_login(cast.outsider)
    key = statements[0].pk if statement == "own" else statement
    done = client.post(path("proposal-answer", proposal), {"statement": key, "answer": what})
    assert done.status_code == 422
    assert not Opinion.objects.exists()


def test_a_statement_of_another_proposal_is_not_found(client, cast, proposal, statements):
    elsewhere = factories.make_deliberated_proposal(cast)
    client.force_login(cast.outsider)
    sent = {"statement": statements[0].pk, "answer": "agree"}
    assert client.post(path("proposal-answer", elsewhere), sent).status_code == 404


def test_an_answer_after_the_close_is_a_conflict_at_both_doors(client, cast, proposal, statements):
    stages.fix_text(by=cast.clerk, proposal=proposal)
    client.force_login(cast.outsider)
    sent = {"statement": statements[0].pk, "answer": "agree"}
    assert client.post(path("proposal-answer", proposal), sent).status_code == 409
    door = path("api-answer", proposal, statements[0].pk)
    done = client.post(door, {"answer": "agree"}, content_type="application/json")
    assert done.status_code == 409


def test_a_refused_statement_is_kept_in_the_form(client, cast, proposal):
    client.force_login(cast.outsider)
    text = "x" * 281
    done = client.post(path("proposal-statements", proposal), {"text": text})
    assert done.status_code == 422
    assert text in done.content.decode()


def test_script_in_a_statement_stays_words(client, cast, proposal):
    for number in range(5):
        factories.make_statement(cast.outsider, proposal, f"<script>alert({number})</script>")
    factories.make_opinions(proposal, ["+++++"] * 8 + ["-----"] * 8)
    factories.draw_map(proposal)
    for name in ("proposal", "proposal-opinions", "proposal-statements"):
        page = client.get(path(name, proposal)).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(0)" in page


def test_the_map_says_in_words_and_shapes_what_it_draws(client, proposal, statements):
    people = factories.make_opinions(proposal, crowd((20, 15), 12).rows)
    factories.draw_map(proposal)
    page = client.get(path("proposal-opinions", proposal)).content.decode()
    assert "35 people in 2 groups: group A with 20, group B with 15." in page
    assert "drawn as a circle" in page
    assert "drawn as a square" in page
    assert "n = " in page
    assert "opinion-you" not in page
    client.force_login(people[0])
    page = client.get(path("proposal-opinions", proposal)).content.decode()
    assert "opinion-you" in page
    assert "only you see that" in page


def test_the_map_costs_no_more_queries_with_more_answers(
    client, cast, proposal, statements, django_assert_max_num_queries
):
    factories.make_opinions(proposal, crowd((20, 15), 12).rows)
    factories.draw_map(proposal)
    client.force_login(cast.outsider)
    for name in ("proposal-opinions", "proposal-statements"):
        with django_assert_max_num_queries(14):
            client.get(path(name, proposal))


def test_who_answered_what_is_shown_to_nobody_else(client, cast, proposal, statements):
    for statement in statements:
        answer(cast.outsider, statement, Answer.DISAGREE)
    for role in ("anonymous", "member", "clerk", "auditor", "administrator"):
        client.logout()
        if person := cast.named(role):
            client.force_login(person)
        for name in ("proposal-opinions", "proposal-statements"):
            page = client.get(path(name, proposal)).content.decode()
            assert "is-chosen" not in page
