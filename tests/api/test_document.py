"""The OpenAPI document: valid, complete, and true of what the addresses do."""

import io
import json
import re

import pytest
from django.core.management import call_command
from django.utils.translation import override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from oversight.dashboards.document_examples import EXAMPLES
from oversight.web import api_document_view
from oversight.web.api_document import MEANINGS
from tests.api.doors import ALL


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


@pytest.fixture(scope="module")
def operations(document):
    return {
        (path, method.upper()): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_it_is_valid_and_made_without_a_warning(document):
    assert document["openapi"].startswith("3.1.")
    validate_schema(document)
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO())


def test_it_is_english_whatever_the_page_for_which_it_is_made_first():
    api_document_view._document.cache_clear()
    with override("ar-xb"):
        made = json.dumps(api_document_view.document(), default=str, ensure_ascii=False)
    assert re.findall(r"\[[^\]]*[àçéğîñöŕšûý][^\]]*\]", made) == []


def test_it_has_every_address_and_method(operations):
    assert len(operations) == len({(door.name, door.method) for door in ALL})


def test_every_operation_has_a_name_of_its_own_words_and_a_noun(operations):
    names = [operation["operationId"] for operation in operations.values()]
    assert len(set(names)) == len(names)
    for place, operation in operations.items():
        assert operation["operationId"].replace("_", "").isalnum(), place
        assert operation["description"].strip(), place
        assert operation["tags"] == [place[0].removeprefix("/api/v1/").split("/")[0]], place


def test_every_parameter_field_and_shape_is_described_by_a_type(operations, document):
    for place, operation in operations.items():
        for parameter in operation.get("parameters", []):
            assert parameter["schema"], (place, parameter["name"])
        for status, answer in operation["responses"].items():
            if status == "204" or "$ref" in answer:
                continue
            for content in answer["content"].values():
                assert content["schema"], (place, status)
                assert content["schema"] != {"type": "object", "additionalProperties": {}}


def test_every_refusal_is_a_problem_document(operations, document):
    components = document["components"]["responses"]
    for place, operation in operations.items():
        refusals = {s: a for s, a in operation["responses"].items() if s.startswith("4")}
        assert {"400", "401"} <= refusals.keys(), place
        for status, answer in refusals.items():
            named = components[answer["$ref"].rpartition("/")[2]]
            assert named["description"] == MEANINGS[int(status)]
            assert list(named["content"]) == ["application/problem+json"]


def examples_of(document):
    """Yield each example with the shape that it is of."""
    parts = [
        part
        for methods in document["paths"].values()
        for operation in methods.values()
        for part in (operation.get("requestBody", {}), *operation["responses"].values())
    ]
    for part in (*parts, *document["components"]["responses"].values()):
        for content in part.get("content", {}).values():
            for example in content.get("examples", {}).values():
                yield content["schema"], example["value"]


def test_every_example_has_the_shape_that_it_stands_for(document):
    shown = set()
    for schema, value in examples_of(document):
        whole = {**schema, "components": document["components"]}
        wrong = [each.message for each in Draft202012Validator(whole).iter_errors(value)]
        assert not wrong, (schema, wrong)
        shown.add(schema.get("items", schema)["$ref"].rpartition("/")[2])
    assert {name for name in EXAMPLES if f"Paginated{name}List" not in shown} <= shown
    assert {"PaginatedRunOutputList", "PaginatedProposalOutputList"} <= shown


OPEN_TO_WRITE = {f"/api/v1/incidents/{name}" for name in ("", "follow/", "add/", "files/")}
"""What anybody may send without an account."""


def test_who_needs_to_sign_in_is_said_as_it_is(operations, document):
    assert {"apiKey", "workerToken"} <= document["components"]["securitySchemes"].keys()
    for (path, method), operation in operations.items():
        schemes = {name for way in operation["security"] for name in way}
        if path.startswith("/api/v1/worker/"):
            assert operation["security"] == [{"workerToken": []}], path
        else:
            assert schemes == {"apiKey", "cookieAuth"}, path
            is_ones_own = path.startswith(("/api/v1/my/", "/api/v1/webhooks/"))
            reads = method == "GET" and not is_ones_own
            # What a reporter wrote is read by few; that it may be sent is everybody's.
            is_private = path.startswith("/api/v1/incidents/{ref}/") and (
                "report" in path or "files" in path
            )
            # Counting a file, or checking a receipt, changes nothing: anybody may.
            is_open = path in {"/api/v1/count/", "/api/v1/receipts/"} or path in OPEN_TO_WRITE
            # Who acts for an organisation is the administrators' to see.
            is_private |= path == "/api/v1/organisations/{slug}/affiliations/"
            is_public = (reads and not is_private) or is_open
            assert ({} in operation["security"]) is is_public, path


def test_a_body_that_refuses_unknown_fields_says_so(operations, document):
    for (path, method), operation in operations.items():
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        shape = document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
        is_worker = path.startswith("/api/v1/worker/")
        assert (shape.get("additionalProperties") is False) is not is_worker, (path, method)


@pytest.mark.django_db
def test_it_is_served_to_everyone(client):
    answer = client.get("/api/schema/")
    assert answer.status_code == 200
    assert b"openapi: 3.1" in answer.content


def test_another_method_than_an_address_has_is_named_with_those_it_has(client, db):
    answer = client.put("/api/v1/decisions/", "{}", content_type="application/json")
    said = answer.json()
    assert answer.status_code == 405
    assert (said["title"], said["detail"]) == ("Not done here", 'Method "PUT" not allowed.')
    assert "GET" in answer["Allow"]
