"""The rows of the models by tasks: which versions fit, in which order, and what they differ by."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Abs

from evals.models import NewestResult, SuiteVersion
from evals.suites.document import CATEGORIES
from oversight.dashboards.matrix_columns import Column
from oversight.dashboards.matrix_query import Asked
from oversight.registry.models import Authorisation, Description, Endpoint, ModelVersion
from oversight.registry.queries import ModelVersionQuerySet


def versions_of(asked: Asked, columns: Iterable[Column]) -> QuerySet[ModelVersion]:
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
    found = light(found)
    by = next((column for column in columns if column.key == asked.sort), None)
    if by is None:
        order = ("-model__name", "-registered_at") if asked.is_descending else ("model__name",)
        return found.order_by(*order, "-registered_at", "-pk")
    return _by_score(found, by, is_best_last=asked.is_descending)


def light(versions: ModelVersionQuerySet) -> ModelVersionQuerySet:
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
