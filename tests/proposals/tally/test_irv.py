"""Instant runoff: counts worked by hand, and every small election against all ways to count it."""

from fractions import Fraction
from functools import cache

from hypothesis import given, settings

from proposals.tally import irv
from proposals.tally.election import Election, Profile, StrictProfile
from proposals.tally.lot import Lot
from proposals.tally.sheet import Outcome, Resolution
from tests.proposals.tally.strategies import elections

TRIO = ("Ann", "Ben", "Cat")


def election(*ballots, candidates=("Ann", "Ben", "Cat", "Dan")):
    return Election.of(candidates=candidates, ballots=ballots)


LATE_WINNER = election((10, ["Ann"]), (8, ["Ben", "Cat"]), (7, ["Cat"]), (5, ["Dan", "Cat"]))


def test_ballots_that_run_out_leave_the_half_to_those_still_held():
    # Cat goes first (4, nobody next), then Dan (5, Cat is out): Ann has 10 of the 18 left.
    sheet = irv.count(election((10, ["Ann"]), (8, ["Ben"]), (4, ["Cat"]), (5, ["Dan", "Cat"])))
    assert [stage.act for stage in sheet.stages] == [
        "first preferences",
        "exclude Cat",
        "exclude Dan",
    ]
    assert [stage.exhausted for stage in sheet.stages] == [0, 4, 9]
    assert sheet.elected == ("Ann",)
    assert sheet.notes == ("Ann has 10 of the 18 votes still held; more than half is more than 9.",)


def test_votes_pass_on_until_someone_has_more_than_half_and_the_first_leader_can_lose():
    sheet = irv.count(LATE_WINNER)
    assert [stage.act for stage in sheet.stages] == [
        "first preferences",
        "exclude Dan",
        "exclude Ben",
    ]
    assert sheet.as_json()["stages"][1]["totals"] == {"Ann": "10", "Ben": "8", "Cat": "12"}
    assert sheet.as_json()["stages"][2]["totals"] == {"Ann": "10", "Cat": "20"}
    assert sheet.elected == ("Cat",)


def test_more_than_half_at_once_needs_no_exclusion():
    sheet = irv.count(election((5, ["Ann"]), (2, ["Ben"]), (2, ["Cat"])))
    assert (len(sheet.stages), sheet.elected, sheet.ties) == (1, ("Ann",), ())


def test_exactly_half_does_not_elect():
    sheet = irv.count(election((4, ["Ann"]), (3, ["Ben"]), (1, ["Cat", "Ben"])))
    assert sheet.stages[0].elected == ()


def test_a_tied_exclusion_that_cannot_matter_excludes_all_of_them_and_says_so():
    sheet = irv.count(
        election((9, ["Ann"]), (8, ["Ben"]), (2, ["Cat", "Ben"]), (2, ["Dan", "Ben"])), None
    )
    (tie,) = sheet.ties
    assert tie.resolved_by is Resolution.TOGETHER
    assert tie.chosen == tie.candidates == ("Cat", "Dan")
    assert sheet.stages[1].act == "exclude Cat and Dan"
    assert sheet.elected == ("Ben",)


def test_a_tied_group_that_could_reach_the_next_candidate_is_not_excluded_together():
    sheet = irv.count(
        election((5, ["Ann"]), (4, ["Ben"]), (2, ["Cat", "Dan"]), (2, ["Dan", "Cat"])), None
    )
    assert sheet.outcome is Outcome.TIED
    assert sheet.ties[0].candidates == ("Cat", "Dan")


def test_a_tied_exclusion_that_matters_falls_to_the_lot_and_is_reported():
    votes = election((4, ["Ann"]), (3, ["Ben", "Cat"]), (3, ["Cat", "Ben"]), candidates=TRIO)
    winners = set()
    for seed in ("a", "b", "c", "d", "e"):
        sheet = irv.count(votes, Lot(seed))
        tie = sheet.ties[0]
        assert tie.candidates == ("Ben", "Cat")
        assert tie.resolved_by is Resolution.LOT
        assert sheet.stages[1].excluded == tie.chosen
        assert tie.chosen[0] == Lot(seed).order(["Ben", "Cat"])[-1]
        assert sheet.lot_seed == seed
        winners.add(sheet.elected)
    assert winners == {("Ben",), ("Cat",)}


def test_without_a_lot_a_tie_that_matters_elects_nobody():
    sheet = irv.count(election((1, ["Ann"]), (1, ["Ben"]), candidates=TRIO[:2]), None)
    assert (sheet.outcome, sheet.elected) == (Outcome.TIED, ())
    assert sheet.ties[0].resolved_by is Resolution.NOTHING


def test_an_earlier_stage_resolves_a_tie_before_a_lot_does():
    sheet = irv.count(election((6, ["Ann"]), (5, ["Ben"]), (4, ["Cat"]), (1, ["Dan", "Cat"])), None)
    (tie,) = sheet.ties
    assert (tie.resolved_by, tie.chosen) == (Resolution.EARLIER_STAGE, ("Cat",))
    assert sheet.elected == ("Ann",)


def test_an_empty_count_elects_nobody():
    sheet = irv.count(election((2, []), (1, [["Ann", "Ben"]])))
    assert (sheet.outcome, sheet.elected, sheet.valid, sheet.void) == (Outcome.NO_VOTES, (), 0, 3)


def possible_winners(election):
    """Everyone who wins under some way of breaking ties, by trying them all."""
    papers = StrictProfile.of(Profile.of(election))

    @cache
    def winners(continuing):
        held = dict.fromkeys(continuing, 0)
        for order, weight in zip(papers.orders, papers.weights, strict=True):
            heir = next((c for c in order if c in continuing), None)
            if heir is not None:
                held[heir] += weight
        if len(continuing) == 1:
            return continuing
        fewest = min(held.values())
        return frozenset().union(
            *(winners(continuing - {c}) for c in continuing if held[c] == fewest)
        )

    names = Profile.of(election).names
    return {names[c] for c in winners(frozenset(range(len(names))))}


@settings(max_examples=300, deadline=None)
@given(elections(max_candidates=6))
def test_the_winner_is_one_that_some_way_of_counting_gives(election):
    sheet = irv.count(election)
    if sheet.outcome is Outcome.NO_VOTES:
        assert sheet.valid == 0
        return
    possible = possible_winners(election)
    assert set(sheet.elected) <= possible
    assert len(sheet.elected) == 1
    open_ended = irv.count(election, None)
    assert set(open_ended.elected) <= possible
    if open_ended.outcome is Outcome.ELECTED and not open_ended.ties:
        assert set(open_ended.elected) == possible


@settings(max_examples=150, deadline=None)
@given(elections(max_candidates=6))
def test_no_vote_appears_or_disappears_at_any_stage(election):
    sheet = irv.count(election)
    exhausted = Fraction()
    for stage in sheet.stages:
        assert sum(stage.totals.values()) + stage.exhausted == sheet.valid
        assert stage.exhausted >= exhausted
        exhausted = stage.exhausted
    assert sheet.valid + sheet.void == sum(election.ballots.values())
