"""Metrics in the words of people who never saw the harness that computes them."""

from collections.abc import Collection, Mapping
from typing import Any

NAMES = {
    "acc": "accuracy",
    "acc_norm": "accuracy by length",
    "acc_bytes": "accuracy by bytes",
    "acc_mutual_info": "accuracy over the bare answer",
    "exact_match": "exact match",
}
NOTES = {
    "acc_norm": (
        "the answer counts as given whose likelihood is highest for its length in characters, so "
        "that long answers are at no disadvantage"
    ),
    "acc_bytes": (
        "the answer counts as given whose likelihood is highest for its length in bytes, so that "
        "long answers are at no disadvantage"
    ),
    "acc_mutual_info": (
        "the answer counts as given whose likelihood the question raises most over that of the "
        "answer alone"
    ),
}


def metric_words(task: Mapping[str, Any], metric: str) -> str:
    """Return what a metric is called: by its task where it judges that, else by everybody."""
    return str(task["metric_label"]) if metric == task["metric"] else NAMES.get(metric, metric)


def metric_choices(metrics: Collection[str]) -> list[tuple[str, str]]:
    """Return metrics as a form offers them: by name, with the words after it."""
    return [(name, f"{name}: {NAMES[name]}" if name in NAMES else name) for name in metrics]


def metric_notes(metrics: Collection[str]) -> list[str]:
    """Say what those metrics mean that do not explain themselves."""
    return [
        f"{NAMES[name].capitalize()} ({name}): {note}."
        for name, note in NOTES.items()
        if name in metrics
    ]
