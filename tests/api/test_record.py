"""The record in the API: its acts, the way from a leaf to its receipt, and the check of one."""

import hashlib
from uuid import uuid4

import pytest

from oversight.ledger.sequencer import sequence_once
from oversight.ledger.services import check_receipt
from tests.api.conftest import address, assert_is_problem, send


@pytest.fixture
def on_record(world):
    """Return the world once all that happened in it is on the record."""
    while sequence_once():
        pass
    return world


def test_the_way_from_a_write_to_its_receipt_is_one_address(world, client):
    path = address("api-receipt", world.decision.leaf_id)
    waiting = client.get(path)
    assert (waiting.status_code, waiting["Retry-After"]) == (202, "1")
    while sequence_once():
        pass
    found = client.get(path).json()
    assert found["leaf_id"] == str(world.decision.leaf_id)
    assert found["type"] == "proposals.decision.made"
    assert found["content"]["subject"] == found["subject"]
    assert check_receipt(found["receipt"]).ok
    assert client.get(address("api-record-entry", found["index"])).json() == found
    hashed = hashlib.sha256(b"\x00" + client.get(found["leaf"]).content)
    assert found["leaf_hash"] == f"sha256:{hashed.hexdigest()}"
    assert_is_problem(client.get(address("api-receipt", uuid4())), 404)


def test_acts_come_newest_first_and_are_found_by_what_they_are_about(on_record, client):
    def asked(query="", **named):
        return client.get(address("api-record") + query, named).json()["results"]

    indices = [each["index"] for each in asked()]
    assert indices == sorted(indices, reverse=True)
    about = asked(subject=on_record.voting.subject)
    assert about
    assert {each["subject"] for each in about} == {on_record.voting.subject}
    (by_leaf,) = asked(q=about[0]["leaf_hash"])
    assert by_leaf == about[0]
    assert asked(actor="member:nobody") == []
    assert_is_problem(client.get(address("api-record"), {"colour": "red"}), 400, "colour")


@pytest.mark.parametrize("index", [10**6, 2**63, 10**40])
@pytest.mark.django_db
def test_an_act_that_is_not_there_is_404(client, index):
    assert_is_problem(client.get(f"/api/v1/record/{index}/"), 404)
    assert_is_problem(client.get(f"/api/v1/suites/none/versions/{index}/"), 404)


def test_a_receipt_is_checked_in_steps_and_a_changed_one_fails(on_record, client):
    path = address("api-receipt-check")
    receipt = client.get(address("api-record-entry", 1)).json()["receipt"]
    good = send(client, "POST", path, {"receipt": receipt}).json()
    assert (good["ok"], good["index"]) == (True, 1)
    assert {each["outcome"] for each in good["steps"]} == {"ok"}
    bad = send(client, "POST", path, {"receipt": receipt.replace("index 1", "index 0")}).json()
    assert bad["ok"] is False
    assert "failed" in {each["outcome"] for each in bad["steps"]}


def test_each_version_of_a_suite_is_read_by_its_number(world, client):
    slug = world.suite.suite.slug
    (row,) = client.get(address("api-suite-versions", slug)).json()["results"]
    one = client.get(address("api-suite-version", slug, row["number"])).json()
    assert (one["digest"], one["document"]["slug"]) == (row["digest"], slug)
    assert_is_problem(client.get(address("api-suite-version", slug, 2)), 404)
