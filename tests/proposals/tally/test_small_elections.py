"""Every small election there is, counted a second time in the plainest way that can be written.

All multisets of up to four ballots over three candidates, with truncated ballots and, where they
mean something, shared ranks; for each the winners are found again from the words of the rules.
"""

from collections import Counter
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, permutations

import pytest

from proposals.tally import approval, irv, plurality, schulze, score, stv
from proposals.tally.election import Election
from proposals.tally.lot import Lot
from proposals.tally.score import ScoreElection
from proposals.tally.sheet import Outcome

NAMES = ("Ann", "Ben", "Cat")
LOTS = [Lot("x"), Lot("y"), Lot("z")]


def strict_ballots():
    """Every order of some of the candidates, nobody included: 16 of them."""
    return [
        tuple((c,) for c in order)
        for length in range(4)
        for order in permutations(range(3), length)
    ]


def weak_ballots():
    """Every ranking of some of the candidates in which ranks may be shared: 26 of them."""
    found = {()}
    for order in permutations(range(3)):
        for cuts in range(4):
            for length in range(1, 4):
                ranks, taken = [], list(order[:length])
                for place, candidate in enumerate(taken):
                    if place and cuts >> (place - 1) & 1:
                        ranks[-1] = tuple(sorted((*ranks[-1], candidate)))
                    else:
                        ranks.append((candidate,))
                found.add(tuple(ranks))
    return sorted(found)


def all_elections(ballots, most, seats=1):
    for number in range(1, most + 1):
        for chosen in combinations_with_replacement(ballots, number):
            yield Election(NAMES, seats, {b: Fraction(n) for b, n in Counter(chosen).items()})


def papers(election):
    return [
        ranking
        for ranking, weight in election.ballots.items()
        for _ in range(int(weight))
        if ranking
    ]


def test_there_are_as_many_ballots_as_arithmetic_says():
    assert len(set(strict_ballots())) == 1 + 3 + 6 + 6
    assert len(weak_ballots()) == 1 + 3 + (6 + 3) + 13


def irv_winners(cast, standing):
    """Everyone who wins by some way of breaking ties for the fewest votes."""
    heads = [next((r[0] for r in paper if r[0] in standing), None) for paper in cast]
    votes = {c: heads.count(c) for c in standing}
    held = sum(votes.values())
    for candidate, number in votes.items():
        if 2 * number > held:
            return {candidate}
    fewest = min(votes.values())
    lowest = [c for c in standing if votes[c] == fewest]
    return set().union(*(irv_winners(cast, standing - {c}) for c in lowest)) if held else set()


def test_instant_runoff_agrees_with_every_way_of_counting_on_every_small_election():
    counted = 0
    for election in all_elections(strict_ballots(), 4):
        cast = papers(election)
        if not cast:
            continue
        expected = irv_winners(cast, frozenset(range(3)))
        for lot in LOTS:
            sheet = irv.count(election, lot)
            (winner,) = sheet.elected
            assert NAMES.index(winner) in expected
        counted += 1
    assert counted == 4844 - 4


def schulze_winners(cast):
    """Unbeaten by strongest path, the paths found by trying every one."""
    place = [{c: at for at, rank in enumerate(paper) for c in rank} for paper in cast]
    votes = {
        (a, b): sum(p.get(a, 9) < p.get(b, 9) for p in place) for a, b in permutations(range(3), 2)
    }
    link = {(a, b): votes[a, b] if votes[a, b] > votes[b, a] else 0 for a, b in votes}
    path = {}
    for a, b in votes:
        (other,) = {0, 1, 2} - {a, b}
        path[a, b] = max(link[a, b], min(link[a, other], link[other, b]))
    return {a for a in range(3) if all(path[a, b] >= path[b, a] for b in range(3) if b != a)}


def test_schulze_agrees_with_trying_every_path_on_every_small_election():
    for election in all_elections(weak_ballots(), 3):
        sheet = schulze.count(election)
        cast = papers(election)
        if not cast:
            assert sheet.outcome is Outcome.NO_VOTES
            continue
        expected = sorted(NAMES[c] for c in schulze_winners(cast))
        assert sheet.details["potential_winners"] == expected
        assert sheet.elected == (tuple(expected) if len(expected) == 1 else ())


def seatings(totals, seats):
    """Every set of winners that no one left out has more votes than, and nobody without votes."""
    able = [name for name, total in totals.items() if total]
    size = min(seats, len(able))
    return [
        set(chosen)
        for chosen in combinations(able, size)
        if all(
            totals[name] <= min((totals[c] for c in chosen), default=0)
            for name in able
            if name not in chosen
        )
    ]


