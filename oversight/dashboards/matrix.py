"""Models by tasks: what each model version scored newest on each task, side by side.

A column is one task as the newest version of its suite asks it. Results on earlier versions of the
suite stand in it only where the task was asked in the same way, and say so. What was not measured
is empty.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Value
from django.utils.translation import gettext, gettext_lazy

from evals.models import NewestResult, SuiteVersion
from oversight.dashboards.across import measured_on
from oversight.dashboards.findings import Finding, newest_record
from oversight.dashboards.matrix_columns import Column, columns_of, newest_suites, with_alike
from oversight.dashboards.matrix_query import Asked
from oversight.dashboards.matrix_versions import light, versions_of
from oversight.registry.models import ModelVersion
from oversight.web.figures import localised

ROWS, COLUMNS = 25, 12
ROWS_AT_ONCE = 50
"""Of the whole: so many versions are in memory with all their scores."""
STEPS = (
    (0.02, gettext_lazy("within 0.02")),
    (0.05, gettext_lazy("0.02 to 0.05")),
    (0.1, gettext_lazy("0.05 to 0.10")),
    (0.2, gettext_lazy("0.10 to 0.20")),
)
"""How far behind the baseline a score may be for each step of the scale, the darkest first."""
LAST_STEP = gettext_lazy("more than 0.20")


@dataclass(frozen=True, slots=True)
class Cell:
    """What a version scored on a task; empty where it was not measured."""

    column: Column
    finding: Finding | None = None
    behind: float | None = None
    """How much worse than the baseline, in units of the score; negative where better.

    None where there is nothing to compare with: the baseline was not measured on the task, or no
    other version was, so that every score would be the best.
    """

    is_against_best: bool = False
    """Whether the baseline is the best that any version has on the task, and no named version."""

    @property
    def step(self) -> int:
        """The step of the colour scale, from 5 (at the baseline or better) to 1; 0: no colour."""
        if self.behind is None:
            return 0
        # A hair of rounding must not move a score to the next step.
        behind = self.behind - 1e-9
        return next((5 - n for n, (most, _) in enumerate(STEPS) if behind <= most), 1)

    @property
    def behind_words(self) -> str:
        """The distance to the baseline in words."""
        if self.behind is None:
            return gettext("nothing to compare with") if self.finding else ""
        distance = round(abs(self.behind), 3)
        if not distance and self.is_against_best:
            return gettext("the best")
        if not distance:
            return gettext("at the baseline")
        words = gettext("%(score)s behind") if self.behind > 0 else gettext("%(score)s ahead")
        return words % {"score": localised(f"{distance:.3f}")}

    @property
    def guessing_words(self) -> str:
        """How a score that nothing else is beside stands to guessing, where that is known."""
        guessing = self.column.guessing
        is_alone = self.behind is None and "neutral" not in self.column.task
        if self.finding is None or guessing is None or not is_alone:
            return ""
        above = round(self.finding.aggregate.mean - guessing, 3)
        if not above:
            return gettext("as good as guessing")
        words = (
            gettext("%(score)s above guessing")
            if above > 0
            else gettext("%(score)s below guessing")
        )
        return words % {"score": localised(f"{abs(above):.3f}")}

    @property
    def is_of_earlier_suite(self) -> bool:
        """Whether the result is of an earlier version of the suite, which asked in the same way."""
        found = self.finding
        return found is not None and found.run.suite_version_id != self.column.suite_version.pk


@dataclass(frozen=True, slots=True)
class Row:
    """One model version and its cells, in the order of the columns."""

    version: ModelVersion
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """One page of the whole: so many rows, and so many columns."""

    asked: Asked
    page: Page[ModelVersion]
    columns_page: Page[Column]
    columns: Sequence[Column]
    rows: Sequence[Row]
    baseline: ModelVersion | None
    """What scores are coloured by; None: the best that was measured on each task."""
    suites: Sequence[SuiteVersion] = field(default=())

    @property
    def alone(self) -> str:
        """How many of its scores have nothing to compare with: `all`, `some`, or empty for none."""
        measured = [cell for row in self.rows for cell in row.cells if cell.finding]
        alone = [cell for cell in measured if cell.behind is None]
        if not alone:
            return ""
        return "some" if len(alone) < len(measured) else "all"

    def as_record(self) -> dict[str, Any]:
        """Return it as data."""
        return {
            "page": self.page.number,
            "pages": self.page.paginator.num_pages,
            "versions": self.page.paginator.count,
            "tasks_page": self.columns_page.number,
            "tasks_pages": self.columns_page.paginator.num_pages,
            "tasks": [column.as_record() for column in self.columns],
            "results": records(self.rows),
        }


def matrix(asked: Asked) -> Matrix:
    """Return the page of the overview that is asked for; nine queries at most."""
    suites = newest_suites()
    columns_page = Paginator(columns_of(suites, asked), COLUMNS).get_page(asked.tasks)
    columns = with_alike(list(columns_page))
    page = Paginator(versions_of(asked, columns), ROWS).get_page(asked.page)
    baseline = _baseline(asked)
    rows = _rows(list(page), columns, baseline, _best(columns))
    return Matrix(asked, page, columns_page, columns, rows, baseline, suites)


def whole(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield what all versions that fit scored on all tasks that do, as data, some at a time."""
    columns = with_alike(columns_of(newest_suites(), asked))
    keys = list(versions_of(asked, columns).values_list("pk", flat=True))
    baseline = _baseline(asked)
    best = _best(columns)
    for start in range(0, len(keys), ROWS_AT_ONCE):
        some = keys[start : start + ROWS_AT_ONCE]
        found = light(ModelVersion.objects.all()).in_bulk(some)
        yield from records(_rows([found[key] for key in some], columns, baseline, best))


