"""What may be drawn, and the command that draws it again without Django."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest

from proposals.opinions.answers import Answers, digest_of, read
from proposals.opinions.drawing import draw
from proposals.opinions.errors import OpinionsError
from tests.proposals.opinions.crowds import crowd

PROJECT = Path(__file__).resolve().parents[3]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "proposals.opinions", *map(str, arguments)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_draws_the_same_map_from_the_published_file(tmp_path):
    answers = crowd((20, 15))
    file = tmp_path / "input.json"
    file.write_text(json.dumps({"digest": answers.digest, "input": answers.document}))
    digest = digest_of(draw(answers))
    done = run(file, "--expect", digest)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"digest": digest, "map": draw(answers)}
    other = run(file, "--expect", "sha256:0")
    assert other.returncode == 1
    assert digest in other.stderr


def test_the_command_needs_no_django(tmp_path):
    code = "import sys, proposals.opinions.command; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    names = {name.partition(".")[0] for name in loaded.stdout.split()}
    assert "numpy" in names
    assert not names & {"django", "scipy", "sklearn", "pandas"}


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b'{"input": 3}', b"null"])
def test_a_file_that_is_no_input_is_refused_in_one_line(tmp_path, content):
    file = tmp_path / "input.json"
    file.write_bytes(content)
    done = run(file)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_is_refused_in_one_line(tmp_path):
    done = run(tmp_path / "nothing.json")
    assert done.returncode == 2
    assert "cannot be read" in done.stderr


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("v", 2, "version"),
        ("statements", "ab", "no list"),
        ("statements", ["a", "a"], "twice"),
        ("rows", [3], "no list"),
        ("rows", ["++"], "one answer"),
        ("rows", ["x" * 20], "other signs"),
        ("rows", ["0" * 20, "+" * 20], "not sorted"),
        ("parameters", {}, "parameters are others"),
        ("parameters", [], "no object"),
        ("statements", [str(n) for n in range(1_001)], "more than 1000"),
        ("most_groups", 9, "between 2 and 8"),
        ("most_groups", True, "wrong kind"),
        ("least_group", 0, "less than 1"),
        ("margin_for_few", -1, "between 0 and 100"),
        ("least_separation", "1/0", "no share"),
        ("unites_from", "7/5", "between 0 and 1"),
        ("divides_from", 0.5, "wrong kind"),
    ],
)
def test_each_part_of_an_input_is_checked_and_named(part, value, words):
    document = copy.deepcopy(crowd((3, 3)).document)
    (document if part in document else document["parameters"])[part] = value
    with pytest.raises(OpinionsError, match=words):
        read(document)


def test_an_input_comes_back_as_it_was_published():
    answers = crowd((20, 15))
    assert read(json.loads(json.dumps(answers.document))) == answers


def test_who_answered_nothing_stands_in_no_row():
    assert Answers.of(["a", "b"], ["..", "+.", ".."]).rows == ("+.",)
