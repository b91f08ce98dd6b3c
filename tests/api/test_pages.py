"""The API's lists page by page: nothing twice, nothing left out, whatever is added meanwhile."""

import re

import pytest
from django.core.signing import Signer
from django.db import connection
from django.db.models.functions import Length
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator
from rest_framework.generics import ListAPIView
from rest_framework.request import Request

from oversight.registry.models import RegisteredModel
from oversight.web.pagination import CURSOR, Pages
from tests import factories
from tests.api.conftest import address, assert_is_problem
from tests.api.doors import ALL, api_addresses

MODELS = "/api/v1/models/"
LISTS = [
    door
    for door in ALL
    if door.method == "GET" and issubclass(api_addresses()[door.name], ListAPIView)
]


def ways_of(answer) -> dict[str, str]:
    """Return the addresses of `Link` by their relation."""
    return {
        name: url for url, name in re.findall(r'<([^>]*)>; rel="(\w+)"', answer.get("Link", ""))
    }


def walk(client, path: str, way: str = "next"):
    """Follow a list from page to page; return the pages."""
    pages = []
    while path:
        answer = client.get(path)
        assert answer.status_code == 200, answer.content
        said, links = answer.json(), ways_of(answer)
        assert (links.get("next"), links.get("prev")) == (said["next"], said["previous"])
        assert said not in pages, "it goes in a circle"
        pages.append(said)
        path = said[way]
    return pages


def rows(pages) -> list:
    return [row for page in pages for row in page["results"]]


def names(pages) -> list[str]:
    return [row["slug"] for row in rows(pages)]


def test_every_list_goes_row_by_row_there_and_back_and_counts_nothing(world):
    longest = max(goes_there_and_back(world, door) for door in LISTS)
    assert longest > 2


def goes_there_and_back(world, door) -> int:
    """Walk a list row by row both ways; return how many rows it has."""
    caller = world.caller(
        "anonymous" if "anonymous" in door.opens_for else "key with scope", door.owner
    )
    path = address(door.name, *door.parts(world))
    whole = caller.get(path).json()
    assert whole.keys() == {"next", "previous", "results"}, str(door)
    with CaptureQueriesContext(connection) as queries:
        pages = walk(caller, f"{path}?page_size=1")
    assert not [each["sql"] for each in queries if each["sql"].startswith("SELECT COUNT(")]
    assert rows(pages) == whole["results"], str(door)
    back = walk(caller, pages[-2]["next"], "previous") if len(pages) > 1 else pages
    assert rows(back[::-1]) == whole["results"], str(door)
    return len(whole["results"])


def test_rows_that_come_at_the_head_or_go_make_none_come_twice_or_be_left_out(world, client):
    for name in ("Beech", "Cedar", "Date", "Elm", "Fig"):
        factories.make_model_version(world.cast.evaluator, model_name=name)
    before = names(walk(client, MODELS))
    first = client.get(f"{MODELS}?page_size=2").json()
    factories.make_model_version(world.cast.evaluator, model_name="Aaron's rod")
    RegisteredModel.objects.filter(slug=first["results"][-1]["slug"]).update(name="Aaa")
    rest = walk(client, first["next"])
    assert names([first, *rest]) == before
    now = names(walk(client, MODELS))
    assert len(now) == len(before) + 1
    back = names(walk(client, rest[0]["previous"], "previous")[::-1])
    assert back == now[: now.index(before[2])]


def test_what_was_asked_for_is_carried_along_and_more_than_one_order_holds(world, client):
    for _ in range(4):
        factories.make_run(world.cast.evaluator, world.suite, world.version)
    found = walk(client, "/api/v1/runs/?page_size=2&state=queued")
    assert {row["state"] for row in rows(found)} == {"queued"}
    assert len(rows(found)) >= 4
    assert all("state=queued" in page["next"] for page in found[:-1])
    assert all("page_size=2" in page["next"] for page in found[:-1])


def test_rows_of_one_name_are_told_apart_by_their_key(world, client):
    for _ in range(3):
        factories.make_model_version(world.cast.evaluator)
    RegisteredModel.objects.update(name="The same")
    found = names(walk(client, f"{MODELS}?page_size=1"))
    assert len(found) == len(set(found)) == 4


def cursor_of(client, path: str) -> str:
    following = client.get(path).json()["next"]
    assert following
    return re.search(r"cursor=([^&]+)", following).group(1)


def test_a_cursor_of_another_list_or_of_other_filters_is_refused(world, client):
    for _ in range(2):
        factories.make_model_version(world.cast.evaluator)
    cursor = cursor_of(client, f"{MODELS}?page_size=1")
    assert client.get(f"{MODELS}?page_size=2&cursor={cursor}").status_code == 200
    assert_is_problem(client.get(f"/api/v1/runs/?cursor={cursor}"), 400, CURSOR)
    assert_is_problem(client.get(f"{MODELS}?q=a&cursor={cursor}"), 400, CURSOR)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "2", ".", "a.b", "%F0%9F%8C%8D", "W10", "9" * 5_000]
    + [Signer(salt=salt, sep=".").sign_object(["after", ["x", 2**70]]) for salt in ("", MODELS)],
)
@pytest.mark.django_db
def test_a_cursor_that_is_made_up_is_refused(client, cursor):
    assert_is_problem(client.get(f"{MODELS}?cursor={cursor}"), 400, CURSOR)


def test_a_list_that_is_ordered_by_an_expression_is_a_fault_of_ours(rf):
    queryset = RegisteredModel.objects.order_by(Length("name"))
    with pytest.raises(TypeError, match="no order by fields"):
        Pages().paginate_queryset(queryset, Request(rf.get(MODELS)))


def test_the_document_says_how_lists_are_followed():
    document = SchemaGenerator().get_schema(request=None, public=True)
    paged = [
        path
        for path, methods in document["paths"].items()
        if any(each["name"] == CURSOR for each in methods.get("get", {}).get("parameters", []))
    ]
    assert len(paged) == len({door.name for door in LISTS})
    for path in paged:
        operation = document["paths"][path]["get"]
        answer = operation["responses"]["200"]
        assert {"Link", "RateLimit"} <= answer["headers"].keys(), path
        shape = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        shape = document["components"]["schemas"][shape]
        assert shape["required"] == ["next", "previous", "results"]
        assert {"cursor", "page_size"} <= {each["name"] for each in operation["parameters"]}
