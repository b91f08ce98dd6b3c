"""Whatever a page can do, the API can: each page is in the map, and the map holds in the API."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory
from django.urls import URLPattern, get_resolver
from drf_spectacular.generators import SchemaGenerator

from tests.api.completeness import APART, DONE, FORM, READ, SORTED, By, Twin

LEAST_WORDS = 8


def patterns(there=None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield every address of the site with its pattern."""
    for each in (there or get_resolver()).url_patterns:
        path = f"{before}{each.pattern}"
        if path.startswith(tuple(APART)):
            continue
        if isinstance(each, URLPattern):
            yield path, each
        else:
            yield from patterns(each, path)


def methods_of(pattern: URLPattern) -> set[str]:
    """Return what an address takes: as each says when it is asked in a way that there is not."""
    gaps = {**dict.fromkeys(pattern.pattern.converters), **(pattern.default_args or {})}
    answer = pattern.callback(RequestFactory().generic("BREW", "/"), **gaps)
    assert answer.status_code == 405, pattern.name
    return {each.strip() for each in answer["Allow"].split(",")}


@pytest.fixture(scope="module")
def taken() -> dict[str, set[str]]:
    """Return what each page takes, by name; files for programs are left out."""
    found: dict[str, set[str]] = {}
    for path, pattern in patterns():
        is_file = "." in path.rpartition("/")[2] or path.startswith(("ns/", "healthz"))
        if not is_file:
            found.setdefault(str(pattern.name), set()).update(methods_of(pattern))
    return found


def test_every_page_is_in_the_map_and_nothing_else(taken):
    assert {name for name, methods in taken.items() if "GET" in methods} == READ.keys()


def test_every_act_of_a_page_is_in_the_map_and_nothing_else(taken):
    assert {name for name, methods in taken.items() if "POST" in methods} == DONE.keys()
    assert all(methods <= {"GET", "HEAD", "POST"} for methods in taken.values())


@pytest.fixture(scope="module")
def document() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the operations of the OpenAPI document by address and method."""
    return SchemaGenerator().get_schema(request=None, public=True)["paths"]


@pytest.fixture(scope="module")
def operations(document) -> dict[str, str]:
    """Return the method of each operation of the document."""
    return {
        operation["operationId"]: method
        for methods in document.values()
        for method, operation in methods.items()
    }


def test_every_operation_that_the_map_names_is_in_the_document(operations):
    named = {
        each
        for answer in (*READ.values(), *DONE.values())
        if isinstance(answer, By)
        for each in answer.operations
    }
    assert not named - operations.keys()
    writes = {
        each for answer in DONE.values() if isinstance(answer, By) for each in answer.operations
    }
    assert not {each for each in writes if operations[each] == "get"}


def test_every_twin_is_an_address_and_every_reason_a_sentence():
    there = {pattern.name for _, pattern in patterns()} | {"proof"}
    for name, answer in (*READ.items(), *DONE.items()):
        if isinstance(answer, Twin):
            assert answer.names, name
            assert not set(answer.names) - there, name
        elif isinstance(answer, str):
            assert answer.endswith("."), name
            assert len(answer.split()) >= LEAST_WORDS, name


def test_what_is_only_read_as_a_form_has_an_act(taken):
    assert {name for name, answer in READ.items() if answer == FORM} <= DONE.keys()


def test_where_readers_of_a_page_choose_the_order_the_operation_takes_it_and_nowhere_else(document):
    folder = Path(settings.BASE_DIR) / "templates"
    sortable = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.html")
        if "aria-sort" in path.read_text()
    }
    assert sortable == SORTED.keys()
    taken = {
        operation["operationId"]: {each["name"] for each in operation.get("parameters", [])}
        for methods in document.values()
        for operation in methods.values()
    }
    by_order = {name for name, known in taken.items() if known & {"sort", "order", "ordering"}}
    assert by_order == set(SORTED.values())
    assert all({"sort", "order"} <= taken[name] for name in by_order)
