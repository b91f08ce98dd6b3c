"""What cannot be used is refused with a problem document that names it; never a fault of ours."""

import json

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oversight.web.json_body import BODY_LIMIT_BYTES, DEPTH_LIMIT
from tests import factories
from tests.api.conftest import address, assert_is_problem, bearer, send
from tests.api.doors import COUNT, MACHINES, ONES_OWN, OPEN_WRITES, READS, RECEIPT_CHECK, WRITES

JSON_WRITES = [
    door
    for door in (COUNT, RECEIPT_CHECK, *WRITES, *ONES_OWN, *OPEN_WRITES, *MACHINES)
    if door.body is not None
]


def post(client, path, raw: bytes, content_type="application/json", method="POST"):
    return client.generic(method, path, raw, content_type=content_type)


@pytest.fixture
def knock(world):
    """Return a function that sends raw bytes to a door as one who may open it."""

    def send_raw(door, raw, content_type="application/json"):
        before = transaction.savepoint()
        who = "worker token" if door in MACHINES else "key with scope"
        path = address(door.name, *door.parts(world))
        caller = world.caller(who, door.owner, door.scope)
        answer = post(caller, path, raw, content_type, door.method)
        transaction.savepoint_rollback(before)
        return answer

    return send_raw


BAD_BODIES = {
    "no JSON": (b"{", 400),
    "nothing": (b"", 400),
    "not UTF-8": (b'{"a": "\xff"}', 400),
    "NaN": (b'{"a": NaN}', 400),
    "nested until the reader gives up": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "a number of 5,000 digits": (b'{"a": ' + b"9" * 5_000 + b"}", 400),
    "a list": (b"[1, 2]", 422),
    "a word": (b'"hello"', 422),
    "null": (b"null", 422),
    "deep": (b'{"a":' + b"[" * (DEPTH_LIMIT + 1) + b"]" * (DEPTH_LIMIT + 1) + b"}", 422),
    "a NUL": (rb'{"a": "x\u0000y"}', 422),
    "half a pair": (rb'{"a": {"b": "\ud800"}}', 422),
    "too large a number": (b'{"a": 1e999}', 422),
    "too large": (b'{"a": "' + b"x" * BODY_LIMIT_BYTES + b'"}', 413),
}


def test_a_body_that_cannot_be_read_is_refused_at_every_door(knock):
    for door in JSON_WRITES:
        if door.name == "api-run-cancel":
            continue
        for what, (raw, status) in BAD_BODIES.items():
            answer = knock(door, raw)
            assert answer.status_code in {status, 422}, (str(door), what, answer.content[:200])
            assert_is_problem(answer, answer.status_code)
            if what in {"a NUL", "half a pair", "deep", "too large a number"}:
                assert "a" in answer.json()["errors"], what


@pytest.mark.parametrize("what", sorted(BAD_BODIES))
def test_a_body_that_cannot_be_read_has_its_own_status(knock, what):
    raw, status = BAD_BODIES[what]
    door = next(each for each in WRITES if each.name == "api-comments")
    expected = 422 if what == "nothing" else status
    assert_is_problem(knock(door, raw), expected)


def test_a_body_of_another_kind_is_415(knock):
    for door in JSON_WRITES:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
            answer = knock(door, b"text=hello", kind)
            assert_is_problem(answer, 415)
            assert answer.json()["title"] == "Unsupported media type"


def test_every_missing_and_every_unknown_field_is_named(world, knock):
    for door in (COUNT, RECEIPT_CHECK, *WRITES, *ONES_OWN, *OPEN_WRITES):
        if door.body is None:
            continue
        answer = knock(door, b'{"colour": "red"}')
        assert_is_problem(answer, 422, "colour")
        assert "Unknown field; use " in str(answer.json()["errors"]["colour"])
        whole = door.body(world)
        # A ballot's field depends on the method of the vote; the service names it.
        optional = {"closes_at", *(["choice"] if door.name == "api-ballot" else [])}
        asks_why = {"api-conflict", "api-decision-suspension", "api-decision-annulment"}
        optional |= {"reason"} if door.name not in asks_why else set()
        # A version that only an endpoint serves has no files to list.
        optional |= {"manifest"} if door.name == "api-models" else set()
        # Who writes over any description need not name the one that was read.
        optional |= {"after"} if door.name.endswith("-descriptions") else set()
        required = set(whole) - optional
        assert required <= set(answer.json()["errors"]), str(door)


