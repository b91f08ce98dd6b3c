"""How fast a run goes and when it will probably end, from what its workers last reported."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext

from evals.choices import FINAL_STATES, TaskRunState
from evals.models import Run, TaskRun

LEAST_DONE = 5
"""Samples below which a pace says nothing."""


def pace_words(per_second: float | None) -> str:
    """Return a pace as a person says it; empty while it is not known."""
    if per_second is None:
        return ""
    if per_second >= 1:
        return gettext("%(per_second)s samples a second") % {"per_second": f"{per_second:,.1f}"}
    return gettext("%(value)s samples a minute") % {"value": f"{60 * per_second:,.1f}"}


@dataclass(frozen=True, slots=True)
class Pace:
    """One task under way."""

    task_run: TaskRun
    per_second: float | None
    """Samples a second since it began to answer; None while too few are done."""
    left: timedelta | None
    """Probably left, at this pace."""

    @property
    def words(self) -> str:
        """The pace as a person says it; empty while it is not known."""
        return pace_words(self.per_second)


@dataclass(frozen=True, slots=True)
class Outlook:
    """A run under way as a whole."""

    done: int
    total: int | None
    """Samples of all tasks; None where a task does not say how many it has."""
    per_second: float | None
    ends_at: datetime | None
    """The probable end, if all workers that are on it stay on it."""

    @property
    def pace(self) -> tuple[str, str]:
        """The pace as number and unit; both empty while it is not known."""
        number, _, unit = pace_words(self.per_second).partition(" ")
        return number, unit


def pace(task_run: TaskRun, now: datetime) -> Pace:
    """Return how fast a task goes.

    Loading the model, and what the journal knew already, say nothing of how long the rest takes.
    """
    since, done = task_run.answering_since, task_run.done - task_run.answered_then
    is_running = task_run.state == TaskRunState.RUNNING
    if not is_running or since is None or done < LEAST_DONE:
        return Pace(task_run, None, None)
    seconds = max((now - since).total_seconds(), 1e-3)
    rate = done / seconds
    left = max(task_run.total - task_run.done, 0) / rate if task_run.total else None
    return Pace(task_run, rate, None if left is None else timedelta(seconds=left))


def outlook(run: Run, paces: Sequence[Pace], now: datetime) -> Outlook:
    """Return how far a run is and when it will probably end."""
    totals = [_total(run, each.task_run) for each in paces]
    total = None if None in totals else sum(each or 0 for each in totals)
    done = sum(each.task_run.done for each in paces)
    rates = [each.per_second for each in paces if each.per_second]
    rate = sum(rates) or None
    ends_at = None
    if rate and total is not None:
        left = sum(
            max((each or 0) - one.task_run.done, 0)
            for each, one in zip(totals, paces, strict=True)
            if one.task_run.state not in FINAL_STATES
        )
        ends_at = now + timedelta(seconds=left / rate)
    return Outlook(done, total, rate, ends_at)


def _total(run: Run, task_run: TaskRun) -> int | None:
    """Return how many samples a task has, as its worker says or as its data and the limit do."""
    if task_run.total:
        return task_run.total
    data = task_run.task.get("data")
    if data is None:
        return None
    limit = run.settings.get("limit")
    return min(data["rows"], limit) if limit else int(data["rows"])
