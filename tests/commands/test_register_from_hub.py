"""A model is fetched by the Hub's real library; the Hub is a small server here, as none is there.

It answers what the library asks: which commit a revision is, what it holds, and each file.
"""

import hashlib
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from oversight.embedded.enrolment import NoWorkerError, interpreter
from oversight.registry.models import ModelVersion

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": b"{}",
    "model.safetensors": b"weights",
    "pytorch_model.bin": b"a pickle",
    "README.md": b"# A model",
}
pytestmark = [pytest.mark.django_db, pytest.mark.worker]


def oid(body):
    """Return the name that git gives a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


class Hub(BaseHTTPRequestHandler):
    """Has one model, `town/small`, with one commit."""

    files = FILES

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path in {f"/api/models/town/small/revision/{name}" for name in ("main", COMMIT)}:
            siblings = [{"rfilename": name} for name in self.files]
            about = {"id": "town/small", "modelId": "town/small", "sha": COMMIT, "tags": []}
            self.answer(200, json.dumps(about | {"siblings": siblings}).encode())
        elif path == f"/api/models/town/small/tree/{COMMIT}":
            tree = [
                {"type": "file", "path": name, "size": len(body), "oid": oid(body)}
                for name, body in self.files.items()
            ]
            self.answer(200, json.dumps(tree).encode())
        elif (name := path.removeprefix(f"/town/small/resolve/{COMMIT}/")) in self.files:
            self.answer(200, self.files[name])
        else:
            self.answer(404, b'{"error": "Repository not found"}')

    do_HEAD = do_GET  # noqa: N815 (the library names it)

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{oid(body)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch, settings, tmp_path):
    try:
        interpreter()
    except NoWorkerError as reason:
        pytest.skip(str(reason))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    settings.MODELS_DIR = tmp_path
    yield
    server.shutdown()


def register(repository="town/small", revision="main"):
    names = ["--slug", "small", "--label", "1"]
    call_command(
        *("register_model", "--hub", repository, "--revision", revision, *names),
        stdout=io.StringIO(),
        stderr=io.StringIO(),
    )


def test_a_branch_is_pinned_to_its_commit_and_pickles_stay_there(hub):
    register()
    version = ModelVersion.objects.get()
    assert version.source == {"kind": "hub", "repository": "town/small", "revision": COMMIT}
    assert [row["name"] for row in version.manifest] == ["config.json", "model.safetensors"]
    digests = {row["name"]: row["sha256"] for row in version.manifest}
    assert digests["model.safetensors"] == hashlib.sha256(b"weights").hexdigest()


@pytest.mark.parametrize(
    ("repository", "revision", "word"),
    [
        ("town/none", "main", "town/none@main cannot be fetched"),
        ("town/small", "nowhere", "town/small@nowhere cannot be fetched"),
        ("../../etc", "main", "is not OWNER/NAME"),
    ],
)
def test_what_the_hub_does_not_have_is_named_and_nothing_registered(
    hub, repository, revision, word
):
    with pytest.raises(CommandError, match=r"^[^\n]*$") as refusal:
        register(repository, revision)
    assert word in str(refusal.value)
    assert not ModelVersion.objects.exists()


def test_a_model_of_pickles_only_is_refused(hub, monkeypatch):
    only = {name: FILES[name] for name in ("config.json", "pytorch_model.bin")}
    monkeypatch.setattr(Hub, "files", only)
    with pytest.raises(CommandError, match="no safetensors"):
        register()


def test_a_directory_and_a_repository_at_once_are_refused(tmp_path):
    names = ["--slug", "small", "--label", "1"]
    with pytest.raises(CommandError, match="either a directory or a repository"):
        call_command("register_model", str(tmp_path), "--hub", "town/small", *names)
