"""Pages with which runs are started and cancelled: who may, and what is refused."""

import pytest
from django.urls import reverse

from evals.models import Run
from tests.factories import make_cast, make_machine, make_model_version, make_run, make_suite

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def suite(cast):
    return make_suite(cast.evaluator)


@pytest.fixture
def path(suite):
    return reverse("run-start", args=[suite.suite.slug])


@pytest.fixture
def choices(cast):
    return {"version": make_model_version(cast.evaluator).pk, "dtype": "float32", "batch_size": 16}


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("evaluator", True),
        ("member", True),
        ("clerk", True),
        ("administrator", True),
        ("operator", False),
        ("auditor", False),
        ("outsider", False),
        ("anonymous", None),
    ],
)
def test_a_run_is_started_by_evaluators_and_bodies(client, cast, path, choices, role, may):
    if person := cast.named(role):
        client.force_login(person)
    expected = {True: (200, 302), False: (403, 403), None: (302, 302)}[may]
    assert (client.get(path).status_code, client.post(path, choices).status_code) == expected
    assert Run.objects.exists() == bool(may)


def test_a_started_run_leads_to_its_page_with_what_was_chosen(client, cast, path, choices, suite):
    client.force_login(cast.evaluator)
    chosen = {"limit": 5, "dtype": "bfloat16", "batch_size": 4, "fresh": "on"}
    answer = client.post(path, choices | chosen)
    run = Run.objects.get()
    assert answer["Location"] == f"/runs/{run.ref}/"
    assert run.suite_version == suite
    assert (run.settings["limit"], run.settings["dtype"], run.settings["batch_size"]) == (
        5,
        "bfloat16",
        4,
    )
    assert run.settings["fresh"] is True
    assert run.task_runs.count() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"version": ""},
        {"version": "999999"},
        {"limit": "0"},
        {"limit": "many"},
        {"dtype": "int4"},
        {"batch_size": "0"},
        {"batch_size": "1025"},
    ],
)
def test_a_run_that_cannot_be_started_is_named_at_its_field(client, cast, path, choices, change):
    client.force_login(cast.evaluator)
    answer = client.post(path, choices | change)
    assert answer.status_code == 422
    assert f'href="#id_{next(iter(change))}"' in answer.content.decode()
    assert not Run.objects.exists()


def test_the_page_says_exactly_what_will_be_run(client, cast, path, suite):
    client.force_login(cast.evaluator)
    page = client.get(path).content.decode()
    assert suite.digest in page
    assert "Refuses unsafe requests" in page


def test_an_unknown_suite_is_not_there(client, cast):
    client.force_login(cast.evaluator)
    assert client.get(reverse("run-start", args=["nothing"])).status_code == 404


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("evaluator", 302),
        ("administrator", 302),
        ("member", 403),
        ("outsider", 403),
        ("anonymous", 302),
    ],
)
def test_a_run_is_cancelled_by_who_asked_for_it(client, cast, suite, role, status):
    run = make_run(cast.evaluator, suite, make_model_version(cast.evaluator))
    if person := cast.named(role):
        client.force_login(person)
    assert client.post(reverse("run-cancel", args=[run.ref])).status_code == status
    run.refresh_from_db()
    assert (run.state == "cancelled") == (role in {"evaluator", "administrator"})


def test_cancelling_twice_is_a_conflict_and_needs_a_post(client, cast, suite):
    run = make_run(cast.evaluator, suite, make_model_version(cast.evaluator))
    client.force_login(cast.evaluator)
    path = reverse("run-cancel", args=[run.ref])
    assert client.get(path).status_code == 405
    client.post(path)
    assert client.post(path).status_code == 409


@pytest.mark.parametrize("has_begun", [False, True])
def test_the_message_about_a_cancelled_run_agrees_with_its_state(client, cast, suite, has_begun):
    run = make_run(cast.evaluator, suite, make_model_version(cast.evaluator))
    if has_begun:
        assert make_machine().claim()
    client.force_login(cast.evaluator)
    page = client.get(run.get_absolute_url()).content.decode()
    fold = page.partition('<details class="confirm">')[2].partition("</details>")[0]
    assert "Yes, cancel it</button>" in fold
    page = client.post(reverse("run-cancel", args=[run.ref]), follow=True).content.decode()
    run.refresh_from_db()
    assert run.state == ("running" if has_begun else "cancelled")
    assert ("The run is being cancelled." in page) == has_begun
    assert ("The run is cancelled." in page) != has_begun
