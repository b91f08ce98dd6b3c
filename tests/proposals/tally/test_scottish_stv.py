"""Scottish STV: an official count, counts worked by hand, and a second count by the letter."""

import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proposals.tally import blt, stv
from proposals.tally.election import Election
from proposals.tally.lot import Lot
from proposals.tally.sheet import Outcome, Resolution
from tests.proposals.tally.strategies import elections, whole_weights

OFFICIAL = Path(__file__).resolve().parents[4] / "shared" / "elections"


def totals(sheet, stage):
    """The totals of a stage (from 1) as JSON gives them."""
    return sheet.as_json()["stages"][stage - 1]["totals"]


def acts(sheet):
    return [stage.act for stage in sheet.stages]


@pytest.fixture(scope="module")
def official():
    """The official table of stages, and the sheet of our count of the same ballots."""
    ballots = OFFICIAL / "aberdeen_2017_ward1.blt"
    if not ballots.exists():
        pytest.skip(f"no official count at {OFFICIAL}")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (OFFICIAL / "README.md").read_text().splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ]
    return rows, stv.count(blt.parse(ballots.read_bytes()))


def surname(name):
    return re.search(r"\b([A-Z]{3,})\b", name)[1].casefold()


def test_the_official_count_of_a_ward_is_reproduced_to_the_fifth_decimal(official):
    (heads, *rows), sheet = official
    assert len(rows) == len(sheet.stages) == 6
    for row, stage in zip(rows, sheet.as_json()["stages"], strict=True):
        ours = {surname(name): votes for name, votes in stage["totals"].items()}
        expected = {
            head.casefold(): f"{Decimal(cell):.5f}"
            for head, cell in zip(heads[2:], row[2:], strict=True)
            if cell != "–"
        }
        assert ours == expected
        act, _, whom = stage["act"].rpartition(" ")[0].partition(" ")
        assert row[1].casefold().startswith(act)
        assert not re.search("[A-Z]{3}", whom) or row[1].split()[-1].casefold() == surname(whom)


def test_the_official_quota_and_order_of_election_are_reproduced(official):
    _, sheet = official
    assert sheet.quota == 1322
    assert [surname(name) for name in sheet.elected] == [
        "mackenzie",
        "macgregor",
        "crockett",
        "samarai",
    ]
    assert sheet.ties == ()


def test_a_surplus_and_an_exclusion_worked_by_hand():
    # 40 ballots, 2 seats: quota 40 // 3 + 1 = 14. Ann's surplus of 6 moves at 6 / 20 = 0.3.
    sheet = stv.count(
        Election.of(
            candidates=["Ann", "Ben", "Cat", "Dan"],
            seats=2,
            ballots=[
                (12, ["Ann", "Ben"]),
                (8, ["Ann", "Cat"]),
                (6, ["Ben", "Cat"]),
                (9, ["Cat"]),
                (5, ["Dan", "Ben"]),
            ],
        )
    )
    assert sheet.quota == 14
    assert acts(sheet) == ["first preferences", "surplus of Ann", "exclude Dan"]
    assert totals(sheet, 2) == {
        "Ann": "14.00000",
        "Ben": "9.60000",
        "Cat": "11.40000",
        "Dan": "5.00000",
    }
    assert totals(sheet, 3) == {"Ann": "14.00000", "Ben": "14.60000", "Cat": "11.40000"}
    assert sheet.elected == ("Ann", "Ben")
    assert sheet.notes == (
        "Quota: 40 valid votes divided by 2 + 1, without the fraction, plus 1, is 14.",
    )


def test_a_transfer_value_is_cut_and_not_rounded():
    # Quota 14 // 3 + 1 = 5; Ann's surplus of 2 moves at 2 / 7 = 0.285714..., cut to 0.28571.
    sheet = stv.count(
        Election.of(
            candidates=["Ann", "Ben", "Cat", "Dan"],
            seats=2,
            ballots=[(7, ["Ann", "Ben"]), (4, ["Cat"]), (3, ["Dan"])],
        )
    )
    assert totals(sheet, 2)["Ben"] == "1.99997"
    assert sheet.as_json()["stages"][1]["exhausted"] == "0.00003"
    assert sheet.as_json()["stages"][1]["rounding"] == "0.00003"


