"""Runs beside each other on the same samples: paired differences, corrected for how many there are.

The first run is the one that the others are compared with. Only tasks that ask the same rows in the
same way are compared, whatever versions of the suite they stand in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext, ngettext

from evals.choices import TaskRunState
from evals.models import Aggregate, Run, TaskRun
from evals.pairs import Pairing, are_alike, pairing
from evals.statistics import Difference, holm
from oversight.dashboards.run_names import differences, headings, names
from oversight.dashboards.words import listed, number_word, sentence
from oversight.web.figures import localised

RUNS_LIMIT = 6
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Paired:
    """One task on which a run is compared with the first."""

    task: dict[str, Any]
    first: Run
    run: Run
    task_run: TaskRun
    pairing: Pairing
    sizes: tuple[int, int]
    """How many samples the first run has, and the other; they share `difference.n`."""
    adjusted: float | None
    """The p-value by Holm over all comparisons of the page; None where it cannot be told."""

    @property
    def difference(self) -> Difference:
        """The paired difference, on the samples that both scored."""
        return self.pairing.difference

    @property
    def is_of_some(self) -> bool:
        """Whether a run has samples that the other does not: they count for nothing here."""
        return max(self.sizes) > self.difference.n

    @property
    def differing(self) -> int:
        """How many samples the two scored otherwise."""
        return self.difference.gained + self.difference.lost

    @property
    def is_clear(self) -> bool:
        """Whether the difference is one at the 5 % level for the whole page."""
        return self.adjusted is not None and self.adjusted <= LEVEL

    @property
    def verdict(self) -> str:
        """`better`, `worse`, `different` (no direction is better) or `unclear`."""
        if not self.is_clear or not self.difference.mean:
            return "unclear"
        if "neutral" in self.task:
            return "different"
        is_up = self.difference.mean > 0
        return "better" if is_up == self.task["higher_is_better"] else "worse"

    @property
    def p_words(self) -> tuple[str, str]:
        """The p-value alone and by Holm, as a person reads them."""
        return _p_words(self.difference.p_value), _p_words(self.adjusted)

    @property
    def tone(self) -> str:
        """The colour of the verdict."""
        tones = {"better": "good", "worse": "bad", "different": "accent"}
        return tones.get(self.verdict, "neutral")


def _p_words(p_value: float | None) -> str:
    if p_value is None:
        return "\N{EN DASH}"
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


@dataclass(frozen=True)
class Comparison:
    """A first run and those compared with it."""

    first: Run
    others: tuple[Run, ...]
    rows: tuple[Paired, ...]
    left_out: tuple[str, ...]
    """Titles of tasks of the first run that no other run can be compared on."""

    def of(self, run: Run) -> list[Paired]:
        """Return the rows of one of the others."""
        return [row for row in self.rows if row.run == run]

    @property
    def runs(self) -> tuple[Run, ...]:
        """All of them, the first one first."""
        return (self.first, *self.others)

    @cached_property
    def names(self) -> dict[int, str]:
        """What each run is called in a sentence, by its key: no two alike."""
        return names(self.runs)

    def head(self, run: Run) -> tuple[str, str]:
        """Return what stands over a run's column: a short name, and what sets the run apart."""
        return headings(self.runs)[run.pk], differences(self.runs)[run.pk]

    @property
    def headline(self) -> str:
        """What was found, in a sentence."""
        if not self.rows:
            return gettext("These runs have no task in common that was asked in the same way.")
        if len(self.others) > 1:
            clear = sum(row.is_clear for row in self.rows)
            words = ngettext(
                "%(number)s difference of %(all)s to %(version)s is more than chance",
                "%(number)s differences of %(all)s to %(version)s are more than chance",
                clear,
            )
            return sentence(
                words
                % {
                    "number": number_word(clear),
                    "all": number_word(len(self.rows)),
                    "version": self.names[self.first.pk],
                }
            )
        first, other = (self.names[run.pk] for run in self.runs)
        return _headline_of_two(first, other, self.rows)


