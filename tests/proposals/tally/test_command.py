"""The command line, as a stranger runs it: a plain Python without any package."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from proposals.tally.casting import CastingVote
from proposals.tally.election import Election
from proposals.tally.lot import Lot, commit
from proposals.tally.methods import METHODS
from proposals.tally.quorum import Quorum, Turnout
from proposals.tally.sheet import TieRule
from proposals.tally.yes_no import Rules, Votes, count

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
        (["scottish-stv"], "required: FILE"),
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


MOTION = {
    "rules": {"threshold": "1/2", "quorum": "1/2", "tie_rule": "lot"},
    "roll": [{"weight": 1}, {"weight": "2.5"}, {"weight": "1/3"}],
    "ballots": [{"choice": "yes", "weight": 1}, {"choice": "no", "weight": 1}],
}


@pytest.fixture
def written(tmp_path):
    def write(document, name="votes.json"):
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


def test_a_motion_is_counted_from_json_and_its_lot_by_a_committed_seed(written):
    sheet = json.loads(run("yes-no", written(MOTION)).stdout)
    assert (sheet["outcome"], sheet["tie"]["resolved_by"]) == ("tied", "pending")
    assert sheet["votes"]["roll"] == "23/6"
    seeded = ["--lot-seed", "s", "--commitment", commit("s")]
    drawn = json.loads(run("yes-no", written(MOTION), *seeded).stdout)
    assert drawn["tie"]["chosen"] == Lot("s").order(["yes", "no"])[0]


def test_numbers_in_json_are_read_exactly_and_never_through_floats(written):
    text = json.dumps(MOTION).replace('"weight": 1}', '"weight": 0.1}')
    sheet = json.loads(run("yes-no", written(text)).stdout)
    assert (sheet["votes"]["yes"], sheet["votes"]["cast"]) == ("0.1", "0.2")


def test_the_chair_decides_a_motion_and_the_contract_may_be_a_file_of_its_own(written):
    contract = written({"rules": {"tie_rule": "chair"}, "roll": 2}, "contract.json")
    record = written({"ballots": MOTION["ballots"]}, "record.json")
    done = run("yes-no", record, "--contract", contract, "--casting-vote", "no")
    assert json.loads(done.stdout)["outcome"] == "not_carried"


def test_a_published_record_of_a_decision_is_counted_again_as_published(written):
    rules = Rules.of(threshold="2/3", base="votes_cast", quorum="1/2")
    sheet = count(rules, Votes.of(yes=4, no=1, abstain=1, roll=9)).as_json()
    ballots = [{"choice": "yes", "weight": 4}, {"choice": "no"}, {"choice": "abstain"}]
    record = {"v": 1, "decision": "P-1", "sheet": sheet, "ballots": ballots}
    assert json.loads(run("yes-no", written(record)).stdout) == sheet


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tie_rule", TieRule)
def test_a_published_election_is_counted_again_as_published(written, method, tie_rule):
    rankings = [["Ann"], ["Ben"], ["Cat", "Ann"], ["Cat", "Ben"], [["Ann", "Ben"]], []]
    weights = [3, 3, 1, 1, 1, "1/3"]
    contract = {
        "options": ["Ann", "Ben", "Cat"],
        "seats": 1,
        "rules": Rules.of(quorum="1/2", quorum_base="members", tie_rule=tie_rule).as_json(),
        "roll": [{"member": f"member:{n}", "weight": 3} for n in range(7)],
        "recusals": [{"weight": 2}],
    }
    ballots = [{"ranking": r, "weight": w} for r, w in zip(rankings, weights, strict=True)]
    given = {"lot": {"lot_seed": "s"}, "chair": {"casting_vote": {"names": ["Ben", "Ann", "Cat"]}}}
    record = {"ballots": ballots, **given.get(tie_rule, {})}
    decider = {"lot": Lot("s"), "chair": CastingVote(("Ben", "Ann", "Cat"))}.get(tie_rule)
    election = Election.of(
        candidates=["Ann", "Ben", "Cat"], ballots=list(zip(weights, rankings, strict=True))
    )
    check = Quorum.of("1/2", "members").check(
        Turnout.of(cast="28/3", roll=21, recused=2, voters=6, members=7)
    )
    expected = METHODS[method](election, decider).under(check).as_json()
    done = run(method, written(record), "--contract", written(contract, "contract.json"))
    assert json.loads(done.stdout) == expected


def test_consent_and_scores_are_counted_from_json(written):
    motion = {"roll": 3, "ballots": [{"choice": "consent"}, {"choice": "object", "reason": "No."}]}
    sheet = json.loads(run("consent", written(motion)).stdout)
    assert (sheet["outcome"], sheet["standing"]) == ("not_carried", 1)
    ballots = [{"scores": {"Ann": 5, "Ben": 5}}, {"scores": {"Cat": 1}, "weight": 2}]
    scores = written({"candidates": ["Ann", "Ben", "Cat"], "highest": 5, "ballots": ballots})
    assert json.loads(run("score", scores).stdout)["outcome"] == "tied"
    assert json.loads(run("score", scores, "--seats", 2).stdout)["elected"] == ["Ann", "Ben"]
    chosen = run("score", scores, "--casting-vote", "Ben", "--casting-vote", "Ann")
    assert json.loads(chosen.stdout)["elected"] == ["Ben"]


def test_ties_can_be_left_open_or_given_to_the_chair(tmp_path):
    path = tmp_path / "tie.blt"
    path.write_text("2 1\n1 1 0\n1 2 0\n0\nAnn\nBen\n")
    for method in METHODS:
        assert json.loads(run(method, path, "--no-lot").stdout)["outcome"] == "tied"
        picked = run(method, path, "--casting-vote", "Ben", "--casting-vote", "Ann")
        assert json.loads(picked.stdout)["elected"] == ["Ben"]


def test_the_text_for_people_holds_every_stage_and_the_result(ballots):
    text = run("scottish-stv", ballots, "--text").stdout.decode()
    assert text.startswith("Board (scottish-stv, 2 to elect)\nValid: 13; void: 0.\nQuota: ")
    assert "Stage 2: exclude" in text
    assert "  Bäcker  4.00000\n" in text
    assert text.endswith("Elected: Ann and Bäcker.\n")


def test_a_reader_who_goes_away_gets_exit_code_1_and_one_line(ballots):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-S", "-m", "proposals.tally", "irv", ballots],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.decode().count("\n") == 1
    assert b"the sheet cannot be written: No space left on device" in done.stderr


@pytest.mark.parametrize(
    ("method", "document", "arguments", "words"),
    [
        ("yes-no", "[]", [], "votes.json: must be a JSON object"),
        ("yes-no", "{\n\n,}", [], "votes.json: line 3 is no JSON"),
        ("yes-no", '{"a": NaN}', [], "NaN is no number"),
        ("yes-no", '{"a": 1, "a": 2}', [], "an object has 'a' twice"),
        ("yes-no", "[" * 100_000, [], "votes.json: cannot be read"),
        ("yes-no", '{"roll": ' + "1" * 5000 + "}", [], "votes.json: cannot be read"),
        ("yes-no", {}, [], "rules: is missing or no object"),
        ("yes-no", {"sheet": 3}, [], "rules: is missing or no object"),
        ("yes-no", {"sheet": {"rules": {}}}, [], "ballots: must be a list of objects"),
        ("yes-no", {"rules": {}, "ballots": []}, [], "roll: is missing"),
        ("yes-no", {"rules": {}, "ballots": [3], "roll": 1}, [], "ballots: must hold objects only"),
        ("yes-no", MOTION | {"rules": {"tie": "lot"}}, [], "rules: may hold threshold"),
        ("yes-no", MOTION | {"roll": ["x"]}, [], "roll: must hold objects only"),
        ("yes-no", MOTION | {"roll": 1e30}, [], "roll: '1e+30' is not an exact number"),
        ("yes-no", MOTION | {"roll": {}}, [], "roll: '{}' is not an exact number"),
        ("yes-no", MOTION | {"voters": 9}, [], "voters: 9 voted but there are 3 members"),
        ("yes-no", MOTION, ["--seats", 1], "--seats: yes-no elects nobody"),
        ("yes-no", MOTION, ["--casting-vote", "yes"], "casting_vote: the tie rule is lot"),
        ("yes-no", MOTION, ["--casting-vote", "a", "--casting-vote", "b"], "yes or no, once"),
        ("yes-no", MOTION, ["--lot-seed", "s", "--no-lot"], "not allowed with argument"),
        ("yes-no", MOTION, ["--commitment", "00"], "give the revealed seed, too"),
        ("yes-no", MOTION, ["--lot-seed", "s", "--commitment", "00"], "is not the seed"),
        ("yes-no", MOTION, ["--contract", "gone.json"], "gone.json: cannot be read"),
        ("consent", {"rules": {"veto": 1}, "ballots": []}, [], "rules: may not hold 'veto'"),
        ("consent", MOTION | {"rules": {}}, [], "choice: 'yes' is not one of consent"),
        ("consent", {"ballots": [{"choice": "object", "reason": 3}]}, [], "reason: is missing or"),
        ("score", {"ballots": []}, [], "options: must be a list of names"),
        ("irv", {"options": ["A", "B"]}, [], "votes.json: ballots: must be a list of objects"),
        ("irv", {"options": ["A"], "ballots": [{}]}, [], "ranking: is missing or no list"),
        ("irv", {"options": ["A"], "ballots": [{"ranking": ["B"]}]}, [], "'B' does not stand"),
        ("irv", {"options": ["A"], "ballots": [{"ranking": [3]}]}, [], "ranking: must be a list"),
        ("irv", {"options": ["A"], "ballots": [], "rules": {"tie_rule": "x"}}, [], "tie_rule: 'x'"),
        ("irv", {"options": ["A"], "ballots": [], "roll": []}, [], "roll: is 0"),
        ("score", {"candidates": ["A"], "highest": 2.5}, [], "highest: is missing or no whole"),
        ("score", {"candidates": ["A"], "highest": 1, "ballots": [{}]}, [], "scores: is missing"),
        (
            "score",
            {"candidates": ["A"], "highest": 1, "ballots": [{"scores": {"A": "1"}}]},
            [],
            "ballots: '1' is no score",
        ),
        (
            "score",
            {"candidates": ["A"], "highest": 1, "ballots": []},
            ["--seats", 0],
            "--seats 0: score takes 1 to 1000",
        ),
        ("irv", "1 1\n0\nAnn\n", ["--contract", "votes.json"], "--contract: a BLT file needs none"),
        ("approval", "1 1\n0\nAnn\n", ["--casting-vote", "A"] * 2, "names a candidate twice"),
    ],
)
def test_a_mistake_in_json_or_options_gets_one_line_and_exit_code_2(
    written, method, document, arguments, words
):
    done = run(method, written(document), *arguments)
    message = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b"")
    assert words in message
    assert message.startswith("proposals.tally: ")
    assert message.count("\n") == 1


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
