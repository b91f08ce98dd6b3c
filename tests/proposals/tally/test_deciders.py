"""What breaks a tie in an election: a lot, the chair's casting vote, or nothing; and the quorum."""

import shutil
import subprocess
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proposals.tally.casting import CastingVote
from proposals.tally.election import Election
from proposals.tally.errors import InputError
from proposals.tally.lot import Lot, commit
from proposals.tally.methods import METHODS
from proposals.tally.quorum import Quorum, QuorumBase, Turnout
from proposals.tally.sheet import Outcome, Resolution, TieRule
from tests.proposals.tally.strategies import NAMES, elections

TIED = Election.of(
    candidates=["Ann", "Ben", "Cat"],
    ballots=[(3, ["Ann"]), (3, ["Ben"]), (1, ["Cat", "Ann"]), (1, ["Cat", "Ben"])],
)
every_method = pytest.mark.parametrize("method", METHODS)


@every_method
@pytest.mark.parametrize("first", ["Ann", "Ben"])
def test_the_casting_vote_of_the_chair_decides_every_method(method, first):
    other = "Ben" if first == "Ann" else "Ann"
    sheet = METHODS[method](TIED, CastingVote((first, other)))
    assert sheet.elected == (first,)
    assert sheet.outcome is Outcome.ELECTED
    tie = sheet.ties[-1]
    assert tie.resolved_by is Resolution.CASTING_VOTE
    assert "the chair's casting vote picks" in tie.words
    shown = sheet.as_json()
    assert (shown["tie_rule"], shown["casting_vote"]) == ("chair", [first, other])
    assert shown["lot_seed"] is None


@every_method
def test_a_casting_vote_that_ranks_none_of_the_tied_leaves_them_tied(method):
    sheet = METHODS[method](TIED, CastingVote(("Cat",)))
    assert (sheet.outcome, sheet.elected) == (Outcome.TIED, ())
    assert "the chair's casting vote does not rank them" in sheet.ties[-1].words


@every_method
def test_the_status_quo_stands_where_nothing_may_decide(method):
    sheet = METHODS[method](TIED, None)
    assert (sheet.outcome, sheet.elected) == (Outcome.TIED, ())
    assert sheet.tie_rule is TieRule.STATUS_QUO
    assert sheet.ties[-1].resolved_by is Resolution.NOTHING


@pytest.mark.parametrize("method", ["scottish-stv", "irv"])
def test_the_chair_excludes_whom_the_chair_ranks_last_of_the_tied(method):
    election = Election.of(
        candidates=["Ann", "Ben", "Cat", "Dan"],
        ballots=[(5, ["Ann"]), (4, ["Dan"]), (3, ["Ben"]), (3, ["Cat"])],
    )
    (tie, *_) = METHODS[method](election, CastingVote(("Cat",))).ties
    assert (tie.about, tie.candidates, tie.chosen) == ("exclusion", ("Ben", "Cat"), ("Ben",))


def test_a_casting_vote_names_nobody_twice():
    with pytest.raises(InputError, match="casting_vote: names a candidate twice"):
        CastingVote(("Ann", "Ben", "Ann"))


@settings(max_examples=80, deadline=None)
@given(elections(max_candidates=6), st.permutations(NAMES))
def test_a_chair_who_ranks_everyone_leaves_nothing_open(election, names):
    for count in METHODS.values():
        assert count(election, CastingVote(tuple(names))).outcome is not Outcome.TIED


@settings(max_examples=80, deadline=None)
@given(elections(max_candidates=6))
def test_the_chair_and_a_lot_of_the_same_order_elect_the_same(election):
    lot = Lot("x")
    chair = CastingVote(tuple(lot.order(election.candidates)))
    for count in METHODS.values():
        by_lot, by_chair = count(election, lot), count(election, chair)
        assert by_lot.elected == by_chair.elected
        assert by_lot.stages == by_chair.stages


def test_a_lot_is_drawn_only_by_the_seed_that_was_committed_to():
    seed = "6f1e9c" * 10
    assert Lot.revealed(seed, commit(seed)) == Lot(seed)
    assert Lot.revealed(seed, f"sha256:{commit(seed)}") == Lot(seed)
    for wrong in (commit(seed + " "), commit(seed).upper(), "", "é"):
        with pytest.raises(InputError, match="lot_seed: is not the seed that was committed to"):
            Lot.revealed(seed, wrong)


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="sha256sum is not installed")
def test_a_commitment_can_be_checked_in_a_shell():
    done = subprocess.run(
        ["sh", "-c", 'printf %s "$1" | sha256sum', "sh", "the séed"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[0] == commit("the séed")


def test_the_lot_order_of_the_documentation_is_what_the_code_draws():
    lot = Lot("correct horse battery staple")
    assert lot.order(["Ann", "Ben", "Cat"]) == ["Ben", "Cat", "Ann"]
    assert commit(lot.seed) == "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a"


@pytest.mark.parametrize(
    ("base", "turnout", "needed", "present", "met"),
    [
        (QuorumBase.ROLL, {"cast": 5, "roll": 10}, 5, 5, True),
        (QuorumBase.ROLL, {"cast": "4.9", "roll": 10, "recused": 5}, 5, "4.9", False),
        (QuorumBase.ROLL_AND_RECUSED, {"cast": 5, "roll": 10, "recused": 2}, 6, 5, False),
        (QuorumBase.ROLL_AND_RECUSED, {"cast": 6, "roll": 10, "recused": 2}, 6, 6, True),
        (QuorumBase.MEMBERS, {"cast": 9, "roll": 10, "voters": 1, "members": 3}, "3/2", 1, False),
        (QuorumBase.MEMBERS, {"cast": 1, "roll": 10, "voters": 2, "members": 3}, "3/2", 2, True),
    ],
)
def test_a_quorum_is_a_fraction_of_its_base(base, turnout, needed, present, met):
    check = Quorum.of("1/2", base).check(Turnout.of(**turnout))
    assert (check.needed, check.present) == (Fraction(needed), Fraction(present))
    assert check.is_met is met
    assert ("is not met" in check.words) is not met


@every_method
def test_nobody_is_elected_without_the_quorum_but_every_stage_stays_on_the_sheet(method):
    sheet = METHODS[method](TIED, CastingVote(("Ann", "Ben")))
    half = Quorum.of("1/2")
    kept = sheet.under(half.check(Turnout.of(cast=8, roll=16)))
    lost = sheet.under(half.check(Turnout.of(cast=8, roll=17)))
    assert (kept.elected, kept.outcome) == (("Ann",), Outcome.ELECTED)
    assert (lost.elected, lost.outcome) == ((), Outcome.NO_QUORUM)
    assert lost.stages == sheet.stages
    assert lost.as_json()["quorum"]["needed"] == "8.5"
    assert lost.as_json()["outcome"] == "no_quorum"
