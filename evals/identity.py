"""Whether two that claim one version answer as one: the same prompts, paired.

Two things are looked at. How many answers are alike to the letter: the same weights, asked
greedily, mostly write the same, and other weights seldom do; numerical noise makes a few differ, so
that the plan says which share is enough, and Wilson's interval whether the share is really below
it. And whether one scores better than the other on the same samples, tested in pairs as everywhere
here, with Holm's correction over all pairs and tasks of the check.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals import artefacts
from evals.models import Run, TaskRun
from evals.pairs import paired_difference
from evals.reckoner import asking
from evals.statistics import holm, wilson_interval

LEVEL = 0.01
"""Of the paired tests of a whole check together: an alarm is no small thing."""

ALIKE, DIFFERS, UNDECIDED, UNANSWERED = "alike", "differs", "undecided", "unanswered"
ALARMING = frozenset({DIFFERS, UNANSWERED})


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs to be compared."""

    kind: str
    """`operator`: two that claim one version; `weights`: beside these; `drift`: beside its own."""
    endpoint: str
    beside: str
    run: Run
    other: Run


def compare_pairs(pairs: Sequence[Pair], agreement: float) -> list[dict[str, Any]]:
    """Return what was found on each pair, as plain JSON for the record: decimals are text."""
    found = [_compared(pair) for pair in pairs]
    # One family: every test that this check makes.
    p_values = [p for _, tests in found for p in tests]
    adjusted = iter(holm(p_values))
    return [_finding(counts, [next(adjusted) for _ in tests], agreement) for counts, tests in found]


def _compared(pair: Pair) -> tuple[dict[str, Any], list[float | None]]:
    """Return the counts of one pair, and the p-value of each of its tasks."""
    ours = {
        part.task_name: part for part in pair.run.task_runs.select_related("run__suite_version")
    }
    theirs = {part.task_name: part for part in pair.other.task_runs.all()}
    compared, alike, tests = 0, 0, []
    for name, part in sorted(ours.items()):
        if name not in theirs:
            continue
        mine, other = answers_of(part), answers_of(theirs[name])
        both = mine.keys() & other.keys()
        compared += len(both)
        alike += sum(mine[doc] == other[doc] for doc in both)
        tests.append(paired_difference(theirs[name], part, part.task["metric"]).p_value)
    counts = {
        "kind": pair.kind,
        "endpoint": pair.endpoint,
        "beside": pair.beside,
        "run": pair.run.ref,
        "beside_run": pair.other.ref,
        "compared": compared,
        "alike": alike,
    }
    return counts, tests


def answers_of(task_run: TaskRun) -> dict[int, str]:
    """Return what was answered to each item, in a spelling that can be compared.

    Of scored answers only the choice counts: log-likelihoods differ by numerical noise.
    """
    rows = task_run.run.settings["limit"] or 1
    found = asking.look(artefacts.path_of(str(task_run.samples_id)), size=rows)
    return {sample.doc_id: _spelt(sample.responses) for sample in found.samples}


def _spelt(responses: Sequence[Any]) -> str:
    if responses and all(isinstance(each, Mapping) for each in responses):
        likelihoods = [each.get("loglikelihood") or float("-inf") for each in responses]
        if len(likelihoods) > 1:
            return str(likelihoods.index(max(likelihoods)))
        return str(responses[0].get("is_greedy"))
    return json.dumps([str(each).strip() for each in responses], ensure_ascii=False)


def _finding(
    counts: dict[str, Any], tests: Sequence[float | None], agreement: float
) -> dict[str, Any]:
    """Judge one pair by its share of like answers and by its adjusted p-values."""
    least = min((p for p in tests if p is not None), default=None)
    low, high = (
        wilson_interval(counts["alike"], counts["compared"]) if counts["compared"] else (0.0, 1.0)
    )
    if high < agreement or (least is not None and least < LEVEL):
        verdict = DIFFERS
    elif low >= agreement:
        verdict = ALIKE
    else:
        verdict = UNDECIDED
    return counts | {
        "low": f"{low:.4f}",
        "high": f"{high:.4f}",
        "p_value": None if least is None else f"{least:.4g}",
        "verdict": verdict,
        "reason": "",
    }
