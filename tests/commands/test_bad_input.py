"""What a person at the shell gets wrong: one message that names what and how to mend it.

Exit code 2 for what was typed, 1 for what went wrong on the way; nothing is half done.
"""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import call_command
from django.core.management.base import CommandError

from evals.models import Run, Suite, SuiteVersion, Worker
from oversight.accounts.models import Organisation
from oversight.ledger.models import PendingLeaf
from oversight.registry.models import ModelVersion
from tests import factories

pytestmark = pytest.mark.django_db
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_nudges(monkeypatch):
    monkeypatch.setattr("evals.services.runs.nudge_workers", lambda resource_class: None)


def refused(*words: object) -> str:
    """Run a command that must refuse what was typed, with nothing done; return its message."""
    before = counts()
    with pytest.raises(CommandError) as caught:
        call_command(*map(str, words), stdout=io.StringIO(), stderr=io.StringIO())
    # What argparse refuses carries no exit code in this process; from a shell it is 2.
    assert caught.value.returncode == (1 if str(caught.value).startswith("Error: ") else 2)
    assert counts() == before
    message = str(caught.value)
    assert len(message.splitlines()) <= 3, message
    return message


def done(*words: object) -> str:
    out = io.StringIO()
    call_command(*map(str, words), stdout=out)
    return out.getvalue()


def counts() -> tuple[int, ...]:
    kinds = (Suite, SuiteVersion, ModelVersion, Run, Worker, Organisation, PendingLeaf)
    return tuple(kind.objects.count() for kind in kinds)


# -- import_suite ----------------------------------------------------------------------------

