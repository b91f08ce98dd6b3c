"""Erasing the private part of an incident: nothing of the reporter is left, every proof holds."""

import logging

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from oversight.incidents.models import Incident
from oversight.incidents.services import handling, reporting
from oversight.incidents.services.erasing import erase_report
from oversight.ledger import commitment, fsck
from oversight.ledger.models import LedgerEntry, Opening
from oversight.ledger.sequencer import sequence_once
from oversight.web.refusals import Conflict
from tests.factories import make_cast, make_person
from tests.incidents.made import PNG, TEXT, TITLE, make_incident, make_report

pytestmark = pytest.mark.django_db(transaction=True)

MAIL = "canary.heron@example.org"
CANARIES = [b"xylophage", MAIL.encode(), b"heron", b"axolotl", b"okapi", b"quokka"]


def all_of_the_database() -> bytes:
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [row[0].encode() for row in cursor.fetchall()]
    return b"\n".join(found)


@pytest.fixture
def reported():
    """A report with telling words in every place that takes any."""
    cast = make_cast()
    incident, secret = make_report(
        text="The xylophage did it.", email=MAIL, files=[("okapi.png", PNG)]
    )
    reporting.add_to_report(
        address="198.51.100.7",
        incident=reporting.incident_of(secret),
        text="It was an axolotl.",
        files=[("log.txt", b"quokka")],
    )
    handling.answer_reporter(by=cast.clerk, incident=incident, text="Which axolotl?")
    while sequence_once():
        pass
    return incident, secret


def test_nothing_of_the_reporter_is_left_and_every_proof_holds(reported, capsys):
    incident, secret = reported
    before = all_of_the_database()
    hexed = b"quokka".hex().encode()
    assert all(canary in before or canary == b"quokka" for canary in CANARIES)
    assert hexed in before
    size = LedgerEntry.objects.count()
    call_command("erase", incident.ref, "--yes")
    assert "2 messages, 2 files, 3 openings" in capsys.readouterr().out
    left = all_of_the_database()
    assert [canary for canary in CANARIES if canary in left] == []
    assert hexed not in left
    assert reporting.incident_of(secret) is None
    while sequence_once():
        pass
    assert fsck.check_record().entries == size + 1
    erasure = LedgerEntry.objects.get(index=size)
    assert (erasure.type, erasure.subject) == ("incidents.incident.erased", incident.subject)
    digest = LedgerEntry.objects.get(leaf_id=incident.leaf_id).content["commits"]["text"]
    assert not commitment.opens(digest, bytes(32), {"text": "The xylophage did it."})


def test_an_address_finds_all_that_was_reported_under_it_and_the_account(reported, capsys):
    other, _ = make_report(email=MAIL.upper())
    person = make_person("Heron", email=MAIL)
    call_command("erase", MAIL, "--yes")
    said = capsys.readouterr().out
    for name in (reported[0].ref, other.ref, person.public_id):
        assert name in said
    assert MAIL.encode() not in all_of_the_database().lower()


def test_it_is_refused_twice_and_for_what_is_not_there(reported):
    incident, _ = reported
    erase_report(incident=incident)
    with pytest.raises(Conflict, match="erased before"):
        erase_report(incident=incident)
    with pytest.raises(CommandError, match="Nobody has"):
        call_command("erase", "INC-1999-001", "--yes")


def test_the_public_text_stays_and_what_it_replaced_goes():
    cast = make_cast()
    incident = make_incident(cast.clerk, title="It named Ada Canary")
    incident = handling.publish_text(by=cast.clerk, incident=incident, title=TITLE, text=TEXT)
    erase_report(incident=incident)
    found = Incident.objects.get()
    assert (found.title, found.text) == (TITLE, TEXT)
    kept = [opening.value for opening in Opening.objects.all()]
    assert {"title": TITLE, "text": TEXT} in kept
    assert b"Ada Canary" not in all_of_the_database()


def test_what_a_clerk_wrote_for_the_body_stays_when_the_clerk_goes():
    cast = make_cast()
    incident = make_incident(cast.clerk)
    handling.add_note(by=cast.clerk, incident=incident, text="The operator was asked.")
    call_command("erase", cast.clerk.email, "--yes")
    kept = [opening.value for opening in Opening.objects.all()]
    assert {"title": TITLE, "text": TEXT} in kept
    assert {"text": "The operator was asked."} in kept
    assert incident.events.filter(text="The operator was asked.").exists()


def test_after_an_erasure_nobody_adds_or_answers(client):
    cast = make_cast()
    incident, secret = make_report()
    found = reporting.incident_of(secret)
    erase_report(incident=incident)
    with pytest.raises(Conflict):
        reporting.add_to_report(address="198.51.100.7", incident=found, text="More.")
    with pytest.raises(Conflict):
        handling.answer_reporter(by=cast.clerk, incident=incident, text="When?")
    client.force_login(cast.clerk)
    assert (
        "The private part was erased."
        in client.get(f"/incidents/{incident.ref}/handle/").content.decode()
    )


def test_no_word_of_a_report_reaches_the_log_or_the_server_logs(reported, client, caplog):
    caplog.set_level(logging.DEBUG)
    incident, _ = reported
    client.get(f"/incidents/{incident.ref}/")
    client.get("/incidents/")
    bodies = b"\n".join(bytes(each) for each in LedgerEntry.objects.values_list("body", flat=True))
    for place in (bodies, caplog.text.encode(), client.get(f"/incidents/{incident.ref}/").content):
        assert [canary for canary in CANARIES if canary in place] == []
    assert [canary for canary in CANARIES if canary in bodies + b"axolotl"] != []
