"""The command line, as a stranger runs it: a plain Python without any package."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from proposals.tally.methods import METHODS

ROOT = Path(__file__).resolve().parents[3]

BALLOTS = """\
4 2
5 1 2 0
4 2 3 0
2 3 0
2 4 0
0
"Ann"
"Bäcker"
"Cat"
"Dan"
"Board"
"""


def run(*arguments):
    """Runs the command without site-packages, so that only the standard library can be imported."""
    return subprocess.run(
        [sys.executable, "-S", "-m", "proposals.tally", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )


@pytest.fixture
def ballots(tmp_path):
    path = tmp_path / "board.blt"
    path.write_text(BALLOTS, encoding="utf-8")
    return path


@pytest.mark.parametrize("method", METHODS)
def test_each_method_prints_its_sheet_as_json(ballots, method):
    done = run(method, ballots)
    assert (done.returncode, done.stderr) == (0, b"")
    sheet = json.loads(done.stdout.decode("utf-8"))
    assert sheet["method"] == method
    assert sheet["title"] == "Board"
    assert set(sheet["elected"]) <= {"Ann", "Bäcker", "Cat", "Dan"}
    assert all({"act", "totals"} <= set(stage) for stage in sheet["stages"])
    assert all(
        isinstance(votes, str) for stage in sheet["stages"] for votes in stage["totals"].values()
    )


def test_scottish_stv_prints_quota_names_in_order_and_five_decimals(ballots):
    sheet = json.loads(run("scottish-stv", ballots).stdout)
    assert sheet["quota"] == 5
    assert sheet["elected"] == ["Ann", "Bäcker"]
    assert sheet["stages"][0]["totals"]["Cat"] == "2.00000"
    assert sheet["lot_seed"] == "oversight"


def test_seats_and_lot_seed_override_the_file_and_the_default(ballots):
    sheet = json.loads(run("scottish-stv", ballots, "--seats", 1, "--lot-seed", "s").stdout)
    assert (sheet["seats"], sheet["quota"], sheet["lot_seed"]) == (1, 7, "s")
    assert len(sheet["elected"]) == 1


def test_a_tie_is_in_the_output_and_the_seed_settles_it(tmp_path):
    path = tmp_path / "tie.blt"
    path.write_text("2 1\n1 1 0\n1 2 0\n0\nAnn\nBen\n")
    for method in ("plurality", "approval", "schulze"):
        sheet = json.loads(run(method, path).stdout)
        assert (sheet["outcome"], sheet["elected"]) == ("tied", [])
        assert sheet["ties"][0]["candidates"] == ["Ann", "Ben"]
        drawn = json.loads(run(method, path, "--lot-seed", "s").stdout)
        assert (drawn["outcome"], len(drawn["elected"])) == ("elected", 1)
    for method in ("irv", "scottish-stv"):
        sheet = json.loads(run(method, path).stdout)
        assert sheet["ties"][0]["resolved_by"] == "lot"
        assert len(sheet["elected"]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scottish-stv"], "required: FILE.blt"),
        (["borda", "{file}"], "invalid choice: 'borda'"),
        (["irv", "{missing}"], "cannot be read: No such file or directory"),
        (["irv", "{folder}"], "cannot be read: Is a directory"),
        (["irv", "{bad}"], "bad.blt: line 2: candidate 1 is ranked twice"),
        (["irv", "{binary}"], "binary.blt: line 1: the text is not UTF-8"),
        (["irv", "{file}", "--seats", "2"], "--seats 2: irv always elects 1"),
        (["schulze", "{file}", "--seats", "0"], "--seats 0: schulze always elects 1"),
        (["approval", "{file}", "--seats", "0"], "--seats 0: approval takes 1 to 1000"),
        (["approval", "{file}", "--seats", "x"], "invalid int value: 'x'"),
        (["approval", "{file}", "--lot-seed", "s" * 1001], "lot_seed: longer than 1000"),
        (["approval", "{file}", "--chair", "x"], "unrecognized arguments"),
        (["approval", "nul\n{missing}"], "cannot be read"),
    ],
)
def test_a_mistake_gets_one_line_and_exit_code_2(ballots, tmp_path, arguments, words):
    (tmp_path / "bad.blt").write_text("2 1\n1 1 1 0\n0\nA\nB\n")
    (tmp_path / "binary.blt").write_bytes(b"\xff\xfe\x00")
    places = {
        "file": ballots,
        "missing": tmp_path / "missing.blt",
        "folder": tmp_path,
        "bad": tmp_path / "bad.blt",
        "binary": tmp_path / "binary.blt",
    }
    done = run(*(argument.format(**places) for argument in arguments))
    message = done.stderr.decode()
    assert done.returncode == 2
    assert done.stdout == b""
    assert words in message
    assert message.startswith("proposals.tally: ")
    assert message.count("\n") == 1
    assert message.endswith("\n")


def test_help_is_given_and_is_no_mistake():
    done = run("--help")
    assert done.returncode == 0
    assert b"scottish-stv, irv, schulze, approval, plurality" in done.stdout


def test_counting_imports_nothing_outside_the_standard_library():
    program = (
        "import sys, proposals.tally.command, proposals.tally.yes_no\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(names - set(sys.stdlib_module_names) - {'proposals', '__main__'}))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout.strip() == b"[]"
