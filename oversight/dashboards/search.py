"""Search over everything public: texts by their words, names also where they are misspelled.

One statement asks all kinds at once and returns keys in the order of their rank; the rows of one
page are fetched afterwards. What can be found stands in `search_kinds.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db import connection

from oversight.dashboards.search_kinds import KINDS, MOST, Found, Kind
from oversight.dashboards.search_query import Query, snippet

PAGE = 20


@dataclass(frozen=True, slots=True)
class Findings:
    """One page of what was found."""

    query: Query
    kind: str
    rows: tuple[Found, ...]
    counts: tuple[tuple[Kind, int], ...]
    """How many of each kind there are, those that there are."""
    total: int
    """Of the kind asked for, or of all."""
    page: int

    @property
    def all_count(self) -> int:
        """How many there are of all kinds."""
        return sum(number for _, number in self.counts)

    @property
    def pages(self) -> int:
        """How many pages there are; one at least."""
        return max(1, -(-self.total // PAGE))


def search(text: str, kind: str = "", page: int = 1) -> Findings:
    """Return one page of what stands in public about some words.

    Args:
        text: what was typed, however strange.
        kind: the key of the only kind that is wanted; all by default.
        page: from 1; one that is not there is empty.
    """
    query = Query.of(text)
    if not query.words:
        return Findings(query, kind, (), (), 0, page)
    ranked = _ranked(query)
    counts = {each.key: 0 for each in KINDS}
    for name, _ in ranked:
        counts[name] += 1
    wanted = [each for each in ranked if kind in ("", each[0])]
    shown = wanted[(page - 1) * PAGE : page * PAGE]
    return Findings(
        query,
        kind,
        tuple(_loaded(shown, query)),
        tuple((each, counts[each.key]) for each in KINDS if counts[each.key]),
        len(wanted),
        page,
    )


def _ranked(query: Query) -> list[tuple[str, int]]:
    """Return kind and key of everything that is found, the best first."""
    parts = " UNION ALL ".join(
        f"(SELECT '{each.key}' AS kind, found.* FROM q, LATERAL ({each.sql}) AS found)"  # noqa: S608 - ours
        for each in KINDS
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH q AS (SELECT to_tsquery('simple', unaccent(%s)) AS query, "  # noqa: S608 - parts are ours
            f"unaccent(%s) AS text) SELECT kind, key FROM ({parts}) AS every (kind, key, rank) "
            "ORDER BY rank DESC, kind, key DESC LIMIT %s",
            [query.tsquery, query.text, MOST],
        )
        return [(kind, key) for kind, key in cursor]


def _loaded(shown: list[tuple[str, int]], query: Query) -> Iterable[Found]:
    """Fetch the rows of a page, kind by kind, and return them in their order."""
    rows: dict[tuple[str, int], Found] = {}
    for kind in KINDS:
        keys = [key for name, key in shown if name == kind.key]
        if keys:
            rows |= {(kind.key, found.key): found for found in kind.load(keys)}
    for place in shown:
        if found := rows.get(place):
            yield replace(found, pieces=snippet(found.text, query))
