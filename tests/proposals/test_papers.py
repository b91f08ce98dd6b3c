"""What ballots of every method may say, without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals import papers
from proposals.forms.ballots import _step
from proposals.papers import PaperError

NAMES = ["Ann", "Ben", "Cat"]


def contract(method, **more):
    motion = {
        "yes-no": ["yes", "no", "abstain"],
        "consent": ["consent", "abstain", "object"],
    }
    return {"method": method, "options": motion.get(method, NAMES), "highest": 5} | more


@pytest.mark.parametrize(
    ("method", "given", "kept"),
    [
        ("yes-no", "yes", {"choice": "yes"}),
        (
            "consent",
            {"choice": "object", "reason": " Cost. "},
            {"choice": "object", "reason": "Cost."},
        ),
        ("consent", {"choice": "consent", "reason": ""}, {"choice": "consent"}),
        ("approval", {"ranking": ["Cat", "Ann"]}, {"ranking": ["Ann", "Cat"]}),
        ("approval", {"ranking": []}, {"ranking": []}),
        ("plurality", {"ranking": ["Ben"]}, {"ranking": ["Ben"]}),
        ("score", {"scores": {"Cat": 5, "Ann": 0}}, {"scores": {"Ann": 0, "Cat": 5}}),
        ("irv", {"ranking": ["Cat", ["Ann"]]}, {"ranking": ["Cat", "Ann"]}),
        ("schulze", {"ranking": [["Cat", "Ann"], "Ben"]}, {"ranking": [["Ann", "Cat"], "Ben"]}),
    ],
)
def test_a_ballot_is_kept_in_one_form(method, given, kept):
    assert papers.read(contract(method), given) == kept


@pytest.mark.parametrize(
    ("method", "given", "field", "words"),
    [
        ("yes-no", "maybe", "choice", "use yes, no or abstain"),
        ("yes-no", {"ranking": ["Ann"]}, "choice", "not “ranking”"),
        ("yes-no", 3, "ballot", "is an object"),
        ("yes-no", {"choice": ["yes"]}, "choice", "is not an option"),
        ("consent", "object", "reason", "without a reason does not stand"),
        ("consent", {"choice": "object", "reason": " \n"}, "reason", "does not stand"),
        ("consent", {"choice": "abstain", "reason": "Why"}, "reason", "Only an objection"),
        ("consent", {"choice": "object", "reason": "x" * 2001}, "reason", "up to 2,000"),
        ("consent", {"choice": "object", "reason": "a\x00b"}, "reason", "up to 2,000"),
        ("approval", {"ranking": ["Dan"]}, "ranking", "“Dan” is not an option"),
        ("approval", {"ranking": ["Ann", "Ann"]}, "ranking", "“Ann” stands on the ballot twice"),
        ("approval", {"ranking": "Ann"}, "ranking", "Give a list"),
        ("approval", {"ranking": [{}]}, "ranking", "A rank is an option"),
        ("plurality", {"ranking": ["Ann", "Ben"]}, "ranking", "Name one option"),
        ("irv", {"ranking": [["Ann", "Ben"]]}, "ranking", "share a rank"),
        ("scottish-stv", {"ranking": ["Ann", ["Ann"]]}, "ranking", "twice"),
        ("schulze", {"ranking": [["Ann", 3]]}, "ranking", "“3” is not an option"),
        ("schulze", {"ranking": [[]]}, "ranking", "A rank is an option"),
        ("score", {"scores": {"Ann": 6}}, "scores", "from 0 to 5"),
        ("score", {"scores": {"Ann": True}}, "scores", "from 0 to 5"),
        ("score", {"scores": {"Dan": 1}}, "scores", "not an option"),
        ("score", {"scores": ["Ann"]}, "scores", "points by option"),
        ("score", {}, "scores", "it is missing"),
    ],
)
def test_a_ballot_that_names_what_is_not_offered_is_refused(method, given, field, words):
    with pytest.raises(PaperError, match=words) as refusal:
        papers.read(contract(method), given)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("names", "seats", "field"),
    [
        (["Ann"], 1, "options"),
        ([f"Option {n}" for n in range(51)], 1, "options"),
        (["Ann", "Ann"], 1, "options"),
        (["Ann", " "], 1, "options"),
        (["Ann", "B\x07n"], 1, "options"),
        (["Ann", "B" * 161], 1, "options"),
        (["Ann", "Ben"], 2, "seats"),
        (["Ann", "Ben"], 0, "seats"),
    ],
)
def test_options_that_nobody_could_choose_among_are_refused(names, seats, field):
    with pytest.raises(PaperError) as refusal:
        papers.check_options(names, seats)
    assert refusal.value.field == field


def test_a_ballot_is_put_into_words():
    assert papers.words({"choice": "abstain"}) == "Abstain"
    assert papers.words({"choice": "object", "reason": "Cost."}) == "Object: Cost."
    assert papers.words({"ranking": ["Ann", ["Ben", "Cat"]]}) == "1. Ann; 2. Ben = Cat"
    assert papers.words({"scores": {"Ann": 1, "Ben": 3}}) == "Ben 3, Ann 1"
    assert papers.words({"ranking": []}) == "Blank"


def _cut(order, cuts):
    """Return an order of options as ranks, cut at these places; what comes after is unranked."""
    ends = sorted(cuts)
    pairs = zip([0, *ends], ends, strict=False)
    return [list(order[start:end]) for start, end in pairs if start < end]


ranks = st.builds(
    _cut, st.permutations(range(5)), st.lists(st.integers(0, 5), min_size=1, max_size=4)
)


@given(ranks, st.sampled_from(["up", "down", "out", "sort", "sideways"]), st.integers(-1, 9))
def test_a_step_moves_one_option_and_loses_none(before, act, place):
    after = _step(before, act, place)
    kept = {each for rank in after for each in rank}
    ranked = {each for rank in before for each in rank}
    expected = ranked | {place} if act == "up" and place >= 0 else ranked
    assert kept == (expected - {place} if act == "out" else expected)
    assert sum(map(len, after)) == len(kept)
    others = [[each for each in rank if each != place] for rank in before]
    assert [each for rank in after if (each := [one for one in rank if one != place])] == [
        rank for rank in others if rank
    ]


def test_up_and_down_change_places_with_the_neighbour():
    assert _step([[0], [1], [2]], "up", 1) == [[1], [0], [2]]
    assert _step([[0], [1], [2]], "down", 1) == [[0], [2], [1]]
    assert _step([[0], [1], [2]], "up", 0) == [[0], [1], [2]]
    assert _step([[0], [1], [2]], "down", 2) == [[0], [1], [2]]
    assert _step([[0, 1], [2]], "down", 0) == [[1], [0], [2]]
    assert _step([[0]], "up", 2) == [[0], [2]]
