"""What is new on the record arrives: signed, in order, at least once, and never elsewhere."""

import json
import os
import re
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from oversight.accounts.models import Notice
from oversight.ledger.queries import published_size
from oversight.webhooks import delivering, sending, services
from oversight.webhooks.choices import Ending, Status
from oversight.webhooks.models import Attempt, Subscription
from tests import factories
from tests.webhooks.conftest import put_on_record
from tests.webhooks.receiver import Receiver, is_signed

pytestmark = pytest.mark.django_db


def newest(made) -> Attempt:
    return made.row.attempts.first()


def test_an_address_is_sent_nothing_but_a_challenge_until_it_repeats_that(subscribe, receiver):
    receiver.echoes = False
    made = subscribe(answer=False)
    put_on_record("proposal:2026-001")
    made.serve()
    made.serve()
    assert [each.content["type"] for each in receiver.heard] == ["webhook.challenge"]
    assert made.row.status == Status.WAITING
    assert newest(made).ending == Ending.ECHO
    receiver.echoes = True
    services.challenge(subscription=made.row)
    made.serve()
    assert made.row.status == Status.ACTIVE
    assert receiver.indices == [made.row.next_index - 1], "what came meanwhile follows"


def test_an_act_arrives_thin_and_with_links(subscribe, receiver, settings):
    made = subscribe()
    put_on_record("proposal:2026-001", outcome="carried")
    made.serve()
    (heard,) = receiver.events
    index = published_size() - 1
    assert heard.id == f"{made.row.public_id}_{index}"
    assert heard.path == "/hook?of=us"
    assert heard.headers["content-type"] == "application/json"
    content = heard.content
    assert set(content) == {"type", "timestamp", "data"}
    assert content["type"] == "proposals.decision.made"
    assert content["timestamp"].endswith("Z")
    base = settings.PUBLIC_URL
    assert content["data"] == {
        "index": index,
        "subject": "proposal:2026-001",
        "what": "A decision was made",
        "leaf_hash": content["data"]["leaf_hash"],
        "entry": f"{base}/record/{index}/",
        "leaf": f"{base}/record/{index}/leaf.json",
        "receipt": f"{base}/log/proof/{index}",
        "page": f"{base}/proposals/2026-001/",
    }
    assert b"member:a1" not in heard.body, "who acted is not sent"


def test_the_links_of_an_act_lead_to_pages(subscribe, receiver, client, settings):
    made = subscribe()
    put_on_record("proposal:1999-001")
    made.serve()
    for name in ("entry", "leaf", "receipt"):
        path = receiver.events[0].content["data"][name].removeprefix(settings.PUBLIC_URL)
        assert client.get(path).status_code == 200, name


def test_a_message_is_signed_and_a_changed_one_is_not(subscribe, receiver):
    made = subscribe()
    put_on_record("proposal:2026-001")
    made.serve()
    heard = receiver.events[0]
    assert is_signed(made.secret, heard.headers, heard.body)
    assert not is_signed(made.secret, heard.headers, heard.body.replace(b"carried", b"c") + b" ")
    assert not is_signed(made.secret, heard.headers | {"webhook-timestamp": "1"}, heard.body)
    assert not is_signed("whsec_" + "A" * 43 + "=", heard.headers, heard.body)


def test_for_a_day_both_secrets_sign_and_then_only_the_new_one(subscribe, receiver):
    made = subscribe()
    secret = services.rotate_secret(subscription=made.row)
    put_on_record("proposal:2026-001")
    made.serve()
    heard = receiver.events[0]
    assert secret != made.secret
    assert is_signed(secret, heard.headers, heard.body)
    assert is_signed(made.secret, heard.headers, heard.body)
    Subscription.objects.update(old_seed_until=timezone.now())
    put_on_record("proposal:2026-002")
    made.serve()
    heard = receiver.events[1]
    assert is_signed(secret, heard.headers, heard.body)
    assert not is_signed(made.secret, heard.headers, heard.body)


def test_the_database_holds_no_secret(subscribe, settings):
    made = subscribe()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM webhooks_subscription")
        stored = str(cursor.fetchall())
    assert made.secret.removeprefix("whsec_")[:20] not in stored
    settings.SECRET_KEY = "another key of fifty characters, as after a theft."
    from oversight.webhooks import signing

    assert signing.secret_of(made.row.seed) != made.secret


def test_acts_arrive_in_the_order_of_the_record_each_once(subscribe, receiver):
    made = subscribe()
    start = published_size()
    put_on_record(*(f"proposal:2026-{n:03}" for n in range(1, 13)))
    made.serve()
    made.serve()
    assert receiver.indices == list(range(start, start + 12))
    assert made.row.next_index == published_size()


