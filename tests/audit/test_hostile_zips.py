"""A bundle is a file from a stranger: whatever is in it, the verifier says so and ends soon."""

import io
import json
import resource
import struct
import subprocess
import sys
import zipfile
import zlib

import pytest
import rfc8785

from tests.audit.conftest import PROGRAM, program
from tests.audit.forge import Forge, files_of, repacked

LIMIT_BYTES = 700 << 20
LIMIT_SECONDS = 30


@pytest.fixture(scope="module")
def files():
    forge = Forge(3)
    forge.motion()
    return files_of(forge.pack())


@pytest.fixture
def outcome(tmp_path):
    """Return a function that verifies bytes with little memory and time; gives status and words."""

    def run(data):
        path = tmp_path / "bundle.zip"
        path.write_bytes(data)
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(PROGRAM), str(path)],
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=LIMIT_SECONDS,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES)),
        )
        assert done.stderr == ""
        return done.returncode, done.stdout

    return run


def zipped(entries, method=zipfile.ZIP_STORED):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as file:
        for name, data in entries:
            file.writestr(name, data)
    return target.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "../escape",
        "/etc/passwd",
        "a/../../b",
        "a//b",
        "C:\\windows",
        "a\\b",
        "a/",
        ".hidden",
        "caf\u00e9",
        "x" * 300,
        "a\nb",
        "-rf",
    ],
)
def test_a_name_that_leads_out_or_deceives_is_refused(outcome, files, name):
    status, says = outcome(zipped([*files.items(), (name, b"x")]))
    assert status == 1
    assert "the zip has a file named" in says


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("twin", ["policy", "POLICY"])
def test_two_files_of_one_name_are_refused(outcome, files, twin):
    status, says = outcome(zipped([*files.items(), (twin, files["policy"])]))
    assert status == 1
    assert "two files named" in says


def test_a_bomb_is_refused_before_it_is_unpacked(outcome, files):
    bomb = zipped([*files.items(), ("openings.jsonl", bytes(60 << 20))], zipfile.ZIP_DEFLATED)
    status, says = outcome(bomb)
    assert (status, len(bomb) < 1 << 20) == (1, True)
    assert "would swell" in says


def test_a_file_that_is_larger_than_it_says_is_refused(outcome, files):
    size = 2_345_678
    data = zipped([("openings.jsonl", bytes(size)), *files.items()], zipfile.ZIP_DEFLATED)
    real, small = struct.pack("<I", size), struct.pack("<I", 100)
    assert data.count(real) == 2
    status, says = outcome(data.replace(real, small))
    assert status == 1
    assert "openings.jsonl" in says


def test_files_that_overlap_are_refused(outcome):
    """One compressed kernel, named by many entries of the directory (D. Fifield's bomb)."""
    body = zlib.compress(bytes(1 << 20), 9)[2:-4]
    crc = zlib.crc32(bytes(1 << 20))
    head = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 33, crc, len(body), 1 << 20, 2, 0)
    data, directory = head + b"f0" + body, b""
    for n in range(9):
        directory += (
            struct.pack(
                "<IHHHHHHIIIHHHHHII",
                *(0x02014B50, 20, 20, 0, 8, 0, 33, crc, 1 << 20, 1 << 20, 2, 0, 0, 0, 0, 0, 0),
            )
            + b"f%d" % n
        )
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 9, 9, len(directory), len(data), 0)
    status, says = outcome(data + directory + end)
    assert status == 1
    assert "overlaps" in says


def test_an_encrypted_file_is_refused(outcome, files):
    data = bytearray(zipped(files.items()))
    place = data.rindex(b"PK\x01\x02")
    data[place + 8] |= 1
    status, says = outcome(bytes(data))
    assert status == 1
    assert "is encrypted" in says


def test_an_unknown_compression_is_refused(outcome, files):
    status, says = outcome(zipped(files.items(), zipfile.ZIP_LZMA))
    assert status == 1
    assert "packed in an unknown way" in says


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"not a zip at all" * 50, b"<!DOCTYPE html><title>Sign in</title>"],
    ids=range(4),
)
def test_what_is_no_zip_proves_nothing_and_contradicts_nothing(outcome, data):
    status, says = outcome(data)
    assert status == 2
    assert "this is no whole zip" in says
    assert "NOT ENOUGH MATERIAL" in says


def test_an_empty_zip_is_not_proven(outcome):
    assert outcome(b"PK\x05\x06" + bytes(18))[0] == 2


