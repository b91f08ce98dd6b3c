"""An opinion map as its page shows it: marks on a plane, groups, statements with their shares."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from proposals.crowds import map_of, texts_of
from proposals.models import OpinionMap, Proposal

COLUMNS, ROWS = 44, 28
"""People who stand as close as a cell of this grid share one mark, so that a drawing stays small
and nobody stands out by a hair."""
SPAN = 10_000
EDGE = 5
"""Percent of the drawing left free on each side."""
TYPICAL = 2
RADII = ((1, 4.5), (2, 6.0), (5, 8.0), (15, 11.0), (50, 15.0))
"""From how many people on a mark has which half width, in pixels."""
SHAPES = ("circle", "square", "triangle", "diamond", "cross", "circle", "square", "triangle")


@dataclass(frozen=True, slots=True)
class Mark:
    """One or more people of a group who stand close together."""

    x: str
    y: str
    group: int
    path: str


@dataclass(frozen=True, slots=True)
class Share:
    """What a group, or everybody, answered to a statement."""

    name: str
    agree: int
    disagree: int
    passed: int

    @property
    def n(self) -> int:
        """How many answered."""
        return self.agree + self.disagree + self.passed

    @property
    def agree_percent(self) -> int:
        """Who agrees, of those who answered."""
        return _percent(self.agree, self.n)

    @property
    def disagree_percent(self) -> int:
        """Who disagrees, of those who answered."""
        return _percent(self.disagree, self.n)


@dataclass(frozen=True, slots=True)
class Line:
    """One statement with the answers of all and of each group."""

    leaf: str
    text: str
    word: str
    """"agree" or "disagree" where it unites."""
    everybody: Share
    groups: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """One group on the map."""

    number: int
    name: str
    size: int
    shape: str
    path: str
    x: str
    y: str
    typical: tuple[Line, ...]
    """What sets it apart most from the others."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the reader stands."""

    x: str
    y: str
    group: str


@dataclass(frozen=True, slots=True)
class ShownMap:
    """One map on the page."""

    row: OpinionMap
    groups: tuple[Group, ...]
    marks: tuple[Mark, ...]
    unites: tuple[Line, ...]
    divides: tuple[Line, ...]
    lines: Mapping[str, Line]

    @classmethod
    def of(cls, row: OpinionMap, texts: Mapping[str, str]) -> "ShownMap":
        """Return a map with the statements that are not hidden now, by the name of their leaf."""
        drawn = row.drawn
        names = [group["name"] for group in drawn["groups"]]
        lines = {
            each["statement"]: _line(each, names, texts[each["statement"]])
            for each in drawn["statements"]
            if each["statement"] in texts
        }
        return cls(
            row=row,
            groups=tuple(_groups(drawn, list(lines.values()))),
            marks=tuple(_marks(drawn["places"])),
            unites=_found(drawn["unites"], lines),
            divides=_found(drawn["divides"], lines),
            lines=lines,
        )

    @property
    def has_groups(self) -> bool:
        """Whether the answers fall into groups."""
        return len(self.groups) > 1

    @property
    def has_marks(self) -> bool:
        """Whether there is something to draw."""
        return bool(self.marks) and self.row.drawn["why_no_groups"] != "all_answer_alike"

    @property
    def shows_answers(self) -> bool:
        """Whether enough people have answered for their answers to be shown."""
        is_answered = any(line.everybody.n for line in self.lines.values())
        return is_answered and self.row.drawn["why_no_groups"] != "few_participants"

    @property
    def is_published(self) -> bool:
        """Whether it is on the record."""
        return self.row.leaf_id is not None

    @property
    def people(self) -> int:
        """How many answered something."""
        return int(self.row.drawn["participants"])

    @property
    def placed(self) -> int:
        """How many answered enough to be placed."""
        return int(self.row.drawn["placed"])

    @property
    def why(self) -> str:
        """Why there are no groups, as a sentence; empty where there are."""
        least = self.row.drawn["parameters"]["least_participants"]
        answers = self.row.drawn["parameters"]["least_answers"]
        return {
            "few_participants": gettext(
                "Groups and answers are shown once %(least)s people have answered %(answers)s "
                "statements each; %(placed)s have."
            )
            % {"least": least, "answers": answers, "placed": self.placed},
            "all_answer_alike": gettext("Everybody answers alike: there are no groups."),
            "no_clear_groups": gettext(
                "The answers do not fall into clear groups: people stand all over "
                "the map, and every border between them would be arbitrary."
            ),
        }.get(self.row.drawn["why_no_groups"], "")

    @property
    def description(self) -> str:
        """What the drawing shows, for who does not see it."""
        if not self.has_groups:
            return gettext("%(placed)s people, spread over the map without clear groups.") % {
                "placed": self.placed
            }
        each = ", ".join(
            gettext("group %(name)s with %(size)s") % {"name": group.name, "size": group.size}
            for group in self.groups
        )
        return gettext(
            "%(placed)s people in %(groups)s groups: %(each)s. People stand close who answer "
            "alike. The table after the drawing says what sets each group apart."
        ) % {"placed": self.placed, "groups": len(self.groups), "each": each}


