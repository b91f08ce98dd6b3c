"""Score votes: points added up, what a missing score means, and what is refused."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proposals.tally import approval, score
from proposals.tally.casting import CastingVote
from proposals.tally.election import Election
from proposals.tally.errors import InputError
from proposals.tally.lot import Lot
from proposals.tally.score import ScoreElection
from proposals.tally.sheet import Outcome, Resolution
from tests.proposals.tally.strategies import NAMES, weights

ALL = ("Ann", "Ben", "Cat")


def vote(*ballots, highest=5, seats=1, candidates=ALL):
    return ScoreElection.of(candidates=candidates, highest=highest, seats=seats, ballots=ballots)


def test_points_are_added_up_by_weight_and_worked_by_hand():
    # Ann 2 * 5 + 1 * 0 = 10, Ben 2 * 3 + 1 * 5 = 11, Cat 1 * 4 = 4.
    sheet = score.count(
        vote((2, {"Ann": 5, "Ben": 3}), (1, {"Ann": 0, "Ben": 5, "Cat": 4}), (3, {}))
    )
    assert sheet.as_json()["stages"][0]["totals"] == {"Ann": "10", "Ben": "11", "Cat": "4"}
    assert (sheet.elected, sheet.valid, sheet.void) == (("Ben",), 3, 3)
    assert sheet.details["mean"] == {"Ann": "10/3", "Ben": "11/3", "Cat": "4/3"}
    assert sheet.details["scores"]["Cat"] == {
        **dict.fromkeys("012345", "0"),
        "4": "1",
        "none": "2",
    }


def test_a_candidate_left_out_has_no_points_but_a_ballot_of_zeros_is_valid():
    sheet = score.count(vote((1, {"Ann": 0, "Ben": 0}), (1, {"Ann": 1})))
    assert (sheet.valid, sheet.void, sheet.elected) == (2, 0, ("Ann",))


def test_nobody_is_elected_by_zeros_only():
    sheet = score.count(vote((4, {"Ann": 0, "Ben": 0, "Cat": 0})))
    assert (sheet.outcome, sheet.elected, sheet.valid) == (Outcome.NO_VOTES, (), 4)


@pytest.mark.parametrize(
    ("decider", "elected", "resolved_by"),
    [
        (None, (), Resolution.NOTHING),
        (CastingVote(("Cat", "Ben")), ("Ben",), Resolution.CASTING_VOTE),
        (CastingVote(("Cat",)), (), Resolution.NOTHING),
        (Lot("s"), tuple(Lot("s").order(["Ann", "Ben"])[:1]), Resolution.LOT),
    ],
)
def test_a_tie_falls_to_the_tie_rule(decider, elected, resolved_by):
    sheet = score.count(vote((1, {"Ann": 4, "Ben": 4, "Cat": 1})), decider)
    assert sheet.elected == elected
    assert sheet.ties[0].resolved_by is resolved_by
    assert sheet.ties[0].candidates == ("Ann", "Ben")


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("candidates", {"candidates": ["Ann", "Ann"]}),
        ("seats", {"seats": 0}),
        ("highest", {"highest": 0}),
        ("highest", {"highest": 1001}),
        ("highest", {"highest": True}),
        ("title", {"title": "a\nb"}),
        ("ballots", {"ballots": [(1, {"Dan": 1})]}),
        ("ballots", {"ballots": [(1, {"Ann": 6})]}),
        ("ballots", {"ballots": [(1, {"Ann": -1})]}),
        ("ballots", {"ballots": [(1, {"Ann": 2.5})]}),
        ("ballots", {"ballots": [(1, {"Ann": True})]}),
        ("ballots", {"ballots": [(0, {"Ann": 1})]}),
        ("ballots", {"ballots": [(1.5, {"Ann": 1})]}),
    ],
)
def test_a_score_vote_that_cannot_be_counted_is_refused_by_the_name_of_its_field(field, change):
    good = {"candidates": ["Ann", "Ben"], "highest": 5, "ballots": [(1, {"Ann": 1})]}
    ScoreElection.of(**good)
    with pytest.raises(InputError) as caught:
        ScoreElection.of(**{**good, **change})
    assert caught.value.field == field


@st.composite
def score_votes(draw):
    number = draw(st.integers(1, 5))
    highest = draw(st.integers(1, 6))
    scores = st.tuples(*[st.none() | st.integers(0, highest)] * number)
    ballots = draw(st.dictionaries(scores, weights, max_size=10))
    return ScoreElection(NAMES[:number], draw(st.integers(1, 3)), highest, ballots)


@settings(max_examples=150, deadline=None)
@given(score_votes(), st.sampled_from([None, Lot("x"), CastingVote(tuple(reversed(NAMES)))]))
def test_every_total_is_what_adding_ballot_by_ballot_gives(election, decider):
    sheet = score.count(election, decider)
    for place, name in enumerate(election.candidates):
        points = sum(
            (weight * (scores[place] or 0) for scores, weight in election.ballots.items()),
            Fraction(),
        )
        assert sheet.stages[0].totals[name] == points
        spread = sheet.as_json()["scores"][name]
        assert sum(map(Fraction, spread.values())) == sheet.valid
    assert sheet.valid + sheet.void == sum(election.ballots.values())
    left_out = [v for n, v in sheet.stages[0].totals.items() if n not in sheet.elected]
    if sheet.outcome is Outcome.ELECTED:
        assert all(sheet.stages[0].totals[n] >= max(left_out, default=0) for n in sheet.elected)


@settings(max_examples=100, deadline=None)
@given(score_votes(), st.data())
def test_the_order_of_candidates_and_ballots_changes_nothing(election, data):
    order = data.draw(st.permutations(range(len(election.candidates))))
    moved = ScoreElection(
        tuple(election.candidates[c] for c in order),
        election.seats,
        election.highest,
        {
            tuple(scores[c] for c in order): weight
            for scores, weight in data.draw(st.permutations(list(election.ballots.items())))
        },
    )
    assert score.count(moved, Lot("s")).as_json() == score.count(election, Lot("s")).as_json()


@settings(max_examples=100, deadline=None)
@given(score_votes())
def test_a_scale_of_one_point_is_an_approval_vote(election):
    approvals = {
        tuple(None if points is None else points % 2 for points in scores): weight
        for scores, weight in election.ballots.items()
    }
    one = ScoreElection(election.candidates, election.seats, 1, approvals)
    ballots = [
        (weight, [n for n, points in zip(one.candidates, scores, strict=True) if points])
        for scores, weight in approvals.items()
    ]
    same = Election.of(candidates=one.candidates, seats=one.seats, ballots=ballots)
    ours, theirs = score.count(one, Lot("s")), approval.count(same, Lot("s"))
    assert (ours.elected, ours.outcome) == (theirs.elected, theirs.outcome)
    assert ours.stages[0].totals == theirs.stages[0].totals
