"""Motions: thresholds, bases, quorum and ties, by example and by property."""

import json
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proposals.tally.errors import InputError
from proposals.tally.lot import Lot
from proposals.tally.yes_no import (
    Base,
    Comparison,
    Outcome,
    Resolution,
    Rules,
    TieRule,
    Votes,
    count,
)


def outcome(yes, no, abstain=0, *, roll=100, **rules):
    sheet = count(Rules.of(**rules), Votes.of(yes=yes, no=no, abstain=abstain, roll=roll))
    return sheet.outcome.value


@pytest.mark.parametrize(
    ("yes", "no", "abstain", "rules", "expected"),
    [
        (5, 4, 9, {}, "carried"),
        (4, 5, 0, {}, "not_carried"),
        (5, 5, 0, {}, "tied"),
        (5, 5, 3, {}, "tied"),
        (5, 4, 1, {"base": "votes_cast"}, "not_carried"),
        (6, 4, 1, {"base": "votes_cast"}, "carried"),
        (5, 5, 1, {"base": "votes_cast"}, "not_carried"),
        (50, 0, 0, {"base": "roll"}, "not_carried"),
        (51, 49, 0, {"base": "roll"}, "carried"),
        (50, 50, 0, {"base": "roll"}, "tied"),
        (5, 5, 0, {"comparison": "at_least"}, "carried"),
        (2, 1, 0, {"threshold": "2/3", "comparison": "at_least"}, "carried"),
        (2, 1, 0, {"threshold": "2/3", "comparison": "more_than"}, "not_carried"),
        (66, 34, 0, {"threshold": "2/3", "comparison": "at_least"}, "not_carried"),
        (67, 33, 0, {"threshold": "2/3", "comparison": "at_least"}, "carried"),
        (9, 0, 4, {"threshold": 1, "comparison": "at_least"}, "carried"),
        (9, 0, 4, {"threshold": 1, "comparison": "at_least", "base": "votes_cast"}, "not_carried"),
        (9, 1, 0, {"threshold": 1, "comparison": "at_least"}, "not_carried"),
        (0, 0, 9, {"comparison": "at_least"}, "not_carried"),
        (0, 0, 0, {}, "not_carried"),
        (20, 10, 3, {"quorum": "1/3"}, "no_quorum"),
        (20, 10, 4, {"quorum": "1/3"}, "carried"),
        (30, 0, 0, {"quorum": "0.3"}, "carried"),
        (29, 0, 0, {"quorum": "0.3"}, "no_quorum"),
        ("2.5", "2.4", 0, {}, "carried"),
    ],
)
def test_a_motion_is_judged_by_its_threshold_base_and_quorum(yes, no, abstain, rules, expected):
    assert outcome(yes, no, abstain, **rules) == expected


def test_a_tie_leaves_the_status_quo():
    sheet = count(Rules.of(), Votes.of(yes=3, no=3, roll=6))
    assert sheet.outcome is Outcome.TIED
    assert sheet.tie.resolved_by is Resolution.STATUS_QUO


@pytest.mark.parametrize(("vote", "expected"), [("yes", "carried"), ("no", "not_carried")])
def test_the_casting_vote_of_the_chair_decides_a_tie(vote, expected):
    rules = Rules.of(tie_rule="chair")
    sheet = count(rules, Votes.of(yes=3, no=3, roll=6), casting_vote=vote)
    assert sheet.outcome == expected
    assert sheet.tie.resolved_by is Resolution.CASTING_VOTE
    assert f"casting vote is {vote}" in sheet.tie.words


def test_the_casting_vote_changes_nothing_without_a_tie():
    rules = Rules.of(tie_rule="chair")
    sheet = count(rules, Votes.of(yes=3, no=2, roll=6), casting_vote="no")
    assert (sheet.outcome, sheet.tie) == (Outcome.CARRIED, None)