def test_a_paper_that_moves_twice_is_cut_twice():
    # Quota 34 // 4 + 1 = 9. Ann's surplus of 9 moves at 9 / 18 = 0.5, so Ben has 8 + 9 = 17. His
    # surplus of 8 moves Ann's papers at 0.5 * 8 / 17 = 0.23529 and his own at 8 / 17 = 0.47058.
    sheet = stv.count(
        Election.of(
            candidates=["Ann", "Ben", "Cat", "Dan"],
            seats=3,
            ballots=[(18, ["Ann", "Ben", "Cat"]), (8, ["Ben", "Dan"]), (4, ["Cat"]), (4, ["Dan"])],
        ),
    )
    assert acts(sheet)[:3] == ["first preferences", "surplus of Ann", "surplus of Ben"]
    assert totals(sheet, 3) == {
        "Ann": "9.00000",
        "Ben": "9.00000",
        "Cat": "8.23522",
        "Dan": "7.76464",
    }


def test_the_largest_of_several_surpluses_goes_first_and_skips_the_elected():
    # 80 ballots, 3 seats: quota 21. Ann has 30 and Ben 25, each the other's next preference.
    sheet = stv.count(
        Election.of(
            candidates=["Ann", "Ben", "Cat", "Dan", "Eve"],
            seats=3,
            ballots=[
                (25, ["Ben", "Ann", "Dan"]),
                (30, ["Ann", "Ben", "Cat"]),
                (10, ["Cat"]),
                (9, ["Dan"]),
                (6, ["Eve", "Dan"]),
            ],
        )
    )
    assert acts(sheet)[1:3] == ["surplus of Ann", "surplus of Ben"]
    assert totals(sheet, 2)["Cat"] == "19.00000"  # 10 + 30 * 9 / 30
    assert totals(sheet, 2)["Ben"] == "25.00000"
    assert totals(sheet, 3)["Dan"] == "13.00000"  # 9 + 25 * 4 / 25


def test_a_tie_falls_to_the_most_recent_stage_at_which_the_totals_differ():
    # As above: once Eve is out, Cat and Dan both have 19, but at stage 3 Dan had 13.
    sheet = stv.count(
        Election.of(
            candidates=["Ann", "Ben", "Cat", "Dan", "Eve"],
            seats=3,
            ballots=[
                (25, ["Ben", "Ann", "Dan"]),
                (30, ["Ann", "Ben", "Cat"]),
                (10, ["Cat"]),
                (9, ["Dan"]),
                (6, ["Eve", "Dan"]),
            ],
        )
    )
    assert acts(sheet)[3:] == ["exclude Eve", "exclude Dan"]
    (tie,) = sheet.ties
    assert (tie.stage, tie.candidates, tie.chosen) == (4, ("Cat", "Dan"), ("Dan",))
    assert tie.resolved_by is Resolution.EARLIER_STAGE
    assert tie.words == "Cat and Dan are tied; looking back to stage 3, Dan had the fewest."
    assert sheet.elected == ("Ann", "Ben", "Cat")


def test_a_later_difference_outweighs_an_earlier_one():
    # Cat leads Dan at stage 1, Dan leads Cat at stage 2, both have 10 at stage 3.
    sheet = stv.count(
        Election.of(
            candidates=["Ann", "Ben", "Cat", "Dan", "Eve", "Fay"],
            seats=1,
            ballots=[
                (30, ["Ann"]),
                (25, ["Ben"]),
                (8, ["Cat"]),
                (7, ["Dan"]),
                (2, ["Eve", "Dan"]),
                (1, ["Eve", "Ben"]),
                (2, ["Fay", "Cat"]),
                (1, ["Fay", "Dan"]),
                (1, ["Fay", "Ben"]),
            ],
        )
    )
    assert acts(sheet)[1:4] == ["exclude Eve", "exclude Fay", "exclude Cat"]
    assert sheet.ties[0].chosen == ("Cat",)


def equal_surpluses(names=("Ann", "Ben", "Cat", "Dan")):
    return Election.of(
        candidates=names,
        seats=3,
        ballots=[
            (10, ["Ann", "Cat"]),
            (10, ["Ben", "Dan"]),
            (2, ["Cat"]),
            (2, ["Dan"]),
        ],
    )


def test_a_tie_at_every_stage_falls_to_the_lot_which_its_seed_repeats():
    sheets = [stv.count(equal_surpluses(), Lot(seed)) for seed in ("1", "2", "3", "4", "5")]
    firsts = [sheet.ties[0].chosen for sheet in sheets]
    assert {("Ann",), ("Ben",)} == set(firsts)
    for seed, sheet in zip(("1", "2", "3", "4", "5"), sheets, strict=True):
        assert sheet.ties[0].about == "surplus"
        assert sheet.ties[0].resolved_by is Resolution.LOT
        assert sheet.ties[0].chosen[0] == Lot(seed).order(["Ann", "Ben"])[0]
        assert sheet.elected[0] == sheet.ties[0].chosen[0]
        assert stv.count(equal_surpluses(("Dan", "Cat", "Ben", "Ann")), Lot(seed)) == sheet


