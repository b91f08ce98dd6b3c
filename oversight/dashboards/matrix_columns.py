"""The columns of the models by tasks: each task as the newest version of its suite asks it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from evals.models import SuiteVersion
from evals.pairs import are_alike
from oversight.dashboards.matrix_query import Asked


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
    def guessing(self) -> float | None:
        """What blind guessing scores; None where nobody knows it."""
        return self.suite_version.guessing_on(self.task["name"])

    @property
    def shots_words(self) -> str:
        """How many worked examples stand before each question, in words."""
        number = self.task["num_fewshot"]
        if number is None:
            return gettext("as the harness has it")
        return gettext("%(number)s-shot") % {"number": number} if number else gettext("zero-shot")

    def gain(self, mean: float) -> float:
        """Return how good a score is by the task's own idea of good: more is better."""
        if "neutral" in self.task:
            return -abs(mean - float(self.task["neutral"]))
        return mean if self.task["higher_is_better"] else -mean

    def as_record(self) -> dict[str, Any]:
        """Return it as data."""
        return {
            "key": self.key,
            "suite": self.suite_version.suite.slug,
            "suite_version": self.suite_version.number,
            "task": self.task["name"],
            "title": self.task["title"],
            "category": self.task["category"],
            "metric": self.task["metric"],
            "higher_is_better": self.task["higher_is_better"],
            "neutral": self.task.get("neutral"),
            "guessing": self.guessing,
            "shots": self.task["num_fewshot"],
        }


def newest_suites() -> list[SuiteVersion]:
    """Return the newest version of every suite, by title."""
    newest = SuiteVersion.objects.order_by("suite_id", "-number").distinct("suite_id")
    return sorted(
        newest.select_related("suite"), key=lambda found: (found.suite.title, found.suite_id)
    )


def columns_of(suites: Iterable[SuiteVersion], asked: Asked) -> list[Column]:
    """Return the tasks that are asked for, in the order of their suites."""
    return [
        Column(version, task)
        for version in suites
        if asked.suite in ("", version.suite.slug)
        for task in version.tasks
        if asked.category in ("", task["category"])
    ]


def with_alike(columns: Sequence[Column]) -> list[Column]:
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