def _baseline(asked: Asked) -> ModelVersion | None:
    found = ModelVersion.objects.filter(digest=asked.beside).select_related("model")
    return found.first() if asked.beside else None


def _rows(
    versions: Sequence[ModelVersion],
    columns: Sequence[Column],
    baseline: ModelVersion | None,
    best: Mapping[str, float],
) -> list[Row]:
    """Return versions with their cells, held against the baseline or the best; two queries."""
    wanted = [*versions, baseline] if baseline and baseline not in versions else versions
    results = _results(wanted, columns)
    lines = best
    if baseline:
        own = _lines_of(baseline, columns, results)
        lines = {key: gain for key, gain in own.items() if key in best}
    return [
        Row(
            version,
            tuple(
                _cell(version, column, results, lines, is_against_best=baseline is None)
                for column in columns
            ),
        )
        for version in versions
    ]


Results = Mapping[tuple[int, str], Finding]
_OF_RESULT = (
    *("model_version_id", "suite_version_id", "task_name"),
    *("metric", "n", "mean", "stderr", "low", "high", "method"),
)

_OF_RUN = tuple(f"run__{name}" for name in ("ref", "finished_at", "answers", "recalled"))


def _results(versions: Sequence[ModelVersion], columns: Sequence[Column]) -> Results:
    """Return the newest results by version and column; two queries."""
    places: dict[tuple[int, str], Column] = {}
    for column in columns:
        for key in column.alike:
            places[key, column.task["name"]] = column
    suites = {key for key, _ in places}
    rows = NewestResult.objects.filter(
        model_version__in=versions, suite_version__in=suites, is_headline=True
    )
    # A run is wide, there may be a hundred a version, and no cell shows more of it.
    rows = rows.select_related("run").only(*_OF_RESULT, *_OF_RUN)
    asked = SuiteVersion.objects.select_related("suite").in_bulk(suites)
    by_key = {version.pk: version for version in versions}
    found: dict[tuple[int, str], Finding] = {}
    # The newest suite version comes last, and so prevails; what was computed before what was not.
    for row in rows.order_by("-is_recalled", "suite_version__number", "pk"):
        if column_of := places.get((row.suite_version_id, row.task_name)):
            row.run.model_version = by_key[row.model_version_id]
            row.run.suite_version = asked[row.suite_version_id]
            task = row.run.suite_version.task(row.task_name)
            found[row.model_version_id, column_of.key] = Finding(row, row.run, task)
    return found


def _best(columns: Sequence[Column]) -> dict[str, float]:
    """Return the best gain measured on each task, on any suite that asks it alike; one query.

    Tasks on which one version alone was measured have none: it would be held against itself.
    """
    parts = [
        measured_on(column.suite_version, column.task, column.alike)
        .annotate(place=Value(place))
        .values_list("place", "mean")[:2]
        for place, column in enumerate(columns)
    ]
    if not parts:
        return {}
    rows = list(parts[0].union(*parts[1:], all=True)) if len(parts) > 1 else list(parts[0])
    gains: dict[int, list[float]] = {}
    for place, mean in rows:
        gains.setdefault(place, []).append(columns[place].gain(mean))
    return {columns[place].key: max(two) for place, two in gains.items() if len(two) > 1}


def _lines_of(
    baseline: ModelVersion, columns: Sequence[Column], results: Results
) -> dict[str, float]:
    """Return the gain of one version on each task that it was measured on."""
    return {
        column.key: column.gain(found.aggregate.mean)
        for column in columns
        if (found := results.get((baseline.pk, column.key)))
    }


def _cell(
    version: ModelVersion,
    column: Column,
    results: Results,
    lines: Mapping[str, float],
    *,
    is_against_best: bool,
) -> Cell:
    finding = results.get((version.pk, column.key))
    line = lines.get(column.key)
    if finding is None or line is None:
        return Cell(column, finding)
    behind = line - column.gain(finding.aggregate.mean)
    return Cell(column, finding, behind, is_against_best)


def records(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return what was measured as data: a record a version and task."""
    return [
        newest_record(cell.finding)
        | {"behind_baseline": None if cell.behind is None else round(cell.behind, 9)}
        for row in rows
        for cell in row.cells
        if cell.finding
    ]
