"""`/healthz`: 200 while every part answers, 503 with its name when one does not."""

import pytest

from oversight import celery


@pytest.mark.django_db
def test_health_is_good_while_database_and_broker_answer(client, monkeypatch):
    monkeypatch.setattr("oversight.dashboards.health._broker_answers", lambda: True)
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "database": "ok",
        "broker": "ok",
        "ledger": {"size": 0, "last_check": None},
    }
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_health_names_a_broker_that_does_not_answer(client):
    found = celery.app.conf.broker_url
    celery.use_broker("pgmq://nobody:nothing@127.0.0.1:1/nowhere")
    try:
        answer = client.get("/healthz")
    finally:
        celery.use_broker(found)
    assert answer.status_code == 503
    assert answer.json()["broker"] == "down"
    assert answer.json()["database"] == "ok"


@pytest.mark.django_db
def test_health_names_a_database_that_does_not_answer(client, monkeypatch):
    from django.db import OperationalError, connection

    class Refusing:
        def __enter__(self):
            raise OperationalError("gone")

        def __exit__(self, *error):
            return False

    monkeypatch.setattr("oversight.dashboards.health._broker_answers", lambda: True)
    monkeypatch.setattr(connection, "cursor", Refusing)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "degraded",
        "database": "down",
        "broker": "ok",
        "ledger": {"size": None, "last_check": None},
    }


@pytest.mark.django_db
def test_health_tells_the_size_of_the_record(client, world, monkeypatch):
    monkeypatch.setattr("oversight.dashboards.health._broker_answers", lambda: True)
    assert client.get("/healthz").json()["ledger"]["size"] > 10
