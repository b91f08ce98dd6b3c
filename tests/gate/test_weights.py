"""A folder of weights: the same manifest as the site makes, and the same refusals."""

import os
import socket

import pytest

from oversight.registry.manifest import manifest_of as sites_manifest
from oversight_gate import checks, weights
from oversight_gate.weights import NoManifest, digest_of, manifest_of
from tests.gate.conftest import GOOD, Words


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "weights"
    (made / "deep" / "er").mkdir(parents=True)
    (made / "model-1.safetensors").write_bytes(os.urandom(3_000_000))
    (made / "Größe – x.json").write_text("{}")
    (made / "deep" / "er" / "a").write_bytes(b"")
    (made / "deep" / "b").write_bytes(b"1")
    for left_out in (".cache", "x.lock"):
        (made / left_out).write_text("left out")
    (made / "__pycache__").mkdir()
    (made / "__pycache__" / "x").write_text("left out")
    (made / "link").symlink_to("model-1.safetensors")
    (made / "linked").symlink_to("deep/er")
    return made


def test_it_is_the_manifest_that_the_site_makes(folder):
    found, theirs = manifest_of(folder), sites_manifest(folder)
    assert found == theirs.as_json()
    assert digest_of(found) == theirs.digest


def device(folder):
    (folder / "null").symlink_to("/dev/null")


def pipe(folder):
    os.mkfifo(folder / "pipe")


def sock(folder):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "s"))


def circle(folder):
    (folder / "deep" / "up").symlink_to("..")


def itself(folder):
    (folder / "me").symlink_to("me")


def outside(folder):
    (folder.parent / "secret").write_text("x")
    (folder / "out").symlink_to("../secret")


def broken(folder):
    (folder / "gone").symlink_to("nothing")


@pytest.mark.parametrize("trouble", [device, pipe, sock, circle, itself, outside, broken])
def test_what_cannot_be_weights_is_refused_by_name(folder, trouble):
    trouble(folder)
    with pytest.raises(NoManifest):
        manifest_of(folder)
    report = checks.weights(folder, "chat-one", Words())
    assert report.status == 1
    assert report.findings[0].rule == "unreadable"


def test_a_file_that_grows_while_it_is_read_is_refused(folder, monkeypatch):
    grown = folder / "model-1.safetensors"
    real = weights.os.fstat

    def fstat(handle):
        found = real(handle)
        if found.st_size == 3_000_000:
            with grown.open("ab") as file:
                file.write(b"more")
        return found

    monkeypatch.setattr(weights.os, "fstat", fstat)
    with pytest.raises(NoManifest, match="changed while it was read"):
        manifest_of(folder)


def test_an_empty_folder_and_a_file_are_no_weights(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(NoManifest):
            manifest_of(path)


def test_files_that_are_not_the_registered_ones_are_refused_before_anybody_is_asked(
    folder, record, tmp_path
):
    expected = manifest_of(folder)
    digest = digest_of(expected)
    record.keep(f"versions/{digest[7:]}.json", expected)
    bundle = record.save(tmp_path)
    (folder / "deep" / "b").write_bytes(b"2")
    (folder / "model-1.safetensors").rename(folder / "other")
    (folder / "link").unlink()
    judge = Words((digest, "chat-one"))
    report = checks.weights(folder, "chat-one", judge, expected=digest, bundle=bundle)
    (finding,) = report.findings
    assert (report.status, finding.rule, judge.asked) == (1, "changed-files", [])
    for said in ("deep/b has other", "model-1.safetensors is missing", "other is not one"):
        assert said in finding.says
    unknown = checks.weights(folder, "chat-one", judge, expected=GOOD)
    assert "they are sha256:" in unknown.findings[0].says


def test_the_digest_of_the_folder_is_what_is_asked_about(folder):
    digest = digest_of(manifest_of(folder))
    judge = Words((digest, "chat-one"))
    assert checks.weights(folder, "chat-one", judge, expected=digest).status == 0
    assert judge.asked == [(digest, "chat-one")]
