"""Evidence pulled into a text: a paragraph `[[evidence]]`, `[[criterion TASK]]` or `[[run REF]]`.

Until the vote opens such a block shows the results as they stand; from then on those that the
contract froze.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from evals.choices import Outcome
from evals.criteria import Judgement
from evals.models import Aggregate, Run
from proposals.markdown import render_blocks

_REFERENCE = re.compile(
    r" {0,3}\[\[(evidence|criterion|run)(?:[ \t]+([\w./-]{1,80}))?\]\]", re.ASCII
)
TONES = {Outcome.MET: "good", Outcome.NOT_MET: "bad", Outcome.UNDECIDED: "wait"}


@dataclass(frozen=True, slots=True)
class Reference:
    """What a paragraph asks to be shown in its place."""

    kind: str
    """"evidence" for all criteria, "criterion" for those of one task, "run" for one run."""

    name: str = ""

    def __str__(self) -> str:
        return f"[[{f'{self.kind} {self.name}'.strip()}]]"


@dataclass(frozen=True, slots=True)
class Line:
    """One criterion with its result, as a block in the text shows it."""

    task: str
    title: str
    asked: str
    outcome: str
    tone: str
    low: str
    high: str
    n: int
    run: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands in place of a reference."""

    reference: Reference
    lines: tuple[Line, ...] = ()
    run: Run | None = None
    results: tuple[Aggregate, ...] = ()
    """Of a run: the metric that each of its tasks is judged by."""

    is_frozen: bool = False

    @property
    def statements(self) -> list[str]:
        """The digests of a run's signed results."""
        return sorted({row.task_run.statement_digest for row in self.results})

    @property
    def is_missing(self) -> bool:
        """Whether there is nothing to show."""
        return not self.lines and self.run is None


def reference_in(markdown: str) -> Reference | None:
    """Return what a paragraph refers to, when it is a reference and nothing else."""
    found = _REFERENCE.fullmatch(markdown.rstrip())
    if found is None or (found[1] == "evidence") != (found[2] is None):
        return None
    return Reference(found[1], found[2] or "")


def references_in(text: str) -> list[Reference]:
    """Return the references of a whole text, each once, in their order."""
    if "[[" not in text:
        return []
    found = (reference_in(text[block.start : block.end]) for block in render_blocks(text))
    return list(dict.fromkeys(each for each in found if each is not None))


def lines_of(judgements: Iterable[Judgement], contract: Mapping[str, Any] | None) -> list[Line]:
    """Return the criteria with their results: the contract's where there is one."""
    frozen = {_key(row): row for row in (contract or {}).get("criteria", [])}
    return [_line(j, frozen.get(_key_of(j))) for j in judgements]


def resolve(
    references: Iterable[Reference], lines: Iterable[Line], *, is_frozen: bool = False
) -> dict[Reference, Shown]:
    """Return what each reference shows; runs are fetched in two queries."""
    wanted, rows = list(references), list(lines)
    runs = _runs([each.name for each in wanted if each.kind == "run"])
    found = {}
    for each in wanted:
        if each.kind == "run":
            run, results = runs.get(each.name, (None, ()))
            found[each] = Shown(each, run=run, results=results)
        else:
            chosen = rows if each.kind == "evidence" else [r for r in rows if r.task == each.name]
            found[each] = Shown(each, tuple(chosen), is_frozen=is_frozen)
    return found


def _runs(refs: list[str]) -> dict[str, tuple[Run, tuple[Aggregate, ...]]]:
    """Return runs with their results, by reference."""
    runs = list(Run.objects.with_parts().filter(ref__in=refs)) if refs else []
    rows = Aggregate.objects.filter(task_run__run__in=runs, group="").select_related("task_run")
    found: dict[str, tuple[Run, tuple[Aggregate, ...]]] = {}
    for run in runs:
        metrics = {task["name"]: task["metric"] for task in run.suite_version.tasks}
        own = tuple(
            row
            for row in rows
            if row.task_run.run_id == run.pk and row.metric == metrics.get(row.task_run.task_name)
        )
        found[run.ref] = run, own
    return found


def problems_with(shown: Iterable[Shown]) -> list[str]:
    """Return why a text with these references cannot be final, in words."""
    found = []
    for each in shown:
        if each.is_missing:
            found.append(
                gettext("The text refers to %(reference)s, and there is no such evidence.")
                % {"reference": each.reference}
            )
        elif each.run is not None and not each.results:
            found.append(
                gettext("The text refers to %(reference)s, which has no result yet.")
                % {"reference": each.reference}
            )
    return found


def frozen_runs(shown: Iterable[Shown]) -> list[dict[str, Any]]:
    """Return the runs that a text shows, as the contract of a vote lists them."""
    return [
        {"run": each.run.ref, "statements": each.statements}
        for each in shown
        if each.run is not None
    ]


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["suite"], row["task"], row["metric"], row["comparison"]


def _key_of(judgement: Judgement) -> tuple[str, ...]:
    c = judgement.criterion
    return c.suite_version.digest, c.task_name, c.metric, str(c.comparison)


def _line(judgement: Judgement, frozen: Mapping[str, Any] | None) -> Line:
    criterion, aggregate = judgement.criterion, judgement.aggregate
    outcome = Outcome(frozen["outcome"]) if frozen else Outcome(judgement.outcome)
    bounds = (frozen["low"], frozen["high"]) if frozen else (None, None)
    if not frozen and aggregate is not None:
        bounds = (aggregate.low, aggregate.high)
    low, high = (f"{float(b):.3f}" if b is not None else "" for b in bounds)
    run = judgement.run.ref if judgement.run else ""
    return Line(
        task=criterion.task_name,
        title=criterion.task["title"],
        asked=criterion.asked,
        outcome=str(outcome.label),
        tone=TONES.get(outcome, "neutral"),
        low=low,
        high=high,
        n=frozen["n"] if frozen else aggregate.n if aggregate else 0,
        run=(frozen["run"] or "") if frozen else run,
    )