def test_the_lot_decides_a_tie_and_its_seed_repeats_it():
    results = set()
    for seed in ("a", "b", "c", "d", "e", "f"):
        sheet = count(Rules.of(tie_rule="lot"), Votes.of(yes=3, no=3, roll=6), lot_seed=seed)
        lucky = Lot(seed).order(["yes", "no"])[0]
        assert (sheet.tie.chosen, sheet.tie.lot_seed) == (lucky, seed)
        assert sheet.outcome is (Outcome.CARRIED if lucky == "yes" else Outcome.NOT_CARRIED)
        results.add(sheet.outcome)
    assert len(results) == 2


@pytest.mark.parametrize("tie_rule", ["chair", "lot"])
def test_a_tie_waits_for_whoever_has_to_decide_it(tie_rule):
    sheet = count(Rules.of(tie_rule=tie_rule), Votes.of(yes=3, no=3, roll=6))
    assert (sheet.outcome, sheet.tie.resolved_by) == (Outcome.TIED, Resolution.PENDING)


FOR_AND_AGAINST = "the votes for and against"
MET = "so the threshold is met"


def test_the_sheet_states_the_arithmetic_in_words():
    rules = Rules.of(threshold="2/3", comparison="at_least", quorum="1/2")
    sheet = count(rules, Votes.of(yes=5, no=2, abstain=1, roll=15))
    assert sheet.words == (
        "Cast: 5 yes + 2 no + 1 abstain = 8, of a roll of 15.",
        "Quorum: at least 1/2 of the roll: 1/2 × 15 = 7.5; 8 were cast, so the quorum is met.",
        f"Threshold: at least 2/3 of {FOR_AND_AGAINST}: 2/3 × 7 = 14/3; 5 yes is more, {MET}.",
        "Outcome: carried.",
    )


def test_the_sheet_is_json_with_exact_texts_only():
    rules = Rules.of(threshold="2/3", quorum="1/2", tie_rule="lot")
    sheet = count(rules, Votes.of(yes="2.5", no=2, abstain=1, roll=7)).as_json()
    assert sheet == {
        "method": "yes-no",
        "rules": {
            "threshold": "2/3",
            "base": "yes_and_no",
            "comparison": "more_than",
            "quorum": "1/2",
            "quorum_base": "roll",
            "tie_rule": "lot",
        },
        "votes": {"yes": "2.5", "no": "2", "abstain": "1", "cast": "5.5", "roll": "7"},
        "quorum": {
            "fraction": "1/2",
            "base": "roll",
            "whole": "7",
            "needed": "3.5",
            "present": "5.5",
            "met": True,
        },
        "threshold": {"base_weight": "4.5", "line": "3", "share": "5/9", "met": False},
        "tie": None,
        "outcome": "not_carried",
        "words": sheet["words"],
    }
    assert json.loads(json.dumps(sheet)) == sheet


def test_rules_survive_the_way_through_json():
    rules = Rules.of(threshold="3/5", base="roll", quorum="0.4", tie_rule="chair")
    assert Rules.of(**json.loads(json.dumps(rules.as_json()))) == rules


