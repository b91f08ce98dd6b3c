"""A model version as a model card in the form of the Hugging Face Hub: front matter and Markdown.

Source: huggingface.co/docs/hub/model-cards and the `model-index` of its metadata. What the version
says of itself stands in its own words; what was measured is from published, full runs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import yaml
from django.conf import settings
from django.urls import reverse

from evals.models import Aggregate, Run
from oversight.registry import licences
from oversight.registry.descriptions import VERSION
from oversight.registry.models import Authorisation, Descent, Description, ModelVersion

MOST_RUNS = 40


@dataclass(frozen=True, slots=True)
class Score:
    """The headline score of one task."""

    run: Run
    task: dict[str, Any]
    aggregate: Aggregate


@dataclass(frozen=True, slots=True)
class Card:
    """All that a card says, and when the newest of it changed."""

    version: ModelVersion
    said: dict[str, Any]
    scores: list[Score]
    parents: list[Descent]
    authorisations: list[Authorisation]
    changed_at: datetime

    def written(self) -> bytes:
        """Return the card."""
        head = yaml.safe_dump(self._metadata(), sort_keys=False, allow_unicode=True, width=1000)
        body = "\n".join(self._body())
        return f"---\n{head}---\n\n{body}\n".encode()

    def _metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "model_name": _line(self.version),
            **_licence(self.version.licence),
        }
        if languages := self.said.get("languages"):
            found["language"] = list(languages) if isinstance(languages, list) else [languages]
        found["tags"] = ["oversight"]
        if self.scores:
            results = [_result(score) for score in self.scores]
            found["model-index"] = [{"name": _line(self.version), "results": results}]
        return found

    def _body(self) -> Iterator[str]:
        model = self.version.model
        yield f"# {_line(self.version)}\n"
        if model.summary:
            yield f"{model.summary}\n"
        page = _whole(model.get_absolute_url())
        yield f"From the public record of {_line(settings.SITE_NAME)}: <{page}>.\n"
        yield f"Weights: `{self.version.digest}`\n"
        for row in self.parents:
            page = _whole(row.parent.model.get_absolute_url())
            yield f"{row.get_kind_display().capitalize()} [{_line(row.parent)}]({page}).\n"
        known = [item for item in VERSION if self.said.get(item.name)]
        for part, items in groupby(known, key=lambda item: item.part):
            yield f"## {part}\n"
            for item in items:
                yield f"### {item.label}\n\n{_words(self.said[item.name])}\n"
        yield from self._results()
        yield from self._decisions()

    def _results(self) -> Iterator[str]:
        yield "## Evaluations\n"
        if not self.scores:
            yield "No full evaluation is published yet.\n"
            return
        yield "Headline score of each task, with its 95 % interval; each run has every sample.\n"
        yield "| task | metric | score | interval | samples | run |\n|---|---|---|---|---|---|"
        for score in self.scores:
            row, run = score.aggregate, score.run
            interval = "" if row.low is None else f"{row.low:.4f} to {row.high:.4f}"
            cells = (
                score.task["title"], row.metric, f"{row.mean:.4f}", interval, row.n,
                f"[{run.ref}]({_whole(run.get_absolute_url())})",
            )  # fmt: skip
            yield f"| {' | '.join(_cell(cell) for cell in cells)} |"
        yield ""

    def _decisions(self) -> Iterator[str]:
        yield "## Decisions\n"
        if not self.authorisations:
            yield "Nothing was decided about it yet.\n"
        for row in self.authorisations:
            address = _whole(reverse("decision", args=[row.decision_ref]))
            use = _line(row.deployment)
            yield f"- [{row.decision_ref}]({address}): {use}, {row.get_state_display().lower()}"


def card_of(version: ModelVersion) -> Card:
    """Return the card of a version; a handful of queries."""
    said = Description.objects.newest([version.subject]).get(version.subject)
    runs = _runs(version)
    granted = version.authorisations.select_related("deployment__endpoint").order_by("starts_at")
    parents = Descent.objects.filter(child=version).select_related("parent__model")
    moments = [
        version.registered_at,
        *(run.finished_at for run in runs if run.finished_at),
        *(row.state_changed_at for row in granted),
        *([said.described_at] if said else []),
    ]
    return Card(
        version=version,
        said=dict(said.document) if said else {},
        scores=list(_scores(runs)),
        parents=list(parents),
        authorisations=list(granted),
        changed_at=max(moments),
    )


def _runs(version: ModelVersion) -> list[Run]:
    """Return the newest full run of each version of a suite."""
    found = Run.objects.filter(
        model_version=version, state="succeeded", settings__limit=None
    ).select_related("suite_version__suite")
    newest: dict[int, Run] = {}
    for run in found.order_by("-finished_at", "-pk")[: 10 * MOST_RUNS]:
        newest.setdefault(run.suite_version_id, run)
    return list(newest.values())[:MOST_RUNS]


def _scores(runs: Iterable[Run]) -> Iterator[Score]:
    by_id = {run.pk: run for run in runs}
    rows = (
        Aggregate.objects.filter(task_run__run__in=by_id, group="")
        .select_related("task_run")
        .defer("task_run__envelope", "task_run__log_tail")
        .order_by("-task_run__run__finished_at", "task_run__position")
    )
    for row in rows:
        run = by_id[row.task_run.run_id]
        task = run.suite_version.task(row.task_run.task_name)
        if row.metric == task["metric"]:
            yield Score(run, task, row)


def _result(score: Score) -> dict[str, Any]:
    run, task, row = score.run, score.task, score.aggregate
    suite = run.suite_version
    return {
        "task": {"type": "text-generation", "name": _line(task["title"])},
        "dataset": {
            "type": f"{suite.suite.slug}/{task['name']}",
            "name": _line(task["title"]),
            "revision": suite.digest,
        },
        "metrics": [{"type": row.metric, "name": row.metric, "value": row.mean}],
        "source": {"name": run.ref, "url": _whole(run.get_absolute_url())},
    }


def _licence(expression: str) -> dict[str, str]:
    """Return the Hub's word for a licence: SPDX in small letters, or `other` and its name."""
    if not expression:
        return {}
    names = licences.identifiers(expression)
    if len(names) == 1 and expression == names[0] and not names[0].startswith("LicenseRef-"):
        return {"license": expression.lower()}
    return {"license": "other", "license_name": expression}


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _line(value: object) -> str:
    return " ".join(str(value).split())


def _cell(value: object) -> str:
    return _line(value).replace("|", "\\|")


def _whole(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"