def test_what_was_there_before_is_not_sent(subscribe, receiver):
    put_on_record("proposal:2026-001")
    subscribe().serve()
    assert receiver.events == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"types": ["proposals.decision"]}, [0, 3]),
        ({"types": ["proposals.decision.made"], "subject": "proposal:2026-002"}, [3]),
        ({"types": ["incidents", "proposals.stage"]}, [1, 2]),
        ({"subject": "incident:INC-2026-001"}, [2]),
        ({}, [0, 1, 2, 3]),
    ],
)
def test_only_what_was_asked_for_is_sent(subscribe, receiver, fields, expected):
    made = subscribe(**fields)
    start = published_size()
    put_on_record("proposal:2026-001")
    put_on_record("proposal:2026-001", type_="proposals.stage.moved")
    put_on_record("incident:INC-2026-001", type_="incidents.incident.moved")
    put_on_record("proposal:2026-002")
    made.serve()
    assert [index - start for index in receiver.indices] == expected
    assert made.row.next_index == published_size()


def test_the_acts_of_one_body_are_told_from_those_of_another(subscribe, receiver):
    cast = factories.make_cast()
    other = factories.make_body()
    made = subscribe(body=cast.body)
    start = published_size()
    put_on_record("proposal:1999-001", type_="proposals.proposal.drafted", body=cast.body.slug)
    put_on_record("proposal:1999-002", type_="proposals.proposal.drafted", body=other.slug)
    put_on_record("proposal:1999-001", "proposal:1999-002", type_="proposals.stage.moved")
    put_on_record("authorisation:1999-001", type_="registry.authorisation.granted")
    put_on_record("authorisation:1999-002", type_="registry.authorisation.granted")
    put_on_record(cast.body.subject, type_="accounts.member.appointed")
    put_on_record("model:anything", type_="registry.model.registered")
    made.serve()
    names = [each.content["data"]["subject"] for each in receiver.events]
    assert [n for n in names if n != cast.body.subject] == [
        "proposal:1999-001",
        "proposal:1999-001",
        "authorisation:1999-001",
    ]
    assert cast.body.subject in names
    assert start < published_size()


def test_what_is_not_taken_waits_longer_each_time_and_holds_back_what_follows(subscribe, receiver):
    made = subscribe()
    start = published_size()
    receiver.status = 500
    put_on_record("proposal:2026-001", "proposal:2026-002")
    waits = []
    for _ in range(3):
        before = timezone.now()
        made.serve()
        waits.append((made.row.next_try_at - before).total_seconds())
        assert not made.serve(), "it is not due"
        Subscription.objects.update(next_try_at=timezone.now())
    assert receiver.indices == [start] * 3
    assert len({each.id for each in receiver.events}) == 1, "the same id each time"
    assert newest(made).answered == 500
    assert [round(wait / 5) for wait in waits] == pytest.approx([1, 4, 16], rel=0.3)
    receiver.status = 200
    made.serve()
    assert receiver.indices == [start] * 4 + [start + 1]
    assert (made.row.failures, made.row.failing_since) == (0, None)


def test_waits_grow_fourfold_up_to_eight_hours_and_vary():
    found = [services.wait_seconds(n) for n in range(1, 40)]
    for n, seconds in enumerate(found, start=1):
        plain = min(8 * 3600, 5 * 4 ** (n - 1))
        assert 0.8 * plain <= seconds <= 1.2 * plain
    assert len({services.wait_seconds(3) for _ in range(20)}) > 1


def test_after_three_days_it_is_switched_off_and_its_owner_told(subscribe, receiver):
    made = subscribe()
    receiver.status = 500
    put_on_record("proposal:2026-001")
    made.serve()
    early = timezone.now() - timedelta(days=2, hours=23)
    Subscription.objects.update(failing_since=early, next_try_at=timezone.now())
    made.serve()
    assert made.row.status == Status.ACTIVE
    Subscription.objects.update(
        failing_since=timezone.now() - timedelta(days=3), next_try_at=timezone.now()
    )
    made.serve()
    assert (made.row.status, made.row.off_reason) == (Status.OFF, Ending.STATUS)
    notice = Notice.objects.get(person=made.row.owner)
    assert notice.path == made.row.get_absolute_url()
    assert not made.serve()
    receiver.status = 200
    services.challenge(subscription=made.row)
    made.serve()
    assert made.row.status == Status.ACTIVE
    assert receiver.indices[-1] == published_size() - 1, "what it missed follows"