def test_the_unluckiest_of_the_tied_is_excluded():
    election = Election.of(
        candidates=["Ann", "Ben", "Cat"],
        ballots=[(3, ["Ann"]), (2, ["Ben"]), (2, ["Cat"])],
    )
    for seed in ("a", "b", "c", "d"):
        (tie, *_) = stv.count(election, Lot(seed)).ties
        assert tie.chosen[0] == Lot(seed).order(["Ben", "Cat"])[-1]


def test_without_a_lot_a_tie_ends_the_count_as_tied():
    sheet = stv.count(equal_surpluses(), None)
    assert sheet.outcome is Outcome.TIED
    assert sheet.ties[0].resolved_by is Resolution.NOTHING
    assert sheet.ties[0].chosen == ()
    assert set(sheet.elected) == {"Ann", "Ben"}


def test_a_surplus_of_nothing_makes_no_stage():
    sheet = stv.count(
        Election.of(
            candidates=["Ann", "Ben", "Cat"],
            seats=2,
            ballots=[(4, ["Ann", "Ben"]), (3, ["Ben"]), (2, ["Cat"])],
        )
    )
    assert sheet.quota == 4
    assert acts(sheet) == ["first preferences", "exclude Cat"]


def test_papers_without_a_next_preference_are_exhausted():
    sheet = stv.count(
        Election.of(
            candidates=["Ann", "Ben", "Cat"],
            ballots=[(4, ["Ann"]), (3, ["Ben"]), (2, ["Cat"])],
        )
    )
    assert acts(sheet) == ["first preferences", "exclude Cat", "exclude Ben"]
    assert [stage.exhausted for stage in sheet.stages] == [0, 2, 5]
    assert sheet.elected == ("Ann",)


def test_the_last_seats_go_to_whoever_remains_though_below_the_quota():
    sheet = stv.count(
        Election.of(
            candidates=["Ann", "Ben", "Cat"],
            seats=2,
            ballots=[(6, ["Ann"]), (3, ["Ben"]), (2, ["Cat"])],
        )
    )
    assert sheet.elected == ("Ann", "Ben")
    assert sheet.stages[-1].remarks == (
        "Ben: elected to the last seats without reaching the quota.",
    )


def test_fewer_candidates_than_seats_are_all_elected_at_once():
    sheet = stv.count(Election.of(candidates=["Ann", "Ben"], seats=5, ballots=[(1, ["Ben"])]))
    assert sheet.elected == ("Ben", "Ann")
    assert len(sheet.stages) == 1
    assert "3 of 5 stay vacant" in sheet.notes[-1]


def test_with_no_valid_ballot_nobody_is_elected():
    sheet = stv.count(
        Election.of(candidates=["Ann", "Ben"], ballots=[(3, []), (2, [["Ann", "Ben"]])])
    )
    assert (sheet.outcome, sheet.elected, sheet.void) == (Outcome.NO_VOTES, (), 5)


def test_withdrawn_candidates_count_as_if_they_had_never_stood():
    with_him = Election.of(
        candidates=["Ann", "Ben", "Cat"],
        withdrawn=["Ben"],
        ballots=[(4, ["Ben", "Ann"]), (3, ["Cat", "Ben"]), (2, ["Ben"]), (1, [["Ben", "Cat"]])],
    )
    without = Election.of(candidates=["Ann", "Cat"], ballots=[(4, ["Ann"]), (4, ["Cat"]), (2, [])])
    assert stv.count(with_him) == stv.count(without)


def test_a_shared_rank_ends_its_ballot_there():
    shared = Election.of(
        candidates=["Ann", "Ben", "Cat", "Dan"],
        ballots=[(5, ["Ann", ["Ben", "Cat"], "Dan"]), (6, ["Dan"]), (7, ["Ben"])],
    )
    ended = Election.of(
        candidates=["Ann", "Ben", "Cat", "Dan"],
        ballots=[(5, ["Ann"]), (6, ["Dan"]), (7, ["Ben"])],
    )
    assert stv.count(shared) == stv.count(ended)


def test_a_weight_counts_like_that_many_papers_even_when_it_is_a_decimal():
    sheet = stv.count(
        Election.of(
            candidates=["Ann", "Ben", "Cat"],
            ballots=[("2.5", ["Ann"]), ("1.25", ["Ben", "Cat"]), ("1.5", ["Cat"])],
        )
    )
    assert sheet.quota == 3
    assert totals(sheet, 2) == {"Ann": "2.50000", "Cat": "2.75000"}