@dataclass(frozen=True, slots=True)
class Opinions:
    """The opinion map in short, for the proposal's page."""

    statement_count: int
    map: ShownMap | None


def opinions_of(proposal: Proposal) -> Opinions:
    """Return how many statements there are and the newest map; two queries."""
    texts = texts_of(proposal)
    newest = map_of(proposal) if texts else None
    return Opinions(len(texts), ShownMap.of(newest, texts) if newest else None)


def place_of(row: OpinionMap, answers: str) -> Place | None:
    """Return where the person with these answers stands; None if they were not drawn so."""
    rows: list[str] = json.loads(row.input)["rows"]
    index = bisect_left(rows, answers)
    if index == len(rows) or rows[index] != answers or not row.drawn["places"][index]:
        return None
    x, y, group = row.drawn["places"][index]
    groups = row.drawn["groups"]
    return Place(_across(x), _down(y), groups[group]["name"] if len(groups) > 1 else "")


def path(shape: str, r: float) -> str:
    """Return the outline of a mark around the origin."""
    if shape == "square":
        return f"M{-r:g} {-r:g}h{2 * r:g}v{2 * r:g}h{-2 * r:g}z"
    if shape == "triangle":
        return f"M0 {-1.2 * r:g}L{1.15 * r:g} {0.85 * r:g}H{-1.15 * r:g}z"
    if shape == "diamond":
        return f"M0 {-1.3 * r:g}L{1.3 * r:g} 0L0 {1.3 * r:g}L{-1.3 * r:g} 0z"
    if shape == "cross":
        a, b = 0.4 * r, 1.2 * r
        right = f"M{-a:g} {-b:g}H{a:g}V{-a:g}H{b:g}V{a:g}H{a:g}V{b:g}"
        return f"{right}H{-a:g}V{a:g}H{-b:g}V{-a:g}H{-a:g}z"
    return f"M{-r:g} 0a{r:g} {r:g} 0 1 0 {2 * r:g} 0a{r:g} {r:g} 0 1 0 {-2 * r:g} 0z"


def _line(each: Mapping[str, Any], names: Sequence[str], text: str, word: str = "") -> Line:
    groups = tuple(Share(name, *counts) for name, counts in zip(names, each["groups"], strict=True))
    return Line(each["statement"], text, word, Share(gettext("All"), *each["all"]), groups)


def _found(found: Iterable[Mapping[str, str]], lines: Mapping[str, Line]) -> tuple[Line, ...]:
    known = ((lines.get(each["statement"]), each["as"]) for each in found)
    return tuple(
        Line(line.leaf, line.text, word, line.everybody, line.groups)
        for line, word in known
        if line is not None
    )


def _marks(places: Iterable[Sequence[int]]) -> Iterable[Mark]:
    """Yield the marks, the largest first, so that small ones stay visible on them."""
    cells = Counter(
        (group, round(x * COLUMNS / (2 * SPAN)), round(y * ROWS / (2 * SPAN)))
        for x, y, group in (place for place in places if place)
    )
    for (group, column, line), count in sorted(cells.items(), key=lambda cell: (-cell[1], cell[0])):
        radius = next(size for least, size in reversed(RADII) if count >= least)
        yield Mark(
            _across(column * 2 * SPAN / COLUMNS),
            _down(line * 2 * SPAN / ROWS),
            group + 1,
            path(SHAPES[group], radius),
        )


def _groups(drawn: Mapping[str, Any], lines: Sequence[Line]) -> Iterable[Group]:
    for number, group in enumerate(drawn["groups"]):
        own = [place for place in drawn["places"] if place and place[2] == number]
        middle = [sum(place[axis] for place in own) / max(1, len(own)) for axis in (0, 1)]
        yield Group(
            number=number + 1,
            name=group["name"],
            size=group["size"],
            shape=SHAPES[number],
            path=path(SHAPES[number], 6),
            x=_across(middle[0]),
            y=_down(middle[1]),
            typical=_typical(lines, number) if len(drawn["groups"]) > 1 else (),
        )


def _typical(lines: Sequence[Line], number: int) -> tuple[Line, ...]:
    """Return the statements on which a group is furthest from the others together."""

    def apart(line: Line) -> tuple[float, Share]:
        own = line.groups[number]
        others = [share for place, share in enumerate(line.groups) if place != number]
        agree, asked = sum(each.agree for each in others), sum(each.n for each in others)
        return (own.agree + 1) / (own.n + 2) - (agree + 1) / (asked + 2), own

    ranked = sorted(lines, key=lambda line: (-abs(apart(line)[0]), line.leaf))
    return tuple(
        Line(
            line.leaf,
            line.text,
            "agree" if apart(line)[0] > 0 else "disagree",
            line.everybody,
            (line.groups[number],),
        )
        for line in ranked[:TYPICAL]
        if line.groups[number].n
    )


def _across(x: float) -> str:
    return f"{50 + (50 - EDGE) * x / SPAN:.2f}%"


def _down(y: float) -> str:
    return f"{50 - (50 - EDGE) * y / SPAN:.2f}%"


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0
