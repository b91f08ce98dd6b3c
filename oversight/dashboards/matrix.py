"""Models by tasks: what each model version scored newest on each task, side by side.

A column is one task as the newest version of its suite asks it. Results on earlier versions of the
suite stand in it only where the task was asked in the same way, and say so. What was not measured
is empty.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Abs
from django.utils.translation import gettext, gettext_lazy

from evals.models import NewestResult, SuiteVersion
from evals.pairs import are_alike
from evals.suites.document import CATEGORIES
from oversight.dashboards.findings import Finding, best_first, newest_record
from oversight.dashboards.matrix_query import Asked
from oversight.registry.models import Authorisation, Description, Endpoint, ModelVersion
from oversight.registry.queries import ModelVersionQuerySet

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
class Column:
    """One task, as the newest version of its suite asks it."""

    suite_version: SuiteVersion
    task: dict[str, Any]
    alike: tuple[int, ...] = ()
    """Keys of all versions of the suite that ask it in the same way."""

    @property
    def key(self) -> str:
        """How an address names it."""
        return f"{self.suite_version.suite.slug}.{self.task['name']}"

    @property
    def shots_words(self) -> str:
        """How many worked examples stand before each question, in words."""
        number = self.task["num_fewshot"]
        if number is None:
            return gettext("as the harness has it")
        return f"{number}-shot" if number else "zero-shot"

    def gain(self, mean: float) -> float:
        """Return how good a score is by the task's own idea of good: more is better."""
        if "neutral" in self.task:
            return -abs(mean - float(self.task["neutral"]))
        return mean if self.task["higher_is_better"] else -mean


@dataclass(frozen=True, slots=True)
class Cell:
    """What a version scored on a task; empty where it was not measured."""

    column: Column
    finding: Finding | None = None
    behind: float | None = None
    """How much worse than the baseline, in units of the score; negative where better."""

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
            return ""
        distance = round(abs(self.behind), 3)
        if not distance:
            return gettext("at the baseline")
        return f"{distance:.3f} {'behind' if self.behind > 0 else 'ahead'}"

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

    def as_record(self) -> dict[str, Any]:
        """Return it as data."""
        return {
            "page": self.page.number,
            "pages": self.page.paginator.num_pages,
            "versions": self.page.paginator.count,
            "tasks_page": self.columns_page.number,
            "tasks_pages": self.columns_page.paginator.num_pages,
            "tasks": [_column_record(column) for column in self.columns],
            "results": records(self.rows),
        }


def matrix(asked: Asked) -> Matrix:
    """Return the page of the overview that is asked for; nine queries at most."""
    suites = newest_suites()
    columns_page = Paginator(_columns(suites, asked), COLUMNS).get_page(asked.tasks)
    columns = _with_alike(list(columns_page))
    page = Paginator(_versions(asked, columns), ROWS).get_page(asked.page)
    baseline = _baseline(asked)
    rows = _rows(list(page), columns, baseline, None if baseline else _best(columns))
    return Matrix(asked, page, columns_page, columns, rows, baseline, suites)


