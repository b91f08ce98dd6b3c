"""Verifiers that others wrote accept our log, and refuse it once a byte is changed.

`.ci/fetch-verifiers` gets them; without them these tests are skipped.
"""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from oversight.ledger import leaf, merkle, queries, sequencer
from oversight.ledger.encoding import to_digest
from oversight.ledger.models import LedgerEntry
from oversight.ledger.public_folder import PublicFolder
from oversight.ledger.sequencer import make_signer, sequence_once

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
FETCHED = ROOT / "var" / "verifiers"
HERE = Path(__file__).parent / "verifiers"
SIZES = (1, 255, 256, 257, 700)
MANY = 70_000


@pytest.fixture(scope="session")
def go_verifier(tmp_path_factory):
    """Build the program around Go's own `sumdb` packages, offline; return its path."""
    go = FETCHED / "go" / "bin" / "go"
    if not go.exists():
        pytest.skip("no Go toolchain in var/verifiers: run .ci/fetch-verifiers")
    source = tmp_path_factory.mktemp("go-verifier")
    sumdb = FETCHED / "go" / "src" / "cmd" / "vendor" / "golang.org" / "x" / "mod" / "sumdb"
    for package in ("note", "tlog"):
        shutil.copytree(sumdb / package, source / package)
    shutil.copy(HERE / "main.go", source)
    (source / "go.mod").write_text("module verify\n\ngo 1.23\n")
    environment = os.environ | {
        "GOROOT": str(FETCHED / "go"),
        "GOPROXY": "off",
        "GOFLAGS": "-mod=mod",
        "GOTOOLCHAIN": "local",
        "GOCACHE": str(FETCHED / "go-cache"),
        "CGO_ENABLED": "0",
    }
    subprocess.run([go, "build", "-o", "verify", "."], cwd=source, env=environment, check=True)
    return source / "verify"


@pytest.fixture
def by_go(go_verifier):
    """Return a function that has Go's library verify a folder."""

    def run(folder):
        done = subprocess.run(
            [go_verifier, folder, make_signer().vkey], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout.strip()

    return run


@pytest.fixture
def by_sigstore():
    """Return a function that has @sigstore/verify check receipts against entries' bytes."""
    modules = FETCHED / "node" / "node_modules"
    if not (modules / "@sigstore" / "verify").exists() or not shutil.which("node"):
        pytest.skip("no node or no @sigstore/verify in var/verifiers: run .ci/fetch-verifiers")

    def run(pairs):
        done = subprocess.run(
            ["node", HERE / "receipt.js", modules, make_signer().vkey],
            input=json.dumps([(text, base64.b64encode(body).decode()) for text, body in pairs]),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    return run


def make_large_record(monkeypatch, size):
    """Put so many leaves on the record in large batches; what they say does not matter."""
    monkeypatch.setattr(sequencer, "BATCH_LEAVES", 10_000)
    sequence_once()
    fields = {"type": "tests.thing.done", "actor": "system:tests"}
    written = leaf.encode(**fields, subject="thing:0", at=timezone.now())
    columns = "id, body, leaf_hash, type, actor, subject, created_at"
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ledger_pendingleaf ({columns}) FROM STDIN") as copy,
    ):
        for n in range(size):
            body = written.replace(b"thing:0", b"thing:%d" % n)
            digest = to_digest(merkle.leaf_hash(body))
            copy.write_row((uuid4(), body, digest, *fields.values(), f"thing:{n}", timezone.now()))
    while sequence_once():
        pass
    assert LedgerEntry.objects.count() == size


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def published(settings):
    PublicFolder(settings.LEDGER_PUBLIC_DIR).publish()
    return settings.LEDGER_PUBLIC_DIR


@pytest.mark.parametrize("size", SIZES)
def test_go_accepts_the_log_and_refuses_each_file_changed(size, by_go, make_record, settings):
    make_record(size)
    folder = published(settings)
    assert by_go(folder) == (0, f"accepted {size}")
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        if path.name == "vkey":
            continue
        kept = path.read_bytes()
        # In a checkpoint its text: a signature by a key that is not asked for is nobody's business.
        flip(path, 3 if path.name == "checkpoint" else len(kept) // 2)
        code, said = by_go(folder)
        assert (code, said[:8]) == (1, "refused:"), path
        path.write_bytes(kept)
    assert by_go(folder)[0] == 0


@pytest.mark.parametrize("size", SIZES)
def test_sigstore_accepts_receipts_and_refuses_altered_ones(size, by_sigstore, make_record):
    make_record(size)
    good, bad = [], []
    for index in sorted({0, size // 2, size - 1}):
        body = bytes(LedgerEntry.objects.get(index=index).body)
        text = queries.receipt_at(index).text
        head = text.index(f"\n{size}\n", text.index("\n\n"))
        good.append((text, body))
        bad.append((text, body + b" "))
        bad.append((text[: head + 1] + "9" + text[head + 1 :], body))
        bad.append((text.replace(f"index {index}", f"index {index + size}"), body))
    assert by_sigstore(good) == [f"accepted {size}"] * len(good)
    assert all(said.startswith("refused: ") for said in by_sigstore(bad))


def test_both_accept_a_log_of_seventy_thousand(by_go, by_sigstore, settings, monkeypatch):
    make_large_record(monkeypatch, MANY)
    folder = published(settings)
    assert by_go(folder) == (0, f"accepted {MANY}")
    wanted = (0, 65_535, 65_536, MANY - 1)
    texts = [queries.receipt_at(index).text for index in wanted]
    bodies = [bytes(LedgerEntry.objects.get(index=index).body) for index in wanted]
    assert by_sigstore(zip(texts, bodies, strict=True)) == [f"accepted {MANY}"] * 4
    altered = by_sigstore((t, b[:-1] + b"!") for t, b in zip(texts, bodies, strict=True))
    assert [said[:8] for said in altered] == ["refused:"] * 4
    assert (folder / "tile/2/000.p/1").stat().st_size == 32
    for altered in ("tile/0/123", "tile/1/000", "tile/2/000.p/1", "tile/entries/272"):
        kept = (folder / altered).read_bytes()
        flip(folder / altered, 20)
        assert by_go(folder)[0] == 1, altered
        (folder / altered).write_bytes(kept)
