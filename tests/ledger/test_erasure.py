"""Erasing a person: nothing of them is left, every proof holds, the erasure is on the record."""

import html
import logging
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from oversight.accounts.models import Person
from oversight.ledger import commitment, fsck, queries, services
from oversight.ledger.models import LedgerEntry, Opening
from oversight.ledger.public_folder import PublicFolder
from oversight.ledger.sequencer import sequence_once
from proposals.models import Comment
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "Canary Nightjar-Quillfeather"
ADDRESS = "canary.nightjar@example.org"
WORDS = "Canary words that only the author may take back: xylopolist."
CANARIES = [
    canary.encode() for canary in (NAME, "Quillfeather", ADDRESS, "nightjar", WORDS, "xylopolist")
]


@pytest.fixture
def spoken(monkeypatch):
    """Have a person with telling data speak, all of it on the record."""
    monkeypatch.setattr("evals.services.runs.nudge_workers", lambda resource_class: None)
    cast = factories.make_cast()
    Person.objects.filter(pk=cast.member.pk).update(display_name=NAME, email=ADDRESS)
    cast.member.refresh_from_db()
    proposal = factories.make_deliberated_proposal(cast)
    comment = factories.make_comment(cast.member, proposal, WORDS)
    while sequence_once():
        pass
    return cast, comment


def all_of_the_database():
    """Return every row of every table as text."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [row[0].encode() for row in cursor.fetchall()]
    return b"\n".join(found)


def test_nothing_of_the_person_is_left_and_every_proof_holds(spoken, capsys):
    cast, comment = spoken
    size = queries.published_size()
    receipts = [queries.receipt_at(index).text for index in range(size)]
    leaf = LedgerEntry.objects.get(leaf_id=comment.leaf_id)
    kept = Opening.objects.get(leaf_id=comment.leaf_id)
    digest = leaf.content["commits"]["text"]
    assert commitment.opens(digest, bytes(kept.salt), kept.value)
    assert all(canary in all_of_the_database() for canary in (NAME.encode(), WORDS.encode()))
    call_command("erase", ADDRESS, "--yes")
    assert "1 texts, 1 openings" in capsys.readouterr().out
    left = all_of_the_database()
    assert [canary for canary in CANARIES if canary in left] == []
    assert bytes(kept.salt).hex().encode() not in left
    while sequence_once():
        pass
    assert fsck.check_record().entries == size + 1
    assert all(services.check_receipt(text).ok for text in receipts)
    erasure = LedgerEntry.objects.get(index=size)
    assert erasure.type == "ledger.openings.erased"
    assert erasure.subject == cast.member.actor
    assert erasure.content["facts"] == {"openings": 1, "texts": 1}
    # Guessing the words is no use without the salt: the digest is not that of any short salt.
    assert not commitment.opens(digest, bytes(32), {"text": WORDS})
    assert Comment.objects.get(pk=comment.pk).text == "(erased)"


def test_it_is_refused_twice_and_for_nobody(spoken, client):
    call_command("erase", ADDRESS, "--yes")
    person = Person.objects.get(pk=spoken[0].member.pk)
    assert not person.is_active
    with pytest.raises(CommandError, match="erased before"):
        call_command("erase", person.public_id, "--yes")
    with pytest.raises(CommandError, match="Nobody has"):
        call_command("erase", ADDRESS, "--yes")


def test_no_canary_reaches_the_log_its_files_or_the_server_logs(
    spoken, client, settings, caplog, tmp_path
):
    """Before any erasure: what cannot be taken back never holds what is personal."""
    caplog.set_level(logging.DEBUG)
    cast, comment = spoken
    PublicFolder(settings.LEDGER_PUBLIC_DIR).publish()
    bodies = b"\n".join(bytes(each) for each in LedgerEntry.objects.values_list("body", flat=True))
    files = b"\n".join(
        path.read_bytes() for path in settings.LEDGER_PUBLIC_DIR.rglob("*") if path.is_file()
    )
    client.force_login(cast.member)
    client.get(f"/proposals/{comment.proposal.ref}/")
    client.get("/record/", {"q": ADDRESS})
    client.get("/no-such-page/")
    answers = b"\n".join(
        client.get(f"/log/{path.relative_to(settings.LEDGER_PUBLIC_DIR)}").content
        for path in settings.LEDGER_PUBLIC_DIR.rglob("*")
        if path.is_file()
    )
    logs = caplog.text.encode()
    for place, content in {"log": bodies, "files": files, "http": answers, "logs": logs}.items():
        assert len(content) > 0, place
        # The framework's debug line of a search is the only place where a query may stand.
        assert [canary for canary in CANARIES if canary in content] == [], place
    assert comment.leaf_id is not None
    # The scanner can fail: a planted name is found.
    assert [c for c in CANARIES if c in bodies + NAME.encode()] != []


def test_fields_that_are_opened_apart_have_salts_of_their_own(make_leaves):
    committed = {name: services.commit_to("the same") for name in ("a", "b")}
    assert committed["a"].salt != committed["b"].salt
    leaf = make_leaves(1, commits={name: each.digest for name, each in committed.items()})[0]
    for name, each in committed.items():
        services.keep_opening(leaf, name, each)
    sequence_once()
    assert services.erase_opening(leaf.id, "a")
    left = Opening.objects.get(leaf_id=leaf.id)
    # Opening one says nothing of the other, although both hold the same.
    digests = LedgerEntry.objects.get(leaf_id=leaf.id).content["commits"]
    assert commitment.opens(digests["b"], bytes(left.salt), left.value)
    assert not commitment.opens(digests["a"], bytes(left.salt), left.value)
    assert fsck.check_record().entries == 1


MOST_PAGES = 150


def everything_that_links_lead_to(client):
    """Yield address and content of what an anonymous reader reaches from the home page on."""
    waiting, seen = ["/", "/audit/bundle.zip", "/api/schema/"], set()
    while waiting and len(seen) < MOST_PAGES:
        address = waiting.pop(0)
        if address in seen:
            continue
        seen.add(address)
        answer = client.get(address)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        yield address, content
        if answer.get("Content-Type", "").startswith("text/html"):
            found = re.findall(rb'href="(/[^"#]*)"', content)
            waiting += [html.unescape(each.decode()) for each in found if b"/static/" not in each]


def test_no_page_feed_export_or_bundle_holds_what_was_erased(spoken, client):
    _, comment = spoken
    page = f"/proposals/{comment.proposal.ref}/"
    assert NAME.encode() in client.get(page).content
    call_command("erase", ADDRESS, "--yes")
    while sequence_once():
        pass
    reached = dict(everything_that_links_lead_to(client))
    assert page in reached
    assert len(reached["/audit/bundle.zip"]) > 10_000
    assert len(reached) > 30
    found = [(where, c) for where, content in reached.items() for c in CANARIES if c in content]
    assert found == []