def test_those_elected_with_equal_votes_throughout_are_said_to_be_in_no_order_of_merit():
    stage = stv.count(equal_surpluses()).stages[0]
    assert set(stage.elected) == {"Ann", "Ben"}
    first, second = stage.elected
    assert stage.remarks == (
        f"{first} and {second}: equal at every stage, so their order in the list means nothing.",
    )


class CountByTheLetter:
    """Counts paper by paper, as rules 45 to 52 read; slow, and written apart from the real one."""

    def __init__(self, election, lot):
        self.election = election
        luck = lot.order(election.candidates)
        self.luck = [luck.index(name) for name in election.candidates]
        self.continuing = set(range(len(election.candidates)))
        self.elected, self.surplus, self.history = [], set(), []
        papers = [
            ([rank[0] for rank in ranking], Fraction(1))
            for ranking, weight in election.ballots.items()
            for _ in range(int(weight))
            if ranking
        ]
        self.quota = len(papers) // (election.seats + 1) + 1
        self.piles = {c: [p for p in papers if p[0][0] == c] for c in self.continuing}
        self.credit = {c: Fraction(len(pile)) for c, pile in self.piles.items()}

    def run(self):
        self.close_stage()
        while len(self.elected) < self.election.seats and self.continuing:
            if self.surplus:
                self.transfer(min(self.surplus, key=self.best_first))
            else:
                self.exclude(max(self.continuing, key=self.best_first))
            self.close_stage()
        return [self.election.candidates[c] for c in self.elected], self.history

    def best_first(self, c):
        return [-past[c] for past in reversed(self.history)], self.luck[c]

    def close_stage(self):
        self.history.append(dict(self.credit))
        ranked = sorted(self.continuing, key=self.best_first)
        reached = [c for c in ranked if self.credit[c] >= self.quota]
        self.elected += reached
        self.surplus |= {c for c in reached if self.credit[c] > self.quota}
        self.continuing -= set(reached)
        if len(self.continuing) <= self.election.seats - len(self.elected):
            self.elected += [c for c in ranked if c in self.continuing]
            self.continuing.clear()

    def transfer(self, source):
        self.surplus.discard(source)
        excess = self.credit[source] - self.quota
        self.move(source, excess / self.credit[source])
        self.credit[source] = Fraction(self.quota)

    def exclude(self, source):
        self.continuing.discard(source)
        self.move(source, Fraction(1))
        self.credit[source] = Fraction(0)

    def move(self, source, factor):
        for ranking, value in self.piles.pop(source):
            worth = Fraction(int(value * factor * 100000), 100000)
            heir = next((c for c in ranking if c in self.continuing), None)
            if heir is not None:
                self.piles[heir].append((ranking, worth))
                self.credit[heir] += worth


@settings(max_examples=300, deadline=None)
@given(
    elections(
        shared=False, withdrawals=False, weight=whole_weights, max_candidates=7, min_ballots=1
    ),
    st.sampled_from(["x", "y"]),
)
def test_every_stage_agrees_with_a_count_by_the_letter(election, seed):
    sheet = stv.count(election, Lot(seed))
    if sheet.outcome is Outcome.NO_VOTES:
        return
    elected, history = CountByTheLetter(election, Lot(seed)).run()
    assert list(sheet.elected) == elected
    assert len(sheet.stages) == len(history)
    for stage, past in zip(sheet.stages, history, strict=True):
        for name, votes in stage.totals.items():
            assert votes == past[election.candidates.index(name)]


@settings(max_examples=150, deadline=None)
@given(elections(max_candidates=7))
def test_no_vote_appears_or_disappears_at_any_stage(election):
    sheet = stv.count(election)
    for stage in sheet.stages:
        assert sum(stage.totals.values()) + stage.exhausted == sheet.valid
        assert 0 <= stage.rounding <= stage.exhausted
    assert sheet.valid + sheet.void == sum(election.ballots.values())


@settings(max_examples=150, deadline=None)
@given(elections(max_candidates=7))
def test_as_many_are_elected_as_there_are_seats_or_candidates(election):
    sheet = stv.count(election)
    standing = len(election.candidates) - len(election.withdrawn)
    expected = 0 if sheet.outcome is Outcome.NO_VOTES else min(election.seats, standing)
    assert len(set(sheet.elected)) == len(sheet.elected) == expected
