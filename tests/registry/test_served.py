"""A version whose weights nobody shows is known as what an endpoint serves, and as no more."""

import hashlib
from io import StringIO

import pytest
import rfc8785
from django.core.management import CommandError, call_command

from evals.services.runs import request_run
from oversight.registry.models import Endpoint, ModelVersion
from oversight.registry.services import register_served_version
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from tests.factories import make_cast, make_deployment, make_suite

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def endpoint(cast):
    found = make_deployment(cast.operator, cast.organisation).endpoint
    Endpoint.objects.filter(pk=found.pk).update(base_url="https://llm.example.org/v1")
    return Endpoint.objects.get(pk=found.pk)


def register(cast, endpoint, **changes):
    words = {"model_slug": "closed", "label": "1", "served_as": "closed-1", "claimed": "May 2026"}
    return register_served_version(by=cast.evaluator, endpoint=endpoint, **words | changes)


def test_its_digest_is_that_of_the_description_as_anybody_computes_it(cast, endpoint, client):
    version = register(cast, endpoint)
    shown = client.get(f"/api/v1/versions/{version.digest}/").json()
    content = rfc8785.dumps(shown["card"]["served"])
    file = {"name": "endpoint.json", "size": len(content)}
    file["sha256"] = hashlib.sha256(content).hexdigest()
    assert shown["manifest"] == [file]
    assert version.digest == "sha256:" + hashlib.sha256(rfc8785.dumps([file])).hexdigest()
    page = client.get(version.model.get_absolute_url()).content.decode()
    assert "Nobody shows its weights" in page
    assert "May 2026" in page


def test_another_claim_is_another_version_and_the_same_is_known(cast, endpoint):
    one = register(cast, endpoint)
    assert register(cast, endpoint, label="2", claimed="June 2026").digest != one.digest
    with pytest.raises(Conflict, match="registered already"):
        register(cast, endpoint, label="3")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"served_as": ""}, "served_as"),
        ({"served_as": "x" * 201}, "served_as"),
        ({"claimed": "two\nlines"}, "claimed"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused(cast, endpoint, changes, field):
    with pytest.raises(Invalid) as refusal:
        register(cast, endpoint, **changes)
    assert set(refusal.value.fields) == {field}
    assert not ModelVersion.objects.exists()


def test_an_endpoint_without_address_and_a_person_without_role_are_refused(cast, endpoint):
    with pytest.raises(NotAllowed):
        register_served_version(
            by=cast.outsider, model_slug="x", label="1", endpoint=endpoint, served_as="x"
        )
    endpoint.base_url = ""
    with pytest.raises(Invalid, match="no address"):
        register(cast, endpoint)


def test_nobody_else_is_asked_about_it(cast, endpoint):
    version, suite = register(cast, endpoint), make_suite(cast.evaluator)
    words = {"by": cast.evaluator, "suite_version": suite, "model_version": version}
    there = {"slug": endpoint.slug, "model": "closed-1"}
    for settings in (
        {},
        {"backend": "completions", "endpoint": there | {"model": "closed-2"}},
    ):
        with pytest.raises(Invalid, match="is known only as closed-1 at"):
            request_run(**words, settings=settings)
    request_run(**words, settings={"backend": "completions", "endpoint": there})


def test_the_api_takes_files_or_what_is_served_and_not_both(cast, endpoint, client):
    client.force_login(cast.evaluator)
    served = {"endpoint": endpoint.slug, "served_as": "closed-1"}

    def post(**body):
        body = {"model": "closed", "label": "1"} | body
        return client.post("/api/v1/models/", body, content_type="application/json").status_code

    assert post() == 422
    assert post(served=served, manifest=[]) == 422
    assert post(served=served, source={"kind": "directory", "path": "/"}) == 422
    assert post(served=served | {"endpoint": "nowhere"}) == 422
    assert post(served=served) == 201


def test_the_shell_registers_it_too(endpoint, monkeypatch, tmp_path):
    monkeypatch.setattr("oversight.web.commands.prepare_database", lambda: None)
    names = ["--slug", "closed", "--label", "1", "--served-as", "closed-1"]
    with pytest.raises(CommandError, match="goes with no files"):
        call_command("register_model", str(tmp_path), "--endpoint", endpoint.slug, *names)
    with pytest.raises(CommandError, match="There is no endpoint"):
        call_command("register_model", "--endpoint", "nowhere", *names)
    out = StringIO()
    call_command("register_model", "--endpoint", endpoint.slug, *names, stdout=out)
    assert out.getvalue().startswith("sha256:")