GOOD = '{"question": "Is 2 even?", "choices": ["no", "yes"], "answer": 1}\n'


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a suite file and returns its path."""

    def write(content):
        path = tmp_path / "questions.jsonl"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def import_words(path, form="multiple-choice", slug="questions"):
    return ("import_suite", path, "--format", form, "--slug", slug)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["questions.jsonl", "is empty"]),
        ("not json\n", ["questions.jsonl", "line 1"]),
        (GOOD + '{"question": "x", "answer": 0}\n', ["line 2", "choices"]),
        (GOOD + GOOD.replace("1}", "2}"), ["line 2", "answer"]),
        (GOOD.replace("{", '{"id": "a", ') * 2, ["line 2", "id"]),
        (GOOD.encode() + b'{"question": "\xff"}\n', ["line 2", "UTF-8"]),
        (GOOD + '"a string"\n', ["line 2"]),
        (GOOD + '{"question": "' + "x" * 5_000_000 + '"}\n', ["line 2"]),
    ],
    ids=[
        "empty",
        "no JSON",
        "missing column",
        "answer out of range",
        "id twice",
        "bad UTF-8",
        "a string",
        "huge line",
    ],
)
def test_a_suite_file_that_cannot_be_used_is_refused_with_its_place(file, content, words):
    message = refused(*import_words(file(content)))
    for word in words:
        assert word in message
    assert "xxxxxxxxxx" * 50 not in message


def test_a_suite_file_that_is_not_there_or_no_file_is_named(tmp_path):
    assert "nothing.jsonl" in refused(*import_words(tmp_path / "nothing.jsonl"))
    assert str(tmp_path.name) in refused(*import_words(tmp_path))


@pytest.mark.parametrize("slug", ["With Space", "", "x" * 61, "ü"])
def test_a_suite_name_that_cannot_stand_in_an_address_is_refused(file, slug):
    assert "slug" in refused(*import_words(file(GOOD), slug=slug))


def test_an_unknown_format_is_refused_with_the_known_ones(file):
    assert "multiple-choice" in refused(*import_words(file(GOOD), form="spreadsheet"))


@pytest.mark.parametrize("change", [lambda raw: raw, lambda raw: b"\xef\xbb\xbf" + raw])
def test_the_same_file_again_is_the_same_version_and_says_so(file, change):
    first = done(*import_words(file(GOOD * 2)))
    assert first.startswith("Published ")
    again = done(*import_words(file(change((GOOD * 2).encode()).replace(b"\n", b"\r\n"))))
    assert again.startswith("Already published: ")
    assert first.split()[-1] == again.split()[-1]
    assert SuiteVersion.objects.count() == 1


# -- evaluate and register_model -------------------------------------------------------------


@pytest.fixture
def model(tmp_path):
    """Return a directory that looks like a model."""
    folder = tmp_path / "alpina"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def evaluate_words(folder, suite, *more):
    return ("evaluate", "--model", folder, "--suite", suite, *more)


@pytest.fixture
def suite():
    return factories.make_question_suite(slug="questions").suite.slug


def test_an_unknown_suite_is_refused_with_the_nearest_names(model, suite):
    message = refused(*evaluate_words(model, "qestions"))
    assert "Did you mean questions?" in message
    message = refused(*evaluate_words(model, "zzz"))
    assert "Published: questions." in message
    assert "import_suite" in message


def test_an_unknown_model_is_refused_with_those_that_are_registered(suite):
    assert "Registered: none yet." in refused(*evaluate_words("alpina", suite))
    factories.make_model_version(model_slug="alpina")
    assert "Did you mean alpina?" in refused(*evaluate_words("alpine", suite))
    message = refused(*evaluate_words("zzz", suite))
    assert "Registered: alpina." in message
    assert "register_model" in message


def test_a_folder_that_is_no_model_is_refused(tmp_path, model, suite):
    assert "nothing" in refused(*evaluate_words(tmp_path / "nothing", suite))
    assert "config.json" in refused(*evaluate_words(model / "config.json", suite))
    (model / "model.safetensors").rename(model / "notes.txt")
    assert "no weights" in refused(*evaluate_words(model, suite))
    (model / "config.json").unlink()
    assert "no config.json" in refused(*evaluate_words(model, suite))


def test_weights_that_cannot_be_read_are_named(model, suite):
    (model / "model.safetensors").unlink()
    (model / "model.safetensors").symlink_to(model / "elsewhere")
    assert "model.safetensors" in refused(*evaluate_words(model, suite))


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5"])
def test_a_limit_that_makes_no_sense_is_refused_before_anything_is_done(model, suite, limit):
    assert "no whole number from 1" in refused(*evaluate_words(model, suite, "--limit", limit))
    assert "no whole number from 1" in refused(*evaluate_words(model, suite, "--batch-size", limit))


def test_files_that_changed_since_they_were_registered_are_refused_and_named(model, suite):
    done(*evaluate_words(model, suite))
    (model / "model.safetensors").write_bytes(b"other weights")
    message = refused(*evaluate_words(model, suite))
    assert "model.safetensors differ" in message
    assert "config.json" not in message
    assert "Restore them" in message
    mend = ("register_model", model, "--slug", "alpina", "--label", "2")
    assert "register_model" in message
    done(*mend)
    assert "waiting for a worker" in done(*evaluate_words(model, suite))
    assert ModelVersion.objects.count() == 2


def test_known_files_in_another_folder_are_looked_for_there_from_now_on(model, suite):
    done(*evaluate_words(model, suite))
    moved = model.rename(model.with_name("moved"))
    done(*evaluate_words(moved, suite))
    version = ModelVersion.objects.get()
    assert version.source == {"kind": "directory", "path": str(moved)}


def test_a_local_copy_does_not_replace_where_a_published_model_comes_from(model, suite):
    done(*evaluate_words(model, suite))
    hub = {"kind": "hub", "repository": "example/alpina", "revision": "1"}
    ModelVersion.objects.update(source=hub)
    done(*evaluate_words(model, suite))
    assert ModelVersion.objects.get().source == hub


def test_registering_the_same_files_or_label_twice_says_as_what_they_are_known(model):
    words = ("register_model", model, "--slug", "alpina", "--label", "1")
    assert done(*words).startswith("sha256:")
    assert "registered already, as" in refused(*words)
    (model / "model.safetensors").write_bytes(b"other")
    assert "already has a version 1" in refused(*words)


@pytest.mark.parametrize(("slug", "label"), [("With Space", "1"), ("a" * 61, "1"), ("a", "1" * 61)])
def test_a_model_name_that_cannot_be_used_is_refused(model, slug, label):
    refused("register_model", model, "--slug", slug, "--label", label)


# -- enroll_worker ---------------------------------------------------------------------------


@pytest.fixture
def key(tmp_path):
    public = Ed25519PrivateKey.generate().public_key()
    path = tmp_path / "key.pem"
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def enroll_words(key, *more, name="host", organisation="office"):
    names = ("--name", name, "--organisation", organisation)
    return ("enroll_worker", *names, "--public-key", key, *more)


def test_a_key_that_is_none_is_refused(tmp_path, key):
    assert "nothing.pem" in refused(*enroll_words(tmp_path / "nothing.pem"))
    key.write_text("hello")
    assert "key.pem" in refused(*enroll_words(key))
    rsa = generate_private_key(65537, 2048).public_key()
    key.write_bytes(rsa.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert "no Ed25519 key" in refused(*enroll_words(key))


def test_a_token_file_that_cannot_be_used_is_refused_before_anything_is_done(tmp_path, key):
    token = tmp_path / "token"
    assert "token" in refused(*enroll_words(key, "--token-file", token))
    token.write_text("short")
    assert "32 characters" in refused(*enroll_words(key, "--token-file", token))
    token.write_bytes(b"\xff" * 40)
    assert "token" in refused(*enroll_words(key, "--token-file", token))


def test_names_that_cannot_be_used_are_refused(key):
    assert "address name" in refused(*enroll_words(key, organisation="An Office"))
    assert "80" in refused(*enroll_words(key, name="x" * 81))


def test_a_second_worker_of_the_same_name_is_refused_unless_it_is_the_same(key):
    assert "Its token, shown this once: owk_" in done(*enroll_words(key))
    assert "revoke it first" in refused(*enroll_words(key))
    assert "enrolled already" in done(*enroll_words(key, "--if-missing"))


# -- From a shell: the words on the terminal and the exit code -------------------------------


def shell(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "BROKER_URL"}}
    return subprocess.run(
        [sys.executable, "manage.py", *map(str, words)],
        cwd=PROJECT,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


AWAY = {"DATABASE_URL": "postgresql://nobody:x@127.0.0.1:9/nothing", "BROKER_URL": "amqp://x"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("import_suite", "x.jsonl", "--format", "generate", "--slug", "x"), 2),
        (("evaluate", "--model", "x", "--suite", "x"), 2),
        (("register_model", "x", "--slug", "x", "--label", "1"), 2),
        (("first_administrator",), 2),
        (("log_fsck",), 2),
        (("sequencer", "--patience", "0"), 1),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_database_that_does_not_answer_is_one_message(words, code):
    ran = shell(*words, **AWAY)
    assert ran.returncode == code, ran.stderr
    assert "Traceback" not in ran.stderr
    assert "The database does not answer" in ran.stderr
    assert "DATABASE_URL" in ran.stderr
    assert len(ran.stderr.strip().splitlines()) <= 3, ran.stderr


def test_a_setting_that_cannot_be_used_is_one_message():
    ran = shell("first_administrator", PORT="many")
    assert ran.returncode == 1
    assert "PORT" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


def test_a_mistyped_command_line_is_exit_code_2():
    ran = shell("evaluate", "--model", "x", "--suite", "x", "--limit", "0")
    assert ran.returncode == 2
    assert ran.stderr.strip().splitlines()[-1].endswith("0 is no whole number from 1.")


def test_the_result_as_json_is_nothing_but_json(model, suite):
    assert json.loads(done(*evaluate_words(model, suite, "--json")))["state"] == "queued"
