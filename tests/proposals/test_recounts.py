"""Anybody's file of ballots, counted in public: what comes out, what is refused, what is kept."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from oversight.web.refusals import Invalid
from proposals import recounts
from proposals.count_refusals import in_words
from proposals.recounts import NAMES
from proposals.tally import blt
from proposals.tally.command import main
from proposals.tally.methods import METHODS
from tests.api.conftest import assert_is_problem, send
from tests.proposals.tally.test_blt import BAD_FILES

pytestmark = pytest.mark.django_db

BALLOTS = """5 2
-5
9 1 3 0
4 2 1 0
4 3=4 2 0  # a shared rank
3 4 3 0
2 0
0
"Ada"
"Bo"
"Cy"
"Di <script>alert(1)</script>"
"Eve"
"The committee"
"""


def upload(text, name="ward.blt"):
    return SimpleUploadedFile(name, text if isinstance(text, bytes) else text.encode())


def page(client, **data):
    return client.post("/count/", {"method": "scottish-stv", "text": "", **data})


def test_it_counts_by_every_method_that_the_command_counts_a_file_by():
    assert list(NAMES) == list(METHODS)


@pytest.mark.parametrize("method", NAMES)
def test_page_json_and_api_give_the_sheet_that_the_command_prints(
    client, tmp_path, capsysbinary, method
):
    file = tmp_path / "ward.blt"
    file.write_text(BALLOTS)
    assert main([method, str(file)]) == 0
    sheet = json.loads(capsysbinary.readouterr().out)
    shown = page(client, method=method, file=upload(BALLOTS))
    assert (shown.status_code, shown.context["found"].sheet) == (200, sheet)
    assert "5 candidates, 1 of them withdrawn" in shown.content.decode()
    saved = page(client, method=method, text=BALLOTS, **{"as": "json"})
    assert saved["Content-Disposition"] == 'attachment; filename="sheet.json"'
    assert saved.json() == sheet
    answer = send(client, "POST", "/api/v1/count/", {"method": method, "blt": BALLOTS})
    assert (answer.status_code, answer.json()) == (200, sheet)


def test_names_from_a_file_are_shown_and_never_run(client):
    body = page(client, file=upload(BALLOTS)).content.decode()
    assert "Di &lt;script&gt;alert(1)&lt;/script&gt;" in body
    assert "<script>alert" not in body


def test_nothing_is_kept_because_nothing_is_written(client):
    with CaptureQueriesContext(connection) as asked:
        assert page(client, file=upload(BALLOTS)).status_code == 200
        send(client, "POST", "/api/v1/count/", {"method": "irv", "blt": BALLOTS})
    assert [each["sql"] for each in asked if not each["sql"].startswith("SELECT")] == []


def test_seats_and_the_seed_of_a_lot_can_be_given(client):
    tied = "2 2\n1 1 0\n1 2 0\n0\nAda\nBo\n"
    found = page(client, text=tied, seats=1, lot_seed="revealed").context["found"].sheet
    assert (found["seats"], found["lot_seed"], len(found["elected"])) == (1, "revealed", 1)
    assert (
        "seed: revealed" in page(client, text=tied, seats=1, lot_seed="revealed").content.decode()
    )
    answer = page(client, method="irv", text=tied, seats=2)
    assert answer.status_code == 422
    assert answer.context["form"].errors["seats"] == ["Instant runoff always elects one."]


def test_the_seed_of_a_lot_that_no_tie_asked_for_is_not_shown(client):
    assert "seed:" not in page(client, text=BALLOTS).content.decode()


def test_every_bad_file_is_refused_with_its_line_on_the_page_and_by_the_api(client):
    for text, line, words in BAD_FILES:
        answer = page(client, file=upload(text))
        said = answer.context["form"].errors["file"][0]
        assert answer.status_code == 422, text
        if text:
            assert said.startswith(f"Line {line}: "), said
            assert words in said
        # NUL and nothing at all are refused before anything is read as BLT.
        answer = send(client, "POST", "/api/v1/count/", {"method": "irv", "blt": text})
        assert_is_problem(answer, 422, "blt")
        if text.strip() and "\x00" not in text:
            assert words in answer.json()["errors"]["blt"]


@pytest.mark.parametrize(("text", "line", "words"), BAD_FILES)
def test_what_is_wrong_with_a_file_is_said_in_the_readers_language(text, line, words):
    with pytest.raises(blt.BltError) as english:
        blt.parse(text)
    assert words in english.value.problem
    assert in_words(english.value.problem) == english.value.problem
    with override("ar-xb"):
        assert in_words(english.value.problem).startswith("[")
    with override("de"), pytest.raises(Invalid, match=f"^Zeile {line}: "):
        recounts.recount("irv", text, field="file")


def test_bytes_that_are_no_text_are_refused_with_their_line(client):
    answer = page(client, file=upload(b"1 1\n0\nB\xe4cker"))
    assert answer.status_code == 422
    said = answer.context["form"].errors["file"]
    assert said == [
        "Line 3: the text is not UTF-8; save the ballots as a plain text file (BLT) in UTF-8."
    ]


def test_what_is_too_much_is_refused(client, monkeypatch):
    many = "101 1\n0\n" + "\n".join(f"C{n}" for n in range(101))
    answer = page(client, file=upload(many))
    assert answer.context["form"].errors["file"] == [
        "101 candidates; at most 100 are counted here."
    ]
    monkeypatch.setattr(recounts, "MAX_BYTES", 10)
    answer = page(client, text=BALLOTS)
    assert answer.status_code == 422
    assert "bytes; at most 10 are counted" in answer.context["form"].errors["text"][0]


def test_a_file_far_too_large_is_refused_before_it_is_read(client):
    answer = page(client, file=upload(b"1 1\n" * 1_000_000))
    assert answer.status_code == 413
    assert "at most 3 MB" in answer.content.decode()


def test_a_file_somewhat_too_large_says_how_large_it_may_be(client):
    answer = page(client, file=upload(b"1 1\n" * 600_000))
    assert answer.status_code == 422
    assert "at most 2,000,000 are counted" in answer.context["form"].errors["file"][0]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "file"),
        ({"text": "  \n"}, "file"),
        ({"text": BALLOTS, "method": "coin"}, "method"),
        ({"text": BALLOTS, "seats": "two"}, "seats"),
        ({"text": BALLOTS, "seats": "0"}, "seats"),
        ({"text": BALLOTS, "lot_seed": "x" * 1001}, "lot_seed"),
    ],
)
def test_a_form_that_cannot_be_used_names_its_field(client, data, field):
    answer = page(client, **data)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_ballots_in_both_places_are_refused_because_one_of_them_would_be_ignored(client):
    answer = page(client, text=BALLOTS, file=upload(BALLOTS))
    assert answer.context["form"].errors["file"] == [
        "Send the ballots as a file or as text, not both."
    ]
