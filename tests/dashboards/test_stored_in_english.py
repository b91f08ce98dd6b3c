"""Whatever language people read while they act, what is stored and recorded is English."""

import json
import re

import pytest
from django.apps import apps
from django.db.models import CharField, JSONField, TextField
from django.utils import translation

from oversight.accounts.models import Notice
from oversight.ledger.models import LedgerEntry

LANGUAGE = "ar-xb"
# What the pseudo-language makes of any text of two words; nothing of the world is written so.
ACCENTS = re.compile(r"\[[^\]]*[àçéğîñöŕšûý]|/ar-xb/")


LINKS = re.compile(r'(?:href|action|hx-get|hx-post)="(/[^"?#]*)[^"]*"(?! lang="en")')


@pytest.fixture
def spoken():
    with translation.override(LANGUAGE):
        yield


@pytest.mark.django_db
def test_nothing_that_is_stored_speaks_another_language_or_leads_to_its_pages(spoken, world):
    """The world is made by the services that pages call, here as if under a prefix."""
    assert LedgerEntry.objects.exists()
    assert Notice.objects.exists()
    found = []
    for model in apps.get_models():
        names = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, CharField | TextField | JSONField)
        ]
        for values in model._default_manager.values_list(*names) if names else []:
            found += [
                (model.__name__, name, str(value)[:80])
                for name, value in zip(names, values, strict=True)
                if ACCENTS.search(
                    value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                )
            ]
    assert found == []


@pytest.mark.django_db
def test_every_link_of_a_translated_page_to_a_page_stays_in_its_language(client, world, addresses):
    for address in (each for each in addresses if each.endswith("/") and "/api/" not in each):
        page = client.get(f"/{LANGUAGE}{address}").content.decode()
        links = [
            link
            for link in LINKS.findall(page)
            if link.endswith("/")
            and not link.startswith(("/api/", "/log/", "/static/", "/fr/", "/de/"))
        ]
        assert [link for link in links if not link.startswith(f"/{LANGUAGE}/")] == [], address


@pytest.mark.django_db
def test_a_redirect_stays_in_the_language(client, world):
    client.force_login(world.cast.clerk)
    answer = client.post(f"/{LANGUAGE}/my/notices/read/")
    assert answer["Location"].startswith(f"/{LANGUAGE}/")
