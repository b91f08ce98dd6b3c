"""Operators register endpoints and uses on pages: who may, what is refused, what is recorded."""

import pytest
from django.urls import reverse

from oversight.ledger.models import PendingLeaf
from oversight.registry import forms
from oversight.registry.models import Deployment, Endpoint
from tests.factories import make_cast, make_deployment, make_model_version, make_organisation

pytestmark = pytest.mark.django_db

ENDPOINT, USE = reverse("endpoint-register"), reverse("deployment-register")


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def operator(client, cast):
    client.force_login(cast.operator)
    return cast.operator


def an_endpoint(cast, **changes):
    return {
        "operator": cast.organisation.pk,
        "name": "Town endpoint",
        "slug": "town-endpoint",
        "base_url": "https://llm.example.org/v1",
    } | changes


def a_use(endpoint, **changes):
    return {
        "endpoint": endpoint.pk,
        "name": "Town helpdesk",
        "slug": "town-helpdesk",
        "purpose": "Answers short questions.",
        "audience": "everyone in town",
    } | changes


def endpoint_of(cast):
    return make_deployment(cast.operator, cast.organisation).endpoint


@pytest.mark.parametrize("path", [ENDPOINT, USE])
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("anonymous", 302),
        ("outsider", 403),
        ("member", 403),
        ("clerk", 403),
        ("administrator", 403),
        ("auditor", 403),
        ("evaluator", 403),
        ("operator", 200),
    ],
)
def test_only_operators_open_the_forms(client, cast, role, status, method, path):
    person = cast.named(role)
    if person:
        client.force_login(person)
    expected = 422 if (status, method) == (200, "post") else status
    assert getattr(client, method)(path).status_code == expected


def test_an_endpoint_is_registered_and_leads_to_its_first_use(client, cast, operator):
    answer = client.post(ENDPOINT, an_endpoint(cast))
    assert answer.headers["Location"] == f"{USE}?endpoint=town-endpoint"
    endpoint = Endpoint.objects.get(slug="town-endpoint")
    assert PendingLeaf.objects.get(subject="endpoint:town-endpoint").actor == operator.actor
    page = client.get(answer.headers["Location"])
    assert page.context["form"]["endpoint"].value() == endpoint.pk


def test_a_use_is_registered_and_shown(client, cast, operator):
    answer = client.post(USE, a_use(endpoint_of(cast)), follow=True)
    assert answer.redirect_chain == [("/deployments/town-helpdesk/", 302)]
    assert "No model may serve Town helpdesk." in answer.content.decode()
    assert PendingLeaf.objects.filter(type="registry.deployment.registered").count() == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"slug": "two words"}, "small letters, digits and hyphens"),
        ({"slug": "Town_Endpoint"}, "small letters, digits and hyphens"),
        ({"slug": ""}, "This field is required."),
        ({"name": "n" * 121}, "at most 120 characters"),
        ({"base_url": "nowhere at all"}, "Enter a valid URL."),
        ({"base_url": "ftp://example.org"}, "Enter a valid URL."),
        ({"operator": "999999"}, "Select a valid choice."),
    ],
)
def test_a_fault_stands_at_its_field_and_nothing_is_registered(
    client, cast, operator, change, words
):
    answer = client.post(ENDPOINT, an_endpoint(cast, **change))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert f'href="#id_{next(iter(change))}"' in page
    assert not Endpoint.objects.exists()


def test_a_name_that_is_taken_is_a_conflict_and_what_was_typed_stays(client, cast, operator):
    client.post(ENDPOINT, an_endpoint(cast))
    answer = client.post(ENDPOINT, an_endpoint(cast, name="Another name"))
    assert answer.status_code == 409
    assert "There is already an endpoint named “town-endpoint”." in answer.content.decode()
    assert 'value="Another name"' in answer.content.decode()


def test_nobody_registers_for_an_organisation_they_do_not_operate(client, cast, operator):
    other = make_organisation()
    assert client.post(ENDPOINT, an_endpoint(cast, operator=other.pk)).status_code == 422
    elsewhere = Endpoint.objects.create(
        slug="elsewhere", name="Elsewhere", operator=other, leaf_id=cast.body.leaf_id
    )
    assert client.post(USE, a_use(elsewhere)).status_code == 422
    assert not Deployment.objects.exists()


def test_without_an_endpoint_the_form_of_a_use_leads_to_one(client, operator):
    page = client.get(USE).content.decode()
    assert "Your organisation has no endpoint yet." in page
    assert f'href="{ENDPOINT}"' in page


def test_only_operators_are_led_to_the_forms(client, cast):
    page = reverse("in-service")
    assert USE not in client.get(page).content.decode()
    client.force_login(cast.operator)
    assert USE in client.get(page).content.decode()


# -- Rows named in a word --------------------------------------------------------------------


@pytest.fixture
def many(monkeypatch, cast):
    """Let two rows be too many for a list."""
    monkeypatch.setattr(forms, "OFFERED", 1)
    return [make_model_version(cast.evaluator, model_slug="alpina", label=f"v{n}") for n in (1, 2)]


def field():
    found = forms.VersionField()
    found.fit()
    return found


def test_a_short_list_is_chosen_from(cast):
    version = make_model_version(cast.evaluator)
    assert field().clean(str(version.pk)) == version
    assert "<select" in field().widget.render("version", None)


def test_a_long_list_is_named_and_only_its_newest_are_suggested(many):
    found = field()
    written = found.widget.render("version", None, {"id": "id_version"})
    assert '<datalist id="id_version_list"><option value="alpina/v2">' in written
    assert "alpina/v1" not in written
    assert found.clean("alpina/v1") == many[0]
    assert found.clean(many[0].digest) == many[0]
    assert found.prepare_value(many[0]) == "alpina/v1"


def test_an_unknown_name_is_answered_with_those_near_it(many):
    found = field()
    with pytest.raises(forms.forms.ValidationError, match=r"Near it: alpina/v2, alpina/v1\."):
        found.clean("alpi")
    with pytest.raises(forms.forms.ValidationError, match="Nothing is like it"):
        found.clean("<script>\x00")
    with pytest.raises(forms.forms.ValidationError, match="required"):
        found.clean("")
