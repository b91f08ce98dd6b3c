"""A write that is sent again under its `Idempotency-Key` takes effect once."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import RequestFactory
from django.urls import Resolver404, resolve
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from rest_framework.settings import api_settings

from oversight.accounts import services as accounts
from oversight.accounts.choices import Scope
from oversight.accounts.idempotency import KEPT, IdempotencyMiddleware
from oversight.accounts.models import KeptAnswer
from oversight.accounts.tasks import forget_answers
from proposals.models import Ballot
from tests import factories
from tests.api.conftest import address, assert_is_problem, bearer, send
from tests.incidents import made

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


def under(secret, key=KEY):
    client = bearer(secret)
    client.defaults["HTTP_IDEMPOTENCY_KEY"] = key
    return client


@pytest.fixture
def secret(world):
    return world.key("member", *Scope.values)


def comment(client, world, text="I agree."):
    return send(client, "POST", address("api-comments", world.talked.ref), {"text": text})


def test_a_repeated_write_gets_the_first_answer_and_is_done_once(world, secret):
    first, second = (comment(under(secret), world) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert second["Content-Type"] == first["Content-Type"]
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert world.talked.comments.count() == 1


def test_a_key_may_be_quoted_as_the_draft_has_it(world, secret):
    comment(under(secret), world)
    assert comment(under(secret, f'"{KEY}"'), world)["Idempotent-Replayed"] == "true"


def test_another_body_or_address_under_the_same_key_is_refused(world, secret):
    comment(under(secret), world)
    assert_is_problem(comment(under(secret), world, "I do not."), 422)
    elsewhere = address("api-comments", world.voting.ref)
    assert_is_problem(send(under(secret), "POST", elsewhere, {"text": "I agree."}), 422)
    assert world.talked.comments.count() == 1


def test_keys_of_others_are_others(world, secret):
    comment(under(secret), world)
    other = comment(under(world.key("clerk", *Scope.values)), world)
    assert other.status_code == 201
    assert "Idempotent-Replayed" not in other
    client = world.caller("member")
    client.defaults["HTTP_IDEMPOTENCY_KEY"] = KEY
    assert "Idempotent-Replayed" not in comment(client, world)
    assert comment(client, world)["Idempotent-Replayed"] == "true"


def test_repetitions_are_counted_and_too_many_are_refused(world, secret, monkeypatch):
    monkeypatch.setitem(api_settings.DEFAULT_THROTTLE_RATES, "write", "3/min")
    cache.clear()
    answers = [comment(under(secret), world) for _ in range(4)]
    assert [each.status_code for each in answers] == [201, 201, 201, 429]
    assert [each["RateLimit"].split(";")[1] for each in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert_is_problem(answers[3], 429)
    assert 1 <= int(answers[3]["Retry-After"]) <= 60
    assert world.talked.comments.count() == 1


@pytest.mark.parametrize(("characters", "status"), [(2_000_000, 422), (5_000_000, 413)])
def test_json_under_a_key_may_be_as_large_as_without_one(world, secret, characters, status):
    answer = comment(under(secret), world, "x" * characters)
    assert_is_problem(answer, status)


def test_a_large_form_under_a_key_is_refused(world, secret):
    file = SimpleUploadedFile("a.txt", b"x" * 1_200_000)
    answer = under(secret).post(address("api-attachments", world.talked.ref), {"file": file})
    assert_is_problem(answer, 413)


def test_a_refusal_frees_the_key(world, secret):
    assert comment(under(secret), world, "").status_code == 422
    assert comment(under(secret), world).status_code == 201


def test_of_a_ballot_nothing_is_kept_and_it_is_cast_once(world, secret):
    ballots = address("api-ballot", world.voting.ref)
    before = Ballot.objects.count()
    first = send(under(secret), "POST", ballots, {"choice": "yes"})
    assert first.status_code in {201, 202}, first.content
    again = send(under(secret), "POST", ballots, {"choice": "no"})
    assert_is_problem(again, 409)
    assert again.json()["title"] == "Done before"
    assert Ballot.objects.count() == before + 1
    row = KeptAnswer.objects.get()
    assert (row.fingerprint, row.content) == ("", None)


def test_a_revoked_key_gets_no_kept_answer(world, secret):
    comment(under(secret), world)
    row = world.cast.named("member").api_keys.get()
    accounts.revoke_api_key(person=row.person, key=row)
    assert_is_problem(comment(under(secret), world), 401)


def claim(secret, path, **more):
    """Do what the middleware does before the view, and no more: as if killed right after."""
    request = RequestFactory().post(
        path,
        {"text": "I agree."},
        "application/json",
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": KEY},
        **more,
    )
    return IdempotencyMiddleware(lambda _: None).process_view(request, None, (), {})


def test_what_was_cut_off_is_said_so_and_never_done_by_itself(world, secret):
    assert claim(secret, address("api-comments", world.talked.ref)) is None
    early = comment(under(secret), world)
    assert_is_problem(early, 409)
    assert early["Retry-After"] == "1"
    KeptAnswer.objects.update(begun_at=timezone.now() - timedelta(minutes=3))
    late = comment(under(secret), world)
    assert_is_problem(late, 409)
    assert late.json()["title"] == "Cut off"
    assert not world.talked.comments.exists()


def test_a_fault_leaves_open_whether_it_was_done(world, secret, monkeypatch):
    monkeypatch.setattr("proposals.api.talk.checked", None)
    client = under(secret)
    client.raise_request_exception = False
    answer = comment(client, world)
    assert answer.status_code == 500
    monkeypatch.undo()
    assert_is_problem(comment(under(secret), world), 409)


@pytest.mark.parametrize("key", ["", "two words", "ä", "x" * 256, '"'])
def test_a_key_that_is_none_is_refused(world, secret, key):
    assert_is_problem(comment(under(secret, key), world), 400)
    assert not world.talked.comments.exists()


def test_after_a_day_a_key_is_new_again_and_the_sweep_forgets_it(world, secret):
    comment(under(secret), world)
    KeptAnswer.objects.update(begun_at=timezone.now() - KEPT - timedelta(minutes=1))
    assert "Idempotent-Replayed" not in comment(under(secret), world)
    assert forget_answers() == 0
    KeptAnswer.objects.update(begun_at=timezone.now() - KEPT - timedelta(minutes=1))
    assert forget_answers() == 1


@pytest.mark.django_db(transaction=True)
def test_of_eight_at_once_one_is_let_through():
    person = factories.make_person()
    _row, secret = accounts.create_api_key(person=person, name="Test", scopes=[])

    def knock(_number):
        try:
            return claim(secret, "/api/v1/runs/")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(knock, range(8)))
    assert answers.count(None) == 1
    assert {each.status_code for each in answers if each is not None} == {409}


def test_who_reports_an_incident_leaves_no_row_and_no_secret(world, secret):
    body = {"form": made.form(), "text": "It named a person."}
    answer = send(under(secret), "POST", address("api-incidents"), body)
    assert answer.status_code == 201, answer.content
    assert not KeptAnswer.objects.exists()


SECRETS = {"secret", "follow", "reporter", "report"}


def test_no_view_whose_answer_holds_a_secret_keeps_it():
    """Every operation whose answers have such a field says that it keeps none."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    shapes, wrong = document["components"]["schemas"], []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method == "get" or not SECRETS & set(_names(operation["responses"], shapes)):
                continue
            view = resolve(_filled(path)).func.cls
            if not (hasattr(view, "answers_once") or hasattr(view, "forgets_callers")):
                wrong.append(f"{method} {path}")
    assert wrong == []


def _names(value, shapes, seen=frozenset()):
    """Give the names of all fields that a part of the document leads to."""
    if isinstance(value, list):
        for each in value:
            yield from _names(each, shapes, seen)
    elif isinstance(value, dict):
        name = str(value.get("$ref", "")).rpartition("/")[2]
        if name in shapes and name not in seen:
            yield from _names(shapes[name], shapes, seen | {name})
        yield from value.get("properties", {})
        for each in value.values():
            yield from _names(each, shapes, seen)


def _filled(path):
    """Return an address of this form, with something in each gap that its converter takes."""
    digest, uuid = "sha256:" + "a" * 64, "8e03978e-40d5-43dd-bc93-6894a57f9324"
    for filling in ("2026-001", "1", digest, uuid, "a-name", "run-00000000", "INC-2026-0001"):
        tried = re.sub(r"{[a-z_]+}", filling, path)
        with suppress(Resolver404):
            resolve(tried)
            return tried
    tried = path.replace("{number}", "1").replace("{version}", "1").replace("{id}", "1")
    return re.sub(r"{[a-z_]+}", "2026-001", tried)
