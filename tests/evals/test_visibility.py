"""Items of a task that is not public reach those who may read them, and nobody else."""

import io
import json
import zipfile

import pytest
from django.urls import reverse

from evals.services.suites import publish_suite
from tests.factories import (
    ROWS,
    finish_run,
    make_cast,
    make_model_version,
    make_run,
    make_worker,
    suite_document,
)

pytestmark = pytest.mark.django_db

ROLES = ("anonymous", "outsider", "member", "clerk", "evaluator", "auditor", "administrator")
READERS = {
    "public": set(ROLES),
    "restricted": {"auditor", "administrator"},
    "sealed": set(),
}


@pytest.fixture(params=READERS)
def visibility(request):
    return request.param


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def run(cast, visibility):
    """Return a finished run whose second task is not for everybody, with data of its own."""
    hidden = ROWS.replace(b"even", b"odd or hidden")
    document = suite_document("held-back")
    document["tasks"][1] = suite_document("held-back", data=hidden)["tasks"][1]
    document["tasks"][1]["visibility"] = visibility
    document["tasks"][1]["data"]["name"] = "hidden.jsonl"
    files = {"facts.jsonl": ROWS, "hidden.jsonl": hidden}
    version, _ = publish_suite(by=cast.evaluator, document=document, files=files)
    queued = make_run(cast.evaluator, version, make_model_version(cast.evaluator))
    return finish_run(queued, make_worker(cast.administrator, cast.organisation))


@pytest.fixture
def answers(client, cast):
    """Return what each role is answered at an address."""

    def ask(path):
        found = {}
        for role in ROLES:
            client.logout()
            if person := cast.named(role):
                client.force_login(person)
            answer = client.get(path)
            assert answer.status_code == 200, role
            content = b"".join(answer) if answer.streaming else answer.content
            found[role] = content
        return found

    return ask


def test_the_samples_page_shows_items_to_readers_only(run, answers, visibility):
    path = reverse("run-samples", args=[run.ref, "refusals"])
    seen = {role for role, page in answers(path).items() if b'id="item-0"' in page}
    assert seen == READERS[visibility]


def test_the_lines_of_samples_hold_items_for_readers_only(run, answers, visibility):
    for role, content in answers(reverse("api-run-samples", args=[run.ref])).items():
        tasks = {json.loads(line)["task"] for line in content.splitlines()}
        expected = {"facts", "refusals"} if role in READERS[visibility] else {"facts"}
        assert tasks == expected, role


def test_the_task_folder_holds_data_for_readers_only(run, answers, visibility):
    for role, content in answers(reverse("api-suite-folder", args=["held-back"])).items():
        archive = zipfile.ZipFile(io.BytesIO(content))
        reads = role in READERS[visibility]
        assert ("data/hidden.jsonl" in archive.namelist()) is reads, role
        assert (b"odd or hidden" in b"".join(map(archive.read, archive.namelist()))) is reads, role
        assert "data/facts.jsonl" in archive.namelist()
        told = archive.read("README.md").decode()
        assert ("refusals are not public" in told) is not reads
        assert ("held_back_refusals" in told.split("## Run it")[1]) is reads, role


def test_the_suite_page_gives_commands_for_what_the_folder_holds(run, answers, visibility):
    for role, page in answers(reverse("suite", args=["held-back"])).items():
        commands = page.decode().split("MODEL=")[1].split("</code>")[0]
        assert ("refusals" in commands) is (role in READERS[visibility]), role
