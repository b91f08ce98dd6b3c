"""Two results of the same task, sample by sample: what one scores above the other.

The database pairs the scores and counts equal pairs, so that a hundred thousand samples arrive here
as a few numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from django.db import connection

from evals.models import TaskRun
from evals.reckoner.asking import compare
from evals.statistics import Difference

_CELLS = 64
"""Distinct pairs of scores up to which pairs are counted; with more, each is fetched."""

_COUNTED = """
    SELECT one.score, other.score, count(*)
    FROM evals_samplescore AS one
    JOIN evals_samplescore AS other ON other.doc_id = one.doc_id
    WHERE one.task_run_id = %(one)s AND other.task_run_id = %(other)s
        AND one.metric = %(metric)s AND other.metric = %(metric)s
    GROUP BY 1, 2 ORDER BY 1, 2 LIMIT %(limit)s
"""
_PAIRS = """
    SELECT one.score, other.score, one."group"
    FROM evals_samplescore AS one
    JOIN evals_samplescore AS other ON other.doc_id = one.doc_id
    WHERE one.task_run_id = %(one)s AND other.task_run_id = %(other)s
        AND one.metric = %(metric)s AND other.metric = %(metric)s
    ORDER BY one.doc_id
"""
_SAME = (
    *("data", "config", "stock", "metric", "num_fewshot", "seed", "apply_chat_template"),
    "clustered",
)
"""What of a task decides the number: alike in both, or they are not compared."""


def are_alike(task: dict[str, Any], other: dict[str, Any]) -> bool:
    """Say whether two entries ask the same rows in the same way, so that results can be paired."""
    same = all(task.get(key) == other.get(key) for key in _SAME)
    return same and not (
        task.get("clustered") and task.get("group_field") != other.get("group_field")
    )


@dataclass(frozen=True, slots=True)
class Pairing:
    """What two results scored on the samples that both have: nothing here knows of any other."""

    first_mean: float | None
    """None without a sample, like `mean`."""
    mean: float | None
    difference: Difference

    @classmethod
    def of(
        cls, first: Sequence[float], second: Sequence[float], clusters: Sequence[str] | None = None
    ) -> "Pairing":
        """Pair scores of the same samples in the same order."""
        n = len(first)
        one, two = (fsum(first) / n, fsum(second) / n) if n else (None, None)
        return cls(one, two, compare(first, second, clusters))


def paired_difference(one: TaskRun, two: TaskRun, metric: str) -> Difference:
    """Return the difference two − one, on the samples that both scored."""
    return pairing(one, two, metric).difference


def pairing(one: TaskRun, two: TaskRun, metric: str) -> Pairing:
    """Return both means and the difference two − one, on the samples that both scored.

    Samples that come in clusters are paired as such: `one` says which task it is.
    """
    values: dict[str, str | int] = {
        "one": str(one.pk),
        "other": str(two.pk),
        "metric": metric,
        "limit": _CELLS + 1,
    }
    with connection.cursor() as cursor:
        if one.task.get("clustered"):
            cursor.execute(_PAIRS, values)
            first, second, clusters = _columns(cursor.fetchall())
            return Pairing.of(first, second, clusters)
        cursor.execute(_COUNTED, values)
        cells = cursor.fetchall()
        if len(cells) > _CELLS:
            cursor.execute(_PAIRS, values)
            first, second, _ = _columns(cursor.fetchall())
            return Pairing.of(first, second)
    counted = [(a, b) for a, b, count in cells for _ in range(count)]
    return Pairing.of([a for a, _ in counted], [b for _, b in counted])


def _columns(rows: list[tuple[float, float, str]]) -> tuple[list[float], list[float], list[str]]:
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
