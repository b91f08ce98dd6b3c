"""Arguments for and against: who makes and supports them, and in which order they stand."""

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.arguments import arguments_of, ranked
from proposals.choices import Side
from proposals.models import Argument, ArgumentSupport
from proposals.ranking import Weighed, weigh
from proposals.services import arguments, moderation, stages
from tests import factories
from tests.factories import make_argument, make_person

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
START = datetime.fromisoformat("2026-03-01T12:00:00+00:00")


@pytest.fixture
def cast():
    return factories.make_cast()


@pytest.fixture
def proposal(cast):
    return factories.make_deliberated_proposal(cast)


def support(person, argument):
    return arguments.support_argument(by=person, argument=argument)


def path(name, proposal, *more):
    return reverse(name, args=[proposal.ref, *more])


# -- Making and supporting


def test_an_argument_and_its_support_are_acts_on_the_record(cast, proposal):
    made = make_argument(cast.outsider, proposal, "It costs less.", Side.FOR)
    given = support(cast.member, made)
    arguments.withdraw_support(by=cast.member, argument=made)
    leaves = [leaf.content for leaf in PendingLeaf.objects.filter(type__contains=".argument.")]
    about = {"argument": str(made.leaf_id)}
    assert [(leaf["type"], leaf["facts"]) for leaf in leaves] == [
        ("proposals.argument.made", {"side": "for"}),
        ("proposals.argument.supported", about),
        ("proposals.argument.support_withdrawn", about),
    ]
    assert b"costs less" not in bytes(PendingLeaf.objects.get(pk=made.leaf_id).body)
    given.refresh_from_db()
    assert given.withdrawn_at is not None


@pytest.mark.parametrize("text", [" ", "a\x00b", "x" * 401])
def test_an_argument_that_cannot_be_used_is_refused(cast, proposal, text):
    with pytest.raises(Invalid):
        make_argument(cast.outsider, proposal, text)
    assert not Argument.objects.exists()


def test_an_argument_stands_once_a_side(cast, proposal):
    make_argument(cast.outsider, proposal, "It is new.", Side.FOR)
    with pytest.raises(Invalid, match="there already"):
        make_argument(cast.member, proposal, "it is  NEW.", Side.FOR)
    make_argument(cast.member, proposal, "It is new.", Side.AGAINST)


def test_nobody_fills_the_page_alone(cast, proposal):
    made = [make_argument(cast.outsider, proposal) for _ in range(5)]
    with pytest.raises(Conflict, match="5 arguments"):
        make_argument(cast.outsider, proposal)
    moderation.hide(by=cast.clerk, said=made[0], reason="Said before.")
    make_argument(cast.outsider, proposal)


def test_support_is_refused_where_it_would_not_count(cast, proposal):
    made = make_argument(cast.outsider, proposal)
    with pytest.raises(Conflict, match="author does not count"):
        support(cast.outsider, made)
    support(cast.member, made)
    with pytest.raises(Conflict, match="already"):
        support(cast.member, made)
    with pytest.raises(Conflict, match="do not support"):
        arguments.withdraw_support(by=cast.chair, argument=made)
    moderation.hide(by=cast.clerk, said=made, reason="Off topic.")
    with pytest.raises(Conflict, match="hidden"):
        support(cast.chair, made)
    assert ArgumentSupport.objects.count() == 1


def test_arguments_end_with_the_discussion(cast, proposal):
    made = make_argument(cast.outsider, proposal)
    support(cast.member, made)
    stages.withdraw(by=cast.member, proposal=proposal, reason="Enough.")
    for act in (
        lambda: make_argument(cast.outsider, proposal),
        lambda: support(cast.chair, made),
        lambda: arguments.withdraw_support(by=cast.member, argument=made),
    ):
        with pytest.raises(Conflict, match="discussion has ended"):
            act()


def test_nobody_argues_on_a_draft(cast):
    with pytest.raises(NotAllowed):
        make_argument(cast.member, factories.make_proposal(cast))


