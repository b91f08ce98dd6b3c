"""Metrics in the words of people who never saw the harness that computes them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from evals.samples import Sample

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


def metric_words(task: dict[str, Any], metric: str) -> str:
    """Return what a metric is called: by its task where it judges that, else by everybody."""
    return str(task["metric_label"]) if metric == task["metric"] else NAMES.get(metric, metric)


def metric_notes(metrics: Collection[str]) -> list[str]:
    """Say what those metrics mean that do not explain themselves."""
    return [
        f"{NAMES[name].capitalize()} ({name}): {note}."
        for name, note in NOTES.items()
        if name in metrics
    ]


@dataclass(frozen=True, slots=True)
class Judged:
    """How one sample came out, as a chip says it."""

    label: str
    tone: str


def judged(task: dict[str, Any], sample: Sample) -> Judged | None:
    """Say whether a sample was judged right or wrong; None where scores say neither."""
    score = sample.scores.get(task["metric"])
    if score not in {0.0, 1.0} or "neutral" in task:
        return None
    if task["higher_is_better"]:
        return Judged("judged right", "good") if score else Judged("judged wrong", "bad")
    return Judged("counts against it", "bad") if score else Judged("does not count", "good")