def test_ballots_are_added_up_by_weight():
    ballots = [("yes", 2), ("no", "1.5"), ("yes", "0.5"), ("abstain", 1)]
    assert Votes.from_ballots(ballots, roll=9) == Votes.of(yes="2.5", no="1.5", abstain=1, roll=9)


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("threshold", lambda: Rules.of(threshold=0)),
        ("threshold", lambda: Rules.of(threshold="1.01")),
        ("threshold", lambda: Rules.of(threshold=0.5)),
        ("threshold", lambda: Rules.of(threshold="half")),
        ("threshold", lambda: Rules.of(threshold="1/0")),
        ("threshold", lambda: Rules.of(threshold=True)),
        ("comparison", lambda: Rules.of(threshold=1, comparison="more_than")),
        ("comparison", lambda: Rules.of(comparison="above")),
        ("base", lambda: Rules.of(base="members")),
        ("quorum", lambda: Rules.of(quorum="-1/2")),
        ("quorum", lambda: Rules.of(quorum=2)),
        ("quorum_base", lambda: Rules.of(quorum_base="votes_cast")),
        ("tie_rule", lambda: Rules.of(tie_rule="coin")),
        ("yes", lambda: Votes.of(yes=-1, no=0, roll=3)),
        ("recused", lambda: Votes.of(yes=1, no=0, roll=3, recused=-1)),
        ("voters", lambda: Votes.of(yes=1, no=0, roll=3, voters=4, members=3)),
        ("voters", lambda: Votes.of(yes=1, no=0, roll=3, voters=True, members=3)),
        ("members", lambda: Votes.of(yes=1, no=0, roll=3, voters=1, members=-1)),
        ("members", lambda: count(Rules.of(quorum_base="members"), Votes.of(yes=1, no=0, roll=3))),
        ("no", lambda: Votes.of(yes=1, no=float("nan"), roll=3)),
        ("abstain", lambda: Votes.of(yes=1, no=0, abstain=10**16, roll=3)),
        ("roll", lambda: Votes.of(yes=0, no=0, roll=0)),
        ("roll", lambda: Votes.of(yes=2, no=1, abstain=1, roll=3)),
        ("choice", lambda: Votes.from_ballots([("maybe", 1)], roll=3)),
        ("weight", lambda: Votes.from_ballots([("yes", -1)], roll=3)),
        ("casting_vote", lambda: tied(TieRule.LOT, casting_vote="yes")),
        ("casting_vote", lambda: tied(TieRule.CHAIR, casting_vote="abstain")),
        ("lot_seed", lambda: tied(TieRule.LOT, lot_seed="\udcff")),
    ],
)
def test_an_input_that_makes_no_sense_is_refused_by_the_name_of_its_field(field, make):
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


def tied(rule, **how):
    return count(Rules.of(tie_rule=rule), Votes.of(yes=1, no=1, roll=2), **how)


fractions = st.fractions(min_value=0, max_value=1, max_denominator=12)
parts = st.integers(0, 12)


@st.composite
def motions(draw):
    rules = Rules.of(
        threshold=draw(fractions.filter(lambda t: 0 < t < 1)),
        base=draw(st.sampled_from(list(Base))),
        comparison=draw(st.sampled_from(list(Comparison))),
        quorum=draw(fractions),
        tie_rule=draw(st.sampled_from(list(TieRule))),
    )
    yes, no, abstain, absent = draw(parts), draw(parts), draw(parts), draw(parts)
    votes = Votes.of(yes=yes, no=no, abstain=abstain, roll=yes + no + abstain + absent + 1)
    return rules, votes


ORDER = [Outcome.NO_QUORUM, Outcome.NOT_CARRIED, Outcome.TIED, Outcome.CARRIED]


def rank(rules, votes):
    return ORDER.index(count(rules, votes, lot_seed="s").outcome)


@settings(deadline=None)
@given(motions(), fractions.filter(lambda t: 0 < t < 1))
def test_a_higher_threshold_never_helps_a_motion(motion, other):
    rules, votes = motion
    low, high = sorted([rules.threshold, other])
    results = [
        rank(Rules.of(**{**rules.as_json(), "threshold": threshold}), votes)
        for threshold in (low, high)
    ]
    assert results[0] >= results[1]


@settings(deadline=None)
@given(motions())
def test_a_further_yes_from_an_absent_member_never_hurts_a_motion(motion):
    rules, votes = motion
    more = Votes.of(yes=votes.yes + 1, no=votes.no, abstain=votes.abstain, roll=votes.roll)
    assert rank(rules, more) >= rank(rules, votes)


@settings(deadline=None)
@given(motions())
def test_a_vote_changed_from_no_to_yes_never_hurts_a_motion(motion):
    rules, votes = motion
    if votes.no:
        moved = Votes.of(yes=votes.yes + 1, no=votes.no - 1, abstain=votes.abstain, roll=votes.roll)
        assert rank(rules, moved) >= rank(rules, votes)


