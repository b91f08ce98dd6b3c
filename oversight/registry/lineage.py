"""The graph of what was made from what, read in one question and laid out for a drawing."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from oversight.registry.models import Descent, ModelVersion

GENERATIONS = 6
"""How far the graph is followed, up and down."""
MOST_EDGES = 120

_EDGES = """
    WITH RECURSIVE up (edge, parent, generation) AS (
        SELECT id, parent_id, 1 FROM registry_descent WHERE child_id = ANY (%(versions)s)
        UNION
        SELECT next.id, next.parent_id, up.generation + 1
        FROM registry_descent AS next JOIN up ON next.child_id = up.parent
        WHERE up.generation < %(generations)s
    ), down (edge, child, generation) AS (
        SELECT id, child_id, 1 FROM registry_descent WHERE parent_id = ANY (%(versions)s)
        UNION
        SELECT next.id, next.child_id, down.generation + 1
        FROM registry_descent AS next JOIN down ON next.parent_id = down.child
        WHERE down.generation < %(generations)s
    )
    SELECT edge FROM (
        SELECT edge, generation FROM up UNION ALL SELECT edge, generation FROM down
    ) AS both_ways
    GROUP BY edge ORDER BY min(generation), edge LIMIT %(most)s
"""

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y = 200, 44, 72, 20


@dataclass(frozen=True, slots=True)
class Box:
    """A version in the drawing; `x` and `y` are its upper left corner."""

    version: ModelVersion
    is_own: bool
    """Whether it is one of the versions that the page is about."""
    x: int
    y: int

    @property
    def text_x(self) -> int:
        """Where its words begin."""
        return self.x + 12

    @property
    def text_y(self) -> int:
        """The line of its words."""
        return self.y + 27

    @property
    def words(self) -> str:
        """Its name, short enough for the box."""
        name = str(self.version)
        return name if len(name) <= 24 else f"{name[:23]}…"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the drawing, from what was there to what was made of it."""

    edge: Descent
    path: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The graph laid out: generations from left to right."""

    boxes: list[Box]
    lines: list[Line]
    width: int
    height: int
    is_cut: bool
    """Whether there is more than is shown."""

    @property
    def edges(self) -> list[Descent]:
        """What is drawn, as a list."""
        return [line.edge for line in self.lines]


def edges_around(versions: Iterable[ModelVersion]) -> list[Descent]:
    """Return what versions were made from and what was made from them, near first, bounded."""
    with connection.cursor() as cursor:
        cursor.execute(
            _EDGES,
            {
                "versions": [version.pk for version in versions],
                "generations": GENERATIONS,
                "most": MOST_EDGES + 1,
            },
        )
        found = [row[0] for row in cursor.fetchall()]
    parts = Descent.objects.select_related("child__model", "parent__model")
    rows = parts.in_bulk(found)
    return [rows[pk] for pk in found]


def drawing(edges: list[Descent], own: Iterable[ModelVersion]) -> Drawing | None:
    """Lay edges out; None where there are none."""
    if not edges:
        return None
    shown = edges[:MOST_EDGES]
    versions = {version.pk: version for edge in shown for version in (edge.parent, edge.child)}
    column = _columns(shown)
    rows: dict[int, list[int]] = {}
    for pk in sorted(versions, key=lambda pk: (column[pk], str(versions[pk]), pk)):
        rows.setdefault(column[pk], []).append(pk)
    ours = {version.pk for version in own}
    boxes = {
        pk: Box(
            versions[pk],
            pk in ours,
            2 + at * (BOX_WIDTH + GAP_X),
            2 + place * (BOX_HEIGHT + GAP_Y),
        )
        for at, pks in rows.items()
        for place, pk in enumerate(pks)
    }
    lines = [Line(edge, _path(boxes[edge.parent_id], boxes[edge.child_id])) for edge in shown]
    return Drawing(
        boxes=list(boxes.values()),
        lines=lines,
        width=4 + len(rows) * (BOX_WIDTH + GAP_X) - GAP_X,
        # Room below the boxes for the curves that pass some.
        height=4 + max(map(len, rows.values())) * (BOX_HEIGHT + GAP_Y) + BOX_HEIGHT // 2,
        is_cut=len(edges) > MOST_EDGES,
    )


def _columns(edges: list[Descent]) -> dict[int, int]:
    """Return each version's generation: one right of the last of those it was made from.

    The graph has no circles, so that this ends after as many rounds as it has generations.
    """
    column = {pk: 0 for edge in edges for pk in (edge.parent_id, edge.child_id)}
    moved = True
    while moved:
        moved = False
        for edge in edges:
            if column[edge.child_id] <= column[edge.parent_id]:
                column[edge.child_id] = column[edge.parent_id] + 1
                moved = True
    return column


def _path(parent: Box, child: Box) -> str:
    """Return a curve between two boxes; below those between them where it passes some."""
    begin_x, begin_y = parent.x + BOX_WIDTH, parent.y + BOX_HEIGHT // 2
    end_x, end_y = child.x, child.y + BOX_HEIGHT // 2
    if end_x - begin_x > GAP_X:
        low = max(begin_y, end_y) + 2 * BOX_HEIGHT
        return f"M{begin_x} {begin_y}C{begin_x + GAP_X} {low} {end_x - GAP_X} {low} {end_x} {end_y}"
    middle = (begin_x + end_x) // 2
    return f"M{begin_x} {begin_y}C{middle} {begin_y} {middle} {end_y} {end_x} {end_y}"