@pytest.mark.django_db(transaction=True)
def test_support_from_two_connections_at_once_counts_once():
    cast = factories.make_cast()
    made = make_argument(cast.outsider, factories.make_deliberated_proposal(cast))
    start, refused = threading.Barrier(2), []

    def put():
        try:
            start.wait()
            support(cast.member, made)
        except Conflict as conflict:
            refused.append(conflict)
        finally:
            connection.close()

    threads = [threading.Thread(target=put) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert ArgumentSupport.objects.count() == 1
    assert PendingLeaf.objects.filter(type="proposals.argument.supported").count() == 1


# -- The order


def test_the_score_is_wilsons():
    # Wilson's interval of 8 of 10 begins at 0.4902 (Newcombe 1998 gives 0.490).
    assert Weighed(8, 10).score == pytest.approx(0.4902, abs=1e-4)
    assert Weighed(0, 10).score == 0
    assert Weighed(10, 10).score > Weighed(9, 10).score > Weighed(1, 1).score


def hours(*ago):
    return sorted(START - timedelta(hours=each) for each in ago)


def test_a_late_argument_is_weighed_among_those_who_came_after_it():
    latest = hours(*range(10))
    assert weigh(3, START - timedelta(hours=20), latest) == Weighed(3, 10)
    assert weigh(3, START - timedelta(hours=6), latest) == Weighed(3, 7)
    # A few friends of a very late one do not carry it to the top: half of all are asked.
    assert weigh(2, START - timedelta(hours=1), latest) == Weighed(2, 5)


@given(
    st.lists(st.integers(0, 100), max_size=40),
    st.integers(0, 100),
    st.integers(0, 40),
)
def test_an_argument_never_has_more_supporters_than_were_asked(ago, made, wanted):
    supporters = min(wanted, sum(1 for each in ago if each <= made))
    weighed = weigh(supporters, START - timedelta(hours=made), hours(*ago))
    assert weighed.supporters <= weighed.asked <= max(len(ago), supporters)
    assert 0 <= weighed.score <= 1


def test_the_best_supported_stands_first_and_ties_go_to_the_older(cast, proposal):
    first, second, third = (make_argument(cast.outsider, proposal) for _ in range(3))
    for person in (cast.member, cast.chair):
        support(person, third)
    assert [row.argument for row in ranked(proposal)] == [third, first, second]
    support(cast.clerk, second)
    assert [row.argument for row in ranked(proposal)] == [third, second, first]


def test_an_old_argument_does_not_lead_by_its_age(cast, proposal):
    old = make_argument(cast.outsider, proposal)
    people = [make_person() for _ in range(12)]
    for person in people[:4]:
        support(person, old)
    Argument.objects.update(made_at=timezone.now() - timedelta(days=9))
    ArgumentSupport.objects.update(given_at=timezone.now() - timedelta(days=8))
    late = make_argument(cast.member, proposal)
    other = make_argument(cast.member, proposal)
    for person in people[4:]:
        support(person, late if person in people[4:8] else other)
    # Four of twelve against four of the eight who came after the late one was made.
    rows = {row.argument: row.weighed for row in ranked(proposal)}
    assert (rows[old], rows[late]) == (Weighed(4, 12), Weighed(4, 8))
    assert [row.argument for row in ranked(proposal)][-1] == old


def test_two_columns_with_what_is_hidden_counted(cast, proposal):
    for number in range(7):
        make_argument((cast.outsider, cast.member)[number % 2], proposal, side=Side.FOR)
    hidden = make_argument(cast.chair, proposal, side=Side.AGAINST)
    moderation.hide(by=cast.clerk, said=hidden, reason="Insult.")
    found = arguments_of(proposal, cast.member, 5)
    assert [(c.side, len(c.rows), c.total, c.more) for c in found.columns] == [
        ("for", 5, 7, 2),
        ("against", 0, 0, 0),
    ]
    assert found.hidden == 1


# -- Pages


@pytest.mark.parametrize(
    ("role", "status"),
    [("anonymous", 302), ("outsider", 302), ("member", 302), ("clerk", 302), ("auditor", 302)],
)
def test_everybody_with_an_account_argues_and_supports(client, cast, proposal, role, status):
    other = make_argument(cast.chair, proposal)
    if person := cast.named(role):
        client.force_login(person)
    done = client.post(path("proposal-arguments", proposal), {"side": "for", "text": "Cheap."})
    assert done.status_code == status
    assert Argument.objects.filter(text="Cheap.").exists() == (role != "anonymous")
    done = client.post(path("proposal-argument-support", proposal, other.pk), {"act": "support"})
    assert done.status_code == status
    assert ArgumentSupport.objects.exists() == (role != "anonymous")


def test_support_with_and_without_scripts(client, cast, proposal):
    made = make_argument(cast.outsider, proposal)
    client.force_login(cast.member)
    address = path("proposal-argument-support", proposal, made.pk)
    done = client.post(address, {"act": "support"})
    assert done["Location"] == f"{proposal.get_absolute_url()}#argument-{made.pk}"
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "1 of 1 supports" in page
    part = client.post(address, {"act": "withdraw", "all": "1"}, headers=HTMX).content.decode()
    assert "<html" not in part
    assert "You have taken your support back." in part
    assert part.count("data-focus") == 1
    assert client.post(address, {"act": "cheer"}).status_code == 422
    assert client.post(address, {"act": "withdraw"}).status_code == 409


@pytest.mark.parametrize(
    "sent",
    [{}, {"side": "for"}, {"side": "maybe", "text": "x"}, {"side": "for", "text": "x" * 401}],
)
def test_a_refused_argument_keeps_what_was_typed(client, cast, proposal, sent):
    client.force_login(cast.outsider)
    done = client.post(path("proposal-arguments", proposal), sent)
    assert done.status_code == 422
    assert "error-summary" in done.content.decode()
    assert sent.get("text", "") in done.content.decode()


def test_an_argument_of_another_proposal_is_not_found(client, cast, proposal):
    made = make_argument(cast.outsider, proposal)
    elsewhere = factories.make_deliberated_proposal(cast)
    client.force_login(cast.member)
    address = path("proposal-argument-support", elsewhere, made.pk)
    assert client.post(address, {"act": "support"}).status_code == 404


def test_script_in_an_argument_stays_words(client, cast, proposal):
    make_argument(cast.outsider, proposal, "<script>alert(1)</script>")
    for address in (proposal.get_absolute_url(), path("proposal-arguments", proposal)):
        page = client.get(address).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