@settings(deadline=None)
@given(motions(), st.sampled_from([Fraction(1, 2), Fraction(3), Fraction(5, 4)]))
def test_only_the_proportions_of_weights_matter(motion, factor):
    rules, votes = motion
    scaled = Votes.of(
        yes=votes.yes * factor,
        no=votes.no * factor,
        abstain=votes.abstain * factor,
        roll=votes.roll * factor,
    )
    assert rank(rules, scaled) == rank(rules, votes)


@settings(deadline=None)
@given(motions())
def test_nothing_carries_without_a_yes_or_below_the_quorum(motion):
    rules, votes = motion
    sheet = count(rules, votes, lot_seed="s")
    if sheet.outcome is Outcome.CARRIED:
        assert votes.yes > 0
        assert votes.cast >= rules.quorum * votes.roll
    if sheet.outcome is Outcome.TIED or sheet.tie:
        assert votes.yes == votes.no > 0


def judged_by_the_table(yes, no, abstain, absent, rules):
    """The outcome as the table in the documentation reads, in whole numbers only."""
    cast, roll = yes + no + abstain, yes + no + abstain + absent
    over, under = rules.quorum.numerator, rules.quorum.denominator
    if cast * under < over * roll:
        return "no_quorum"
    base = {"yes_and_no": yes + no, "votes_cast": cast, "roll": roll}[rules.base]
    over, under = rules.threshold.numerator, rules.threshold.denominator
    left, line = yes * under, over * base
    if yes and (left > line or (left == line and rules.comparison == "at_least")):
        return "carried"
    if yes and yes == no and left == line:
        return "tied"
    return "not_carried"


@pytest.mark.parametrize("base", Base)
@pytest.mark.parametrize("comparison", Comparison)
@pytest.mark.parametrize("threshold", ["1/3", "1/2", "2/3", "1"])
def test_every_small_motion_is_judged_as_the_table_reads(threshold, comparison, base):
    if threshold == "1" and comparison is Comparison.MORE_THAN:
        return
    for quorum in ("0", "1/3", "1/2", "1"):
        rules = Rules.of(threshold=threshold, comparison=comparison, base=base, quorum=quorum)
        for yes, no, abstain, absent in product(range(5), range(5), range(4), range(4)):
            if yes + no + abstain + absent:
                votes = Votes.of(yes=yes, no=no, abstain=abstain, roll=yes + no + abstain + absent)
                expected = judged_by_the_table(yes, no, abstain, absent, rules)
                assert count(rules, votes).outcome == expected


@settings(deadline=None)
@given(motions(), st.integers(0, 9), st.integers(1, 9))
def test_a_lower_quorum_or_a_smaller_base_of_it_never_hurts_a_motion(motion, recused, members):
    rules, votes = motion
    kept = {"yes": votes.yes, "no": votes.no, "abstain": votes.abstain, "roll": votes.roll}
    known = Votes.of(**kept, recused=recused, voters=members, members=members)
    ranks = [
        rank(Rules.of(**{**rules.as_json(), "quorum_base": base}), known)
        for base in ("roll_and_recused", "roll", "members")
    ]
    assert ranks == sorted(ranks)
    assert rank(Rules.of(**{**rules.as_json(), "quorum": 0}), known) >= ranks[1]


@settings(deadline=None)
@given(motions(), st.lists(st.sampled_from([1, "2.5", "1/3"]), min_size=1, max_size=6))
def test_delegated_weight_counts_like_ballots_of_its_own(motion, delegated):
    rules, _ = motion
    whole = sum((Fraction(each) for each in delegated), Fraction(0))
    alone = Votes.from_ballots([("yes", each) for each in delegated], roll=whole + 1)
    carried = Votes.from_ballots([("yes", whole)], roll=whole + 1)
    assert count(rules, alone) == count(rules, carried)
