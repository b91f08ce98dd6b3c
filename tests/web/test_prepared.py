"""Prepared statements: planned once where the settings allow it, refused like all others."""

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from oversight.web import prepared


def statements():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement ~ 'AS apple'")
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_a_statement_stays_prepared_on_its_connection():
    before = statements()
    for number in range(3):
        assert prepared.one("SELECT %s::int AS apple", [number]) == (number,)
    assert statements() == before + 1


@pytest.mark.django_db
def test_behind_a_pooler_of_transactions_nothing_stays_prepared(monkeypatch):
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    before = statements()
    assert prepared.rows("SELECT n AS apple_tree FROM generate_series(1, %s::int) n", [2]) == [
        (1,),
        (2,),
    ]
    assert statements() == before


@pytest.mark.django_db
def test_what_the_database_refuses_is_djangos_own_error():
    with pytest.raises(IntegrityError), transaction.atomic():
        prepared.run("INSERT INTO ledger_head (id, size, root) VALUES (%s, 0, '')", [2])


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ended_is_made_anew_with_the_next_request():
    (pid,) = prepared.one("SELECT pg_backend_pid()")
    with connection.copy().cursor() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        other.connection.close()
    with pytest.raises(OperationalError):
        prepared.one("SELECT 1")
    connection.close_if_unusable_or_obsolete()
    assert prepared.one("SELECT 1") == (1,)