def whole(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield what all versions that fit scored on all tasks that do, as data, some at a time."""
    columns = _with_alike(_columns(newest_suites(), asked))
    keys = list(_versions(asked, columns).values_list("pk", flat=True))
    baseline = _baseline(asked)
    best = None if baseline else _best(columns)
    for start in range(0, len(keys), ROWS_AT_ONCE):
        some = keys[start : start + ROWS_AT_ONCE]
        found = _light(ModelVersion.objects.all()).in_bulk(some)
        yield from records(_rows([found[key] for key in some], columns, baseline, best))


def _baseline(asked: Asked) -> ModelVersion | None:
    found = ModelVersion.objects.filter(digest=asked.beside).select_related("model")
    return found.first() if asked.beside else None


def _rows(
    versions: Sequence[ModelVersion],
    columns: Sequence[Column],
    baseline: ModelVersion | None,
    best: Mapping[str, float] | None,
) -> list[Row]:
    """Return versions with their cells, held against the baseline or the best; two queries."""
    wanted = [*versions, baseline] if baseline and baseline not in versions else versions
    results = _results(wanted, columns)
    lines = _lines_of(baseline, columns, results) if baseline else best or {}
    return [
        Row(version, tuple(_cell(version, column, results, lines) for column in columns))
        for version in versions
    ]


def newest_suites() -> list[SuiteVersion]:
    """Return the newest version of every suite, by title."""
    newest = SuiteVersion.objects.order_by("suite_id", "-number").distinct("suite_id")
    return sorted(
        newest.select_related("suite"), key=lambda found: (found.suite.title, found.suite_id)
    )


def _columns(suites: Iterable[SuiteVersion], asked: Asked) -> list[Column]:
    return [
        Column(version, task)
        for version in suites
        if asked.suite in ("", version.suite.slug)
        for task in version.tasks
        if asked.category in ("", task["category"])
    ]


def _with_alike(columns: Sequence[Column]) -> list[Column]:
    """Add to each column the versions of its suite that ask it in the same way; one query."""
    suites = {column.suite_version.suite_id for column in columns}
    versions = list(SuiteVersion.objects.filter(suite__in=suites).order_by("-number"))
    return [
        Column(
            column.suite_version,
            column.task,
            tuple(
                version.pk
                for version in versions
                if version.suite_id == column.suite_version.suite_id
                and any(
                    task["name"] == column.task["name"] and are_alike(task, column.task)
                    for task in version.tasks
                )
            ),
        )
        for column in columns
    ]


def _versions(asked: Asked, columns: Iterable[Column]) -> QuerySet[ModelVersion]:
    """Return the model versions that are rows, in their order, which may be by one of the columns.

    Unless every version is asked for, a model stands by its newest version that was measured, or
    by its newest one.
    """
    found = ModelVersion.objects.filter(_fitting(asked))
    if not asked.all_versions:
        measured = Exists(NewestResult.objects.filter(model_version=OuterRef("pk")))
        newest = found.annotate(is_measured=measured)
        newest = newest.order_by("model_id", "-is_measured", "-registered_at", "-pk")
        keys = newest.distinct("model_id").values("pk")
        found = ModelVersion.objects.filter(pk__in=keys)
    found = _light(found)
    by = next((column for column in columns if column.key == asked.sort), None)
    if by is None:
        order = ("-model__name", "-registered_at") if asked.is_descending else ("model__name",)
        return found.order_by(*order, "-registered_at", "-pk")
    return _by_score(found, by, is_best_last=asked.is_descending)


def _light(versions: ModelVersionQuerySet) -> ModelVersionQuerySet:
    """Leave out what may be megabytes."""
    return versions.select_related("model").defer("manifest", "card", "source")


def _by_score(
    found: QuerySet[ModelVersion], by: Column, *, is_best_last: bool
) -> QuerySet[ModelVersion]:
    """Order by the scores on one task, best first or last; who was not measured comes after."""
    scores = NewestResult.objects.filter(
        model_version=OuterRef("pk"),
        suite_version__in=by.alike,
        task_name=by.task["name"],
        is_headline=True,
    ).order_by("-suite_version__number")
    found = found.annotate(score=Subquery(scores.values("mean")[:1]))
    score: Any = F("score")
    if "neutral" in by.task:
        score = Abs(F("score") - float(by.task["neutral"]))
    is_high_first = by.task["higher_is_better"] and "neutral" not in by.task
    is_falling = is_high_first != is_best_last
    order = score.desc(nulls_last=True) if is_falling else score.asc(nulls_last=True)
    return found.order_by(order, "model__name", "-pk")


def _fitting(asked: Asked) -> Q:
    """Return what a version has to be to be a row."""
    found = Q()
    if asked.licence:
        found &= Q(licence=asked.licence)
    if asked.operator:
        claimed = Endpoint.objects.filter(operator__slug=asked.operator)
        standing = Authorisation.objects.standing().filter(
            deployment__endpoint__operator__slug=asked.operator
        )
        found &= Q(pk__in=claimed.values("claimed_version")) | Q(pk__in=standing.values("version"))
    if asked.language:
        found &= Q(digest__in=[digest for digest, said in _languages() if asked.language in said])
    return found


def _languages() -> list[tuple[str, list[str]]]:
    """Return the digests of versions whose newest description names languages, with these."""
    later = Description.objects.filter(subject=OuterRef("subject"), number__gt=OuterRef("number"))
    rows = Description.objects.filter(
        ~Exists(later), subject__startswith="version:", document__has_key="languages"
    ).values_list("subject", "document__languages")
    return [(subject.removeprefix("version:"), said) for subject, said in rows]


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to filter by."""

    suites: tuple[tuple[str, str], ...]
    categories: tuple[str, ...]
    languages: tuple[str, ...]
    licences: tuple[str, ...]
    operators: tuple[tuple[str, str], ...]


def choices(suites: Iterable[SuiteVersion]) -> Choices:
    """Return what the versions, uses and suites of this site can be filtered by; three queries."""
    kept = list(suites)
    licences = ModelVersion.objects.exclude(licence="").order_by("licence")
    operators = Endpoint.objects.order_by("operator__name")
    found = {task["category"] for version in kept for task in version.tasks}
    return Choices(
        suites=tuple((version.suite.slug, version.suite.title) for version in kept),
        categories=tuple(name for name in CATEGORIES if name in found),
        languages=tuple(sorted({code for _, said in _languages() for code in said})),
        licences=tuple(licences.values_list("licence", flat=True).distinct()),
        operators=tuple(operators.values_list("operator__slug", "operator__name").distinct()),
    )


Results = Mapping[tuple[int, str], Finding]
_OF_RESULT = (
    *("model_version_id", "suite_version_id", "task_name"),
    *("metric", "n", "mean", "stderr", "low", "high", "method"),
)


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
    rows = rows.select_related("run").only(*_OF_RESULT, "run__ref", "run__finished_at")
    asked = SuiteVersion.objects.select_related("suite").in_bulk(suites)
    by_key = {version.pk: version for version in versions}
    found: dict[tuple[int, str], Finding] = {}
    # The newest suite version comes last, and so prevails.
    for row in rows.order_by("suite_version__number", "pk"):
        if column_of := places.get((row.suite_version_id, row.task_name)):
            row.run.model_version = by_key[row.model_version_id]
            row.run.suite_version = asked[row.suite_version_id]
            task = row.run.suite_version.task(row.task_name)
            found[row.model_version_id, column_of.key] = Finding(row, row.run, task)
    return found


def _best(columns: Sequence[Column]) -> dict[str, float]:
    """Return the best gain measured on each task as the newest suite asks it; one query."""
    parts = [
        best_first(column.suite_version, column.task).values_list(
            "suite_version_id", "task_name", "mean"
        )[:1]
        for column in columns
    ]
    if not parts:
        return {}
    rows = list(parts[0].union(*parts[1:], all=True)) if len(parts) > 1 else list(parts[0])
    means = {(suite, task): mean for suite, task, mean in rows}
    return {
        column.key: column.gain(mean)
        for column in columns
        if (mean := means.get((column.suite_version.pk, column.task["name"]))) is not None
    }


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
    version: ModelVersion, column: Column, results: Results, lines: Mapping[str, float]
) -> Cell:
    finding = results.get((version.pk, column.key))
    line = lines.get(column.key)
    if finding is None or line is None:
        return Cell(column, finding)
    return Cell(column, finding, line - column.gain(finding.aggregate.mean))


def records(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return what was measured as data: a record a version and task."""
    return [
        newest_record(cell.finding)
        | {"behind_baseline": None if cell.behind is None else round(cell.behind, 9)}
        for row in rows
        for cell in row.cells
        if cell.finding
    ]


def _column_record(column: Column) -> dict[str, Any]:
    return {
        "key": column.key,
        "suite": column.suite_version.suite.slug,
        "suite_version": column.suite_version.number,
        "task": column.task["name"],
        "title": column.task["title"],
        "category": column.task["category"],
        "metric": column.task["metric"],
        "higher_is_better": column.task["higher_is_better"],
        "neutral": column.task.get("neutral"),
        "shots": column.task["num_fewshot"],
    }