def _headline_of_two(first: str, other: str, rows: Sequence[Paired]) -> str:
    verdicts = {
        "better": gettext("better on %(tasks)s"),
        "worse": gettext("worse on %(tasks)s"),
        "different": gettext("different on %(tasks)s"),
    }
    words = []
    for verdict, said in verdicts.items():
        titles = [
            gettext("“%(title)s”") % {"title": row.task["title"]}
            for row in rows
            if row.verdict == verdict
        ]
        if titles:
            words.append(said % {"tasks": listed(titles)})
    if not words:
        return gettext(
            "%(model_version)s cannot be told from %(model_version_2)s on these samples."
        ) % {
            "model_version": other,
            "model_version_2": first,
        }
    return gettext("%(model_version)s does %(listed)s than %(model_version_2)s.") % {
        "model_version": other,
        "listed": listed(words),
        "model_version_2": first,
    }


def compare_runs(runs: Sequence[Run]) -> Comparison:
    """Compare every run with the first, on all tasks that both finished and asked alike."""
    first, others = runs[0], tuple(runs[1:])
    finished = _finished(runs)
    found = []
    for task in first.suite_version.tasks:
        one = finished.get((first.pk, task["name"]))
        for other in others:
            two = finished.get((other.pk, task["name"]))
            if one and two and are_alike(task, two.task):
                found.append((task, other, one, two, pairing(one, two, task["metric"])))
    adjusted = holm([paired.difference.p_value for *_, paired in found])
    sizes = _sizes([task_run for _, _, one, two, _ in found for task_run in (one, two)])
    rows = tuple(
        Paired(
            task,
            first,
            other,
            two,
            paired,
            (sizes[one.pk, task["metric"]], sizes[two.pk, task["metric"]]),
            p_value,
        )
        for (task, other, one, two, paired), p_value in zip(found, adjusted, strict=True)
        if paired.difference.n
    )
    compared = {row.task["name"] for row in rows}
    left_out = (t["title"] for t in first.suite_version.tasks if t["name"] not in compared)
    return Comparison(first, others, rows, tuple(left_out))


def _finished(runs: Sequence[Run]) -> dict[tuple[int, str], TaskRun]:
    by_pk = {run.pk: run for run in runs}
    rows = TaskRun.objects.filter(run__in=by_pk, state=TaskRunState.SUCCEEDED)
    found = {}
    for task_run in rows.defer("envelope", "log_tail"):
        task_run.run = by_pk[task_run.run_id]
        found[task_run.run_id, task_run.task_name] = task_run
    return found


def _sizes(task_runs: Sequence[TaskRun]) -> dict[tuple[Any, str], int]:
    rows = Aggregate.objects.filter(task_run__in=task_runs, group="")
    return {(row.task_run_id, row.metric): row.n for row in rows}


def chart(rows: Sequence[Paired]) -> list[dict[str, Any]]:
    """Return the rows of a forest plot: one line a task, with the interval of its difference."""
    return [
        {
            "label": row.task["title"],
            "note": _better_side(row.task),
            "low": row.difference.low,
            "value": row.difference.mean,
            "high": row.difference.high,
            "n": row.difference.n,
            "tone": row.tone,
        }
        for row in rows
        if row.difference.low is not None
    ]


def _better_side(task: dict[str, Any]) -> str:
    if "neutral" in task:
        return gettext("%(task)s is even-handed") % {"task": localised(str(task["neutral"]))}
    return gettext("higher is better") if task["higher_is_better"] else gettext("lower is better")


def as_records(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the rows as data: one object a task and run."""
    return [
        {
            "task": row.task["name"],
            "metric": row.task["metric"],
            "higher_is_better": row.task["higher_is_better"],
            "first_run": comparison.first.ref,
            "first_model": str(comparison.first.model_version),
            "run": row.run.ref,
            "model": str(row.run.model_version),
            "n": row.difference.n,
            "first_n": row.sizes[0],
            "run_n": row.sizes[1],
            "first_mean": row.pairing.first_mean,
            "mean": row.pairing.mean,
            "difference": row.difference.mean,
            "low": row.difference.low,
            "high": row.difference.high,
            "gained": row.difference.gained,
            "lost": row.difference.lost,
            "method": row.difference.method,
            "p_value": row.difference.p_value,
            "p_value_holm": row.adjusted,
            "verdict": row.verdict,
        }
        for row in comparison.rows
    ]
