"""Keys of people for programs: what is kept of them, how long they work, what using them costs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oversight.accounts import services
from oversight.accounts.choices import Scope
from oversight.accounts.models import ApiKey
from oversight.web.refusals import Invalid, NotAllowed
from tests.factories import make_person

pytestmark = pytest.mark.django_db


def caller(secret):
    return Client(headers={"Authorization": f"Bearer {secret}"})


def ask(client):
    return client.get("/api/v1/suites/").status_code


@pytest.fixture
def made():
    return services.create_api_key(person=make_person(), name="Script", scopes=["runs:write"])


def test_of_a_key_only_its_beginning_and_its_hash_are_stored(made):
    key, secret = made
    assert len(secret) > 40
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_apikey")
        stored = str(cursor.fetchall())
    assert secret not in stored
    assert secret[12:] not in stored
    assert services.digest_of_secret(secret) in stored
    assert key.prefix == secret[:12]


def test_a_revoked_key_is_out_at_the_next_request(made):
    key, secret = made
    client = caller(secret)
    assert ask(client) == 200
    services.revoke_api_key(person=key.person, key=key)
    assert ask(client) == 401


def test_a_key_ends_with_its_time_and_with_its_owners_account(made):
    key, secret = made
    client = caller(secret)
    ApiKey.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
    assert ask(client) == 200
    ApiKey.objects.update(expires_at=timezone.now())
    assert ask(client) == 401
    ApiKey.objects.update(expires_at=None)
    assert ask(client) == 200
    key.person.is_active = False
    key.person.save()
    assert ask(client) == 401


def test_revoking_again_keeps_the_first_time_and_nobody_revokes_anothers(made):
    key, _ = made
    first = services.revoke_api_key(person=key.person, key=key).revoked_at
    assert services.revoke_api_key(person=key.person, key=key).revoked_at == first
    with pytest.raises(NotAllowed):
        services.revoke_api_key(person=make_person(), key=key)


def test_a_storm_of_requests_writes_the_last_use_once_a_minute(made):
    secret = made[1]
    client = caller(secret)

    def writes_of(times):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            for _ in range(times):
                assert ask(client) == 200
        return sum(query["sql"].startswith("UPDATE") for query in seen)

    assert writes_of(20) == 1
    used = ApiKey.objects.get().last_used_at
    assert used is not None
    ApiKey.objects.update(last_used_at=used - timedelta(seconds=61))
    assert writes_of(20) == 1
    assert ApiKey.objects.get().last_used_at > used


def test_a_refused_request_counts_as_no_use(made):
    key, secret = made
    services.revoke_api_key(person=key.person, key=key)
    assert ask(caller(secret)) == 401
    assert ApiKey.objects.get().last_used_at is None


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_a_lifetime_that_makes_no_sense_is_refused(days):
    with pytest.raises(Invalid) as refused:
        services.create_api_key(person=make_person(), name="Script", scopes=[], days=days)
    assert "days" in refused.value.fields
    assert not ApiKey.objects.exists()


def test_an_unknown_scope_is_refused_and_the_known_ones_are_named():
    with pytest.raises(Invalid) as refused:
        services.create_api_key(person=make_person(), name="Script", scopes=["everything"])
    for scope in Scope.values:
        assert scope in refused.value.fields["scopes"]
    assert not ApiKey.objects.exists()
