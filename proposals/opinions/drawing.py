"""From an input to its map: places, groups, and the statements that unite and divide them."""

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proposals.opinions.answers import AGREE, DISAGREE, UNSEEN, VERSION, Answers, share
from proposals.opinions.components import Floats, places_of
from proposals.opinions.groups import best_grouping

NAMES = "ABCDEFGH"
AGREED, DISAGREED = 0, 1


def draw(answers: Answers) -> dict[str, Any]:
    """Return the map of an input: a document of texts and whole numbers, the same everywhere.

    `why_no_groups` is empty, or says which honest minimum was missed. `places` has one entry for
    each row: x, y and the number of the group, or nothing for a row with too few answers.
    """
    values, seen = _matrices(answers)
    parameters = answers.parameters
    placed = np.flatnonzero(seen.sum(axis=1) >= parameters.least_answers)
    drawn = _grouped(answers, values[placed], seen[placed], len(placed))
    places: list[list[int]] = [[] for _ in answers.rows]
    for row, place, group in zip(placed, drawn.places, drawn.members, strict=False):
        places[row] = [int(place[0]), int(place[1]), int(group)]
    tallies = _tallies(values[placed], seen[placed], drawn)
    return {
        "v": VERSION,
        "input": answers.digest,
        "parameters": asdict(parameters),
        "participants": len(answers.rows),
        "placed": len(placed),
        "groups": [
            {"name": NAMES[number], "size": int((drawn.members == number).sum())}
            for number in range(drawn.count)
        ],
        "separation": _decimal(drawn.separation),
        "why_no_groups": drawn.why,
        "places": places,
        "statements": [
            {
                "statement": name,
                "all": _counts(values[:, column], seen[:, column]),
                "groups": tallies[column],
            }
            for column, name in enumerate(answers.statements)
        ],
        **_findings(answers, tallies),
    }


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Where the placed participants stand."""

    places: NDArray[np.int64]
    members: NDArray[np.int64]
    count: int
    separation: Fraction
    why: str


def _grouped(answers: Answers, values: Floats, seen: Floats, placed: int) -> _Drawn:
    """Place and group the participants who answered enough, as far as honesty allows."""
    parameters = answers.parameters
    nobody = np.zeros((0, 2), dtype=np.int64)
    if placed < parameters.least_participants:
        return _Drawn(nobody, nobody[:, 0], 0, Fraction(0), "few_participants")
    places = places_of(values, seen)
    together = np.zeros(placed, dtype=np.int64)
    if places is None:
        everywhere = np.zeros((placed, 2), dtype=np.int64)
        return _Drawn(everywhere, together, 1, Fraction(0), "all_answer_alike")
    found = best_grouping(places, answers.digest, parameters.least_group, parameters.most_groups)
    separation = found.separation if found else Fraction(0)
    least = share(parameters.least_separation) + Fraction(parameters.margin_for_few, placed)
    if found is None or separation < least:
        return _Drawn(places, together, 1, separation, "no_clear_groups")
    return _Drawn(places, found.members, found.count, separation, "")


def _matrices(answers: Answers) -> tuple[Floats, Floats]:
    """Return the answers as +1, -1 and 0, and which were given: (participants, statements)."""
    shape = (len(answers.rows), len(answers.statements))
    signs = np.frombuffer("".join(answers.rows).encode(), dtype=np.uint8).reshape(shape)
    values = (signs == ord(AGREE)).astype(np.float64) - (signs == ord(DISAGREE))
    return values, (signs != ord(UNSEEN)).astype(np.float64)


def _tallies(values: Floats, seen: Floats, drawn: _Drawn) -> list[list[list[int]]]:
    """Return for each statement and group how many agree, disagree and pass."""
    per_group = [
        _counts_of_all(values[drawn.members == number], seen[drawn.members == number])
        for number in range(drawn.count)
    ]
    return [[group[column] for group in per_group] for column in range(values.shape[1])]


def _counts_of_all(values: Floats, seen: Floats) -> list[list[int]]:
    agree = (values > 0).sum(axis=0)
    disagree = (values < 0).sum(axis=0)
    passed = seen.sum(axis=0).astype(np.int64) - agree - disagree
    return [[int(a), int(d), int(p)] for a, d, p in zip(agree, disagree, passed, strict=True)]


def _counts(values: Floats, seen: Floats) -> list[int]:
    return _counts_of_all(values[:, None], seen[:, None])[0]


def _findings(answers: Answers, tallies: list[list[list[int]]]) -> dict[str, list[dict[str, str]]]:
    """Return what all groups agree on, or reject, and where they differ most."""
    parameters = answers.parameters
    least = share(parameters.unites_from)
    unites, divides = [], []
    for column, groups in enumerate(tallies):
        if not groups or min(map(sum, groups)) < parameters.least_votes:
            continue
        for side, word in ((AGREED, "agree"), (DISAGREED, "disagree")):
            if min(Fraction(group[side], sum(group)) for group in groups) >= least:
                lowest = min(_smoothed(group, side) for group in groups)
                unites.append((-lowest, column, word))
        shares = [_smoothed(group, AGREED) for group in groups]
        apart = max(shares) - min(shares)
        if len(groups) > 1 and apart >= share(parameters.divides_from):
            divides.append((-apart, column, "agree"))
    return {
        name: [
            {"statement": answers.statements[column], "as": word, "score": _decimal(-score)}
            for score, column, word in sorted(found)[: parameters.most_found]
        ]
        for name, found in (("unites", unites), ("divides", divides))
    }


def _smoothed(group: list[int], side: int) -> Fraction:
    """Return the share on a side with one vote more each way, so that few votes prove little."""
    return Fraction(group[side] + 1, sum(group) + 2)


def _decimal(value: Fraction) -> str:
    """Write a share with three decimals, halves to even."""
    thousandths = round(abs(value) * 1000)
    sign = "-" if value < 0 and thousandths else ""
    return f"{sign}{thousandths // 1000}.{thousandths % 1000:03d}"
