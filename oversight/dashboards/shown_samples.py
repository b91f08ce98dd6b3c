"""Samples as the viewer shows them: one prompt, its answers beside each other, what was right."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from evals.metric_words import metric_words
from evals.samples import Sample
from oversight.dashboards.judged import Judged, judged

SHOWN_CHARACTERS = 4_000
"""Of one text; the whole is in the download."""

CUT = gettext_lazy(" … (cut here; the download has the whole text)")


@dataclass(frozen=True, slots=True)
class Answer:
    """One request's answer: a choice with its likelihood, or what the model wrote."""

    context: str
    """What was asked, where the requests of a sample differ in it; else empty."""
    text: str
    loglikelihood: float | None
    is_greedy: bool
    is_target: bool
    is_likeliest: bool


@dataclass(frozen=True, slots=True)
class ShownSample:
    """One sample, laid out."""

    doc_id: int
    item_id: str
    group: str | None
    prompt: str
    answers: tuple[Answer, ...]
    target: str
    """The right answer in words; empty where it is marked among the answers."""
    scores: tuple[tuple[str, float], ...]
    """By the metric in words."""
    judged: Judged | None
    """Whether it was right, where its score says so."""


def lay_out(samples: Iterable[Sample], task: dict[str, Any]) -> list[ShownSample]:
    """Return a task's samples for the page, long texts cut."""
    return [_lay_out(sample, task) for sample in samples]


def _lay_out(sample: Sample, task: dict[str, Any]) -> ShownSample:
    asked = [_parts(prompt) for prompt in sample.prompts]
    contexts = {context for context, _ in asked}
    shared = contexts.pop() if len(contexts) == 1 else ""
    answers = _answers(sample, asked, show_contexts=len({c for c, _ in asked}) > 1)
    return ShownSample(
        doc_id=sample.doc_id,
        item_id=sample.item_id,
        group=sample.group,
        prompt=_cut(shared),
        answers=answers,
        target="" if any(answer.is_target for answer in answers) else _cut(sample.target),
        scores=tuple(
            (metric_words(task, name), sample.scores[name]) for name in _first(sample, task)
        ),
        judged=judged(task, sample),
    )


def _first(sample: Sample, task: dict[str, Any]) -> list[str]:
    """Return the metrics of a sample, the one that judges the task first."""
    return sorted(sample.scores, key=lambda metric: (metric != task["metric"], metric))


def _answers(
    sample: Sample, asked: list[tuple[str, str]], *, show_contexts: bool
) -> tuple[Answer, ...]:
    found = [_likelihood(response) for response in sample.responses]
    known = [value for value in found if value is not None]
    best = max(known) if len(known) > 1 else None
    right = int(sample.target) if best is not None and sample.target.isdecimal() else None
    pairs = zip(asked, sample.responses, found, strict=False)
    return tuple(
        Answer(
            context=_cut(context) if show_contexts else "",
            text=_cut(choice.strip() if value is not None else str(response)),
            loglikelihood=value,
            is_greedy=isinstance(response, dict) and response.get("is_greedy") is True,
            is_target=place == right,
            is_likeliest=value is not None and value == best,
        )
        for place, ((context, choice), response, value) in enumerate(pairs)
    )


def _parts(prompt: Any) -> tuple[str, str]:
    """Return the context and the continuation of a request; a prompt of another form whole."""
    if isinstance(prompt, list) and prompt:
        second = prompt[1] if len(prompt) > 1 and isinstance(prompt[1], str) else ""
        return str(prompt[0]), second
    return str(prompt), ""


def _likelihood(response: Any) -> float | None:
    value = response.get("loglikelihood") if isinstance(response, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + CUT
