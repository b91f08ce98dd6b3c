"""Who gets through which address of the API: every address and method has its row in `doors`."""

import re

import pytest

from tests import factories
from tests.api.conftest import address, assert_is_problem, send
from tests.api.doors import (
    ALL,
    COUNT,
    DRAFT,
    FORMS,
    MACHINES,
    ONES_OWN,
    OPEN_FORMS,
    OPEN_WRITES,
    READS,
    RECEIPT_CHECK,
    WRITES,
    api_addresses,
    methods_of,
)
from tests.api.doors.door import BAD_KEYS, EVERYONE, NEW_DIGEST, SIGNED_IN


def test_every_address_and_method_has_its_row():
    there = {(name, each) for name, view in api_addresses().items() for each in methods_of(view)}
    assert len(there) >= 33
    assert there == {(door.name, door.method) for door in ALL}


LOCAL_MOMENT = re.compile(rb'"\d{4}-\d\d-\d\dT[^"Z]*[+-]\d\d:?\d\d"')


def test_every_moment_is_written_in_utc(world):
    seen = 0
    for door in (*READS, DRAFT, *WRITES, *ONES_OWN):
        answer = door.try_as(world, "key with scope")
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        if is_json and not answer.streaming:
            assert not LOCAL_MOMENT.search(answer.content), (str(door), answer.content[:500])
            seen += answer.content.count(b'Z"')
    assert seen > 50


def test_what_is_public_opens_for_everyone(world):
    for door in (*READS, COUNT, RECEIPT_CHECK):
        for who in (*EVERYONE, "key without scope", "key with scope"):
            answer = door.try_as(world, who)
            assert answer.status_code == door.status, (str(door), who, answer.content[:300])
        for who in BAD_KEYS:
            answer = door.try_as(world, who)
            assert_is_problem(answer, 401)
            assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("door", [*OPEN_WRITES, *OPEN_FORMS], ids=str)
def test_what_anybody_may_send_is_taken_from_everyone_but_a_bad_key(world, door):
    for who in (*EVERYONE, "key without scope", "key with scope"):
        answer = door.try_as(world, who)
        assert answer.status_code == door.status, (who, answer.content[:300])
    for who in BAD_KEYS:
        assert_is_problem(door.try_as(world, who), 401)


@pytest.mark.parametrize("door", [DRAFT, *WRITES, *ONES_OWN, *FORMS], ids=str)
def test_what_is_not_public_opens_for_those_with_the_right_and_a_good_key(world, door):
    answers = {
        who: door.try_as(world, who)
        for who in (*EVERYONE, "key with scope", "key without scope", *BAD_KEYS)
    }
    expected = dict.fromkeys(SIGNED_IN, door.shut) | dict.fromkeys(BAD_KEYS, 401)
    if door.note:
        # Who may not see a draft learns nothing of it, whatever they want of it.
        expected |= dict.fromkeys(SIGNED_IN - DRAFT.opens_for, 404)
    expected |= dict.fromkeys(door.opens_for, door.status)
    expected["anonymous"] = door.shut if door is DRAFT else 401
    expected["key with scope"] = door.status
    # The scope is asked before the state, and after whether the thing is seen at all.
    hides = door.shut == 404 and not door.asks_scope_first
    expected["key without scope"] = 404 if hides else 403
    assert {who: answer.status_code for who, answer in answers.items()} == expected
    for answer in answers.values():
        if answer.status_code != door.status:
            assert_is_problem(answer, answer.status_code)
    if door.method == "POST":
        assert door.scope in answers["key without scope"].json()["detail"]


@pytest.mark.parametrize("door", MACHINES, ids=str)
def test_a_workers_address_opens_for_a_worker_only(world, door):
    for who in (*EVERYONE, "key with scope", "revoked key"):
        answer = door.try_as(world, who)
        assert_is_problem(answer, 401)
        assert answer["WWW-Authenticate"] == "Bearer"
    if door.name == "worker-upload":
        data, reference = world.machine.samples(world.held, 70)
        path = address(door.name, world.held.pk, reference["sha256"])
        client = world.caller("worker token")
        answer = client.put(
            f"{path}?token={world.held.lease_token}", data, content_type="application/octet-stream"
        )
    else:
        answer = door.try_as(world, "worker token")
    expected = (door.status, 204) if door.name == "worker-claim" else (door.status,)
    assert answer.status_code in expected, answer.content[:300]


def test_another_worker_reaches_nothing_that_this_one_holds(world):
    other = factories.make_machine()
    world.machine = other
    any_workers = {"hello", "claim", "upload", "result", "probes", "probes-seen"}
    for door in MACHINES:
        if door.name.removeprefix("worker-") in any_workers:
            continue
        assert_is_problem(door.try_as(world, "worker token"), 404 if door.method == "GET" else 409)


def test_a_revoked_worker_is_out_at_once(world):
    from evals.services.workers import revoke_worker

    client = world.caller("worker token")
    body = {"boot_id": "boot-1", "resource_classes": ["cpu"]}
    assert send(client, "POST", address("worker-claim"), body).status_code in {200, 204}
    revoke_worker(by=world.cast.administrator, worker=world.machine.worker)
    assert_is_problem(send(client, "POST", address("worker-claim"), body), 401)


def test_another_method_is_405_and_says_which_there_are(world):
    for name, view in api_addresses().items():
        door, allowed = next(each for each in ALL if each.name == name), methods_of(view)
        client = world.caller("worker token" if door in MACHINES else "administrator")
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - allowed:
            answer = send(client, method, address(name, *door.parts(world)), {})
            assert_is_problem(answer, 405)
            assert allowed <= {each.strip() for each in answer["Allow"].split(",")}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("api-model", "nothing"),
        ("api-version", NEW_DIGEST),
        ("api-deployment", "nothing"),
        ("api-suite", "nothing"),
        ("api-suite-folder", "nothing"),
        ("api-run", "run-00000000"),
        ("api-run-samples", "run-00000000"),
        ("api-proposal", "1999-001"),
        ("api-decision", "1999-001"),
    ],
)
def test_what_is_not_there_is_404(client, name, part):
    assert_is_problem(client.get(address(name, part)), 404)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/", "/api/v1/nothing/", "/api/v1/worker/task-runs/not-a-uuid/heartbeat"],
)
def test_an_address_that_leads_nowhere_is_a_problem_document(client, path):
    assert_is_problem(client.get(path), 404)


def test_a_session_alone_does_not_write_without_its_token(world):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(world.cast.member)
    answer = send(client, "POST", address("api-comments", world.talked.ref), {"text": "Hello."})
    assert_is_problem(answer, 403)
    assert not world.talked.comments.exists()
