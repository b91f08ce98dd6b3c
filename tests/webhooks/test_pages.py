"""A person's webhooks by hand: the pages do all that the API does, for their owner alone."""

import re

import pytest

from oversight.web.refusals import Conflict
from oversight.webhooks import services
from oversight.webhooks.choices import TRANSITIONS, USUAL, Status
from oversight.webhooks.events import known_beginnings
from oversight.webhooks.models import Subscription
from tests import factories
from tests.webhooks.conftest import put_on_record

pytestmark = pytest.mark.django_db
LIST = "/my/webhooks/"


@pytest.fixture
def owner():
    return factories.make_person()


@pytest.fixture
def page(client, owner):
    client.force_login(owner)
    return client


def secret_in(answer) -> str:
    found = re.search(r'data-copy="(whsec_[^"]+)"', answer.content.decode())
    return found[1] if found else ""


def test_a_webhook_is_made_by_hand_and_its_secret_shown_once(page, owner, receiver):
    body = factories.make_body()
    answer = page.post(
        LIST,
        {
            "url": receiver.url,
            "note": "The newsroom",
            "types": ["proposals.decision", "incidents.incident"],
            "body": body.slug,
            "subject": "",
        },
    )
    made = Subscription.objects.get()
    assert answer.status_code == 201
    assert secret_in(answer).startswith("whsec_")
    assert answer["Cache-Control"].startswith("max-age=0")
    assert (made.owner, made.body, made.status) == (owner, body, Status.WAITING)
    assert made.types == ["incidents.incident", "proposals.decision"]
    assert not secret_in(page.get(made.get_absolute_url()))
    listed = page.get(LIST).content.decode()
    assert "The newsroom" in listed
    assert "decisions made or annulled" in listed


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "required"),
        ("http://example.org/", "Use https"),
        ("https://user:pass@example.org/", "Use the form https://host/path"),
        ("https://example.org/#part", "Use the form https://host/path"),
        ("https://10.0.0.1/", "Use an address of the public network."),
        ("https://localhost/", "Use an address of the public network."),
        ("ftp://example.org/", "Use the form https://host/path"),
        ("https://[::1/", "Use the form https://host/path"),
        ("https://example.org:99999/", "Use the form https://host/path"),
        ("https://exämple.org/", "Use the form https://host/path"),
        ("https://example.org/" + "a" * 500, "at most 500 characters"),
        ("\x00", "Null characters"),
    ],
)
def test_an_address_that_nothing_is_sent_to_is_refused_beside_its_field(page, url, words):
    answer = page.post(LIST, {"url": url})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Subscription.objects.exists()


def test_no_more_than_the_most_can_be_made(page, owner, receiver, monkeypatch):
    monkeypatch.setattr(services, "MOST_OF_A_PERSON", 1)
    assert page.post(LIST, {"url": receiver.url}).status_code == 201
    answer = page.post(LIST, {"url": receiver.url})
    assert answer.status_code == 409
    assert "the most one may" in answer.content.decode()


def test_all_that_can_be_done_with_one_is_done_from_its_page(page, owner, subscribe, receiver):
    made = subscribe(owner)
    at = made.row.get_absolute_url()
    put_on_record("proposal:2026-001")
    made.serve()
    assert page.post(f"{at}ping/").status_code == 302
    index = made.row.next_index - 1
    assert page.post(f"{at}again/", {"index": index}).status_code == 302
    made.serve()
    assert [each.content["type"] for each in receiver.heard][-2:] == [
        "webhook.ping",
        "proposals.decision.made",
    ]
    shown = page.get(at).content.decode()
    assert f"Entry {index}</a>, again" in shown
    assert secret_in(page.post(f"{at}secret/")) not in {"", made.secret}
    assert page.post(f"{at}challenge/").status_code == 409
    assert page.post(f"{at}again/", {"index": index + 1}).status_code == 422
    assert page.post(f"{at}again/", {"index": "²"}).status_code == 422
    assert page.post(f"{at}delete/").status_code == 302
    assert not Subscription.objects.exists()
    assert page.get(at).status_code == 404


def test_before_its_challenge_a_webhook_takes_no_test(page, owner, subscribe):
    at = subscribe(owner, answer=False).row.get_absolute_url()
    assert page.post(f"{at}ping/").status_code == 409
    assert page.post(f"{at}challenge/").status_code == 302
    assert "has not answered the challenge" in page.get(at).content.decode()


@pytest.mark.parametrize("act", ["", "secret/", "challenge/", "ping/", "again/", "delete/"])
def test_anothers_webhook_is_not_there(client, subscribe, act):
    at = subscribe().row.get_absolute_url()
    client.force_login(factories.make_administrator())
    method = client.post if act else client.get
    assert method(at + act).status_code == 404
    client.logout()
    answer = method(at + act)
    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]
    assert Subscription.objects.count() == 1


def test_types_that_another_covers_are_left_out(subscribe):
    made = subscribe(types=["proposals.decision.made", "proposals.decision", "evals"])
    assert made.row.types == ["evals", "proposals.decision"]


def test_what_the_form_offers_are_beginnings_of_real_types():
    assert {name for name, _ in USUAL} <= known_beginnings()


@pytest.mark.parametrize("before", Status)
@pytest.mark.parametrize("after", Status)
def test_a_state_leads_only_where_the_table_says(before, after):
    row = Subscription(status=before)
    if after in TRANSITIONS[before]:
        services._move(row, after)
        assert row.status == after
    else:
        with pytest.raises(Conflict):
            services._move(row, after)
