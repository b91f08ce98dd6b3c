"""Hashing that was killed goes on where it stopped, and tells a terminal how far it is."""

import os
import pty
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from oversight.registry import hashing
from oversight.registry.hashing import Notes
from oversight.registry.manifest import manifest_of
from oversight.registry.meter import Meter

ROOT = Path(__file__).parents[2]
SIZES = {"first.safetensors": 3_000_000, "second.safetensors": 2_000_000, "third.json": 7}

KILLED = """
import sys
from pathlib import Path
from oversight.registry import hashing
from oversight.registry.manifest import manifest_of

hashing.STILL_SECONDS = 0
weights, folder = map(Path, sys.argv[1:])
notes = hashing.Notes.of(weights, folder)
read = 0

def stop_in_the_second(count):
    global read
    read += count
    if read > 3_000_000:
        print("in the second", flush=True)
        sys.stdin.read()

manifest_of(weights, threads=1, progress=stop_in_the_second, notes=notes)
"""


@pytest.fixture
def weights(tmp_path, monkeypatch):
    monkeypatch.setattr(hashing, "STILL_SECONDS", 0)
    folder = tmp_path / "weights"
    folder.mkdir()
    for name, size in SIZES.items():
        (folder / name).write_bytes(os.urandom(size))
    return folder


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "notes"


def read_by(weights, notes):
    """Return the manifest, and the names of the files that were really read for it."""
    read = []
    real = hashing.read_digest
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "oversight.registry.manifest.read_digest",
            lambda path, name, progress: read.append(name) or real(path, name, progress),
        )
        return manifest_of(weights, notes=notes), sorted(read)


def kill_in_the_second_file(weights, kept):
    command = [sys.executable, "-c", KILLED, str(weights), str(kept)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "in the second\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_killed_hashing_goes_on_with_the_files_that_were_not_done(weights, kept):
    kill_in_the_second_file(weights, kept)

    found, read = read_by(weights, Notes.of(weights, kept))

    assert read == ["second.safetensors", "third.json"]
    assert found == manifest_of(weights)


def test_a_file_that_changed_since_the_kill_is_read_again(weights, kept):
    kill_in_the_second_file(weights, kept)
    path = weights / "first.safetensors"
    times = path.stat()
    path.write_bytes(os.urandom(SIZES[path.name]))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    found, read = read_by(weights, Notes.of(weights, kept))

    assert "first.safetensors" in read
    assert found == manifest_of(weights)


@pytest.mark.parametrize("rest", ["[[1, 2", "\x00\x00", "7\n", '["a"]\n'])
def test_a_torn_note_costs_one_file_and_spoils_no_other(weights, kept, rest):
    manifest_of(weights, notes=Notes.of(weights, kept))
    (path,) = kept.iterdir()
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + rest)

    _, read = read_by(weights, Notes.of(weights, kept))
    _, again = read_by(weights, Notes.of(weights, kept))

    assert len(read) == 2
    assert again == []


def test_a_file_that_has_just_changed_is_not_noted(weights, kept, monkeypatch):
    monkeypatch.setattr(hashing, "STILL_SECONDS", 3600)
    manifest_of(weights, notes=Notes.of(weights, kept))

    assert not list(kept.iterdir())


def test_notes_are_gone_when_what_they_were_for_is_done(weights, kept):
    notes = Notes.of(weights, kept)
    manifest_of(weights, notes=notes)
    notes.forget()
    notes.forget()

    assert not list(kept.iterdir())


def test_a_terminal_is_told_how_far_it_is(weights):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "oversight.registry.manifest", str(weights)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, check=True)
    os.close(theirs)
    said = os.read(ours, 100_000).decode()
    os.close(ours)

    assert "Hashing: 5 MB of 5 MB, 100 %" in said
    assert said.endswith("\r\x1b[K")
    assert done.stdout.decode().startswith(manifest_of(weights).digest)


def test_where_nobody_looks_nothing_is_written(weights):
    out = StringIO()
    with Meter(5, out) as meter:
        meter.count(5)

    assert out.getvalue() == ""


def test_the_meter_says_pace_and_time_left():
    meter = Meter(10_000_000_000, StringIO())
    meter.count(2_500_000_000)

    assert meter.said(10) == "Hashing: 2.5 GB of 10.0 GB, 25 %, 250 MB/s, 30 s left"
    assert meter.said(100).endswith("25 MB/s, 5 min left")