def test_a_worker_may_be_newer_than_the_platform(world):
    body = {
        "boot_id": "boot-1",
        "software": {},
        "device": {},
        "resource_classes": ["cpu"],
        "mood": "good",
    }
    client = world.caller("worker token")
    assert send(client, "POST", address("worker-hello"), body).status_code == 200


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/runs/?state=asleep", "state"),
        ("/api/v1/runs/?colour=red", "colour"),
        ("/api/v1/runs/?suite=a&stat=queued", "stat"),
        ("/api/v1/proposals/?status=asleep", "status"),
        ("/api/v1/proposals/?type=poem", "type"),
        ("/api/v1/suites/?slug=x", "slug"),
        ("/api/v1/models/?page_size=0", "page_size"),
        ("/api/v1/models/?page_size=201", "page_size"),
        ("/api/v1/models/?page_size=many", "page_size"),
        ("/api/v1/models/?page=2", "page"),
        ("/api/v1/models/?page_size=99999999999999999999", "page_size"),
        ("/api/v1/incidents/?status=asleep", "status"),
        ("/api/v1/incidents/?severity=mild", "severity"),
        ("/api/v1/incidents/?handled=you", "handled"),
        ("/api/v1/incidents/?colour=red", "colour"),
        ("/api/v1/gate/?subject=abc&deployment=x", "subject"),
        ("/api/v1/gate/?deployment=x", "subject"),
        (f"/api/v1/gate/?subject=sha256:{'a' * 64}", "deployment"),
    ],
)
@pytest.mark.django_db
def test_a_query_that_cannot_be_used_is_400_and_names_the_parameter(client, path, field):
    assert_is_problem(client.get(path), 400, field)


def test_filters_keep_what_fits(world, client):
    def refs(query):
        return {row["ref"] for row in client.get(f"/api/v1/runs/?{query}").json()["results"]}

    assert refs("state=succeeded") == {world.run.ref}
    assert refs(f"suite={world.suite.suite.slug}") == {world.run.ref, world.queued.ref}
    assert refs("suite=other") == set()
    assert refs(f"model={world.version.model.slug}&state=running") == {world.queued.ref}


@pytest.mark.parametrize("name", ["api-version", "api-run", "api-proposal", "api-decision"])
@pytest.mark.django_db
def test_a_nul_in_an_address_is_no_fault(client, name):
    assert_is_problem(client.get(address(name, "NUL").replace("NUL", "a%00b")), 404)
    assert_is_problem(client.get("/api/v1/runs/?suite=%00"), 400)


@pytest.mark.parametrize("path", ["/runs/a%00b/", "/decisions/%00/", "/proposals/%00/"])
@pytest.mark.django_db
def test_a_nul_in_the_address_of_a_page_is_no_fault(client, path):
    assert client.get(path).status_code == 404
    assert client.get("/deciding/?page=%00").status_code == 400


@pytest.mark.parametrize("accept", ["application/xml", "text/html", "application/zip", "nonsense"])
def test_each_address_answers_in_its_own_form(world, accept):
    for door in READS:
        path = address(door.name, *door.parts(world)) + door.query
        answer = world.caller("anonymous").get(path, headers={"Accept": accept})
        assert answer.status_code == door.status, (str(door), answer.content[:200])


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer nonsense", "Bearer osk_", "bearer osk_x y", "Bearer \u00fc"],
)
@pytest.mark.django_db
def test_a_bad_sign_in_is_not_taken_for_a_visitor(client, header):
    answer = client.get("/api/v1/models/", headers={"Authorization": header.encode("latin-1")})
    assert_is_problem(answer, 401)


@pytest.mark.parametrize("text", ["", "x", "-1", "9" * 30, "\u0661"])
def test_an_upload_needs_the_token_of_the_lease(world, text):
    path = address("worker-upload", world.held.pk, "a" * 64)
    client = bearer(world.machine.token)
    answer = client.put(f"{path}?token={text}", b"x", content_type="application/octet-stream")
    assert_is_problem(answer, 400, "token")


@pytest.mark.parametrize("sha256", ["short", "A" * 64, "..", "a" * 63 + "/", "a" * 500])
def test_an_upload_under_a_name_that_is_no_digest_is_refused(world, sha256, settings):
    path = f"/api/v1/worker/task-runs/{world.held.pk}/artefacts/{sha256}"
    client = bearer(world.machine.token)
    answer = client.put(
        f"{path}?token={world.held.lease_token}", b"x", content_type="application/octet-stream"
    )
    assert 400 <= answer.status_code < 500
    assert client.get(f"/api/v1/worker/artefacts/{sha256}").status_code == 404


def test_a_reply_to_a_comment_elsewhere_is_refused(world):
    there = factories.make_comment(world.cast.outsider, world.voting)
    client = world.caller("key with scope", "outsider")
    path = address("api-comments", world.talked.ref)
    for parent in (there.pk, 2**62):
        assert_is_problem(
            send(client, "POST", path, {"text": "x", "parent": parent}), 422, "parent"
        )
    assert not world.talked.comments.exists()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["", "\0", "sha256:" + "a" * 64, "2026-01-01T00:00:00", "9999-12-31T23:59Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_nothing_that_anybody_sends_is_a_fault_of_ours(world, knock, data):
    door = data.draw(
        st.sampled_from([door for door in JSON_WRITES if door.name != "worker-result"])
    )
    body = dict(door.body(world))
    for name in data.draw(st.lists(st.sampled_from([*body]), max_size=2)):
        body[name] = data.draw(VALUES)
    answer = knock(door, json.dumps(body).encode())
    assert answer.status_code < 500, answer.content
    if answer.status_code >= 400:
        assert_is_problem(answer, answer.status_code)