@pytest.mark.parametrize("seats", [1, 2, 3])
@pytest.mark.parametrize("method", [approval, plurality])
def test_the_highest_are_seated_on_every_small_election(method, seats):
    for election in all_elections(weak_ballots(), 3, seats):
        cast = papers(election)
        if method is approval:
            totals = {n: sum(c in sum(p, ()) for p in cast) for c, n in enumerate(NAMES)}
        else:
            totals = {n: sum(p[0] == (c,) for p in cast) for c, n in enumerate(NAMES)}
        fair = seatings(totals, seats)
        assert set(method.count(election, Lot("x")).elected) in fair
        sheet = method.count(election, None)
        assert (sheet.outcome is Outcome.TIED) == (len(fair) > 1)
        if len(fair) == 1:
            assert set(sheet.elected) == fair[0]
        else:
            assert set(sheet.elected) == set.intersection(*fair)


@pytest.mark.parametrize("seats", [1, 2])
def test_the_highest_scores_win_on_every_small_score_vote(seats):
    ballots = [(a, b) for a in (None, 0, 1, 2) for b in (None, 0, 1, 2)]
    for number in range(1, 4):
        for chosen in combinations_with_replacement(ballots, number):
            votes = {b: Fraction(n) for b, n in Counter(chosen).items()}
            totals = {n: sum(b[c] or 0 for b in chosen) for c, n in enumerate(NAMES[:2])}
            fair = seatings(totals, seats)
            sheet = score.count(ScoreElection(NAMES[:2], seats, 2, votes), Lot("x"))
            assert set(sheet.elected) in fair


class EveryWay:
    """Every set that the Order can elect, whichever way each lot falls.

    Written from rules 46 to 53 without any of the real count's shortcuts: papers are kept one by
    one, values are fractions, and every branch of every lot is followed.
    """

    def __init__(self, cast, seats):
        self.seats = seats
        self.quota = len(cast) // (seats + 1) + 1
        self.found = set()
        piles = {c: [(p, Fraction(1)) for p in cast if p[0] == (c,)] for c in range(3)}
        self.end_stage(piles, {}, {0, 1, 2}, set(), set(), [])

    def end_stage(self, piles, kept, continuing, elected, waiting, history):
        now = {c: kept.get(c, sum((v for _, v in piles[c]), Fraction())) for c in range(3)}
        reached = {c for c in continuing if now[c] >= self.quota}
        elected, continuing = elected | reached, continuing - reached
        waiting = waiting | {c for c in reached if now[c] > self.quota}
        if len(continuing) <= self.seats - len(elected):
            self.found.add(frozenset(elected | continuing))
        elif len(elected) == self.seats:
            self.found.add(frozenset(elected))
        else:
            history = [*history, now]
            pool, pick = (waiting, max) if waiting else (continuing, min)
            for giver in self.tied(pool, pick, history):
                self.move(giver, piles, kept, continuing, elected, waiting, history)

    def tied(self, pool, pick, history):
        left = set(pool)
        for past in reversed(history):
            line = pick(past[c] for c in left)
            left = {c for c in left if past[c] == line}
        return left

    def move(self, giver, piles, kept, continuing, elected, waiting, history):
        total = history[-1][giver]
        factor = (total - self.quota) / total if giver in waiting else Fraction(1)
        kept = kept | {giver: Fraction(self.quota if giver in waiting else 0)}
        continuing = continuing - {giver}
        after = {c: list(pile) for c, pile in piles.items()}
        for paper, value in piles[giver]:
            heir = next((r[0] for r in paper if r[0] in continuing), None)
            if heir is not None:
                after[heir].append((paper, Fraction(int(value * factor * 100_000), 100_000)))
        self.end_stage(after, kept, continuing, elected, waiting - {giver}, history)


def check_scottish(election):
    fair = EveryWay(papers(election), election.seats).found
    got = {
        frozenset(NAMES.index(name) for name in stv.count(election, lot).elected) for lot in LOTS
    }
    assert got <= fair
    assert len(fair) > 1 or got == fair


@pytest.mark.parametrize("seats", [1, 2])
def test_scottish_stv_agrees_with_every_way_lots_can_fall_on_every_small_election(seats):
    for election in all_elections([ballot for ballot in strict_ballots() if ballot], 4, seats):
        check_scottish(election)


def test_scottish_stv_agrees_where_surpluses_are_cut():
    strict = [ballot for ballot in strict_ballots() if ballot]
    for chosen in permutations(strict, 3):
        weights = (Fraction(7), Fraction(5), Fraction(3))
        check_scottish(Election(NAMES, 2, dict(zip(chosen, weights, strict=True))))
