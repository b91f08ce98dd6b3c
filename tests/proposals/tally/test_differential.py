"""Our counts against those of `pref_voting`, where its definitions are ours.

Needs an environment of its own, without which these tests are skipped:

    python3 -m venv var/differential
    var/differential/bin/pip install -r requirements-differential.txt
    var/differential/bin/python -m pytest --noconftest tests/proposals/tally/test_differential.py
"""

import random
import warnings
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proposals.tally import approval, irv, plurality, schulze, score, stv
from proposals.tally.election import Election
from proposals.tally.lot import Lot
from proposals.tally.score import ScoreElection
from proposals.tally.sheet import Outcome, Resolution
from tests.proposals.tally.strategies import NAMES, elections, whole_weights

REASON = "pref_voting is not installed; the top of this file says how to run these tests"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("pref_voting", reason=REASON)
    from pref_voting.grade_methods import approval as their_approval
    from pref_voting.grade_methods import score_voting
    from pref_voting.grade_profiles import GradeProfile
    from pref_voting.iterative_methods import instant_runoff_put
    from pref_voting.margin_based_methods import beat_path
    from pref_voting.profiles import Profile
    from pref_voting.profiles_with_ties import ProfileWithTies
    from pref_voting.proportional_methods import stv_scottish
    from pref_voting.scoring_methods import plurality as their_plurality

SETTINGS = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def whole(**kinds):
    """Elections that both sides can hold: nobody withdrawn, whole weights, a ballot at least."""
    return elections(withdrawals=False, weight=whole_weights, min_ballots=1, **kinds)


def theirs(election):
    """The same ballots as a profile of theirs; empty ballots are left out, as we void them."""
    rankings = {ranking: weight for ranking, weight in election.ballots.items() if ranking}
    profile = ProfileWithTies(
        [{c: place for place, rank in enumerate(r, 1) for c in rank} for r in rankings],
        [int(weight) for weight in rankings.values()],
        candidates=list(range(len(election.candidates))),
    )
    profile.use_extended_strict_preference()
    return profile


def named(election, winners):
    return sorted(election.candidates[c] for c in winners)


def at_the_top(sheet):
    """Everyone who won or could have, had a tie gone their way."""
    return sorted(sheet.ties[-1].candidates if sheet.outcome is Outcome.TIED else sheet.elected)


@SETTINGS
@given(whole(max_candidates=6))
def test_schulze_by_winning_votes_has_the_same_winners(election):
    sheet = schulze.count(election)
    if sheet.outcome is Outcome.NO_VOTES:
        return
    profile = theirs(election)
    winners = beat_path(profile, strength_function=profile.support)
    assert sheet.details["potential_winners"] == named(election, winners)
    condorcet = profile.condorcet_winner()
    if len(election.candidates) > 1:
        assert sheet.details["condorcet_winner"] == (
            None if condorcet is None else election.candidates[condorcet]
        )


@SETTINGS
@given(whole(max_candidates=6))
def test_every_paired_comparison_has_the_same_votes(election):
    sheet = schulze.count(election)
    if sheet.outcome is Outcome.NO_VOTES:
        return
    profile = theirs(election)
    for a, name in enumerate(election.candidates):
        for b, rival in enumerate(election.candidates):
            if a != b:
                assert int(sheet.details["pairwise"][name][rival]) == profile.support(a, b)


@SETTINGS
@given(whole(shared=False, max_candidates=5), st.sampled_from(["a", "b", "c"]))
def test_an_instant_runoff_ends_with_one_of_their_winners_over_all_ways_to_break_ties(
    election, seed
):
    sheet = irv.count(election, Lot(seed))
    if sheet.outcome is Outcome.NO_VOTES:
        return
    profile = theirs(election)
    winners = named(election, instant_runoff_put(profile))
    assert sheet.elected[0] in winners
    if not any(tie.resolved_by in (Resolution.LOT, Resolution.EARLIER_STAGE) for tie in sheet.ties):
        assert list(sheet.elected) == winners


@SETTINGS
@given(
    elections(
        shared=False,
        withdrawals=False,
        # Wide weights, so that few counts need a lot, on which the two sides would differ.
        weight=st.integers(1, 500).map(Fraction),
        max_candidates=7,
        min_ballots=3,
    )
)
def test_scottish_stv_elects_the_same_where_no_lot_is_drawn(election):
    sheet = stv.count(election, Lot("x"))
    if sheet.outcome is Outcome.NO_VOTES or any(
        tie.resolved_by is Resolution.LOT for tie in sheet.ties
    ):
        return
    if len(election.candidates) <= election.seats:
        return
    elected = stv_scottish(theirs(election), num_seats=election.seats, rng=random.Random(1))
    assert sorted(sheet.elected) == named(election, elected)


@SETTINGS
@given(st.data())
def test_plurality_has_the_same_winners(data):
    number = data.draw(st.integers(1, 5))
    orders = st.permutations(range(number)).map(tuple)
    ballots = data.draw(st.dictionaries(orders, st.integers(1, 9), min_size=1, max_size=8))
    election = plurality_election(number, ballots)
    winners = their_plurality(Profile(list(ballots), list(ballots.values())))
    assert at_the_top(plurality.count(election)) == named(election, winners)


def plurality_election(number, ballots):
    return Election.of(
        candidates=NAMES[:number],
        ballots=[(weight, [NAMES[c] for c in order]) for order, weight in ballots.items()],
    )


@SETTINGS
@given(whole(max_candidates=5))
def test_approval_has_the_same_winners(election):
    named_by = {r: w for r, w in election.ballots.items() if r}
    if not named_by:
        return
    profile = GradeProfile(
        [{c: 1 for rank in ranking for c in rank} for ranking in named_by],
        [0, 1],
        gcounts=[int(weight) for weight in named_by.values()],
        candidates=list(range(len(election.candidates))),
    )
    one = Election(election.candidates, 1, election.ballots)
    assert at_the_top(approval.count(one)) == named(election, their_approval(profile))


@SETTINGS
@given(st.data())
def test_score_voting_has_the_same_winners(data):
    number, highest = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    scores = st.tuples(*[st.integers(0, highest)] * number)
    ballots = data.draw(st.dictionaries(scores, st.integers(1, 9), min_size=1, max_size=8))
    if not any(points for ballot in ballots for points in ballot):
        return
    election = ScoreElection.of(
        candidates=NAMES[:number],
        highest=highest,
        ballots=[(w, dict(zip(NAMES, b, strict=False))) for b, w in ballots.items()],
    )
    profile = GradeProfile(
        [dict(enumerate(ballot)) for ballot in ballots],
        list(range(highest + 1)),
        gcounts=list(ballots.values()),
        candidates=list(range(number)),
    )
    assert at_the_top(score.count(election)) == named(election, score_voting(profile))
