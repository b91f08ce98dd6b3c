"""Reporting without an account: bounded, counted, private, and followed by a secret link."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from oversight.accounts.models import Notice
from oversight.incidents import files, form_token, limits
from oversight.incidents.choices import Category, Relation, Status
from oversight.incidents.models import (
    Incident,
    IncidentFile,
    IncidentReport,
    ReportingCount,
    ReportingDay,
)
from oversight.incidents.services import reporting
from oversight.ledger.models import Opening, PendingLeaf
from oversight.web.refusals import Conflict, Invalid, TooMany
from tests.factories import make_body, make_cast, make_decision, make_deployment, make_model_version
from tests.incidents.made import PNG, WORDS, form, make_report

pytestmark = pytest.mark.django_db


def test_a_report_is_taken_with_a_leaf_that_says_nothing_of_it():
    cast = make_cast()
    incident, secret = make_report(
        email="ada@example.org", relation=Relation.AFFECTED, files=[("a.png", PNG)]
    )
    assert (incident.status, incident.body, incident.title) == (Status.RECEIVED, cast.body, "")
    leaf = PendingLeaf.objects.get(type="incidents.incident.reported")
    assert (leaf.actor, leaf.subject) == ("public:reporter", f"incident:{incident.ref}")
    assert leaf.content["facts"] == {"body": cast.body.slug}
    assert leaf.content["digests"] == {}
    opened = Opening.objects.get(leaf_id=leaf.pk).value
    assert opened["text"] == WORDS
    assert len(opened["files"]) == 64
    for private in (b"Ada", b"example.org", secret.encode()):
        assert private not in bytes(leaf.body)
    assert incident.report.email == "ada@example.org"
    assert bytes(incident.files.get().content) == PNG


def test_the_clerks_are_told_and_not_what_it_says():
    cast = make_cast()
    incident, _ = make_report()
    told = Notice.objects.get(about=incident.ref)
    assert told.person == cast.clerk
    assert "Ada" not in told.subject + told.text


def test_it_goes_to_the_body_that_decided_about_the_use():
    cast, other = make_cast(), make_body()
    deployment = make_deployment()
    make_decision(cast, deployment=deployment, version=make_model_version())
    assert make_report(deployment=deployment)[0].body == cast.body
    # Nobody has decided on this one, and there are two bodies: whoever acts first takes it up.
    assert make_report(deployment=make_deployment())[0].body is None
    assert other.slug != cast.body.slug


def test_the_secret_is_stored_hashed_and_leads_back():
    make_cast()
    incident, secret = make_report()
    assert len(secret) >= 40
    assert reporting.incident_of(secret) == incident
    assert secret not in str(IncidentReport.objects.values().get())
    for wrong in ("", "x", secret[:-1], secret + "x"):
        assert reporting.incident_of(wrong) is None


def test_references_count_up_within_a_year():
    make_cast()
    year = timezone.localtime().year
    refs = [make_report()[0].ref for _ in range(3)]
    assert refs == [f"INC-{year}-{number:03d}" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"text": ""}, "text"),
        ({"text": "   \n"}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": "nul\x00"}, "text"),
        ({"email": "no address"}, "email"),
        ({"email": "a@b\nBcc: c@d.org"}, "email"),
        ({"occurred_on": timezone.localdate() + timedelta(days=3)}, "occurred_on"),
        ({"occurred_on": timezone.localdate().replace(year=1980, day=1)}, "occurred_on"),
        ({"token": "nonsense"}, "form"),
        ({"token": ""}, "form"),
        ({"files": [("a.txt", b"")]}, "attachments"),
        ({"files": [("a.txt", b"x")] * 4}, "attachments"),
        ({"files": [("a.png", b"\x89PNG" + b"\x00" * 9)]}, "attachments"),
        ({"files": [("a.zip", b"PK\x03\x04\x00")]}, "attachments"),
        ({"files": [("a.exe", b"MZ\x90\x00")]}, "attachments"),
        ({"files": [("..", b"x")]}, "attachments"),
        ({"files": [("big.txt", b"x" * (files.MAX_BYTES + 1))]}, "attachments"),
    ],
)
def test_what_cannot_be_used_is_refused_and_named(fields, named):
    make_cast()
    with pytest.raises(Invalid) as refusal:
        make_report(**fields)
    assert named in refusal.value.fields
    assert not Incident.objects.exists()
    assert not PendingLeaf.objects.filter(subject__startswith="incident:").exists()


def test_files_are_told_by_their_contents_and_keep_no_ending_that_misleads():
    make_cast()
    sent = [
        ("scan.exe", PNG),
        ("../../page.html", b"<script>1</script>"),
        ("a.JPEG", b"\xff\xd8\xff0"),
    ]
    incident, _ = make_report(files=sent)
    kept = [(file.name, file.media_type) for file in incident.files.all()]
    assert kept == [
        ("scan.exe.png", "image/png"),
        ("page.html.txt", "text/plain; charset=utf-8"),
        ("a.JPEG", "image/jpeg"),
    ]


def test_a_form_counts_once():
    make_cast()
    token = form()
    make_report(token=token)
    with pytest.raises(Conflict, match="sent before"):
        make_report(token=token)
    assert Incident.objects.count() == 1


@pytest.mark.parametrize(
    ("age", "says", "is_worn"),
    [
        (0, "because programs send such", False),
        (2, "because programs send such", False),
        (86_401, "more than a day", True),
    ],
)
def test_a_form_too_young_or_too_old_is_not_taken(age, says, is_worn):
    now = time.time()
    with pytest.raises(form_token.TokenError, match=says) as refusal:
        form_token.digest_of(form_token.new_token(now - age), now)
    assert refusal.value.is_worn is is_worn
    form_token.digest_of(form_token.new_token(now - 3), now)


# -- Counting


def test_an_address_reports_so_often_a_day_and_others_still_can(settings):
    make_cast()
    settings.INCIDENT_REPORTS_PER_DAY = 2
    _, secret = make_report()
    reporting.add_to_report(
        address="198.51.100.7", incident=reporting.incident_of(secret), text="And more."
    )
    with pytest.raises(TooMany):
        make_report()
    assert Incident.objects.count() == 1
    make_report(address="198.51.100.8")
    # One household has a whole /64 of IPv6.
    make_report(address="2001:db8::1")
    make_report(address="2001:db8::ffff")
    with pytest.raises(TooMany):
        make_report(address="2001:db8::2")
    make_report(address="2001:db8:0:1::1")


def test_no_address_is_kept_and_a_day_is_forgotten_with_its_salt():
    make_cast()
    make_report(address="198.51.100.7")
    make_report(address="not an address")
    day = ReportingDay.objects.get()
    digests = set(ReportingCount.objects.values_list("address_digest", flat=True))
    assert len(digests) == 2
    assert not any("198" in digest for digest in digests if len(digest) != 64)
    assert limits.forget_days_before(day.day) == 0
    assert limits.forget_days_before(day.day + timedelta(days=1)) == 3
    assert not ReportingCount.objects.exists()
    # Under another day's salt the same address is another digest.
    make_report(address="198.51.100.7")
    assert ReportingCount.objects.get().address_digest not in digests


def test_the_first_report_of_a_day_deletes_the_day_before():
    make_cast()
    make_report()
    yesterday = timezone.now().date() - timedelta(days=1)
    ReportingDay.objects.all().delete()
    ReportingDay.objects.create(day=yesterday, salt=b"x" * 32)
    make_report()
    assert not ReportingDay.objects.filter(day=yesterday).exists()


def test_a_flood_of_files_fills_no_disk_and_words_still_come_through(monkeypatch):
    make_cast()
    monkeypatch.setattr(files, "MOST_WAITING_BYTES", 60)
    make_report(files=[("a.png", PNG)])
    with pytest.raises(TooMany, match="without files"):
        make_report(files=[("a.png", PNG)])
    make_report()
    assert IncidentFile.objects.count() == 1


# -- Adding


def test_a_reporter_adds_and_the_clerks_are_told():
    cast = make_cast()
    incident, secret = make_report()
    found = reporting.incident_of(secret)
    added = reporting.add_to_report(
        address="198.51.100.9", incident=found, text="It happened again.", files=[("b.png", PNG)]
    )
    leaf = PendingLeaf.objects.get(type="incidents.incident.added")
    assert leaf.pk == added.leaf_id
    assert Opening.objects.get(leaf_id=leaf.pk).value["text"] == "It happened again."
    assert incident.files.count() == 1
    assert Notice.objects.filter(person=cast.clerk, about=incident.ref).count() == 2
    # That something was added is public; what, is not.
    assert [event.text for event in incident.events.all()] == ["", ""]


def test_one_incident_takes_so_many_files(monkeypatch):
    make_cast()
    monkeypatch.setattr(files, "MOST_FILES", 1)
    _, secret = make_report(files=[("a.png", PNG)])
    found = reporting.incident_of(secret)
    with pytest.raises(Invalid, match="at most 1 files"):
        reporting.add_to_report(
            address="198.51.100.9", incident=found, text="More.", files=[("b.png", PNG)]
        )


def test_every_category_is_taken():
    make_cast()
    for category in Category:
        assert make_report(category=category)[0].category == category
