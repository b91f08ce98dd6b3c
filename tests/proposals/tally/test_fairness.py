"""What must hold for every method: only the ballots matter, not the order of anything."""

import json
import time
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proposals.tally.casting import CastingVote
from proposals.tally.election import Election
from proposals.tally.lot import Lot
from proposals.tally.methods import METHODS, USUAL_LOT
from proposals.tally.sheet import Outcome
from tests.proposals.tally.strategies import elections

LOTS = st.sampled_from([None, Lot("x"), Lot("y")])
every_method = pytest.mark.parametrize("method", METHODS)


@every_method
@settings(max_examples=60, deadline=None)
@given(election=elections(max_candidates=6), lot=LOTS, data=st.data())
def test_the_order_of_ballots_and_of_candidates_changes_nothing(method, election, lot, data):
    new_place = data.draw(st.permutations(range(len(election.candidates))))
    names = [""] * len(election.candidates)
    for old, new in enumerate(new_place):
        names[new] = election.candidates[old]
    moved = {
        tuple(tuple(sorted(new_place[c] for c in rank)) for rank in ranking): weight
        for ranking, weight in data.draw(st.permutations(list(election.ballots.items())))
    }
    withdrawn = frozenset(new_place[c] for c in election.withdrawn)
    shuffled = Election(tuple(names), election.seats, moved, election.title, withdrawn)
    assert METHODS[method](shuffled, lot).as_json() == METHODS[method](election, lot).as_json()


@every_method
@settings(max_examples=60, deadline=None)
@given(election=elections(max_candidates=6), data=st.data())
def test_other_names_change_nothing_but_the_names(method, election, data):
    order = data.draw(st.permutations(election.candidates))
    others = data.draw(st.permutations([f"Candidate {n}" for n in range(len(order))]))
    renamed = dict(zip(election.candidates, others, strict=True))
    again = Election(tuple(others), election.seats, election.ballots, "", election.withdrawn)
    before = METHODS[method](election, CastingVote(tuple(order)))
    after = METHODS[method](again, CastingVote(tuple(renamed[name] for name in order)))
    assert after.elected == tuple(renamed[name] for name in before.elected)
    assert [stage.totals for stage in after.stages] == [
        {renamed[name]: votes for name, votes in stage.totals.items()} for stage in before.stages
    ]
    assert [(tie.stage, tie.resolved_by) for tie in after.ties] == [
        (tie.stage, tie.resolved_by) for tie in before.ties
    ]


@every_method
@settings(max_examples=60, deadline=None)
@given(election=elections(max_candidates=6), lot=LOTS)
def test_nobody_is_elected_twice_or_beyond_the_seats(method, election, lot):
    sheet = METHODS[method](election, lot)
    assert len(set(sheet.elected)) == len(sheet.elected) <= sheet.seats
    assert set(sheet.elected) <= set(election.candidates)
    if sheet.outcome is Outcome.ELECTED:
        named = [name for stage in sheet.stages for name in stage.elected]
        assert sorted(named) == sorted(sheet.elected)


@every_method
@settings(max_examples=60, deadline=None)
@given(election=elections(max_candidates=6), lot=LOTS)
def test_one_heavy_ballot_counts_like_several_light_ones(method, election, lot):
    split = [
        (part, [[election.candidates[c] for c in rank] for rank in ranking])
        for ranking, weight in election.ballots.items()
        for part in (weight / 2, weight / 4, weight / 4)
    ]
    again = Election.of(
        candidates=election.candidates,
        ballots=split,
        seats=election.seats,
        title=election.title,
        withdrawn=[election.candidates[c] for c in election.withdrawn],
    )
    assert again == election
    assert METHODS[method](again, lot) == METHODS[method](election, lot)


@every_method
@settings(max_examples=60, deadline=None)
@given(election=elections(max_candidates=6), lot=LOTS)
def test_the_sheet_is_json_without_floats(method, election, lot):
    def refuse(text):
        raise AssertionError(f"float {text}")

    sheet = METHODS[method](election, lot).as_json()
    assert json.loads(json.dumps(sheet), parse_float=refuse) == sheet
    assert {"method", "quota", "elected", "stages", "ties", "exhausted", "outcome"} <= set(sheet)
    assert sheet["method"] == method


@every_method
@settings(max_examples=60, deadline=None)
@given(election=elections(max_candidates=6))
def test_a_withdrawn_candidate_is_never_elected_nor_listed(method, election):
    sheet = METHODS[method](election, Lot("x"))
    gone = {election.candidates[c] for c in election.withdrawn}
    assert gone.isdisjoint(sheet.elected)
    assert all(gone.isdisjoint(stage.totals) for stage in sheet.stages)


@every_method
def test_twenty_thousand_different_rankings_are_counted_in_seconds(method):
    random = Random(7)
    names = tuple(f"Candidate {n}" for n in range(20))
    rankings = {tuple((c,) for c in random.sample(range(20), 20)) for _ in range(20_000)}
    election = Election(names, 7, dict.fromkeys(rankings, Fraction(1)))
    began = time.monotonic()
    METHODS[method](election, USUAL_LOT[method])
    assert time.monotonic() - began < 5
