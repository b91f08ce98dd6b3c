"""The opinion map: who stands together, what unites and divides, and that it is reproducible."""

import random

import numpy as np
import pytest

from proposals.opinions.answers import Answers, Parameters, digest_of
from proposals.opinions.components import SPAN, places_of
from proposals.opinions.drawing import draw
from proposals.opinions.groups import best_grouping, silhouette
from tests.proposals.opinions.crowds import crowd, noise


def matrices(answers):
    rows = np.array([list(row) for row in answers.rows])
    return (rows == "+") * 1.0 - (rows == "-"), (rows != ".") * 1.0


@pytest.mark.parametrize("camps", [(30, 20), (8, 7), (40, 30, 20), (200, 4)])
def test_camps_are_found_with_their_sizes(camps):
    drawn = draw(crowd(camps))
    assert [group["size"] for group in drawn["groups"]] == sorted(camps, reverse=True)
    assert [group["name"] for group in drawn["groups"]] == list("ABC"[: len(camps)])
    assert drawn["why_no_groups"] == ""


def test_what_all_camps_want_unites_and_what_they_quarrel_over_divides():
    drawn = draw(crowd((30, 20), sure=1.0, asked=1.0))
    # 21/22: all of the smaller camp, and one vote more each way.
    assert drawn["unites"][0] == {"statement": "statement-0", "as": "agree", "score": "0.955"}
    quarrels = {found["statement"] for found in drawn["divides"]}
    assert "statement-1" in quarrels
    assert "statement-0" not in quarrels
    # Both camps are against 4: in binary neither of its two lowest digits is set.
    assert ("statement-4", "disagree") in {(f["statement"], f["as"]) for f in drawn["unites"]}


def test_who_answered_too_little_is_counted_and_not_placed():
    answers = crowd((20, 20))
    rows = [*answers.rows, "+" + "." * 19]
    drawn = draw(Answers.of(answers.statements, rows))
    assert drawn["participants"] == 41
    assert drawn["placed"] == 40
    assert drawn["places"].count([]) == 1
    assert sum(drawn["statements"][0]["all"]) == sum(row[0] != "." for row in rows)


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (crowd((6, 5)), "few_participants"),
        (Answers.of([], []), "few_participants"),
        (Answers.of(["a", "b"], ["+-"] * 50), "few_participants"),
        (Answers.of(list("abcdef"), ["++--00"] * 50), "all_answer_alike"),
        (noise(300), "no_clear_groups"),
        (noise(14, seed=3), "no_clear_groups"),
    ],
)
def test_groups_are_not_claimed_where_there_are_none(answers, why):
    drawn = draw(answers)
    assert drawn["why_no_groups"] == why
    assert len(drawn["groups"]) == (0 if why == "few_participants" else 1)
    assert drawn["divides"] == []
    if why == "few_participants":
        assert drawn["unites"] == []


def test_no_group_is_smaller_than_was_promised():
    drawn = draw(crowd((40, 2)))
    assert all(group["size"] >= 3 for group in drawn["groups"])


def test_the_order_of_the_rows_changes_nothing_not_even_the_last_digit():
    answers = crowd((60, 50, 40), statements=37, asked=0.6)
    rows = list(answers.rows)
    random.Random(7).shuffle(rows)
    again = Answers.of(answers.statements, rows)
    assert again.digest == answers.digest
    assert digest_of(draw(again)) == digest_of(draw(answers))
    # Sums in binary64 depend on their order; ours are of whole numbers and do not.
    values, seen = matrices(answers)
    places = places_of(values, seen)
    order = np.random.default_rng(3).permutation(len(rows))
    assert (places_of(values[order], seen[order]) == places[order]).all()


def test_a_known_input_gives_the_map_it_always_gave():
    answers = crowd((60, 50, 40), statements=37, asked=0.6)
    known_input = "48a661a76f6ddba8309bb4198961e9ebf3e0ccef881473951cf86effcf0cdd33"
    known_map = "2da05cc6bca2582ca6f5a928fe7ef7588d2aec3eb70718aeeaf38ce9c369f78b"
    assert answers.digest == f"sha256:{known_input}"
    assert digest_of(draw(answers)) == f"sha256:{known_map}"


def test_the_axes_are_those_of_the_largest_singular_values():
    answers = crowd((60, 50, 40), statements=24, asked=1.0)
    values, seen = matrices(answers)
    places = places_of(values, seen)
    left, strengths, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    expected = left[:, :2] * strengths[:2]
    expected /= np.abs(expected).max() / SPAN
    for axis in (0, 1):
        off = min(np.abs(places[:, axis] - sign * expected[:, axis]).max() for sign in (1, -1))
        assert off < 10  # of 10,000


def test_the_silhouette_is_that_of_its_definition():
    draws = random.Random(5)
    places = np.array([[draws.randrange(-100, 100) * 100 for _ in "xy"] for _ in range(30)])
    members = np.array([draws.randrange(3) for _ in places])

    def distance(one, other):
        return round(float(((places[one] - places[other]) ** 2).sum()) ** 0.5)

    widths = []
    for one in range(30):
        means = []
        for group in range(3):
            others = [each for each in range(30) if members[each] == group and each != one]
            means.append(sum(distance(one, each) for each in others) / len(others))
        inside = means[members[one]]
        outside = min(mean for group, mean in enumerate(means) if group != members[one])
        widths.append((outside - inside) / max(outside, inside))
    assert float(silhouette(places, members, 3)) == pytest.approx(sum(widths) / 30, abs=1e-6)


def test_everybody_in_one_place_is_no_fault():
    assert best_grouping(np.zeros((20, 2), dtype=np.int64), "x", 3, 5) is None


def test_parameters_are_heeded():
    answers = crowd((40, 30, 20), parameters=Parameters(most_groups=2))
    assert len(draw(answers)["groups"]) == 2
    answers = crowd((40, 30, 20), parameters=Parameters(least_participants=91))
    assert draw(answers)["why_no_groups"] == "few_participants"
