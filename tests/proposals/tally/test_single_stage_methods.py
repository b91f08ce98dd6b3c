"""Approval and plurality: who gets the seats, and what a tie at the last seat does."""

from fractions import Fraction

import pytest
from hypothesis import given, settings

from proposals.tally import approval, plurality
from proposals.tally.election import Election
from proposals.tally.lot import Lot
from proposals.tally.sheet import Outcome, Resolution
from tests.proposals.tally.strategies import elections

NAMES = ["Ann", "Ben", "Cat"]


def test_approval_gives_full_weight_to_everyone_named_whatever_the_rank():
    sheet = approval.count(
        Election.of(
            candidates=NAMES,
            seats=2,
            ballots=[(3, ["Ann", "Ben"]), ("2.5", [["Ben", "Cat"]]), (1, ["Cat"]), (4, [])],
        )
    )
    assert sheet.as_json()["stages"][0]["totals"] == {"Ann": "3", "Ben": "5.5", "Cat": "3.5"}
    assert sheet.elected == ("Ben", "Cat")
    assert (sheet.valid, sheet.void) == (Fraction("6.5"), 4)


def test_plurality_reads_the_first_rank_only_and_voids_a_shared_one():
    sheet = plurality.count(
        Election.of(
            candidates=NAMES,
            ballots=[(3, ["Ann", "Ben"]), (2, ["Ben"]), (5, [["Ben", "Cat"], "Ann"]), (1, [])],
        )
    )
    assert sheet.as_json()["stages"][0]["totals"] == {"Ann": "3", "Ben": "2", "Cat": "0"}
    assert (sheet.elected, sheet.valid, sheet.void) == (("Ann",), 5, 6)


@pytest.mark.parametrize("method", [approval, plurality])
def test_a_tie_for_the_last_seat_leaves_it_open_without_a_lot(method):
    election = Election.of(
        candidates=NAMES, seats=2, ballots=[(3, ["Ann"]), (2, ["Ben"]), (2, ["Cat"])]
    )
    sheet = method.count(election)
    assert (sheet.outcome, sheet.elected) == (Outcome.TIED, ("Ann",))
    assert sheet.ties[0].candidates == ("Ben", "Cat")
    assert sheet.ties[0].resolved_by is Resolution.NOTHING


@pytest.mark.parametrize("method", [approval, plurality])
def test_a_lot_fills_the_last_seat_and_is_on_the_sheet(method):
    election = Election.of(
        candidates=NAMES, seats=2, ballots=[(3, ["Ann"]), (2, ["Ben"]), (2, ["Cat"])]
    )
    winners = set()
    for seed in ("a", "b", "c", "d", "e", "f"):
        sheet = method.count(election, Lot(seed))
        assert sheet.outcome is Outcome.ELECTED
        assert sheet.ties[0].resolved_by is Resolution.LOT
        assert sheet.elected == ("Ann", Lot(seed).order(["Ben", "Cat"])[0])
        winners.add(sheet.elected)
    assert len(winners) == 2


@pytest.mark.parametrize("method", [approval, plurality])
def test_equal_totals_within_the_seats_are_no_tie(method):
    sheet = method.count(
        Election.of(candidates=NAMES, seats=2, ballots=[(2, ["Ben"]), (2, ["Ann"]), (1, ["Cat"])])
    )
    assert (sheet.outcome, sheet.elected, sheet.ties) == (Outcome.ELECTED, ("Ann", "Ben"), ())


@pytest.mark.parametrize("method", [approval, plurality])
def test_nobody_is_elected_without_a_single_vote(method):
    some = method.count(Election.of(candidates=NAMES, seats=3, ballots=[(2, ["Ben"])]))
    assert (some.outcome, some.elected) == (Outcome.ELECTED, ("Ben",))
    assert "2 vacant" in some.notes[0]
    none = method.count(Election.of(candidates=NAMES, seats=3, ballots=[(2, [])]))
    assert (none.outcome, none.elected) == (Outcome.NO_VOTES, ())


@settings(max_examples=100, deadline=None)
@given(elections())
def test_plurality_keeps_every_vote(election):
    sheet = plurality.count(election)
    assert sum(sheet.stages[0].totals.values()) == sheet.valid
    assert sheet.valid + sheet.void == sum(election.ballots.values())


@settings(max_examples=100, deadline=None)
@given(elections())
def test_nobody_elected_has_less_than_someone_left_out(election):
    for method in (approval, plurality):
        sheet = method.count(election, Lot("s"))
        totals = sheet.stages[0].totals
        left_out = [votes for name, votes in totals.items() if name not in sheet.elected]
        assert all(totals[name] >= max(left_out, default=0) for name in sheet.elected)
