"""Moderation in the open: who hides and restores, what stays, who is told, and the public log."""

import pytest
from django.urls import reverse

from oversight.ledger.models import Opening, PendingLeaf
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.models import Moderation
from proposals.services import moderation
from tests import factories
from tests.factories import make_argument, make_comment, make_statement

pytestmark = pytest.mark.django_db
MAKERS = {"comment": make_comment, "argument": make_argument, "statement": make_statement}
WORDS = "Words about a private person."


@pytest.fixture
def cast():
    return factories.make_cast()


@pytest.fixture
def proposal(cast):
    return factories.make_deliberated_proposal(cast)


@pytest.fixture(params=sorted(MAKERS))
def said(request, cast, proposal):
    return MAKERS[request.param](cast.outsider, proposal, WORDS)


def shown_everywhere(client, proposal):
    """Return what the pages and the API say in a row."""
    addresses = [
        proposal.get_absolute_url(),
        *(
            reverse(name, args=[proposal.ref])
            for name in (
                "proposal-arguments",
                "proposal-statements",
                "proposal-opinions",
                "proposal-moderation",
                "api-comments",
                "api-arguments",
                "api-statements",
                "api-moderation",
            )
        ),
        reverse("body-moderation", args=[proposal.body.slug]),
        reverse("api-body-moderation", args=[proposal.body.slug]),
    ]
    return "".join(client.get(address).content.decode() for address in addresses)


def test_hidden_words_leave_every_page_and_come_back(client, cast, proposal, said):
    assert WORDS in shown_everywhere(client, proposal)
    moderation.hide(by=cast.clerk, said=said, reason="It names a person.")
    shown = shown_everywhere(client, proposal)
    assert WORDS not in shown
    assert "It names a person." in shown
    moderation.restore(by=cast.clerk, said=said, reason="The person agreed.")
    shown = shown_everywhere(client, proposal)
    assert WORDS in shown
    assert "It names a person." in shown
    assert "The person agreed." in shown


def test_each_act_is_on_the_record_with_its_reason_committed(cast, said):
    moderation.hide(by=cast.clerk, said=said, reason="It names a person.")
    moderation.restore(by=cast.clerk, said=said, reason="The person agreed.")
    rows = Moderation.objects.order_by("pk")
    for row, act in zip(rows, ("hidden", "restored"), strict=True):
        leaf = PendingLeaf.objects.get(pk=row.leaf_id)
        noun = "opinion_statement" if said.KIND == "statement" else said.KIND
        assert leaf.type == f"proposals.{noun}.{act}"
        assert leaf.content["facts"] == {said.KIND: str(said.leaf_id)}
        assert row.reason.encode() not in bytes(leaf.body)
        assert Opening.objects.get(leaf_id=leaf.pk).value == {"reason": row.reason}


def test_the_author_is_told_without_the_words(cast, said):
    moderation.hide(by=cast.clerk, said=said, reason="It names a person.")
    notice = cast.outsider.notices.get()
    assert notice.subject == f"Your {said.KIND} on {said.proposal.ref} was hidden"
    assert WORDS not in notice.text
    moderation.restore(by=cast.clerk, said=said, reason="The person agreed.")
    assert cast.outsider.notices.count() == 2


def test_only_a_clerk_moderates_and_only_once_each_way(cast, said):
    for role in ("member", "outsider", "administrator", "auditor"):
        with pytest.raises(NotAllowed):
            moderation.hide(by=cast.named(role), said=said, reason="No.")
    with pytest.raises(Conflict, match="not hidden"):
        moderation.restore(by=cast.clerk, said=said, reason="Why?")
    moderation.hide(by=cast.clerk, said=said, reason="First.")
    with pytest.raises(Conflict, match="hidden already"):
        moderation.hide(by=cast.clerk, said=said, reason="Second.")
    for reason in ("", "  ", "a\x00b", "x" * 401):
        with pytest.raises(Invalid):
            moderation.restore(by=cast.clerk, said=said, reason=reason)
    assert Moderation.objects.count() == 1


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
def test_the_page_to_moderate_opens_for_clerks(client, cast, proposal, said, role, status):
    if person := cast.named(role):
        client.force_login(person)
    address = reverse("proposal-moderate", args=[proposal.ref, said.KIND, said.pk])
    assert client.get(address).status_code == (200 if role == "clerk" else status)
    done = client.post(address, {"act": "hidden", "reason": "It names a person."})
    assert done.status_code == status
    assert Moderation.objects.exists() == (role == "clerk")


def test_what_another_clerk_did_meanwhile_is_a_conflict_with_the_reason_kept(
    client, cast, proposal, said
):
    client.force_login(cast.clerk)
    address = reverse("proposal-moderate", args=[proposal.ref, said.KIND, said.pk])
    moderation.hide(by=cast.clerk, said=said, reason="Quicker.")
    done = client.post(address, {"act": "hidden", "reason": "Too late a reason."})
    assert done.status_code == 409
    assert "Too late a reason." in done.content.decode()
    assert client.post(address, {"act": "restored", "reason": ""}).status_code == 422
    assert client.post(address, {"act": "deleted", "reason": "x"}).status_code == 422


@pytest.mark.parametrize(("kind", "pk"), [("poem", 1), ("comment", 10**17), ("argument", 0)])
def test_nothing_else_is_moderated(client, cast, proposal, kind, pk):
    client.force_login(cast.clerk)
    address = reverse("proposal-moderate", args=[proposal.ref, kind, pk])
    assert client.get(address).status_code == 404


def test_the_api_moderates_by_the_same_rules(client, cast, proposal, said):
    client.force_login(cast.clerk)
    address = reverse("api-moderation", args=[proposal.ref])
    sent = {"kind": said.KIND, "id": said.pk, "act": "hidden", "reason": "It names a person."}
    done = client.post(address, sent, content_type="application/json")
    assert done.status_code == 201
    assert done.json()["reason"] == "It names a person."
    assert client.post(address, sent, content_type="application/json").status_code == 409
    gone = sent | {"id": 2**62}
    assert client.post(address, gone, content_type="application/json").status_code == 422
    (listed,) = client.get(address).json()["results"]
    assert (listed["kind"], listed["id"], listed["clerk"]) == (said.KIND, said.pk, "The clerk")


def test_the_log_costs_no_more_queries_with_more_acts(
    client, cast, proposal, django_assert_max_num_queries
):
    for number in range(8):
        said = MAKERS[sorted(MAKERS)[number % 3]](cast.outsider, proposal, f"Words {number}")
        moderation.hide(by=cast.clerk, said=said, reason="Off topic.")
    client.force_login(cast.clerk)
    with django_assert_max_num_queries(12):
        client.get(reverse("proposal-moderation", args=[proposal.ref]))


def test_a_restored_question_waits_for_its_answer_again(cast, proposal):
    from proposals.services import stages

    question = make_comment(cast.outsider, proposal, "Who pays?", is_question=True)
    moderation.hide(by=cast.clerk, said=question, reason="Asked before.")
    moderation.restore(by=cast.clerk, said=question, reason="It was not.")
    with pytest.raises(Conflict, match="has not answered"):
        stages.fix_text(by=cast.clerk, proposal=proposal)
