"""The document says which scope each address asks of a key, and the page shows it."""

from oversight.accounts.choices import Scope
from oversight.web.api_document_view import document


def test_addresses_that_act_name_the_scope_and_public_reading_names_none():
    paths = document()["paths"]
    assert paths["/api/v1/runs/"]["post"]["x-scope"] == "runs:write"
    assert paths["/api/v1/proposals/{ref}/ballot/"]["post"]["x-scope"] == "votes:cast"
    assert "x-scope" not in paths["/api/v1/runs/"]["get"]


def test_every_scope_named_is_one_that_a_key_can_have_and_each_is_named_somewhere():
    operations = [each for methods in document()["paths"].values() for each in methods.values()]
    assert {each["x-scope"] for each in operations if "x-scope" in each} == set(Scope.values)


def test_the_page_lists_what_each_scope_lets_a_key_do(client, db):
    page = client.get("/api/docs/").content.decode()
    for scope, words in Scope.choices:
        assert scope in page
        assert words[1:] in page
