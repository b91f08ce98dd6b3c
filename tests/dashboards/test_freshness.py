"""How long answers may be kept: public ones by everybody, a reader's own by nobody else."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from oversight.accounts.choices import Scope
from oversight.accounts.services import create_api_key
from oversight.web import freshness
from tests import factories

WITH_A_TOKEN = {"/record/", "/record/0/"}
"""Hold a form, whose token is each reader's own."""
MADE_ANEW = {"/count/", "/record/check/"}
"""Show what their reader has sent."""


def ask(address: str, client: Client | None = None, **headers: str):
    return (client or Client()).get(address, headers=headers)


def longest(answer) -> int:
    found = re.search(r"max-age=(\d+)", answer["Cache-Control"])
    return int(found[1]) if found else 0


def test_every_public_address_is_sent_once_and_then_answered_304(addresses):
    wrong = []
    for address in addresses:
        # A map of opinions shows its reader's own.
        if address in WITH_A_TOKEN | MADE_ANEW or address.endswith("/opinions/"):
            continue
        answer = ask(address)
        if not answer["Cache-Control"].startswith("public"):
            wrong.append((address, answer["Cache-Control"]))
            continue
        kept = answer["Cache-Control"]
        assert longest(answer) <= 300, (address, kept)
        assert "s-maxage=5" in kept or not answer["Content-Type"].startswith("text/html"), address
        again = ask(address, if_none_match=answer["ETag"])
        assert (again.status_code, b"".join(again)) == (304, b""), address
        assert again["ETag"] == answer["ETag"], address
        other = ask(address, if_none_match='"something else"')
        assert other.status_code == 200, address
    assert not wrong, wrong


def test_a_page_with_a_form_is_its_readers_own(addresses):
    assert set(addresses) >= WITH_A_TOKEN | MADE_ANEW
    for address in WITH_A_TOKEN:
        assert ask(address)["Cache-Control"] == freshness.OWN
    for address in MADE_ANEW:
        assert "no-store" in ask(address)["Cache-Control"]


def test_what_a_signed_in_reader_is_sent_is_kept_by_nobody_else(addresses, world):
    client = Client()
    client.force_login(world.cast.member)
    for address in ("/", "/deciding/", world.decision.get_absolute_url(), "/my/", "/compute.csv"):
        answer = ask(address, client)
        assert "private" in answer["Cache-Control"], address
        assert "ETag" not in answer, address
        assert "Cookie" in answer["Vary"], address


def test_a_message_for_one_reader_is_kept_by_nobody_else(world):
    client = Client()
    client.cookies["messages"] = "anything"
    assert ask("/deciding/", client)["Cache-Control"] == freshness.OWN


@pytest.mark.parametrize("address", ["/models/", "/api/v1/models/", "/data/models.csv"])
def test_a_page_that_has_changed_is_sent_anew(world, address):
    first = ask(address)
    factories.make_model_version()
    assert ask(address, if_none_match=first["ETag"]).status_code == 200


def test_the_passing_of_time_is_no_change_of_a_page(world, monkeypatch):
    first = ask("/")
    assert b"data-ago" in first.content
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + timezone.timedelta(seconds=3))
    later = ask("/")
    assert later.content != first.content
    assert later["ETag"] == first["ETag"]
    assert ask("/", if_none_match=first["ETag"]).status_code == 304


def test_the_api_is_asked_anew_each_time_and_keeps_a_keys_answers_apart(world):
    answer = ask("/api/v1/decisions/")
    assert answer["Cache-Control"] == freshness.ANSWER
    assert {"Authorization", "Cookie"} <= set(re.split(", *", answer["Vary"]))
    assert ask("/api/v1/decisions/", if_none_match=answer["ETag"]).status_code == 304
    _, secret = create_api_key(person=world.cast.member, name="x", scopes=[Scope.NOTICES])
    own = ask("/api/v1/decisions/", Client(), authorization=f"Bearer {secret}")
    assert own["Cache-Control"] == freshness.OWN
    assert "ETag" not in own


def test_what_holds_a_secret_or_went_wrong_is_not_kept(world):
    for address in ("/incidents/report/", "/notices/stop/none/", "/healthz", "/accounts/login/"):
        answer = ask(address)
        assert "public" not in answer.get("Cache-Control", ""), address
    for address in ("/models/nothing/", "/compare.json"):
        assert "ETag" not in ask(address)


def test_a_compressed_page_has_a_tag_that_is_taken_back(world):
    answer = ask("/", accept_encoding="gzip")
    assert answer["Content-Encoding"] == "gzip"
    assert {"Accept-Encoding", "Cookie"} <= set(re.split(", *", answer["Vary"]))
    again = ask("/", accept_encoding="gzip", if_none_match=answer["ETag"])
    assert again.status_code == 304