def test_an_address_that_answers_410_is_switched_off_at_once(subscribe, receiver):
    made = subscribe()
    receiver.status = 410
    put_on_record("proposal:2026-001")
    made.serve()
    assert (made.row.status, made.row.off_reason) == (Status.OFF, Ending.GONE)


def test_a_closed_account_is_sent_nothing(subscribe, receiver):
    made = subscribe()
    put_on_record("proposal:2026-001")
    made.row.owner.is_active = False
    made.row.owner.save()
    assert not made.serve()
    assert receiver.events == []


def test_a_test_and_a_repetition_are_sent_once_beside_the_stream(subscribe, receiver):
    made = subscribe()
    put_on_record("proposal:2026-001")
    made.serve()
    index = published_size() - 1
    services.ping(subscription=made.row)
    services.send_again(subscription=made.row, index=index)
    made.serve()
    made.serve()
    assert [each.content["type"] for each in receiver.heard[-2:]] == [
        "webhook.ping",
        "proposals.decision.made",
    ]
    assert receiver.events[0].id == receiver.events[1].id
    assert receiver.events[0].body == receiver.events[1].body
    assert len(receiver.heard) == 4


def test_only_the_newest_attempts_are_kept(subscribe, receiver, monkeypatch):
    monkeypatch.setattr(services, "ATTEMPTS_KEPT", 3)
    made = subscribe()
    put_on_record(*(f"proposal:2026-{n:03}" for n in range(1, 7)))
    made.serve()
    assert [each.index for each in made.row.attempts.all()] == receiver.indices[:-4:-1]


def test_two_senders_never_hold_one_subscription(subscribe, receiver):
    made = subscribe()
    put_on_record("proposal:2026-001")
    held = services.claim(subscription_id=made.row.pk, size=published_size())
    assert held is not None
    assert services.claim(subscription_id=made.row.pk, size=published_size()) is None
    assert not made.serve()
    services.release(held=held)
    assert made.serve()


def test_a_sender_that_was_overtaken_changes_nothing(subscribe, receiver):
    made = subscribe()
    put_on_record("proposal:2026-001")
    late = services.claim(subscription_id=made.row.pk, size=published_size())
    Subscription.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    made.serve()
    at = made.row.next_index
    attempt = Attempt(message_id="x", index=at + 5, ending=Ending.TAKEN)
    assert not services.settle(held=late, attempt=attempt)
    made.row.refresh_from_db()
    assert made.row.next_index == at
    assert receiver.indices == [published_size() - 1]


# -- Killed at any moment --------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before the answer", "before its settlement", "after it"])
def test_a_sender_killed_at_any_moment_loses_nothing(subscribe, receiver, moment):
    made = subscribe()
    start = published_size()
    put_on_record("proposal:2026-001", "proposal:2026-002", "proposal:2026-003")
    if moment == "before the answer":
        receiver.holding = threading.Event()
    die_while_sending(made, receiver, moment)
    if receiver.holding:
        receiver.holding.set()
    made.row.refresh_from_db()
    assert made.row.leased_until is not None, "the dead one's lease stands"
    assert not made.serve()
    Subscription.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert made.serve()
    assert made.row.next_index == published_size()
    assert sorted(set(receiver.indices)) == [start, start + 1, start + 2]
    twice = [] if moment == "after it" else [start]
    assert sorted(receiver.indices) == sorted([start, start + 1, start + 2, *twice])
    ids = {each.id: each.content["data"]["index"] for each in receiver.events}
    assert len(ids) == 3, "what came twice bears one id"


def die_while_sending(made, receiver: Receiver, moment: str) -> None:
    """Deliver in a fork of this process that `kill -9` ends."""
    receiver.arrived.clear()
    connection.close()
    child = os.fork()
    if child == 0:
        original = services.settle

        def settle(**fields):
            if moment == "after it":
                original(**fields)
            os.kill(os.getpid(), signal.SIGKILL)

        services.settle = settle
        delivering.serve(made.row.pk, published_size(), time.monotonic() + 30)
        os._exit(1)
    if moment == "before the answer":
        assert receiver.arrived.wait(20)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.django_db(transaction=True)
def test_a_sweep_serves_all_that_are_due_and_a_second_one_waits_for_none(subscribe, receiver):
    several = [subscribe() for _ in range(6)]
    put_on_record("proposal:2026-001")
    assert delivering.sweep() == 6
    assert delivering.sweep() == 0
    assert len(receiver.events) == 6
    assert {each.id for each in receiver.events} == {
        f"{made.row.public_id}_{published_size() - 1}" for made in several
    }


# -- Only to the public network, and only for a while ----------------------------------------


