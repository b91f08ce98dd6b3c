from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client

from oversight.web import api_document_view

pytestmark = pytest.mark.django_db


def test_many_may_ask_for_it_at_once_right_after_a_start():
    api_document_view._document.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: Client().get("/api/schema/"), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def test_it_can_be_had_as_json(client):
    for answer in (
        client.get("/api/schema/?format=json"),
        client.get("/api/schema/", HTTP_ACCEPT="application/json"),
    ):
        assert answer.json()["openapi"].startswith("3.1")
