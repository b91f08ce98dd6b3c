"""How one sample came out, in words."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from evals.samples import Sample


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
        return Judged(_("judged right"), "good") if score else Judged(_("judged wrong"), "bad")
    return Judged(_("counts against it"), "bad") if score else Judged(_("does not count"), "good")
