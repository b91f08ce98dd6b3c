"""The charts that there are, by kind and subject: of what data each is made."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, pgettext

from evals.metric_words import metric_label
from evals.models import Run, Suite
from oversight.accounts.models import Body
from oversight.dashboards.across import AskedTask, Point, asked_task, measured, points, trend
from oversight.dashboards.drawings import deciding
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
from oversight.dashboards.orientation import orientation_of
from oversight.dashboards.participation import votes_of
from oversight.dashboards.words import number_word, sentence, worded
from oversight.registry.models import RegisteredModel
from oversight.web.figures import grouped, localised

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
    return Chart(
        "intervals",
        gettext("%(task)s: models beside each other") % {"task": asked.task["title"]},
        best_words(asked.task, found, rows.count()),
        gettext("%(suite_version)s, the newest full run of each version, 95 %% intervals.")
        % {"suite_version": asked.suite_version},
        reverse("task", args=[asked.suite_version.suite.slug, asked.task["name"]]),
        asked.task["title"],
        metric_label(asked.task),
        figures_of(chart_rows(found)),
        *orientation_of(asked.suite_version, asked.task),
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
        gettext("%(task)s: results over time") % {"task": asked.task["title"]},
        _trend_words(measured_then),
        gettext("%(suite_version)s, every full run of the models that do best, 95 %% intervals.")
        % {"suite_version": asked.suite_version},
        reverse("task", args=[asked.suite_version.suite.slug, asked.task["name"]]),
        asked.task["title"],
        metric_label(asked.task),
        tuple(_datum(point, point.model) for point in measured_then),
        *orientation_of(asked.suite_version, asked.task),
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
        gettext("%(found)s: history on %(task)s") % {"found": found, "task": asked.task["title"]},
        _trend_words(measured_then),
        gettext("%(suite_version)s, every full run, 95 %% intervals.")
        % {"suite_version": asked.suite_version},
        found.get_absolute_url(),
        str(found),
        metric_label(asked.task),
        tuple(_datum(point, point.version.label) for point in measured_then),
        *orientation_of(asked.suite_version, asked.task),
    )


def run(subject: str) -> Chart:
    """The tasks of one run; the subject is its reference."""
    found = get_object_or_404(Run.objects.with_parts(), ref=subject)
    results = [each for each in of_run(found) if each.is_headline]
    rows = chart_rows(results, by_task=True)
    return Chart(
        "intervals",
        gettext("%(model)s on %(suite)s")
        % {"model": found.model_version, "suite": found.suite_version},
        _measured_words(len(results), found.settings["limit"]),
        gettext(
            "%(ref)s, signed by its worker and computed again from every sample, 95 %% intervals."
        )
        % {"ref": found.ref},
        found.get_absolute_url(),
        found.ref,
        gettext("score"),
        figures_of(rows),
    )


def _measured_words(number: int, limit: int | None) -> str:
    """Say how many tasks of a run were measured, and on how much."""
    words = worded(
        ngettext("%(number)s task was measured", "%(number)s tasks were measured", number), number
    )
    if limit is None:
        return sentence(gettext("%(tasks)s in full") % {"tasks": words})
    return sentence(
        gettext("%(tasks)s on the first %(items)s items, which is no evidence")
        % {"tasks": words, "items": grouped(limit)}
    )


def turnout(subject: str) -> Chart:
    """The turnout of a body's newest votes; the subject is the body."""
    found = get_object_or_404(Body, slug=subject)
    votes = votes_of(found)[:VOTES]
    shares = [vote.share for vote in votes]
    words = gettext("No vote has ended yet.")
    if votes:
        least, most = (f"{100 * share:.0f}" for share in (min(shares), max(shares)))
        words = ngettext(
            "In the vote that has ended, %(most)s %% of the roll took part.",
            "In %(number)s votes that have ended, %(least)s to %(most)s %% of the roll took part.",
            len(votes),
        )
        if least == most and len(votes) > 1:
            words = gettext(
                "In each of %(number)s votes that have ended, %(most)s %% of the roll took part."
            )
        words %= {"number": number_word(len(votes)), "least": least, "most": most}
    return Chart(
        "bars",
        gettext("%(found)s: turnout by vote") % {"found": found},
        words,
        gettext("The rolls and ballots on the record, the newest vote first."),
        reverse("participation", args=[found.slug]),
        gettext("Who takes part in %(body)s") % {"body": found},
        gettext("part of the roll"),
        tuple(Datum(vote.ref, vote.share, n=vote.on_roll, at=vote.decided_at) for vote in votes),
        is_share=True,
    )


def _datum(point: Point, series: str) -> Datum:
    return Datum(str(point.version), point.mean, point.low, point.high, point.n, point.at, series)


def _day(day: date) -> str:
    return date_format(day, pgettext("pattern of Django's date format", "j F Y"))


def _trend_words(found: Sequence[Point]) -> str:
    """Say between which days was measured, and how far the scores went."""
    if not found:
        return gettext("Nothing was measured yet.")
    first, last = found[0].at.date(), found[-1].at.date()
    means = [point.mean for point in found]
    gaps = {
        "results": worded(
            ngettext("%(number)s result", "%(number)s results", len(found)), len(found)
        ),
        "first": _day(first),
        "last": _day(last),
        "least": localised(f"{min(means):.3f}"),
        "most": localised(f"{max(means):.3f}"),
    }
    if len(found) == 1:
        return sentence(gettext("%(results)s on %(first)s, %(least)s") % gaps)
    if first == last:
        return sentence(gettext("%(results)s on %(first)s, from %(least)s to %(most)s") % gaps)
    return sentence(
        gettext("%(results)s between %(first)s and %(last)s, from %(least)s to %(most)s") % gaps
    )


KINDS: dict[str, Callable[[str], Chart]] = {
    "task": task,
    "over-time": over_time,
    "model": model,
    "run": run,
    "turnout": turnout,
    "decision": deciding.decision,
    "differences": deciding.differences,
    "opinions": deciding.opinions,
    "compute": deciding.computed,
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
