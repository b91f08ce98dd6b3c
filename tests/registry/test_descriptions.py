"""What versions, uses and endpoints say of themselves: shape, who writes, what is recorded."""

import pytest
from django.urls import reverse

from oversight.ledger.models import PendingLeaf
from oversight.registry import descriptions
from oversight.registry.descriptions import DescriptionError, as_texts, parts, read, typed
from oversight.registry.documents import digest_of
from oversight.registry.models import Description, Endpoint
from oversight.registry.services import describe, register_version
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from tests.factories import make_cast, make_deployment, make_manifest, make_model_version

CARD = {
    "intended_use": "Short answers.\nNothing else.",
    "languages": ["fr", "de", "de"],
    "parameters": 135_000_000,
    "released_on": "2026-01-31",
    "documentation": "https://example.org/card",
}


def test_a_description_has_one_form():
    assert read("version", CARD | {"languages": ["fr", "de", "de"], "risks": ""}) == CARD | {
        "languages": ["de", "fr"]
    }
    assert read("endpoint", {"temperature": "0.70", "fallbacks": ["b", "a", "b"]}) == {
        "temperature": "0.7",
        "fallbacks": ["b", "a"],
    }


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("version", "document", None),
        ("version", "colour", "red"),
        ("version", "intended_use", "x" * 4001),
        ("version", "intended_use", "x\x00"),
        ("version", "intended_use", ["x"]),
        ("version", "contact", "two\nlines"),
        ("version", "released_on", "31.1.2026"),
        ("version", "released_on", "2026-02-30"),
        ("version", "parameters", "many"),
        ("version", "parameters", 0),
        ("version", "parameters", True),
        ("version", "parameters", 10**16),
        ("version", "documentation", "javascript:alert(1)"),
        ("version", "documentation", "https://"),
        ("version", "documentation", "http://[x"),
        ("version", "languages", "de"),
        ("version", "languages", ["German"]),
        ("version", "languages", ["de"] * 51),
        ("deployment", "category", "harmless"),
        ("deployment", "category", {}),
        ("endpoint", "version", "sha256:0"),
        ("endpoint", "temperature", "3"),
        ("endpoint", "temperature", 0.7),
        ("endpoint", "temperature", "NaN"),
        ("endpoint", "temperature", "1e-9"),
        ("endpoint", "top_p", "1.5"),
        ("endpoint", "fallbacks", ["../x"]),
    ],
)
def test_a_field_that_cannot_be_used_is_named(kind, name, value):
    given = value if name == "document" else {name: value}
    with pytest.raises(DescriptionError) as refusal:
        read(kind, given)
    assert refusal.value.field in {name, "document"}


@pytest.mark.parametrize("kind", descriptions.ITEMS)
def test_what_a_form_shows_means_what_was_written(kind):
    document = read(kind, {item.name: _example(item) for item in descriptions.ITEMS[kind]})
    assert len(document) == len(descriptions.ITEMS[kind])
    assert read(kind, typed(kind, as_texts(kind, document))) == document
    shown = {item.name for _, fields in parts(kind, document) for item, _ in fields}
    assert shown == set(document)


def _example(item):
    examples = {
        "text": "Two\nlines.",
        "line": "One line",
        "address": "https://example.org/",
        "date": "2026-11-27",
        "whole": 1000,
        "decimal": "0.5",
        "digest": "sha256:" + "a" * 64,
        "languages": ["de", "en-GB"],
        "regions": ["CH"],
        "slugs": ["b", "a"],
    }
    return item.choices[0][0] if item.choices else examples[item.kind]


# -- Services and record


@pytest.fixture
def cast(db):
    return make_cast()


def test_each_state_is_numbered_kept_and_on_the_record_by_its_digest(cast):
    version = make_model_version(cast.evaluator)
    first = describe(by=cast.evaluator, what=version, document=CARD)
    second = describe(by=cast.evaluator, what=version, document={"contact": "Office"}, after=1)
    leaf = PendingLeaf.objects.get(pk=second.leaf_id).content
    assert (first.number, second.number) == (1, 2)
    assert leaf["type"] == "registry.description.written"
    assert leaf["subject"] == version.subject
    assert leaf["digests"] == {"description": digest_of({"contact": "Office"})}
    assert leaf["facts"] == {"number": 2}
    assert list(Description.objects.about(version.subject)) == [second, first]


def test_a_card_comes_with_the_registration_and_a_bad_one_registers_nothing(cast):
    words = {"by": cast.evaluator, "model_slug": "alpina", "manifest": make_manifest("x")}
    with pytest.raises(Invalid, match="colour"):
        register_version(**words, label="1", card={"colour": "red"})
    version = register_version(**words, label="1", card=CARD)
    assert Description.objects.about(version.subject).get().number == 1


