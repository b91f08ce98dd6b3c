"""Writing suites in the browser: drafts, uploads, wording, preview, publishing."""

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from evals.choices import Leaf
from evals.models import Suite, SuiteDraft, SuiteVersion
from evals.services import drafts as service
from evals.services.suites import publish_suite
from evals.suites.library import load_library
from evals.suites.taskfolder import folder_zip
from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import NotAllowed
from tests.factories import ROWS, make_cast, make_evaluator, make_suite, suite_document

pytestmark = pytest.mark.django_db

CSV = b"question,first,second,answer\nIs 2 even?,no,yes,B\nIs 3 even?,no,yes,A\n"
FIELDS = {
    "title": "Numbers",
    "slug": "numbers",
    "summary": "Small questions.",
    "licence": "CC0-1.0",
    "source": "Written for tests.",
}
SHAPE = {
    "form": "multiple-choice",
    "prompt": "question",
    "choices": ["first", "second"],
    "answer": "answer",
    "marking": "letter",
}
WORDS = {
    "title": "Even numbers",
    "description": "Is it even?",
    "category": "capability",
    "visibility": "public",
    "instruction": "",
    "prompt": "Q: {{question}}\r\nA:",
    "choices": "{{[first, second]}}",
    "target": "right",
    "delimiter": " ",
    "metric": "acc",
    "metric_label": "accuracy",
    "direction": "higher",
    "num_fewshot": "0",
    "seed": "1234",
    "sample": "2",
}


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def draft(client, cast):
    client.force_login(cast.evaluator)
    client.post(reverse("drafts"), {"act": "new", **FIELDS})
    return SuiteDraft.objects.get()


def upload(client, draft, content=CSV, name="numbers.csv", task="numbers"):
    file = SimpleUploadedFile(name, content)
    return client.post(reverse("draft-upload", args=[draft.ref]), {"task": task, "file": file})


@pytest.fixture
def worded(client, draft):
    upload(client, draft)
    client.post(reverse("draft-shape", args=[draft.ref, "numbers"]), SHAPE)
    draft.refresh_from_db()
    return draft


def test_a_suite_is_written_from_a_file_to_the_record(client, cast, draft):
    answer = upload(client, draft)
    assert answer["Location"] == reverse("draft-shape", args=[draft.ref, "numbers"])
    page = client.get(answer["Location"]).content.decode()
    assert "numbers.csv has 2 rows in 4 columns." in page
    assert "Is 3 even?" in page
    answer = client.post(answer["Location"], SHAPE)
    assert answer["Location"] == reverse("draft-task", args=[draft.ref, "numbers"])
    assert client.post(answer["Location"], WORDS).status_code == 302
    answer = client.post(reverse("draft-publish", args=[draft.ref]))
    version = SuiteVersion.objects.get()
    assert answer["Location"] == version.get_absolute_url()
    [task] = version.tasks
    assert task["title"] == "Even numbers"
    assert task["config"]["doc_to_text"] == "Q: {{question}}\nA:"
    assert task["data"]["rows"] == 2
    assert PendingLeaf.objects.get(pk=version.leaf_id).type == Leaf.SUITE_PUBLISHED
    assert not SuiteDraft.objects.exists()


