"""Files beside a text: taken, refused, downloaded and never run, and frozen with the vote."""

import hashlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.file_types import MAX_BYTES, FileError, safe_name, type_of
from proposals.models import Attachment
from proposals.services import attachments, stages
from tests.factories import make_cast, make_deliberated_proposal, make_proposal, open_vote

PDF = b"%PDF-1.7 a letter"
DIGEST = f"sha256:{hashlib.sha256(PDF).hexdigest()}"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("letter.pdf", "letter.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\files\\letter.pdf", "letter.pdf"),
        ('a"; filename="b.html.txt', "a; filename=b.html.txt"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie: x.txt"),
        ("exe\u202efdp.pdf", "exefdp.pdf"),
        ("<script>alert(1)<.txt", "<script>alert(1)<.txt"),
        ("cafe\u0301.txt", "caf\u00e9.txt"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_a_name_keeps_nothing_that_misleads_or_breaks_a_header(name, kept):
    assert safe_name(name) == kept


@pytest.mark.parametrize("name", ["", "/", "...", "\u202e", "a/", ".\x00"])
def test_a_name_of_which_nothing_is_left_is_refused(name):
    with pytest.raises(FileError):
        safe_name(name)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.pdf", b"", "empty"),
        ("a.html", b"<script>", "Files end in"),
        ("a.svg", b"<svg onload=alert(1)>", "Files end in"),
        ("a", b"text", "Files end in"),
        ("a.pdf", b"<html>", "something else"),
        ("a.png", PDF, "something else"),
        ("a.txt", b"a\x00b", "something else"),
        ("a.csv", b"\xff\xfe", "something else"),
        ("a.txt", b"x" * (MAX_BYTES + 1), "at most 10 MB"),
    ],
)
def test_what_is_not_what_it_says_or_could_run_is_not_taken(name, data, words):
    with pytest.raises(FileError, match=words):
        type_of(name, data)


@pytest.mark.parametrize(("name", "data"), [("minutes.docx", b"text"), ("minutes.doc", b"text")])
def test_a_file_that_is_refused_is_told_what_is_taken(name, data):
    with pytest.raises(FileError, match=r"Files end in \.pdf, .*\.docx, .*\.json"):
        type_of(name, data)


@pytest.fixture
def cast(db):
    return make_cast()


@pytest.fixture
def proposal(cast):
    return make_deliberated_proposal(cast)


def attach(cast, proposal, name="letter.pdf", data=PDF):
    return attachments.add_attachment(by=cast.member, proposal=proposal, name=name, data=data)


def leaves(kind):
    return [leaf.content for leaf in PendingLeaf.objects.filter(type=f"proposals.{kind}")]


def test_a_file_goes_on_the_record_by_its_digest_and_once(client, cast, proposal):
    file = attach(cast, proposal)
    assert attach(cast, proposal, "other name.pdf") == file
    (leaf,) = leaves("attachment.added")
    assert leaf["digests"] == {"file": DIGEST}
    assert "letter" not in str(leaf)
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "letter.pdf" in page
    assert DIGEST in page


def test_a_file_is_downloaded_and_never_shown(client, cast, proposal):
    file = attach(cast, proposal, "häßlich.txt", b"<script>alert(1)</script>")
    for name in ("proposal-attachment", "api-attachment"):
        answer = client.get(reverse(name, args=[proposal.ref, file.pk]))
        assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''h%C3%A4")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_draft_and_its_files_are_seen_by_its_body_only(client, cast):
    draft = make_proposal(cast)
    path = attach(cast, draft).get_absolute_url()
    assert client.get(path).status_code == 404
    client.force_login(cast.outsider)
    assert client.get(path).status_code == 404
    client.force_login(cast.second_member)
    assert client.get(path).status_code == 200


def test_only_the_proposer_attaches_and_takes_off(client, cast, proposal):
    file = attach(cast, proposal)
    path = reverse("proposal-attach", args=[proposal.ref])
    for person in (cast.second_member, cast.clerk, cast.outsider):
        with pytest.raises(NotAllowed):
            attachments.add_attachment(by=person, proposal=proposal, name="a.pdf", data=PDF)
        with pytest.raises(NotAllowed):
            attachments.remove_attachment(by=person, attachment=file)
        client.force_login(person)
        assert client.get(path).status_code == 403
    client.force_login(cast.member)
    sent = {"file": SimpleUploadedFile("b.txt", b"more")}
    assert client.post(path, sent).status_code == 302
    assert Attachment.objects.filter(name="b.txt").exists()
    bad = client.post(path, {"file": SimpleUploadedFile("b.html", b"<b>")})
    assert bad.status_code == 422
    assert "Files end in" in bad.content.decode()


def test_a_file_taken_off_is_gone_from_the_page_and_stays_on_the_record(client, cast, proposal):
    file = attach(cast, proposal)
    client.force_login(cast.member)
    path = reverse("proposal-detach", args=[proposal.ref, file.pk])
    assert client.post(path).status_code == 302
    assert client.post(path).status_code == 409
    assert client.get(file.get_absolute_url()).status_code == 404
    assert leaves("attachment.removed")[0]["digests"] == {"file": DIGEST}
    assert attach(cast, proposal) != file


def test_files_have_bounds_in_number_and_size(cast, proposal, monkeypatch):
    monkeypatch.setattr(attachments, "MOST_FILES", 1)
    attach(cast, proposal)
    with pytest.raises(Conflict, match="at most 1 files"):
        attach(cast, proposal, "b.txt", b"x")
    monkeypatch.setattr(attachments, "MOST_FILES", 9)
    monkeypatch.setattr(attachments, "MOST_BYTES", len(PDF))
    with pytest.raises(Conflict):
        attach(cast, proposal, "b.txt", b"x")


def test_with_the_final_text_its_files_are_fixed_and_the_contract_has_their_digests(cast, proposal):
    file = attach(cast, proposal)
    stages.fix_text(by=cast.clerk, proposal=proposal)
    with pytest.raises(Conflict):
        attach(cast, proposal, "b.txt", b"x")
    with pytest.raises(Conflict):
        attachments.remove_attachment(by=cast.member, attachment=file)
    contract = open_vote(cast, proposal).contract.content
    assert contract["attachments"] == [{"digest": DIGEST, "size": len(PDF)}]


def test_a_name_that_cannot_be_kept_is_refused(cast, proposal):
    with pytest.raises(Invalid) as refusal:
        attach(cast, proposal, "/")
    assert "file" in refusal.value.fields
