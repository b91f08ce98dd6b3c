"""Audit reports: one content as a page, as PDF and as JSON."""

import hashlib
import html
import io
import json
import re
import shutil
import subprocess
import sys
from datetime import timedelta

import pypdf
import pytest
from django.conf import settings
from django.core.cache import caches
from django.db.models import F
from django.utils import timezone

from evals.models import Run
from oversight.dashboards import pressing
from oversight.dashboards.reports import of_deployment, prose
from oversight.dashboards.reports.typesetting import PRESS
from oversight.ledger.sequencer import sequence_once
from oversight.registry.models import Authorisation
from oversight.web.languages import in_language, with_language
from proposals.services import annulment
from tests import factories

FORMS = ("report/", "report.json", "report.pdf")


@pytest.fixture(autouse=True)
def nothing_kept():
    """Set each PDF anew: one kept by its digest would hide a typesetter that fails."""
    caches["reports"].clear()


def texts(value):
    """Give every text that a report's JSON says, without addresses and names for programs."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name not in {"href", "kind", "tone", "name", "comparison", "line", "threshold",
                            "base", "format", "address", "language", "about", "as_of"}:  # fmt: skip
                yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield from filter(None, value.split("\n"))


def squeezed(text):
    """Return a text without spaces, which a line may break at, and without Markdown's marks."""
    return re.sub(r"[\s\u200b\u2022*`#>\-]+", "", text)


def pdf_text(content):
    reader = pypdf.PdfReader(io.BytesIO(content))
    return squeezed("".join(page.extract_text() for page in reader.pages))


def pieces_of(page):
    """Return each piece of text on a page, none longer than a line."""
    found = []
    page.extract_text(visitor_text=lambda text, *_: found.append(text.strip()))
    return found


def page_text(answer):
    body = answer.content.decode()
    main = body[body.index("<main") : body.index("</main>")]
    return squeezed(html.unescape(re.sub(r"<[^>]*>", " ", main)))


def forms_of(client, at, language):
    """Ask for a report as page, JSON and PDF in a language."""
    page, *files = FORMS
    return (
        client.get(in_language(f"{at}{page}", language)),
        *(client.get(with_language(f"{at}{file}", language)) for file in files),
    )


def addresses_of(world):
    return world.decision.get_absolute_url(), world.deployment.get_absolute_url()


@pytest.mark.parametrize("which", [0, 1], ids=["decision", "deployment"])
@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_the_page_and_the_pdf_say_all_that_the_json_says(client, world, which, language):
    at = addresses_of(world)[which]
    page, data, pdf = forms_of(client, at, language)
    assert (page.status_code, data.status_code, pdf.status_code) == (200, 200, 200)
    said = [squeezed(text) for text in texts(data.json())]
    assert len(said) > 80
    on_page, printed = page_text(page), pdf_text(pdf.content)
    # Drawings repeat figures of the table beside them, for programs.
    drawn = {squeezed(v) for v in re.findall(r'"(-?\d+\.\d{6})"', data.content.decode())}
    assert [text for text in said if text not in on_page and text not in drawn] == []
    assert [text for text in said if text not in printed and text not in drawn] == []


MARKS = {"en": "answers recalled", "fr": "réponses reprises", "de": "Antworten übernommen"}


@pytest.mark.parametrize("which", [0, 1], ids=["decision", "deployment"])
@pytest.mark.parametrize("language", MARKS)
def test_a_result_that_measured_nothing_anew_is_marked_in_every_form(
    client, world, which, language
):
    at, mark = addresses_of(world)[which], squeezed(MARKS[language])
    for form, said in zip(FORMS, forms_of(client, at, language), strict=True):
        assert mark not in text_of(said, form)
    Run.objects.update(recalled=F("answers"))
    forms = forms_of(client, at, language)
    # Beside the criterion, beside what was measured without one, and beside the run.
    found = {form: text_of(said, form).count(mark) for form, said in zip(FORMS, forms, strict=True)}
    assert set(found.values()) == {4 if mark[0].isupper() else 3}  # in German the meaning, too
    said = [squeezed(text) for text in texts(forms[1].json())]
    [meaning] = [text for text in said if text.startswith(mark.capitalize() + ":")]
    for form, answer in zip(FORMS, forms, strict=True):
        assert meaning in text_of(answer, form)


