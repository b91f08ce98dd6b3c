"""The names in a leaf have words beside them: every name that the services put on the record."""

import ast
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from django.db import transaction
from django.utils.translation import override

from oversight.dashboards import fact_names
from oversight.ledger.models import LedgerEntry
from oversight.ledger.sequencer import sequence_once
from oversight.ledger.services import append
from proposals.choices import Spoken
from tests.incidents.made import make_incident

ROOT = Path(__file__).resolve().parents[2]
PARTS = {
    "facts": fact_names.FACTS,
    "digests": fact_names.DIGESTS,
    "commits": fact_names.COMMITS,
}


def written() -> dict[str, set[str]]:
    """Return the names that the code puts into leaves, by the part of the leaf they stand in."""
    found: dict[str, set[str]] = {part: set() for part in PARTS}
    for floor in ("oversight", "evals", "proposals"):
        for path in (ROOT / floor).rglob("*.py"):
            tree = ast.parse(path.read_text())
            for function in ast.walk(tree):
                if isinstance(function, ast.FunctionDef):
                    for part, value in parts_in(function):
                        found[part] |= names_in(value, function, tree)
    return found


def parts_in(function: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """Yield what is given as facts, digests or commits where an act is put on the record."""
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] in APPENDING:
            for each in call.keywords:
                if each.arg in PARTS:
                    yield each.arg, each.value


APPENDING = {"append", "_append", "record"}


def names_in(value: ast.AST | None, function: ast.FunctionDef, tree: ast.Module) -> set[str]:
    """Return the names of a mapping, however it is written or put together before it is given."""
    keys = value.keys if isinstance(value, ast.Dict) else []
    found = {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    return found.union(*(names_in(each, function, tree) for each in sources(value, function, tree)))


def sources(
    value: ast.AST | None, function: ast.FunctionDef, tree: ast.Module
) -> list[ast.AST | None]:
    """Return the mappings that one is made of."""
    match value:
        case ast.Dict():
            pairs = zip(value.keys, value.values, strict=True)
            return [each for key, each in pairs if key is None]
        case ast.DictComp():
            return [each.iter for each in value.generators]
        case ast.BinOp():
            return [value.left, value.right]
        case ast.BoolOp():
            return list(value.values)
        case ast.IfExp():
            return [value.body, value.orelse]
        case ast.Call(func=ast.Attribute(attr="items")):
            return [value.func.value]
    return defined(value, function, tree)


def defined(
    value: ast.AST | None, function: ast.FunctionDef, tree: ast.Module
) -> list[ast.AST | None]:
    """Return what a name was set to in the function, or what a function of the module returns."""
    if isinstance(value, ast.Name):
        set_here = (each for each in ast.walk(function) if isinstance(each, ast.Assign))
        return [each.value for each in set_here if ast.unparse(each.targets[0]) == value.id]
    if isinstance(value, ast.Call):
        there = (each for each in tree.body if isinstance(each, ast.FunctionDef))
        called = [each for each in there if each.name == ast.unparse(value.func)]
        return [r.value for each in called for r in ast.walk(each) if isinstance(r, ast.Return)]
    return []


def test_every_name_that_the_services_put_on_the_record_has_words_and_no_other_has():
    names = written()
    # What was moderated is named by its kind.
    names["facts"] |= set(Spoken.values)
    for part, words in PARTS.items():
        assert names[part] == set(words), part
    assert {"severity", "signed_by", "review_at", "target", "origin"} <= names["facts"]


def names_of(entry: LedgerEntry) -> dict[str, list[str]]:
    return {part: list(entry.content.get(part, {})) for part in PARTS}


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_the_page_of_an_act_has_words_beside_every_name_in_the_readers_language(
    client, world, language
):
    make_incident(world.cast.clerk, deployments=[world.deployment])
    sequence_once()
    kinds = {entry.type: entry for entry in LedgerEntry.objects.order_by("index")}
    assert len(kinds) > 20
    for entry in kinds.values():
        prefix = "" if language == "en" else f"/{language}"
        page = unescape(client.get(f"{prefix}/record/{entry.index}/").content.decode())
        terms = re.findall(r"<dt>(.*?)</dt>", page)
        with override(language):
            for part, names in names_of(entry).items():
                for name in names:
                    words, code = str(PARTS[part][name]), f"<code>{name}</code>"
                    assert any(t.startswith(f"{words}<") and code in t for t in terms), entry.type


def test_a_name_that_is_not_known_stands_by_itself_and_values_stand_as_recorded(client, world):
    with transaction.atomic():
        append(
            type="tests.thing.done",
            actor="system:tests",
            subject="thing:1",
            facts={"colour": "red", "is_red": True, "size": 70000},
        )
    sequence_once()
    newest = LedgerEntry.objects.order_by("-index").first()
    page = client.get(f"/fr/record/{newest.index}/").content.decode()
    assert "<dt><code>colour</code></dt>" in page
    for value in ("red", "true", "70000"):
        assert f"<code>{value}</code>" in page
