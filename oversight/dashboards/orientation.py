"""The line that scores on one task are seen against: even-handed, or what guessing scores."""

from typing import Any, NamedTuple

from django.utils.translation import gettext

from evals.models import SuiteVersion


class Orientation(NamedTuple):
    """A line of a chart; there is none where `value` is not known."""

    value: float | None = None
    label: str = ""


def orientation_of(suite_version: SuiteVersion, task: dict[str, Any]) -> Orientation:
    """Return the line of a task as a suite version asks it."""
    if "neutral" in task:
        return Orientation(float(task["neutral"]), gettext("even-handed"))
    guessing = suite_version.guessing_on(task["name"])
    return Orientation() if guessing is None else Orientation(guessing, gettext("guessing"))
