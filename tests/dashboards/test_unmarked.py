"""Every word of a page is in the catalogues: in the pseudo-language nothing of ours is left out."""

import re

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db.models import CharField, JSONField, TextField
from django.template.loader import render_to_string
from django.utils.translation import override

from tests.dashboards.unmarked import unmarked

pytestmark = pytest.mark.django_db

LANGUAGE = "ar-xb"
LINKS = re.compile(rf'<a [^>]*href="(/{LANGUAGE}/[^"#]*)')

NAMES = {
    *("oversight", "JSON", "CSV", "Parquet", "SVG", "PNG", "API", "POST", "CPU", "Schulze", "MIT"),
    *("English", "Français", "Deutsch", "float32", "bfloat16", "float16", "Example Public AI"),
    *("Council", "sha256", "SHA-256", "Apache-2.0", "UTC", "CET", "CEST"),
}
"""What is called the same everywhere."""


@pytest.fixture
def said(world):
    """Return a function that takes out of a text what people of the world wrote."""
    written = sorted(set(_written()) | NAMES, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in written))
    return lambda text: pattern.sub(" ", text)


def _written():
    """Yield every text that is stored and no choice of ours, and its lines without Markdown."""
    for model in apps.get_models():
        fields = [
            field
            for field in model._meta.concrete_fields
            if isinstance(field, CharField | TextField | JSONField) and not field.choices
        ]
        for values in (
            model._default_manager.values_list(*(f.name for f in fields)) if fields else ()
        ):
            for value in values:
                yield from _texts(value)


def _texts(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str) and re.search("[A-Za-z]{3}", value):
        yield value
        yield from (line.strip("#*-> ") for line in value.splitlines() if len(line) > 3)


WITH_ACTS = re.compile(
    rf"/{LANGUAGE}/(my|proposals|decisions|bodies|suites|runs|incidents|models)/"
)
"""Pages that are others for those who may act on them."""


def crawled(client, kinds):
    """Give pages as a reader finds them from the first one on: one of each kind.

    `kinds` has those that somebody else saw.
    """
    todo, done, own = [f"/{LANGUAGE}/", f"/{LANGUAGE}/my/"], set(), set()
    while todo:
        address = todo.pop(0).replace("&amp;", "&")
        path, question, _ = address.partition("?")
        kind = re.sub(r"[^/]*\d[^/]*", "#", path) + question
        is_seen = kind in own or (kind in kinds and not WITH_ACTS.match(path) and done)
        if address in done or is_seen or "logout" in address:
            continue
        done.add(address)
        answer = client.get(address)
        if answer.status_code == 200 and "html" in answer["Content-Type"]:
            own.add(kind)
            page = answer.content.decode()
            todo += LINKS.findall(page)
            yield address, page
    kinds |= own


def test_no_word_of_a_page_is_without_a_translation(client, world, said):
    found, kinds = {}, set()
    for who in ("", "clerk", "chair", "evaluator", "operator", "administrator"):
        if who:
            client.force_login(getattr(world.cast, who))
        for address, page in crawled(client, kinds):
            for text in unmarked(page, said):
                found.setdefault(text, f"{address} {who}")
    assert len(kinds) > 60
    assert [f"{address}: {text}" for text, address in found.items()] == []


@pytest.mark.parametrize("code", [400, 403, 404, 405, 409, 422, 429, 500])
def test_no_word_of_a_refusal_is_without_a_translation(rf, said, code):
    request = rf.get(f"/{LANGUAGE}/nothing/")
    request.user = AnonymousUser()
    with override(LANGUAGE):
        page = render_to_string(f"{code}.html", request=request)
    assert list(unmarked(page, said)) == []
    assert f'<html lang="{LANGUAGE}" dir="rtl"' in page
