"""The charts that there are, by kind and subject: of what data each is made."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse

from evals.models import Run, Suite
from oversight.accounts.models import Body
from oversight.dashboards.across import AskedTask, Point, asked_task, measured, points, trend
from oversight.dashboards.drawings.chart import Chart, Datum, figures_of
from oversight.dashboards.findings import (
    ACROSS_SHOWN,
    Finding,
    best_words,
    chart_rows,
    headline_findings,
    of_run,
    with_words,
)
from oversight.dashboards.participation import votes_of
from oversight.dashboards.words import counted, sentence
from oversight.registry.models import RegisteredModel

_INTERVALS = "95 % intervals."
VOTES = 20
VERSIONS = 50


def _task(subject: str) -> AskedTask:
    slug, _, name = subject.partition(".")
    return asked_task(get_object_or_404(Suite, slug=slug), name)


def task(subject: str) -> Chart:
    """Models on one task; the subject is `suite.task`."""
    asked = _task(subject)
    rows = measured(asked)
    found = with_words(rows[:ACROSS_SHOWN], {each.pk: each for each in asked.alike})
    neutral = asked.task.get("neutral")
    return Chart(
        "intervals",
        f"{asked.task['title']}: models beside each other",
        best_words(asked.task, found, rows.count()),
        f"{asked.suite_version}, the newest full run of each version, {_INTERVALS}",
        reverse("task", args=[asked.suite_version.suite.slug, asked.task["name"]]),
        str(asked.task["metric_label"]),
        figures_of(chart_rows(found)),
        None if neutral is None else float(neutral),
        "even-handed" if neutral is not None else "",
    )


def over_time(subject: str) -> Chart:
    """Results of the first few models on one task over time; the subject is `suite.task`."""
    asked = _task(subject)
    found = with_words(measured(asked)[:ACROSS_SHOWN], {each.pk: each for each in asked.alike})
    return trend_of(asked, trend(asked, found))


def trend_of(asked: AskedTask, measured_then: Sequence[Point]) -> Chart:
    """Return the chart of a task's results over time."""
    return Chart(
        "points",
        f"{asked.task['title']}: results over time",
        _trend_words(measured_then),
        f"{asked.suite_version}, every full run of the models that do best, {_INTERVALS}",
        reverse("task", args=[asked.suite_version.suite.slug, asked.task["name"]]),
        str(asked.task["metric_label"]),
        tuple(_datum(point, point.model) for point in measured_then),
    )


def model(subject: str) -> Chart:
    """How a model's versions did on the task most of them ran; the subject is the model."""
    found = get_object_or_404(RegisteredModel, slug=subject)
    versions = list(found.versions.newest_first().defer("manifest", "card", "source")[:VERSIONS])
    history = history_of(found, headline_findings(versions))
    if history is None:
        raise Http404
    return history


def history_of(found: RegisteredModel, results: Mapping[int, Sequence[Finding]]) -> Chart | None:
    """Return the chart of a model's versions over time, on the task that most of them ran.

    None before the first result. Two queries.
    """
    counts = Counter(
        (each.run.suite_version.suite, str(each.task["name"]))
        for findings in results.values()
        for each in findings
    )
    if not counts:
        return None
    suite, name = min(counts, key=lambda key: (-counts[key], key[0].slug, key[1]))
    asked = asked_task(suite, name)
    measured_then = points(Q(task_run__run__model_version__model=found), asked)
    return Chart(
        "points",
        f"{found}: history on {asked.task['title']}",
        _trend_words(measured_then),
        f"{asked.suite_version}, every full run, {_INTERVALS}",
        found.get_absolute_url(),
        str(asked.task["metric_label"]),
        tuple(_datum(point, point.version.label) for point in measured_then),
    )


def run(subject: str) -> Chart:
    """The tasks of one run; the subject is its reference."""
    found = get_object_or_404(Run.objects.with_parts(), ref=subject)
    results = [each for each in of_run(found) if each.is_headline]
    rows = chart_rows(results, by_task=True)
    words = counted(len(results), "task was", "tasks were")
    return Chart(
        "intervals",
        f"{found.model_version} on {found.suite_version}",
        sentence(f"{words} measured in full") if found.settings["limit"] is None else sentence(
            f"{words} measured on the first {found.settings['limit']} items, which is no evidence"
        ),
        f"{found.ref}, signed by its worker and computed again from every sample, {_INTERVALS}",
        found.get_absolute_url(),
        "score",
        figures_of(rows),
    )  # fmt: skip


def turnout(subject: str) -> Chart:
    """The turnout of a body's newest votes; the subject is the body."""
    found = get_object_or_404(Body, slug=subject)
    votes = votes_of(found)[:VOTES]
    shares = [vote.share for vote in votes]
    words = "No vote has ended yet."
    if votes:
        ended = counted(len(votes), "vote that has ended", "votes that have ended")
        least, most = (f"{100 * share:.0f}" for share in (min(shares), max(shares)))
        words = f"In {ended}, {least} to {most} % of the roll took part."
    return Chart(
        "bars",
        f"{found}: turnout by vote",
        words,
        "The rolls and ballots on the record, the newest vote first.",
        reverse("participation", args=[found.slug]),
        "part of the roll",
        tuple(Datum(vote.ref, vote.share, n=vote.on_roll, at=vote.decided_at) for vote in votes),
    )


def _datum(point: Point, series: str) -> Datum:
    return Datum(str(point.version), point.mean, point.low, point.high, point.n, point.at, series)


def _trend_words(found: Sequence[Point]) -> str:
    """Say between which days was measured, and how far the scores went."""
    if not found:
        return "Nothing was measured yet."
    first, last = found[0].at.date(), found[-1].at.date()
    means = [point.mean for point in found]
    days = f"on {first}" if first == last else f"between {first} and {last}"
    results = counted(len(found), "result", "results")
    return sentence(f"{results} {days}, from {min(means):.3f} to {max(means):.3f}")


KINDS: dict[str, Callable[[str], Chart]] = {
    "task": task,
    "over-time": over_time,
    "model": model,
    "run": run,
    "turnout": turnout,
}
"""By the name in the address."""


def chart_of(kind: str, subject: str) -> Chart:
    """Return a chart by its address.

    Raises:
        Http404: there is no such kind or subject, or nothing to draw yet.
    """
    make = KINDS.get(kind)
    if make is None:
        raise Http404
    found = make(subject)
    if not found.data:
        raise Http404
    return found