PING = b'{"type": "webhook.ping", "data": {}}'


def ending(url: str, allowed=()) -> Ending:
    return sending.post(url, b"{}", {}, frozenset(allowed)).ending


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "10.1.2.3",
        "169.254.169.254",
        "[fd00::1]",
        "[::ffff:10.0.0.1]",
        "0.0.0.0",
    ],
)
def test_nothing_is_sent_to_an_address_that_is_not_public(host):
    assert ending(f"https://{host}/") == Ending.PRIVATE


def test_a_name_that_leads_into_our_network_is_not_followed(receiver, monkeypatch):
    def resolved(host, port, **_):
        return [(2, 1, 6, "", ("93.184.216.34", port)), (2, 1, 6, "", ("127.0.0.1", receiver.port))]

    monkeypatch.setattr("oversight.webhooks.sending.socket.getaddrinfo", resolved)
    assert ending(f"https://rebinds.example:{receiver.port}/") == Ending.PRIVATE
    assert receiver.heard == []


def test_the_connection_goes_to_the_address_that_was_looked_at(receiver, monkeypatch):
    asked = []
    real = sending.socket.getaddrinfo

    def resolved(host, port, *rest, **more):
        asked.append(host)
        if host != "inner.example":
            return real(host, port, *rest, **more)
        # Looked up once more, it would lead elsewhere.
        address = "127.0.0.1" if asked.count(host) == 1 else "203.0.113.1"
        return [(2, 1, 6, "", (address, port))]

    monkeypatch.setattr("oversight.webhooks.sending.socket.getaddrinfo", resolved)
    host = f"inner.example:{receiver.port}"
    assert sending.post(f"http://{host}/", PING, {}, frozenset({host})).ending == Ending.TAKEN
    assert asked.count("inner.example") == 1
    assert receiver.heard[0].headers["host"] == host


def test_a_name_that_is_not_resolved_in_time_is_cut_off(monkeypatch):
    answers = threading.Event()

    def resolved(*_, **__):
        answers.wait(30)
        return []

    monkeypatch.setattr(sending, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(sending, "_RESOLVING", threading.BoundedSemaphore(1))
    monkeypatch.setattr("oversight.webhooks.sending.socket.getaddrinfo", resolved)
    assert ending("https://slow.example/") == Ending.TIME
    # The one that is left behind counts: others wait for it, and no longer than they may.
    assert ending("https://slow.example/") == Ending.TIME
    answers.set()


def test_a_redirect_is_not_followed(subscribe, receiver):
    made = subscribe()
    receiver.status, receiver.location = 302, f"http://127.0.0.1:{receiver.port}/elsewhere"
    put_on_record("proposal:2026-001")
    made.serve()
    assert newest(made).ending == Ending.REDIRECT
    assert {each.path for each in receiver.heard} == {"/hook?of=us"}


def test_an_answer_that_trickles_is_cut_off(subscribe, receiver, monkeypatch):
    monkeypatch.setattr(sending, "ANSWER_SECONDS", 0.3)
    made = subscribe()
    receiver.trickle = 0.02
    put_on_record("proposal:2026-001")
    made.serve()
    assert newest(made).ending == Ending.TIME
    assert newest(made).milliseconds < 5000


def test_how_an_attempt_failed_is_said_in_its_kind(receiver, monkeypatch):
    here = f"127.0.0.1:{receiver.port}"
    assert ending(f"https://{here}/", {here}) == Ending.TLS
    receiver.stop()
    assert ending(f"http://{here}/", {here}) == Ending.CONNECTION
    assert ending("https://nothing.invalid/") == Ending.NAME


def test_the_example_in_the_documentation_checks_a_real_message(subscribe, receiver):
    page = (Path(__file__).parents[2] / "docs" / "reference" / "webhooks.md").read_text()
    example = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    scope = {}
    exec(example, scope)
    check = scope["check"]
    made = subscribe()
    secret = services.rotate_secret(subscription=made.row)
    put_on_record("proposal:2026-001")
    made.serve()
    heard = receiver.events[0]
    assert check(made.secret, heard.headers, heard.body)
    assert check(secret, heard.headers, heard.body)
    assert not check(secret, heard.headers, heard.body + b" ")
    assert not check("whsec_AAAA", heard.headers, heard.body)
    late = int(heard.headers["webhook-timestamp"]) + 301
    assert not check(secret, heard.headers, heard.body, now=late)
    shown = json.loads(re.search(r"```json\n(.*?)```", page, re.DOTALL)[1])
    assert shown.keys() == heard.content.keys()
    assert shown["data"].keys() == heard.content["data"].keys()
