"""Suites travel between installations as the zip that anyone downloads."""

import io
import json
import zipfile

import pytest

from evals.suites import unpacking
from evals.suites.checking import SuiteError
from evals.suites.document import digest
from evals.suites.library import load_library
from evals.suites.taskfolder import folder_zip, write_folder
from evals.suites.unpacking import read_suite_folder, read_suite_zip

SUITE = load_library("public-service")
ZIP = folder_zip(SUITE.document, SUITE.files)


def changed(change, *, folder=""):
    """Return the zip with members changed; None leaves one out."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(ZIP)) as old, zipfile.ZipFile(file, "w") as new:
        members = {name: old.read(name) for name in old.namelist()} | change
        for name, content in members.items():
            if content is not None:
                new.writestr(folder + name, content)
    return file.getvalue()


def refusal(content):
    with pytest.raises(SuiteError) as caught:
        read_suite_zip(content)
    return str(caught.value)


@pytest.mark.parametrize("folder", ["", "public-service/"])
def test_a_download_gives_the_same_suite_back(folder):
    found = read_suite_zip(changed({}, folder=folder))
    assert digest(found.document) == digest(SUITE.document)
    assert found.files == SUITE.files


def test_an_unpacked_folder_gives_the_same_suite_back(tmp_path):
    write_folder(SUITE.document, SUITE.files, tmp_path)
    assert digest(read_suite_folder(tmp_path).document) == digest(SUITE.document)
    (tmp_path / "data" / "facts.jsonl").unlink()
    with pytest.raises(SuiteError, match=r"facts\.jsonl"):
        read_suite_folder(tmp_path)


def test_the_yaml_beside_the_document_is_never_read():
    hostile = b"task: !!python/object/apply:os.system ['touch /tmp/owned']"
    found = read_suite_zip(changed({"public_service_facts.yaml": hostile}))
    assert digest(found.document) == digest(SUITE.document)


def test_what_is_missing_or_altered_is_named():
    facts = SUITE.files["facts.jsonl"]
    assert "facts.jsonl" in refusal(changed({"data/facts.jsonl": None}))
    assert "SHA-256" in refusal(changed({"data/facts.jsonl": facts.replace(b"a", b"e", 1)}))
    assert "0 files named suite.json" in refusal(changed({"suite.json": None}))
    assert "2 files named suite.json" in refusal(changed({"other/suite.json": b"{}"}))
    assert "not JSON" in refusal(changed({"suite.json": b"{" * 30_000}))
    assert "cannot be read" in refusal(b"PK nothing")


def test_hooks_in_the_document_are_refused_by_name():
    document = json.loads(json.dumps(SUITE.document))
    document["tasks"][0]["config"]["doc_to_text"] = "!function utils.steal"
    document["tasks"][1]["config"]["process_docs"] = "utils.steal"
    words = refusal(changed({"suite.json": json.dumps(document).encode()}))
    assert "!function runs code" in words
    assert "process_docs" in words


def test_a_zip_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(unpacking, "FILE_LIMIT_BYTES", 1_000)
    assert "too large" in refusal(ZIP)
    monkeypatch.setattr(unpacking, "ENTRIES_LIMIT", 2)
    assert "Keep it to 2" in refusal(ZIP)
