"""Schulze: a cycle worked by hand, and every small election against all paths one by one."""

from fractions import Fraction
from itertools import pairwise, permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proposals.tally import pairwise as pairwise_module
from proposals.tally import schulze
from proposals.tally.election import Election, Profile
from proposals.tally.lot import Lot
from proposals.tally.sheet import Outcome, Resolution
from tests.proposals.tally.strategies import elections


def test_a_cycle_falls_to_the_strongest_paths_worked_by_hand():
    # Ann beats Ben 14:7, Ben beats Cat 15:6, Cat beats Ann 12:9. The weakest link, Cat over Ann
    # (12), gives way: Ann reaches Cat by 14 through Ben, Cat reaches Ann only by 12.
    election = Election.of(
        candidates=["Ann", "Ben", "Cat"],
        ballots=[
            (8, ["Ann", "Ben", "Cat"]),
            (7, ["Ben", "Cat", "Ann"]),
            (5, ["Cat", "Ann", "Ben"]),
            (1, ["Ann", "Cat", "Ben"]),
        ],
    )
    sheet = schulze.count(election)
    assert sheet.details["pairwise"] == {
        "Ann": {"Ben": "14", "Cat": "9"},
        "Ben": {"Ann": "7", "Cat": "15"},
        "Cat": {"Ann": "12", "Ben": "6"},
    }
    assert sheet.details["strongest_paths"] == {
        "Ann": {"Ben": "14", "Cat": "14"},
        "Ben": {"Ann": "12", "Cat": "15"},
        "Cat": {"Ann": "12", "Ben": "12"},
    }
    assert sheet.details["ranking"] == [["Ann"], ["Ben"], ["Cat"]]
    assert sheet.details["condorcet_winner"] is None
    assert sheet.elected == ("Ann",)
    assert [stage.totals["Ann"] for stage in sheet.stages] == [1, 2]


def test_links_are_measured_by_winning_votes_and_not_by_margins():
    # A cycle: Ann over Ben 5:3 (margin 2), Ben over Cat 5:4 (1), Cat over Ann 4:2 (2). By winning
    # votes Cat over Ann is the weakest link, so Ann wins; by margins Ben over Cat would be, and Cat
    # would win.
    sheet = schulze.count(
        Election.of(
            candidates=["Ann", "Ben", "Cat"],
            ballots=[(3, ["Ben"]), (1, ["Cat"]), (2, ["Ann", "Ben"]), (3, ["Cat", "Ann"])],
        )
    )
    assert sheet.details["pairwise"] == {
        "Ann": {"Ben": "5", "Cat": "2"},
        "Ben": {"Ann": "3", "Cat": "5"},
        "Cat": {"Ann": "4", "Ben": "4"},
    }
    assert sheet.elected == ("Ann",)


def test_candidates_left_out_stand_last_and_share_that_place():
    short = Election.of(candidates=["Ann", "Ben", "Cat"], ballots=[(3, ["Ben"])])
    spelt = Election.of(candidates=["Ann", "Ben", "Cat"], ballots=[(3, ["Ben", ["Ann", "Cat"]])])
    assert schulze.count(short) == schulze.count(spelt)
    assert schulze.count(short).details["pairwise"]["Ann"] == {"Ben": "0", "Cat": "0"}


def test_a_tie_is_reported_and_elects_nobody_without_a_lot():
    election = Election.of(
        candidates=["Ann", "Ben", "Cat"],
        ballots=[(2, ["Ann", "Ben", "Cat"]), (2, ["Ben", "Ann", "Cat"])],
    )
    sheet = schulze.count(election)
    assert (sheet.outcome, sheet.elected) == (Outcome.TIED, ())
    assert sheet.details["potential_winners"] == ["Ann", "Ben"]
    assert sheet.details["ranking"] == [["Ann", "Ben"], ["Cat"]]
    assert sheet.ties[0].candidates == ("Ann", "Ben")
    assert sheet.ties[0].words == "Ann and Ben are tied for 1 seat and no lot may be drawn."
    drawn = schulze.count(election, Lot("s"))
    assert drawn.ties[0].resolved_by is Resolution.LOT
    assert list(drawn.elected) == Lot("s").order(["Ann", "Ben"])[:1]


def test_no_ballots_elect_nobody():
    sheet = schulze.count(Election.of(candidates=["Ann"], ballots=[(1, [])]))
    assert (sheet.outcome, sheet.elected) == (Outcome.NO_VOTES, ())
    assert sheet.details["condorcet_winner"] is None


def compare_one_by_one(profile):
    """Pairwise votes by looking up each pair on each ballot."""
    number = len(profile.names)
    votes = [[0] * number for _ in range(number)]
    for ranking, weight in zip(profile.rankings, profile.weights, strict=True):
        place = {c: at for at, rank in enumerate(ranking) for c in rank}
        for a, b in permutations(range(number), 2):
            if place.get(a, number) < place.get(b, number):
                votes[a][b] += weight
    return votes