def text_of(answer, form):
    if form.endswith(".pdf"):
        return pdf_text(answer.content)
    if form.endswith(".json"):
        return squeezed(" ".join(texts(answer.json())))
    return page_text(answer)


def labels_of(value):
    """Give what a report itself says: heads, questions, captions, names of facts and columns."""
    if isinstance(value, list):
        for each in value:
            yield from labels_of(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name in {"question", "label", "caption", "how_to_read"} and "verdict" not in value:
                yield each
            elif name == "columns":
                yield from (column["name"] for column in each)
            elif name == "sections":
                yield from (section["title"] for section in each)
                yield from labels_of(each)
            else:
                yield from labels_of(each)


@pytest.mark.parametrize("which", [0, 1], ids=["decision", "deployment"])
def test_every_word_of_a_report_itself_is_in_its_language(client, world, which):
    said = client.get(f"{addresses_of(world)[which]}report.json?language=ar-xb").json()
    assert said["language"] == "ar-xb"
    words = [words for words in labels_of(said) if words not in {"", "SHA-256"}]
    assert len(words) > 40
    assert [each for each in words if "[" not in each] == []
    # The first answer is the title and the summary that a person wrote, or the purpose.
    assert [each["answer"] for each in said["summary"][1:] if "[" not in each["answer"]] == []


@pytest.mark.parametrize("language", ["fr", "de"])
def test_a_report_has_a_digest_of_its_own_in_each_language(client, world, language):
    at = world.decision.get_absolute_url()
    page, data, pdf = forms_of(client, at, language)
    assert data["Content-Language"] == pdf["Content-Language"] == language
    digest = hashlib.sha256(data.content).hexdigest()
    assert digest in page_text(page)
    assert digest not in page_text(client.get(f"{at}report/"))
    reader = pypdf.PdfReader(io.BytesIO(pdf.content))
    assert reader.trailer["/Root"]["/Lang"] == language
    assert f"sha256:{digest}" in pdf_text(pdf.content)
    assert f'href="{at}report.pdf?language={language}"' in page.content.decode()
    decided = client.get(in_language(at, language)).content.decode()
    assert f'href="{at}report.pdf?language={language}"' in decided


@pytest.mark.parametrize("form", FORMS[1:])
def test_a_language_that_the_site_does_not_have_is_refused_by_name(client, world, form):
    answer = client.get(f"{world.decision.get_absolute_url()}{form}?language=xx")
    assert answer.status_code == 400
    assert "en, fr, de" in answer.content.decode()
    ref = world.decision.ref
    problem = client.get(f"/api/v1/decisions/{ref}/report/?language=%F0%9F%92%A9").json()
    assert problem["status"] == 400
    assert list(problem["errors"]) == ["language"]


def test_a_report_says_who_decided_what_on_which_evidence(client, world):
    said = client.get(f"{world.decision.get_absolute_url()}report.json").json()
    answers = {each["question"]: each["answer"] for each in said["summary"]}
    assert "3 for, 0 against" in answers["What was decided?"]
    assert "one was met" in answers["What did the evaluations show?"]
    assert f"to serve {world.deployment}" in answers["What does that do?"]
    assert [section["name"] for section in said["sections"]] == [
        *("decision", "text", "evidence", "vote", "course", "verify"),
    ]


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="needs poppler's pdftotext")
@pytest.mark.parametrize("how", [[], ["-layout"], ["-raw"]])
def test_the_receipt_copied_from_the_pdf_holds(client, world, tmp_path, how):
    file = tmp_path / "report.pdf"
    file.write_bytes(client.get(f"{world.decision.get_absolute_url()}report.pdf").content)
    command = ["pdftotext", *how, str(file), "-"]
    printed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    copied = printed[printed.index("c2sp.org/tlog-proof") :]
    page = client.post("/record/check/", {"receipt": copied}).content.decode()
    assert "This receipt holds." in page


def test_the_pdf_is_for_archives_and_for_screen_readers(client, world):
    answer = client.get(f"{world.decision.get_absolute_url()}report.pdf")
    assert answer["Content-Type"] == "application/pdf"
    reader = pypdf.PdfReader(io.BytesIO(answer.content))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712 - pypdf's own kind of boolean
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en"
    described = root["/Metadata"].get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in described
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in described
    assert "<pdfuaid:part>1</pdfuaid:part>" in described
    assert reader.metadata.title == world.decision.proposal.text.title
    assert next(each.title for each in reader.outline if not isinstance(each, list)) == (
        "In plain words"
    )


