"""The manifest of a directory of weights: what it lists, what it refuses, what it notices."""

import hashlib
import json
import os
import socket
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oversight.registry import manifest as module
from oversight.registry.manifest import Manifest, ManifestError, main, manifest_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"\0" * 5000)
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "vocab.txt").write_text("a\nb\n")
    return folder


def test_the_digest_is_that_of_the_canonical_list_of_names_sizes_and_hashes(weights):
    manifest = manifest_of(weights)

    assert [file.name for file in manifest.files] == [
        "config.json",
        "model.safetensors",
        "tokenizer/vocab.txt",
    ]
    canonical = json.dumps(manifest.as_json(), sort_keys=True, separators=(",", ":"))
    assert manifest.digest == "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
    assert manifest.files[0].sha256 == hashlib.sha256(b"{}").hexdigest()
    assert manifest.size == 5006


def test_a_known_directory_keeps_its_digest_for_ever(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.txt").write_text("two")

    assert manifest_of(tmp_path).digest == (
        "sha256:cc016a11cad99367547ce1e6fdf60ce70f63a5a6e0da52f9cbe2706fd1850430"
    )


def test_names_are_bound_to_contents(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, first, second in ((one, "x", "y"), (other, "y", "x")):
        folder.mkdir()
        (folder / "a").write_text(first)
        (folder / "b").write_text(second)

    assert manifest_of(one).digest != manifest_of(other).digest


def test_what_programs_leave_behind_is_not_listed(weights):
    before = manifest_of(weights).digest
    (weights / ".gitattributes").write_text("x")
    (weights / ".cache" / "huggingface").mkdir(parents=True)
    (weights / ".cache" / "huggingface" / "x.metadata").write_text("x")
    (weights / "model.lock").write_text("")
    (weights / "tokenizer" / "__pycache__").mkdir()
    (weights / "tokenizer" / "__pycache__" / "a.pyc").write_text("x")

    assert manifest_of(weights).digest == before


def test_a_link_inside_the_directory_is_listed_with_what_it_leads_to(weights):
    (weights / "again.json").symlink_to("config.json")
    (weights / "folder").symlink_to(weights / "tokenizer")

    names = {file.name: file.sha256 for file in manifest_of(weights).files}

    assert names["again.json"] == names["config.json"]
    assert names["folder/vocab.txt"] == names["tokenizer/vocab.txt"]


def test_a_link_that_leads_outside_is_refused(weights, tmp_path):
    (tmp_path / "secret").write_text("x")
    (weights / "extra").symlink_to("../secret")

    with pytest.raises(ManifestError, match="extra is a link that leads outside the directory"):
        manifest_of(weights)


@pytest.mark.parametrize("target", [".", "..", "loop"])
def test_a_link_that_leads_round_in_a_circle_is_refused(weights, target):
    (weights / "tokenizer" / "loop").symlink_to(target)

    with pytest.raises(ManifestError, match="tokenizer/loop is a link that leads round"):
        manifest_of(weights)


def test_links_that_multiply_folders_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILES", 100)
    below = tmp_path / "z0"
    below.mkdir()
    (below / "file").write_text("x")
    for level in range(1, 12):
        folder = tmp_path / f"z{level}"
        folder.mkdir()
        for name in ("left", "right"):
            (folder / name).symlink_to(below)
        below = folder

    with pytest.raises(ManifestError, match="more than 100 files"):
        manifest_of(tmp_path)


def test_a_pipe_is_refused_and_not_waited_for(weights):
    os.mkfifo(weights / "model-2.safetensors")

    with pytest.raises(ManifestError, match=r"model-2\.safetensors is a pipe"):
        manifest_of(weights)


def test_a_socket_is_refused(weights, monkeypatch):
    monkeypatch.chdir(weights)  # the address of a socket has to be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("listener")
        with pytest.raises(ManifestError, match="listener is a socket"):
            manifest_of(weights)


def test_a_device_is_refused(weights):
    try:
        os.mknod(weights / "null", 0o600 | 0o020000, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root may make devices")

    with pytest.raises(ManifestError, match="null is a device"):
        manifest_of(weights)


def test_a_broken_link_names_the_file(weights):
    (weights / "gone").symlink_to("nowhere")

    with pytest.raises(ManifestError, match="gone cannot be read: no such file"):
        manifest_of(weights)


def test_a_file_that_may_not_be_read_is_named(weights):
    (weights / "config.json").chmod(0)
    if os.access(weights / "config.json", os.R_OK):
        pytest.skip("root reads every file")

    with pytest.raises(ManifestError, match=r"config\.json cannot be read: permission denied"):
        manifest_of(weights)


def test_a_file_name_that_is_not_utf8_is_refused(weights):
    (Path(os.fsdecode(os.fsencode(weights) + b"/\xff.bin"))).write_text("x")

    with pytest.raises(ManifestError, match="has to be UTF-8"):
        manifest_of(weights)


def test_a_file_that_grows_while_it_is_read_is_refused(weights):
    def grow(_read: int) -> None:
        with (weights / "model.safetensors").open("ab") as file:
            file.write(b"more")

    with pytest.raises(ManifestError, match=r"changed while it was read; wait"):
        manifest_of(weights, threads=1, progress=grow)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.write_text("x"), "is not a directory"),
        (lambda path: path.mkdir(), "has no files to list"),
    ],
)
def test_what_is_no_directory_of_files_has_no_manifest(tmp_path, make, message):
    make(tmp_path / "weights")

    with pytest.raises(ManifestError, match=message):
        manifest_of(tmp_path / "weights")