def strongest_by_trying_all(votes, start, end):
    """The strongest path's strength, by walking every simple path."""
    others = [c for c in range(len(votes)) if c not in (start, end)]
    best = 0
    for length in range(len(others) + 1):
        for between in permutations(others, length):
            path = (start, *between, end)
            links = [votes[a][b] if votes[a][b] > votes[b][a] else 0 for a, b in pairwise(path)]
            best = max(best, min(links))
    return best


@settings(max_examples=200, deadline=None)
@given(elections(max_candidates=5))
def test_paths_and_winners_agree_with_trying_every_path(election):
    profile = Profile.of(election)
    votes = compare_one_by_one(profile)
    assert schulze.compare_pairs(profile) == votes
    paths = schulze.strongest_paths(votes)
    number = len(votes)
    for a, b in permutations(range(number), 2):
        assert paths[a][b] == strongest_by_trying_all(votes, a, b)
    unbeaten = [
        profile.names[a]
        for a in range(number)
        if all(paths[a][b] >= paths[b][a] for b in range(number))
    ]
    sheet = schulze.count(election)
    assert sheet.details["potential_winners"] == (sorted(unbeaten) if sheet.valid else [])


@settings(max_examples=200, deadline=None)
@given(elections(max_candidates=6))
def test_a_condorcet_winner_wins(election):
    profile = Profile.of(election)
    votes = compare_one_by_one(profile)
    number = range(len(votes))
    for a in number:
        if sum(map(sum, votes)) and all(votes[a][b] > votes[b][a] for b in number if b != a):
            sheet = schulze.count(election)
            assert sheet.elected == (profile.names[a],)
            assert sheet.details["condorcet_winner"] == profile.names[a]


@settings(max_examples=100, deadline=None)
@given(elections(max_candidates=6))
def test_the_ranking_puts_nobody_above_someone_who_beats_them(election):
    profile = Profile.of(election)
    paths = schulze.strongest_paths(schulze.compare_pairs(profile))
    levels = schulze.rank_by(paths)
    assert sorted(c for level in levels for c in level) == list(range(len(paths)))
    for at, level in enumerate(levels):
        for lower in [c for below in levels[at:] for c in below]:
            assert all(paths[lower][c] <= paths[c][lower] for c in level)


def many(number, ballots, seed):
    """As many distinct ballots over `number` candidates, some short, some with shared ranks."""
    random = Random(seed)
    found = {}
    while len(found) < ballots:
        order = random.sample(range(number), random.randint(0, min(number, 12)))
        ranks = []
        for candidate in order:
            if ranks and random.random() < 0.2:
                ranks[-1] = tuple(sorted((*ranks[-1], candidate)))
            else:
                ranks.append((candidate,))
        found[tuple(ranks)] = Fraction(random.randint(1, 9_999), random.choice([1, 2, 3]))
    return Election(tuple(f"C{n}" for n in range(number)), 1, found)


@pytest.mark.parametrize(
    ("number", "ballots", "block"),
    [(6, 300, 7), (6, 300, 300), (126, 40, 16), (127, 40, 16), (128, 40, 16), (300, 12, 5)],
)
def test_pairs_compared_in_blocks_agree_with_pairs_looked_up_one_by_one(
    number, ballots, block, monkeypatch
):
    monkeypatch.setattr(pairwise_module, "BLOCK", block)
    profile = Profile.of(many(number, ballots, seed=number))
    assert profile.scale == 6
    assert pairwise_module.compare_pairs(profile) == compare_one_by_one(profile)


@settings(max_examples=150, deadline=None)
@given(elections(max_candidates=6))
def test_no_pair_has_more_votes_than_there_are(election):
    sheet = schulze.count(election)
    pairs = sheet.as_json()["pairwise"]
    for one, other in permutations(pairs, 2):
        assert Fraction(pairs[one][other]) + Fraction(pairs[other][one]) <= sheet.valid


@settings(max_examples=200, deadline=None)
@given(elections(max_candidates=5, withdrawals=False), st.data())
def test_a_winner_who_is_raised_on_a_ballot_stays_a_winner(election, data):
    sheet = schulze.count(election)
    if sheet.outcome is Outcome.NO_VOTES:
        return
    name = data.draw(st.sampled_from(sheet.details["potential_winners"]))
    winner = election.candidates.index(name)
    ranking, weight = data.draw(st.sampled_from(list(election.ballots.items())))
    without = [tuple(c for c in rank if c != winner) for rank in ranking]
    raised = ((winner,), *(rank for rank in without if rank))
    ballots = {r: w for r, w in election.ballots.items() if r != ranking}
    ballots[raised] = ballots.get(raised, Fraction()) + weight
    after = schulze.count(Election(election.candidates, 1, ballots))
    assert name in after.details["potential_winners"]
