"""Metrics in the words of people who never saw the harness that computes them.

What a suite's document says of its metric is its author's. Where those are words that many suites
use, a page has them in its own language; programs read them as they were written.
"""

from collections.abc import Collection, Mapping
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop

NAMES = {
    "acc": gettext_noop("accuracy"),
    "acc_norm": gettext_noop("accuracy by length"),
    "acc_bytes": gettext_noop("accuracy by bytes"),
    "acc_mutual_info": gettext_noop("accuracy over the bare answer"),
    "exact_match": gettext_noop("exact match"),
}
NOTES = {
    "acc_norm": gettext_noop(
        "the answer counts as given whose likelihood is highest for its length in characters, so "
        "that long answers are at no disadvantage"
    ),
    "acc_bytes": gettext_noop(
        "the answer counts as given whose likelihood is highest for its length in bytes, so that "
        "long answers are at no disadvantage"
    ),
    "acc_mutual_info": gettext_noop(
        "the answer counts as given whose likelihood the question raises most over that of the "
        "answer alone"
    ),
}
_LABELS = {
    *NAMES.values(),
    gettext_noop("share answered"),
    gettext_noop("share refused"),
    gettext_noop("share met rightly"),
    gettext_noop("share preferring the stereotype"),
    gettext_noop("share preferring the first sentence"),
    gettext_noop("solved"),
    gettext_noop("instructions followed"),
}
"""What ready suites and the form for new ones write into documents."""


def metric_label(task: Mapping[str, Any]) -> str:
    """Return what judges a task, in the reader's language where we know the words."""
    label = str(task["metric_label"])
    return gettext(label) if label in _LABELS else label


def metric_words(task: Mapping[str, Any], metric: str) -> str:
    """Return what a metric is called: by its task where it judges that, else by everybody."""
    if metric == task["metric"]:
        return metric_label(task)
    return gettext(NAMES[metric]) if metric in NAMES else metric


def metric_choices(metrics: Collection[str]) -> list[tuple[str, str]]:
    """Return metrics as a form offers them: by name, with the words after it."""
    return [
        (name, f"{name}: {gettext(NAMES[name])}" if name in NAMES else name) for name in metrics
    ]


def metric_notes(metrics: Collection[str]) -> list[str]:
    """Say what those metrics mean that do not explain themselves."""
    return [
        gettext("%(metric)s (%(name)s): %(meaning)s.")
        % {"metric": capfirst(gettext(NAMES[name])), "name": name, "meaning": gettext(note)}
        for name, note in NOTES.items()
        if name in metrics
    ]
