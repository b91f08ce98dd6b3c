"""Incidents in numbers: how many stand where, how grave, and how soon a body answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, Q

from oversight.incidents.choices import OPEN, Category, Severity, Status
from oversight.incidents.models import Incident, IncidentLink


@dataclass(frozen=True, slots=True)
class Line:
    """One group: how many incidents, and how many of them are not over."""

    key: str
    label: str
    number: int
    open: int
    href: str = ""


@dataclass(frozen=True, slots=True)
class Answering:
    """How soon a body acts on a report: half of the reports wait no longer than the median."""

    answered: int
    waiting: int
    median_seconds: int | None
    slowest_seconds: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All that the statistics say."""

    total: int
    open: int
    by_status: Sequence[Line]
    by_severity: Sequence[Line]
    by_category: Sequence[Line]
    by_deployment: Sequence[Line]
    answering: Answering


def figures() -> Figures:
    """Return the statistics of all incidents, in six queries whatever their number.

    Kinds and uses count what was published, because a report alone says nothing that anybody has
    checked; states and times count every report.
    """
    published = Incident.objects.published().exclude(status=Status.REJECTED)
    by_status = _lines("status", Incident.objects.all(), Status)
    return Figures(
        total=sum(line.number for line in by_status),
        open=sum(line.open for line in by_status),
        by_status=by_status,
        by_severity=_lines("severity", published, Severity),
        by_category=_lines("category", published, Category),
        by_deployment=_by_deployment(published),
        answering=_answering(),
    )


def _lines(field: str, rows: Any, kinds: Any) -> list[Line]:
    """Count rows by a field of choices; every choice has its line, those without any too."""
    counted = (
        rows.order_by()
        .values(field)
        .annotate(number=Count("pk"), open=Count("pk", filter=Q(status__in=OPEN)))
    )
    found = {row[field]: (row["number"], row["open"]) for row in counted}
    return [Line(each.value, each.label, *found.get(each.value, (0, 0))) for each in kinds]


def _by_deployment(published: Any) -> list[Line]:
    links = IncidentLink.objects.filter(
        removed_at=None, deployment__isnull=False, incident__in=published
    )
    counted = (
        links.order_by()
        .values("deployment__slug", "deployment__name")
        .annotate(
            number=Count("incident", distinct=True),
            open=Count("incident", distinct=True, filter=Q(incident__status__in=OPEN)),
        )
        .order_by("-number", "deployment__name")[:50]
    )
    return [
        Line(
            row["deployment__slug"],
            row["deployment__name"],
            row["number"],
            row["open"],
            f"/deployments/{row['deployment__slug']}/",
        )
        for row in counted
    ]


def _answering() -> Answering:
    answered = Incident.objects.filter(responded_at__isnull=False)
    times: list[timedelta] = sorted(
        answered.order_by().values_list(F("responded_at") - F("reported_at"), flat=True)
    )
    seconds = [int(each.total_seconds()) for each in times]
    return Answering(
        answered=len(seconds),
        waiting=Incident.objects.filter(responded_at__isnull=True).count(),
        median_seconds=_median(seconds),
        slowest_seconds=seconds[-1] if seconds else None,
    )


def _median(seconds: Sequence[int]) -> int | None:
    """Return the lower median: a time that some report has really waited."""
    return seconds[(len(seconds) - 1) // 2] if seconds else None


def as_records(found: Figures) -> list[dict[str, Any]]:
    """Return the figures as rows of one table."""
    groups = (
        ("status", found.by_status),
        ("severity", found.by_severity),
        ("category", found.by_category),
        ("deployment", found.by_deployment),
    )
    return [
        {"by": by, "key": line.key, "label": line.label, "number": line.number, "open": line.open}
        for by, lines in groups
        for line in lines
    ]