def test_differences_are_named_file_by_file(weights):
    manifest = manifest_of(weights)
    assert manifest.verify(weights) == []

    (weights / "added.bin").write_text("x")
    (weights / "config.json").write_text("[]")
    (weights / "model.safetensors").write_bytes(b"\0" * 10)
    (weights / "tokenizer" / "vocab.txt").unlink()

    assert [str(difference) for difference in manifest.verify(weights)] == [
        "added.bin is not in the manifest",
        "config.json has other contents (the size is the same)",
        "model.safetensors has 10 bytes instead of 5000",
        "tokenizer/vocab.txt is missing",
    ]


def test_progress_counts_every_byte(weights):
    seen: list[int] = []
    manifest = manifest_of(weights, progress=seen.append)

    assert sum(seen) == manifest.size


def test_a_manifest_survives_json(weights):
    manifest = manifest_of(weights)

    assert Manifest.from_json(json.loads(json.dumps(manifest.as_json()))) == manifest


FILE = {"name": "a", "size": 1, "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "is a list of files"),
        ([], "at least one file"),
        (["a"], "entry 0 of the manifest needs exactly"),
        ([FILE | {"more": 1}], "needs exactly"),
        ([FILE | {"name": "../a"}], "name has to be a path below"),
        ([FILE | {"name": "/a"}], "name has to be a path below"),
        ([FILE | {"name": ""}], "name has to be a path below"),
        ([FILE | {"size": -1}], "size has to be"),
        ([FILE | {"size": True}], "size has to be"),
        ([FILE | {"size": 1.0}], "size has to be"),
        ([FILE | {"sha256": "0" * 63}], "sha256 has to be"),
        ([FILE | {"sha256": "A" * 64}], "sha256 has to be"),
        ([FILE, FILE], "a is out of order or listed twice"),
        ([FILE | {"name": "b"}, FILE], "a is out of order"),
    ],
)
def test_a_manifest_that_is_none_is_refused_by_name(value, message):
    with pytest.raises(ManifestError, match=message):
        Manifest.from_json(value)


NAMES = st.text(string.ascii_letters + string.digits + "-_ äπ", min_size=1, max_size=12)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, st.binary(max_size=64), min_size=1, max_size=6), st.data())
def test_one_changed_byte_changes_the_digest_and_is_named(tmp_path_factory, contents, data):
    folder = tmp_path_factory.mktemp("weights")
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    manifest = manifest_of(folder, threads=data.draw(st.integers(1, 4)))
    assert manifest == manifest_of(folder)

    name = data.draw(st.sampled_from(sorted(contents)))
    (folder / name).write_bytes(contents[name] + b"!")

    assert manifest_of(folder).digest != manifest.digest
    assert [difference.name for difference in manifest.verify(folder)] == [name]


def test_the_program_prints_the_digest_first(weights, capsys):
    assert main([str(weights)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == manifest_of(weights).digest
    assert lines[1].endswith("config.json")


def test_the_program_says_what_is_wrong_and_exits_1(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere")]) == 1

    assert "nowhere cannot be read: no such file or directory" in capsys.readouterr().err


def test_the_program_needs_no_web_framework(weights):
    code = (
        "import sys; from oversight.registry.manifest import main; "
        f"main([{str(weights)!r}, '--json']); assert 'django' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)

    assert json.loads(done.stdout)["digest"] == manifest_of(weights).digest
