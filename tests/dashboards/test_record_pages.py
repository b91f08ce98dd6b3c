"""The log explorer and the check of receipts."""

import hashlib
import html
import re

import pytest
from django.db import transaction

from oversight.ledger import queries
from oversight.ledger.models import Checkpoint, LedgerEntry
from oversight.ledger.sequencer import sequence_once
from oversight.ledger.services import append

HTMX = {"HTTP_HX_REQUEST": "true"}


def test_the_record_lists_the_newest_act_first_with_words_and_links(client, world, words):
    answer = client.get("/record/")
    newest = LedgerEntry.objects.order_by("-index").first()
    assert answer.context["page"].object_list[0] == newest
    assert "A ballot was cast" in words(answer)
    # A long type is broken at its dots, and its last letter stands on no line of its own.
    assert "proposals.<wbr>ballot.<wbr>cast" in answer.content.decode()
    assert f'href="/proposals/{world.decision.ref}/"' in answer.content.decode()


def test_the_signatures_of_the_newest_checkpoint_are_folded_and_copied_all_the_same(client, world):
    page = html.unescape(client.get("/record/").text)
    section = page.partition('aria-labelledby="checkpoint"')[2]
    seen, _, folded = section.partition("<details>")
    signed, _, signatures = Checkpoint.objects.order_by("-size").first().note.partition("\n\n")
    assert f">{signed}</code>" in seen
    assert signatures not in re.sub(r'data-copy="[^"]*"', "", seen)
    assert f'data-copy="{signed}\n\n{signatures}"' in seen
    assert f"<code>{signed}\n\n{signatures}</code>" in folded


def test_a_search_answers_only_the_entries_to_htmx(client, world):
    part = client.get("/record/", {"q": f"proposal:{world.decision.ref}"}, **HTMX)
    assert b"<html" not in part.content
    assert b'id="entries"' in part.content
    subjects = re.findall(r'href="(/proposals/[^"]+)"', part.content.decode())
    assert set(subjects) == {f"/proposals/{world.decision.ref}/"}


def test_pages_of_a_search_keep_what_was_searched(client, world):
    with transaction.atomic():
        for _ in range(51):
            append(type="tests.thing.done", actor="system:tests", subject="thing:1&2")
    sequence_once()
    body = client.get("/record/", {"q": "thing:1&2"}).content.decode()
    assert "?q=thing%3A1%262&amp;page=2" in body


@pytest.mark.parametrize("nonsense", ["a" * 5000, "' OR 1=1", "<script>", "%", "१२"])
def test_a_search_for_nonsense_finds_nothing_and_breaks_nothing(client, world, nonsense, words):
    answer = client.get("/record/", {"q": nonsense})
    assert answer.status_code == 200
    assert "No act fits." in words(answer)
    assert b"<script>" not in answer.content


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999"])
def test_a_page_number_that_is_none_shows_a_page_all_the_same(client, world, page):
    assert client.get("/record/", {"page": page}).status_code == 200
    assert client.get("/findings/", {"page": page}).status_code == 200
    address = f"{world.run.get_absolute_url()}samples/facts/"
    assert client.get(address, {"page": page}).status_code == 200


def test_a_receipt_from_an_acts_page_holds(client, world, words):
    receipt = queries.receipt_at(3)
    answer = client.post("/record/check/", {"receipt": receipt.text})
    assert answer.status_code == 200
    assert answer.context["result"].ok
    assert "This receipt holds." in words(answer)


def test_a_receipt_with_the_line_ends_of_a_browser_holds(client, world):
    text = queries.receipt_at(3).text.replace("\n", "\r\n")
    assert client.post("/record/check/", {"receipt": text}).context["result"].ok


def test_an_altered_receipt_is_refused_at_the_step_that_fails(client, world, words):
    text = queries.receipt_at(3).text.replace("index 3", "index 4")
    answer = client.post("/record/check/", {"receipt": text}, **HTMX)
    page = words(answer)
    assert "The receipt proves this act The act shown here is not the one" in page
    chips = re.findall("<span>(holds|fails|not reached)</span>", answer.content.decode())
    assert chips == ["holds", "holds", "holds", "fails", "not reached"]
    assert b"<html" not in answer.content


def test_an_empty_check_says_what_is_missing(client, db, words):
    answer = client.post("/record/check/", {"receipt": ""})
    assert answer.status_code == 422
    assert "There is no receipt to check" in words(answer)


def test_a_receipts_address_leads_to_its_act(client, world):
    answer = client.get(f"/receipts/{world.decision.leaf_id}/")
    assert answer.status_code == 302
    found = client.get(answer["Location"])
    assert found.context["entry"].leaf_id == world.decision.leaf_id


def test_a_leaf_that_is_not_sequenced_yet_waits_with_an_address(client, db, words):
    with transaction.atomic():
        pending = append(type="tests.thing.done", actor="system:tests", subject="thing:1")
    answer = client.get(f"/receipts/{pending.pk}/")
    assert answer.status_code == 202
    assert "waits for its place" in words(answer)


def test_an_act_sends_the_very_bytes_its_leaf_hash_is_of(client, world):
    entry = LedgerEntry.objects.get(index=5)
    body = client.get("/record/5/leaf.json").content
    digest = hashlib.sha256(b"\x00" + body).hexdigest()
    assert entry.leaf_hash == f"sha256:{digest}"


def test_a_receipts_link_by_leaf_hash_finds_its_act(client, world):
    entry = LedgerEntry.objects.get(index=2)
    page = client.get("/record/", {"receipt": entry.leaf_hash}).context["page"]
    assert [found.index for found in page.object_list] == [2]