def test_who_has_not_seen_the_newest_state_does_not_write_over_it(cast):
    version = make_model_version(cast.evaluator)
    describe(by=cast.evaluator, what=version, document=CARD, after=0)
    with pytest.raises(Conflict, match="anew since you began"):
        describe(by=cast.evaluator, what=version, document={"risks": "None."}, after=0)
    with pytest.raises(Conflict, match="says already"):
        describe(by=cast.evaluator, what=version, document=CARD)


def test_an_endpoint_says_which_version_it_serves_and_what_it_falls_back_to(cast):
    endpoint = make_deployment(cast.operator, cast.organisation).endpoint
    other = make_deployment(cast.operator, cast.organisation).endpoint
    version = make_model_version()
    document = {"version": version.digest, "fallbacks": [other.slug], "served_as": "alpina"}
    written = describe(by=cast.operator, what=endpoint, document=document)
    assert Endpoint.objects.get(pk=endpoint.pk).claimed_version == version
    leaf = PendingLeaf.objects.get(pk=written.leaf_id).content
    assert leaf["digests"]["version"] == version.digest
    describe(by=cast.operator, what=endpoint, document={"served_as": "alpina"})
    assert Endpoint.objects.get(pk=endpoint.pk).claimed_version is None


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"version": "sha256:" + "0" * 64}, "version"),
        ({"fallbacks": ["nowhere"]}, "fallbacks"),
        ({"fallbacks": ["itself"]}, "fallbacks"),
    ],
)
def test_an_endpoint_names_only_what_is_registered_and_not_itself(cast, document, field):
    endpoint = make_deployment(cast.operator, cast.organisation).endpoint
    Endpoint.objects.filter(pk=endpoint.pk).update(slug="itself")
    endpoint.refresh_from_db()
    with pytest.raises(Invalid) as refusal:
        describe(by=cast.operator, what=endpoint, document=document)
    assert set(refusal.value.fields) == {field}


def test_only_those_who_speak_for_it_describe_it(cast):
    version = make_model_version(cast.evaluator)
    deployment = make_deployment(cast.operator, cast.organisation)
    for what in (version, deployment, deployment.endpoint):
        with pytest.raises(NotAllowed):
            describe(by=cast.member, what=what, document={"contact": "Office"})
    assert not Description.objects.exists()


# -- The page

PEOPLE = {"anonymous": 302, "outsider": 403, "member": 403, "auditor": 403}


def addresses(cast):
    deployment = make_deployment(cast.operator, cast.organisation)
    version = make_model_version(cast.evaluator)
    return {
        "evaluator": [reverse("describe", args=["version", version.digest])],
        "operator": [
            reverse("describe", args=["deployment", deployment.slug]),
            reverse("describe", args=["endpoint", deployment.endpoint.slug]),
        ],
    }


def test_the_page_opens_for_those_who_speak_for_it_alone(client, cast):
    for owner, paths in addresses(cast).items():
        for path in paths:
            for who, status in {**PEOPLE, owner: 200}.items():
                client.logout()
                if who != "anonymous":
                    client.force_login(getattr(cast, who))
                assert client.get(path).status_code == status, (path, who)


@pytest.mark.parametrize("name", ["version/x", "endpoint/nothing", "deployment/nothing", "tree/x"])
def test_what_is_not_there_cannot_be_described(client, cast, name):
    client.force_login(cast.operator)
    assert client.get(f"/register/description/{name}/").status_code == 404


def test_a_form_is_written_down_and_shown(client, cast):
    client.force_login(cast.evaluator)
    (path,) = addresses(cast)["evaluator"]
    sent = {"after": 0, "languages": "fr, de", "parameters": "135,000,000", "risks": "Few.\r\nTwo."}
    answer = client.post(path, sent, follow=True)
    assert "135,000,000" in answer.content.decode()
    document = Description.objects.get().document
    assert document == {
        "languages": ["de", "fr"],
        "parameters": 135_000_000,
        "risks": "Few.\nTwo.",
    }
    again = client.get(path).content.decode()
    assert "de, fr" in again


def test_a_form_that_cannot_be_used_comes_back_with_what_was_typed(client, cast):
    client.force_login(cast.evaluator)
    (path,) = addresses(cast)["evaluator"]
    answer = client.post(path, {"after": 0, "parameters": "many", "risks": "Typed with care."})
    assert answer.status_code == 422
    assert "Use a whole number" in answer.content.decode()
    assert "Typed with care." in answer.content.decode()
    assert not Description.objects.exists()


def test_a_form_that_was_overtaken_says_so(client, cast):
    client.force_login(cast.evaluator)
    (path,) = addresses(cast)["evaluator"]
    assert client.post(path, {"after": 0, "risks": "One."}).status_code == 302
    answer = client.post(path, {"after": 0, "risks": "Another."})
    assert answer.status_code == 409
    assert "anew since you began" in answer.content.decode()
