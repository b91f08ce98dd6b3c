"""What runs are called beside each other: by their model version, or by what sets them apart."""

from collections import Counter
from collections.abc import Callable, Sequence

from django.utils.translation import gettext

from evals.models import Run
from oversight.web.figures import grouped

_Trait = Callable[[Run], str]


def items_words(run: Run) -> str:
    """Say whether a run took all items of each task."""
    if limit := run.settings["limit"]:
        return gettext("first %(limit)s items") % {"limit": grouped(limit)}
    return gettext("all items")


def origin_words(run: Run) -> str:
    """Say whether a run's answers are its own."""
    return gettext("answers recalled") if run.is_recalled else gettext("answers computed")


_TRAITS: tuple[_Trait, ...] = (
    items_words,
    lambda run: str(run.settings["dtype"]),
    lambda run: str(run.settings["backend"]),
    lambda run: str(run.suite_version),
    origin_words,
)
"""What two runs of one model version may differ in, in the order in which it is said."""


def differences(runs: Sequence[Run]) -> dict[int, str]:
    """Say, by run, what sets those of one model version apart; empty where nothing does."""
    said = {}
    for run in runs:
        alike = [each for each in runs if each.model_version_id == run.model_version_id]
        told = [trait(run) for trait in _TRAITS if len({trait(each) for each in alike}) > 1]
        said[run.pk] = ", ".join(told)
    return said


def names(runs: Sequence[Run]) -> dict[int, str]:
    """Return, by run, its model version; of several runs of one, the run and what differs too."""
    number = Counter(run.model_version_id for run in runs)
    apart = differences(runs)
    return {
        run.pk: str(run.model_version)
        if number[run.model_version_id] == 1
        else f"{run.model_version} ({', '.join(filter(None, (run.ref, apart[run.pk])))})"
        for run in runs
    }


def headings(runs: Sequence[Run]) -> dict[int, str]:
    """Return, by run, the shortest name that no other has: label, version or reference."""
    for called in (lambda run: run.model_version.label, lambda run: str(run.model_version)):
        found = {run.pk: str(called(run)) for run in runs}
        if len(set(found.values())) == len(found):
            return found
    return {run.pk: run.ref for run in runs}