def test_the_same_record_gives_the_same_bytes(client, world):
    at = world.decision.get_absolute_url()
    first = {form: client.get(f"{at}{form}").content for form in FORMS[1:]}
    caches["reports"].clear()
    factories.make_open_vote(world.cast, title="Something else goes on")
    sequence_once()
    assert {form: client.get(f"{at}{form}").content for form in FORMS[1:]} == first


def test_the_digest_on_page_and_paper_is_that_of_the_json(client, world):
    at = world.decision.get_absolute_url()
    digest = hashlib.sha256(client.get(f"{at}report.json").content).hexdigest()
    assert digest in page_text(client.get(f"{at}report/"))
    assert f"sha256:{digest}" in pdf_text(client.get(f"{at}report.pdf").content)


@pytest.mark.parametrize("form", FORMS[1:])
def test_who_has_a_report_already_is_not_sent_it_again(client, world, form):
    address = f"{world.decision.get_absolute_url()}{form}"
    tag = client.get(address)["ETag"]
    again = client.get(address, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_an_annulment_is_said_first(client, world):
    before = client.get(f"{world.decision.get_absolute_url()}report.json").json()
    annulment.record_ruling(
        by=world.cast.clerk,
        decision=world.decision,
        authority="Court of the Canton",
        reason="The notice was too short.",
    )
    sequence_once()
    after = client.get(f"{world.decision.get_absolute_url()}report.json").json()
    assert before["state"]["tone"] == "good"
    assert (after["state"]["tone"], "annulled" in after["state"]["text"]) == ("bad", True)
    assert "The notice was too short." in json.dumps(after["summary"])
    assert after["as_of"] >= before["as_of"]
    assert "Theannulment" in pdf_text(
        client.get(f"{world.decision.get_absolute_url()}report.pdf").content
    )


def test_a_vote_that_ended_early_says_so_and_why(client, world):
    at = world.decision.get_absolute_url()
    words = "early because every member had voted"
    assert words in client.get(f"{at}report.json").content.decode()
    assert "ended early, because every member had voted" in client.get(at).content.decode()
    contract = world.decision.proposal.contract
    contract.closes_at = world.decision.decided_at
    contract.opens_at = world.decision.decided_at - timedelta(hours=1)
    contract.save()
    assert words not in client.get(f"{at}report.json").content.decode()
    assert "ended early" not in client.get(at).content.decode()


def test_an_election_is_reported_with_all_its_stages(client, world):
    decision = factories.make_election_decision(world.cast)
    sequence_once()
    said = client.get(f"{decision.get_absolute_url()}report.json").json()
    vote = next(part for part in said["sections"] if part["name"] == "vote")
    captions = [block.get("caption") for block in vote["blocks"]]
    assert "Votes at the end of each stage" in captions
    assert client.get(f"{decision.get_absolute_url()}report.pdf").status_code == 200


def test_a_deployment_without_a_decision_has_a_report(client, world):
    other = factories.make_deployment(world.cast.operator, world.cast.organisation, slug="other")
    sequence_once()
    said = client.get(f"{other.get_absolute_url()}report.json").json()
    assert said["title"].startswith("No model may serve")
    assert client.get(f"{other.get_absolute_url()}report.pdf").status_code == 200


def test_an_authorisation_ends_in_the_report_by_the_clock_alone(world):
    row = Authorisation.objects.get(decision_ref=world.decision.ref)
    before = of_deployment.report_of(world.deployment, timezone.now())
    after = of_deployment.report_of(world.deployment, row.ends_at + timedelta(seconds=1))
    assert (before.state.text, after.state.text) == ("In service", "Not allowed now")
    assert after.title.startswith("No model may serve")
    assert before.digest != after.digest


HOSTILE = (
    '#read("/etc/passwd") $x^2$ *bold* _under_ \\ @ref <label> `raw`',
    "\u202ereversed\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "\u65e5\u672c\u8a9e \U0001f600 \ue000 \u0007 \x7f \u200b\ufeff",
    "Donaudampfschifffahrtsgesellschaft" * 4,
)


@pytest.mark.parametrize("words", HOSTILE, ids=["code", "directions", "letters", "length"])
def test_what_people_write_is_set_as_text_whatever_it_is(client, world, words):
    decision = factories.make_decision(
        world.cast,
        title=words.replace("\u0007", "").replace("\x7f", "")[:160],
        text=f"# {words}\n\n{words}\n\n- {words}\n\n> {words}\n\n```\n{words}\n```\n",
    )
    sequence_once()
    answer = client.get(f"{decision.get_absolute_url()}report.pdf")
    assert answer.status_code == 200, answer.content[:400]
    printed = pdf_text(answer.content)
    assert "root:x:0" not in printed
    if words is HOSTILE[0]:
        assert '#read("/etc/passwd")'.replace("#", "") in printed
    if words is HOSTILE[2]:
        assert "\N{WHITE SQUARE}" in printed
        assert "Lettersthatthefontsofthisserverlack" in printed


def test_long_names_leave_a_tables_first_column_its_room(client, world):
    name = "Donaudampfschifffahrtsgesellschaft" * 3
    world.suite.suite.title = name
    world.suite.suite.save()
    world.cast.organisation.name = name
    world.cast.organisation.save()
    decision = world.decide()
    sequence_once()
    answer = client.get(f"{decision.get_absolute_url()}report.pdf")
    pages = pypdf.PdfReader(io.BytesIO(answer.content)).pages
    pieces = [piece for page in pages for piece in pieces_of(page)]
    assert "public" not in pieces, "a word of “Facts on public services” alone on its line"


def test_markdown_is_set_piece_by_piece_and_never_read_as_code():
    source = (
        "## Head\n\nA *b* **c** ~~d~~ `e` [f](https://g.example) [h](javascript:alert(1))  \ni\n\n"
        "3. one\n4. two\n\n> said\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n---\n\n    code\n"
    )
    tree = prose.blocks_of(source)
    assert [block[0] for block in tree] == [
        *("heading", "paragraph", "list", "quote", "table", "rule", "code"),
    ]
    pieces = tree[1][1]
    assert ["link", "https://g.example", [["text", "f"]]] in pieces
    assert not any(piece[0] == "link" and "javascript" in piece[1] for piece in pieces)
    assert ["break"] in pieces
    assert tree[2][1] == 3


def test_a_typesetter_that_fails_is_said_so_and_the_page_stays(client, world, monkeypatch):
    monkeypatch.setattr(PRESS, "seconds", 0.001)
    answer = client.get(f"{world.decision.get_absolute_url()}report.pdf")
    assert (answer.status_code, answer["Retry-After"]) == (503, "300")
    assert b"Its page has all of it" in answer.content
    assert client.get(f"{world.decision.get_absolute_url()}report/").status_code == 200


def test_who_comes_while_others_are_set_is_asked_to_come_back(client, world, monkeypatch):
    monkeypatch.setattr(PRESS, "seconds", 0.03)
    with PRESS.one_at_a_time:
        answer = client.get(f"{world.decision.get_absolute_url()}report.pdf")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_the_typesetter_gets_no_secret_and_knows_nothing_of_the_database(monkeypatch):
    asked = {}

    def run(arguments, **options):
        asked.update(options, arguments=arguments)
        return subprocess.CompletedProcess(arguments, 0, b"%PDF", b"")

    with monkeypatch.context() as patched:
        patched.setattr(pressing.subprocess, "run", run)
        PRESS.run(b"{}")
    assert set(asked["env"]) == {"PATH", "LANG"}
    loaded = "[n for n in sys.modules if n.partition('.')[0] in ('django', 'psycopg')]"
    program = f"import oversight.dashboards.reports.press, sys; print({loaded})"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        text=True,
        cwd=settings.BASE_DIR,
    )
    assert done.stdout.strip() == "[]"


def test_a_secret_vote_is_reported_without_how_anyone_voted(client, world):
    charter = factories.quick_charter(secrecy="secret", delegation="none")
    cast = factories.make_cast(charter=charter)
    decision = factories.make_decision(cast)
    sequence_once()
    said = client.get(f"{decision.get_absolute_url()}report.json").json()
    vote = next(part for part in said["sections"] if part["name"] == "vote")
    table = next(b for b in vote["blocks"] if "without names" in b.get("caption", ""))
    assert len(table["rows"]) == 3
    names = [person.display_name for person in cast.members[1:]]
    assert not any(name in json.dumps(vote) for name in names)
