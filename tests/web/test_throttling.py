from functools import partial

import pytest
from django.core.cache import cache
from rest_framework.settings import api_settings

from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def few(monkeypatch):
    """Allow three reads and two writes a minute, and forget who has asked so far."""
    rates = {"read": "3/min", "write": "2/min"}
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", rates)
    cache.clear()
    yield
    cache.clear()


def test_too_many_reads_are_told_when_to_come_back(client, few):
    answers = [client.get("/api/v1/models/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1]["Content-Type"] == "application/problem+json"
    assert client.get("/").status_code == 200


def test_each_answer_says_how_many_more_may_be_sent(client, few):
    answers = [client.get("/api/v1/models/") for _ in range(4)]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"read";q=3;w=60'}
    left = [answer["RateLimit"].rpartition(";")[0] for answer in answers]
    assert left == ['"read";r=2', '"read";r=1', '"read";r=0', '"read";r=0']
    client.force_login(factories.make_person())
    written = client.post("/api/v1/runs/", {}, "application/json")
    assert written["RateLimit-Policy"] == '"write";q=2;w=60'
    assert "RateLimit" not in client.get("/")


def test_a_visitor_cannot_be_counted_as_many_by_naming_addresses(client, few):
    for number in range(3):
        client.get("/api/v1/models/", HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
    answer = client.get("/api/v1/models/", HTTP_X_FORWARDED_FOR="192.0.2.9")
    assert answer.status_code == 429


def test_writes_are_counted_apart_and_by_person(client, few):
    client.force_login(factories.make_person())
    answers = [client.post("/api/v1/runs/", {}, "application/json") for _ in range(3)]
    assert [answer.status_code for answer in answers][-1] == 429
    assert client.get("/api/v1/models/").status_code == 200
    client.force_login(factories.make_person())
    assert client.post("/api/v1/runs/", {}, "application/json").status_code != 429


def test_a_worker_may_call_as_often_as_its_work_needs(client, few):
    bearer = {"Authorization": f"Bearer {factories.make_machine().token}"}
    body = {"boot_id": "boot", "resource_classes": ["cpu"]}
    ask = partial(client.post, "/api/v1/worker/claim", body, "application/json", headers=bearer)
    assert {ask().status_code for _ in range(5)} == {204}


def test_what_is_posted_without_the_final_slash_is_posted_again(client):
    answer = client.post("/api/v1/runs", {}, "application/json")
    assert answer.status_code == 308
    assert answer["Location"] == "/api/v1/runs/"