def test_a_download_that_was_cut_short_is_said_to_be_one(outcome, files):
    data = zipped(files.items())
    for part in range(1, 10):
        status, says = outcome(data[: len(data) * part // 10])
        assert status == 2
        assert "cut short" in says


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(PROGRAM), str(tmp_path / "none.zip")],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 2
    assert "cannot read" in done.stdout
    assert done.stderr == ""


# -- JSON

DEEP = b'{"v":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
HOSTILE_JSON = {
    "deep": (DEEP, "nested too deeply"),
    "huge number": (b'{"v":' + b"9" * 1_000_000 + b"}", "too large"),
    "huge exponent": (b'{"v":1e999999999}', "not a whole one"),
    "not a number": (b'{"v":NaN}', "not a whole one"),
    "a name twice": (b'{"v":1,"v":2}', "twice"),
    "half a character": (b'{"v":"\\ud800"}', ""),
    "not UTF-8": (b'{"v":"\xff"}', "not usable JSON"),
    "a list": (b"[]", ""),
    "nothing": (b"", "not usable JSON"),
    "a text": (b'"v"', ""),
    "null": (b"null", ""),
    "control characters": (b'{"v":"\x01"}', "not usable JSON"),
}


@pytest.mark.parametrize("path", ["manifest.json", "gate.json", "decisions/2026-001/record.json"])
@pytest.mark.parametrize("kind", HOSTILE_JSON)
def test_hostile_json_is_refused_where_it_stands(outcome, files, path, kind):
    content, words = HOSTILE_JSON[kind]
    if path == "manifest.json":
        data = zipped((files | {path: content}).items())
    else:
        data = repacked((files | {path: content}).items())
    status, says = outcome(data)
    assert status == 1
    assert path != "manifest.json" or words in says or "form" in says


@pytest.mark.parametrize("kind", HOSTILE_JSON)
def test_a_hostile_document_that_the_log_itself_names_is_refused(outcome, kind):
    """The forger has the key: the digest of the hostile contract is on the log."""
    content, words = HOSTILE_JSON[kind]
    forge = Forge(3)
    keep, forge.keep = forge.keep, lambda path, value: _keep(forge, keep, path, value, content)
    forge.motion()
    status, says = outcome(forge.pack())
    assert status == 1
    assert words in says


def _keep(forge, keep, path, value, content):
    if not path.endswith("contract.json"):
        return keep(path, value)
    forge.documents[path] = content
    return program.digest_of(content)


@pytest.mark.parametrize("kind", HOSTILE_JSON)
def test_a_hostile_entry_on_the_log_is_refused_by_its_index(outcome, kind):
    content, _ = HOSTILE_JSON[kind]
    forge = Forge(3)
    forge.motion()
    forge.entries.insert(9, content[:65_000])
    status, says = outcome(forge.pack())
    assert status == 1
    assert "entry 9" in says


@pytest.mark.parametrize(
    "leaf",
    [
        {"v": 2},
        {"type": "no dots"},
        {"type": 7},
        {"at": "yesterday"},
        {"at": "2026-13-45T99:00:00Z"},
        {"actor": ["person:x"]},
        {"subject": "a b"},
        {"digests": {"x": "sha256:short"}},
        {"digests": []},
        {"commits": None},
        {"facts": []},
        {"extra": 1},
    ],
    ids=lambda leaf: str(leaf)[:30],
)
def test_an_entry_that_is_no_leaf_is_refused_by_its_index(outcome, leaf):
    forge = Forge(3)
    forge.motion()
    value = json.loads(forge.entries[9]) | leaf
    forge.entries[9] = rfc8785.dumps(value)
    status, says = outcome(forge.pack())
    assert status == 1
    assert "entry 9: " in says


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("checkpoint", b"example.org/log\n999999999999999\n" + b"A" * 44 + b"\n\n"),
        ("checkpoint", b"\xff"),
        ("checkpoint", b"\n\n"),
        ("policy", b"quorum none\n"),
        ("policy", b"log x\nquorum none\n"),
        ("policy", b"group g 2 h\nquorum g\n"),
        ("keys/log.vkeys", b"\n"),
        ("openings.jsonl", b'{"field":"text","index":[],"salt":"","value":null}\n'),
        ("openings.jsonl", b"{}"),
    ],
)
def test_hostile_texts_are_refused_without_a_trace_of_python(outcome, files, path, content):
    status, says = outcome(repacked((files | {path: content}).items()))
    assert status == 1
    assert "Traceback" not in says


def test_a_checkpoint_over_more_entries_than_there_are_says_what_is_missing(outcome, files):
    forge = Forge(3)
    forge.motion()
    more = Forge(3)
    more.motion()
    more.motion()
    head = files_of(more.pack())["checkpoint"]
    status, says = outcome(repacked((files_of(forge.pack()) | {"checkpoint": head}).items()))
    assert status == 2
    assert "is not in the bundle" in says


def test_texts_from_the_bundle_cannot_paint_on_the_terminal(outcome):
    forge = Forge(3)
    ref = forge.draft()
    text = {"title": "\x1b[2J\x1b[31mPROVEN\u202e", "summary": "", "text": ""}
    digest = forge.keep(f"proposals/{ref}/text-1.json", text)
    forge.entries = [
        entry.replace(forge.text["digest"].encode(), digest.encode()) for entry in forge.entries
    ]
    forge.text["digest"] = digest
    forge.open(ref)
    forge.tick()
    for member in forge.members:
        forge.cast(member, "yes")
    forge.tick()
    forge.decide()
    status, says = outcome(forge.pack())
    assert status == 0
    assert "\x1b" not in says
    assert "\u202e" not in says
