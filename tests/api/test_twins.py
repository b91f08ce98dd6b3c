"""Pages that are tables: the API answers as their twins do, in the shape that the document says."""

import pytest
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from evals.models import Run
from tests import factories
from tests.api.conftest import World, address, assert_is_problem


@pytest.fixture(scope="module")
def shapes():
    """Return the document and its answer of each operation."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    return document, {
        operation["operationId"]: operation["responses"]["200"]["content"]["application/json"]
        for methods in document["paths"].values()
        for operation in methods.values()
        if "application/json" in operation["responses"].get("200", {}).get("content", {})
    }


def two_runs(world: World) -> tuple[Run, Run]:
    """Return two runs of the suite that have ended."""
    while task_run := world.machine.claim():
        world.machine.finish(task_run, 70)
    world.machine.finish(world.held, 60)
    while task_run := world.machine.claim():
        world.machine.finish(task_run, 70)
    world.queued.refresh_from_db()
    return world.run, world.queued


def test_each_answers_as_the_pages_twin_and_in_its_shape(world, client, shapes):
    first, second = two_runs(world)
    document, operations = shapes
    other = factories.make_model_version(world.cast.evaluator)
    body, suite = world.cast.body.slug, world.suite.suite.slug
    compared = f"?run={first.ref}&run={second.ref}"
    pairs = {
        "compare": (address("api-compare") + compared, reverse("compare-json") + compared),
        "compute": (address("api-compute"), reverse("compute-json")),
        "bodies_participation": (
            address("api-participation", body),
            reverse("participation-json", args=[body]),
        ),
        "deployments_register": (
            address("api-deployment-register", world.deployment.slug, "atrs"),
            reverse("deployment-register-json", args=[world.deployment.slug, "atrs"]),
        ),
        "suites_history": (
            address("api-suite-history", suite),
            reverse("suite-history", args=[suite]),
        ),
        "versions_changes": (
            address("api-version-changes", other.digest, world.version.digest),
            reverse("version-changes-json", args=[other.digest, world.version.digest]),
        ),
    }
    for operation, (by_api, by_page) in pairs.items():
        answer = client.get(by_api)
        assert answer.status_code == 200, (operation, answer.content[:300])
        assert answer.json() == client.get(by_page).json()
        shape = {**operations[operation]["schema"], "components": document["components"]}
        wrong = [each.message for each in Draft202012Validator(shape).iter_errors(answer.json())]
        assert not wrong, (operation, wrong[:3])
    found = client.get(pairs["compare"][0]).json()
    assert found["runs"] == [first.ref, second.ref]
    assert found["comparisons"]
    assert client.get(pairs["suites_history"][0]).json()["results"]
    assert client.get(pairs["bodies_participation"][0]).json()["members"]


@pytest.mark.parametrize("query", ["", "?run=run-00000000", "?run=a&run=b", "?run=%F0%9F&run=b"])
@pytest.mark.django_db
def test_a_comparison_of_what_is_not_there_says_so(client, query):
    assert_is_problem(client.get(address("api-compare") + query), 400, "run")


@pytest.mark.django_db
def test_what_is_not_there_has_no_table(client):
    for name, *parts in (
        ("api-participation", "nobody"),
        ("api-suite-history", "nothing"),
        ("api-deployment-register", "nothing", "atrs"),
        ("api-version-changes", "sha256:" + "a" * 64, "sha256:" + "b" * 64),
    ):
        assert_is_problem(client.get(address(name, *parts)), 404)


def test_versions_of_a_suite_are_compared_in_settings_and_rows(client, db):
    first = factories.make_question_suite(20, "questions")
    factories.make_question_suite(22, "questions")
    found = client.get(address("api-suite-changes", "questions", 2, 1)).json()
    (task,) = found["tasks"]
    assert task["kind"] == "changed"
    assert task["data"]["before"] == first.tasks[0]["data"]["sha256"]
    assert (len(task["rows"]["added"]), task["rows"]["same"]) == (2, 20)
    assert client.get(address("api-suite-changes", "questions", 1, 1)).json()["tasks"] == []
    assert_is_problem(client.get(address("api-suite-changes", "questions", 3, 1)), 404)
    assert_is_problem(client.get(address("api-suite-changes", "questions", 10**12, 1)), 404)