@pytest.mark.parametrize("htmx", [False, True])
def test_the_preview_is_the_exact_prompt_and_keeps_nothing(client, worded, htmx):
    path = reverse("draft-task", args=[worded.ref, "numbers"])
    headers = {"HX-Request": "true"} if htmx else {}
    answer = client.post(path, WORDS | {"preview": "1"}, headers=headers)
    body = answer.content.decode()
    assert answer.status_code == 200
    assert "Row 2 of 2, exactly" in body
    assert ">Q: Is 3 even?\nA:</pre>" in body
    assert '<code class="exact"> no</code>' in body
    assert ("<!doctype html>" in body) is not htmx
    worded.refresh_from_db()
    assert worded.task("numbers")["title"] == "Numbers"


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("{{question.__class__}}", "__class__"),
        ("{{ lipsum.__globals__ }}", "__globals__"),
        ("{% include 'settings' %}", "include"),
        ("!function utils.f", "!function runs code"),
        ("{{nothing}}", "nothing"),
        ("{{question", "does not parse"),
    ],
)
def test_a_template_that_cannot_be_used_is_said_in_the_preview_and_refused(
    client, worded, prompt, words
):
    path = reverse("draft-task", args=[worded.ref, "numbers"])
    shown = client.post(path, WORDS | {"prompt": prompt, "preview": "1"})
    saved = client.post(path, WORDS | {"prompt": prompt})
    body = shown.content.decode() + saved.content.decode()
    assert words in body or saved.status_code == 302
    if saved.status_code == 302:  # a column that is not there shows when its rows are asked
        refused = client.post(reverse("draft-publish", args=[worded.ref]))
        assert refused.status_code == 422
        assert words in refused.content.decode()
    assert not SuiteVersion.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rows.csv", b"\x80\x04pickle", "pickle"),
        ("rows.csv", b"a,b\n=1+1,2\n", "formula"),
        ("rows.yaml", b"a: !function b.c", "!function"),
        ("rows.zip", b"PK\x03\x04", "archive"),
        ("rows.csv", b"a,b\n1\n", "1 fields"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(client, draft, name, content, words):
    answer = upload(client, draft, content, name)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    draft.refresh_from_db()
    assert draft.uploads == {}


def test_an_answer_that_is_no_choice_names_its_row(client, draft):
    upload(client, draft)
    path = reverse("draft-shape", args=[draft.ref, "numbers"])
    answer = client.post(path, SHAPE | {"marking": "index"})
    assert answer.status_code == 422
    assert "numbers.csv row 1" in answer.content.decode()


def test_choices_keep_the_order_of_their_columns(client, draft):
    upload(client, draft, b"question,first,second,third,fourth,answer\nQ?,a,b,c,d,B\n")
    path = reverse("draft-shape", args=[draft.ref, "numbers"])
    offered = [name for name, _ in client.get(path).context["form"].fields["choices"].choices]
    assert offered == ["question", "first", "second", "third", "fourth", "answer"]
    client.post(path, SHAPE | {"choices": ["first", "second", "third", "fourth"]})
    preview = client.get(reverse("draft-task", args=[draft.ref, "numbers"])).context["preview"]
    assert preview["answers"] == [(" a", False), (" b", True), (" c", False), (" d", False)]


def test_a_draft_in_which_nothing_differs_is_not_offered_for_publication(client, cast, worded):
    client.post(reverse("draft-task", args=[worded.ref, "numbers"]), WORDS)
    client.post(reverse("draft-publish", args=[worded.ref]))
    version = SuiteVersion.objects.get()
    client.post(reverse("drafts"), {"act": "version", "base": version.suite.slug})
    again = SuiteDraft.objects.get()
    publish = reverse("draft-publish", args=[again.ref])
    page, last = (client.get(each).content.decode() for each in (again.get_absolute_url(), publish))
    for body in (page, last):
        assert "is what is published already." in body
        assert "ready to publish" not in body
    assert f'href="{publish}"' not in page
    assert "there is nothing to publish" in last
    assert "Publish version 2" not in last
    again.document["title"] = "Numbers, again"
    again.save()
    page, last = (client.get(each).content.decode() for each in (again.get_absolute_url(), publish))
    assert "is ready to publish" in page
    assert "Publish version 2" in last


def test_a_draft_is_its_authors_alone(client, cast, worded):
    paths = [
        worded.get_absolute_url(),
        reverse("draft-task", args=[worded.ref, "numbers"]),
        reverse("draft-shape", args=[worded.ref, "numbers"]),
        reverse("draft-publish", args=[worded.ref]),
    ]
    for person, expected in (
        (make_evaluator(), 404),
        (cast.administrator, 404),
        (cast.member, 403),
        (cast.outsider, 403),
    ):
        client.force_login(person)
        assert {client.get(path).status_code for path in paths} == {expected}
        assert client.post(reverse("draft-discard", args=[worded.ref])).status_code == expected
    client.logout()
    assert {client.get(path).status_code for path in paths} == {302}
    assert SuiteDraft.objects.filter(pk=worded.pk).exists()


def test_the_next_version_shows_what_it_changes(client, cast, worded):
    client.post(reverse("draft-publish", args=[worded.ref]))
    client.post(reverse("drafts"), {"act": "version", "base": "numbers"})
    draft = SuiteDraft.objects.get()
    assert "Nothing differs." in client.get(draft.get_absolute_url()).content.decode()
    upload(client, draft, CSV.replace(b"3", b"5") + b"Is 7 even?,no,yes,A\n")
    client.post(reverse("draft-shape", args=[draft.ref, "numbers"]), SHAPE)
    page = client.get(draft.get_absolute_url()).content.decode()
    assert "1 added, 0 removed, 1 changed, 1 the same" in page
    client.post(reverse("draft-publish", args=[draft.ref]))
    assert Suite.objects.get().current.number == 2


def test_items_that_an_author_may_not_read_stay_closed_in_the_next_version(client, cast):
    document = suite_document("closed")
    for task in document["tasks"]:
        task["visibility"] = "sealed"
    version, _ = publish_suite(by=cast.evaluator, document=document, files={"facts.jsonl": ROWS})
    draft = service.start_draft(by=cast.evaluator, fields={}, base=version)
    client.force_login(cast.evaluator)
    path = reverse("draft-task", args=[draft.ref, "facts"])
    page = client.get(path).content.decode()
    assert "Is 1 even?" not in page
    assert "are sealed" in page
    with pytest.raises(NotAllowed, match="cannot become public"):
        service.change_task(
            by=cast.evaluator,
            draft=draft,
            task="facts",
            changes=lambda task: {**task, "visibility": "public"},
        )
    # Nor under another task's name, by way of the document.
    draft.refresh_from_db()
    assert draft.task("facts")["visibility"] == "sealed"


def test_a_suite_travels_as_a_zip(client, cast):
    suite = load_library("public-service")
    file = io.BytesIO(folder_zip(suite.document, suite.files))
    client.force_login(cast.evaluator)
    answer = client.post(
        reverse("drafts"), {"act": "zip", "zip": SimpleUploadedFile("a.zip", file.read())}
    )
    draft = SuiteDraft.objects.get()
    assert answer["Location"] == draft.get_absolute_url()
    client.post(reverse("draft-publish", args=[draft.ref]))
    assert SuiteVersion.objects.get().document == suite.document


def test_the_library_is_published_from_the_page_once(client, cast):
    client.force_login(cast.evaluator)
    for _ in range(2):
        client.post(reverse("library-install", args=["public-service"]))
    assert SuiteVersion.objects.count() == 1
    assert b"published, version 1" in client.get(reverse("drafts")).content
    assert client.post(reverse("library-install", args=["nothing"])).status_code == 404


def test_a_known_benchmark_without_its_file_says_where_to_put_it(client, cast, settings, tmp_path):
    settings.OVERSIGHT_VAR = tmp_path
    client.force_login(cast.evaluator)
    page = client.get(reverse("drafts")).content.decode()
    assert f"{tmp_path}/suite-sources/mmlu.parquet" in page
    answer = client.post(reverse("library-install", args=["mmlu"]))
    assert answer.status_code == 409
    assert "suite-sources/mmlu.parquet" in answer.content.decode()


SPEC = {
    **FIELDS,
    "tasks": [{"name": "numbers", "file": "n.csv", "columns": {"marking": "letter"}}],
}


def parts(spec=SPEC, **files):
    named = {name: SimpleUploadedFile(f"{name}.csv", data) for name, data in files.items()}
    return {"suite": json.dumps(spec), **named}


def test_programs_publish_from_data_files_and_prompts(client, cast):
    client.force_login(cast.evaluator)
    spec = {**SPEC, "tasks": [{**SPEC["tasks"][0], "columns": {**SHAPE}, "form": SHAPE["form"]}]}
    shown = client.post(reverse("api-suite-preview"), parts(spec, n=CSV)).json()
    assert shown["prompts"]["numbers"]["context"] == "Question: Is 2 even?\nAnswer:"
    assert not SuiteVersion.objects.exists()
    answer = client.post(reverse("api-suite-publish"), parts(spec, n=CSV))
    assert (answer.status_code, answer.json()["number"]) == (201, 1)
    assert client.post(reverse("api-suite-publish"), parts(spec, n=CSV)).status_code == 200
    assert SuiteVersion.objects.get().digest == answer.json()["digest"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("{", "no suite to read"),
        ({**SPEC, "tasks": []}, "list is empty"),
        ({**SPEC, "tasks": [{"name": "a", "file": "b.csv"}]}, "no file b.csv"),
        ({**SPEC, "tasks": [{**SPEC["tasks"][0], "config": {"process_docs": "f"}}]}, "runs code"),
        ({**SPEC, "tasks": [{**SPEC["tasks"][0], "form": "other"}]}, "other"),
        ({**SPEC, "more": 1}, "not known"),
    ],
)
def test_programs_are_told_what_is_wrong(client, cast, spec, words):
    client.force_login(cast.evaluator)
    body = (
        {"suite": spec}
        if isinstance(spec, str)
        else parts(spec, n=CSV.replace(b"first", b"a").replace(b"second", b"b"))
    )
    answer = client.post(reverse("api-suite-publish"), body)
    assert answer.status_code == 422, answer.content
    assert words in answer.content.decode()


@pytest.mark.parametrize(
    ("role", "status"), [("member", 403), ("outsider", 403), ("anonymous", 401)]
)
def test_others_publish_nothing_by_the_api(client, cast, role, status):
    if person := cast.named(role):
        client.force_login(person)
    for name in ("api-suite-publish", "api-suite-preview"):
        assert client.post(reverse(name), parts(n=CSV)).status_code in {status, 403}
    assert not SuiteVersion.objects.exists()


def test_a_person_keeps_a_bounded_number_of_drafts(client, draft, monkeypatch):
    monkeypatch.setattr(service, "DRAFTS_LIMIT", 1)
    answer = client.post(reverse("drafts"), {"act": "new", **FIELDS})
    assert answer.status_code == 409
    assert SuiteDraft.objects.count() == 1


def test_a_published_suite_can_be_begun_from_by_any_evaluator(client, cast):
    version = make_suite(cast.evaluator)
    client.force_login(make_evaluator())
    client.post(reverse("drafts"), {"act": "version", "base": version.suite.slug})
    assert SuiteDraft.objects.get().base == version
