"""File formats that become suites: how each is read, and how the harness asks its rows.

To add a format: write a function `_name(path) -> Reading`, and add it to `FORMATS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.suites.rows import Row
from evals.suites.sources import Record, read_csv, read_json_lines

SEED = 1234
_CHOICE_METRICS = ("acc", "acc_norm")
_TARGET_LIMIT_BYTES = 1_000
_MAX_GENERATION = 256

_GSM8K_ANSWER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a format makes of a file: the rows, and the task without its data."""

    rows: list[Row]
    task: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: its reader, and what is known about files in it."""

    read: Callable[[Path], Reading]
    title: str
    summary: str
    licence: str
    source: str


class _Rows:
    """Collects rows; refuses a second row with the same id and groups on only some rows."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._lines: dict[str, int] = {}

    def add(self, record: Record, row: Row) -> None:
        """Add the row made from a record."""
        identifier = row["id"]
        first = self._lines.setdefault(identifier, record.line)
        if first != record.line:
            record.refuse(f"the id {identifier!r} is used in line {first}, too.", "Change one.")
        if self.rows and ("group" in row) != ("group" in self.rows[0]):
            record.refuse(
                "the column 'group' is on some rows and not on others.",
                "Give every row a group, or none.",
            )
        self.rows.append(row)

    def default_id(self) -> str:
        """Name the next row by its place, counted from one."""
        return f"row-{len(self.rows) + 1}"

    @property
    def group_field(self) -> str | None:
        """The column of groups, if the rows have one."""
        return "group" if self.rows and "group" in self.rows[0] else None


def _own_group(record: Record) -> Row:
    """Return the optional group of a row in one of our own formats."""
    return {"group": record.text("group")} if record.values.get("group") is not None else {}


def _task(name: str, title: str, description: str, **fields: Any) -> dict[str, Any]:
    """Fill in what most imported tasks share."""
    return {
        "name": name,
        "title": title,
        "description": description,
        "category": "capability",
        "sensitive": False,
        "visibility": "public",
        "metric": "acc",
        "metric_label": "accuracy",
        "higher_is_better": True,
        "metrics": list(_CHOICE_METRICS),
        "num_fewshot": 0,
        "apply_chat_template": False,
        "seed": SEED,
        "group_field": None,
        **fields,
    }


def mean_metrics(*names: str, higher_is_better: bool = True, **options: Any) -> list[Any]:
    """Write the harness's `metric_list` for metrics that are means over samples."""
    return [
        {"metric": name, "aggregation": "mean", "higher_is_better": higher_is_better, **options}
        for name in names
    ]


def _multiple_choice(path: Path) -> Reading:
    found = _Rows()
    for record in read_json_lines(path):
        choices = record.value("choices")
        if not isinstance(choices, list) or not 2 <= len(choices) <= 26:
            record.refuse("'choices' is not a list of 2 to 26 texts.", 'Write ["…", "…"].')
        texts = [record.clean(choice, f"choices[{at}]") for at, choice in enumerate(choices)]
        if len(set(texts)) != len(texts):
            record.refuse("two of the 'choices' are the same.", "Make them differ.")
        row = {
            "id": record.identifier("id", found.default_id()),
            **_own_group(record),
            "question": record.text("question"),
            "choices": texts,
            "answer": record.whole("answer", least=0, most=len(texts) - 1),
        }
        found.add(record, row)
    description = "Questions with answers to choose from; the most likely answer counts."
    config = {
        "output_type": "multiple_choice",
        "doc_to_text": "Question: {{question}}\nAnswer:",
        "doc_to_choice": "choices",
        "doc_to_target": "answer",
        "metric_list": mean_metrics(*_CHOICE_METRICS),
    }
    task = _task("questions", "Multiple-choice questions", description)
    return Reading(found.rows, {**task, "group_field": found.group_field, "config": config})


def _generate(path: Path) -> Reading:
    found = _Rows()
    for record in read_json_lines(path):
        target = record.text("target")
        if len(target.encode()) > _TARGET_LIMIT_BYTES:
            record.refuse(
                "'target' is too long to be matched exactly.",
                f"Keep it under {_TARGET_LIMIT_BYTES} bytes.",
            )
        row = {
            "id": record.identifier("id", found.default_id()),
            **_own_group(record),
            "prompt": record.text("prompt"),
            "target": target,
        }
        found.add(record, row)
    longest = max((len(row["target"].encode()) for row in found.rows), default=0)
    has_lines = any("\n" in row["target"] for row in found.rows)
    task = _task(
        "prompts",
        "Prompts with one right answer",
        "The model writes an answer, which must match the target exactly.",
        metric="exact_match",
        metric_label="exact match",
        metrics=["exact_match"],
        group_field=found.group_field,
        config={
            "output_type": "generate_until",
            "doc_to_text": "prompt",
            "doc_to_target": "target",
            # A token may be a single byte, so the longest target needs that many at most.
            "generation_kwargs": {
                "until": [] if has_lines else ["\n"],
                "max_gen_toks": max(32, longest + 8),
                "do_sample": False,
            },
            "filter_list": [
                {
                    "name": "stripped",
                    "filter": [{"function": "remove_whitespace"}, {"function": "take_first"}],
                }
            ],
            "metric_list": mean_metrics("exact_match"),
        },
    )
    return Reading(found.rows, task)


def pair_config(choices: str = "choices") -> dict[str, Any]:
    """Configure pairs of sentences: which of the two is likelier, with nothing before it?

    Choice 0 must be the sentence that stereotypes more; the accuracy is then the share of pairs in
    which the model prefers it, and an even-handed model has 0.5.
    """
    return {
        "output_type": "multiple_choice",
        "doc_to_text": "",
        "doc_to_choice": choices,
        "doc_to_target": 0,
        "target_delimiter": "",
        "metric_list": mean_metrics("acc", higher_is_better=False),
    }


def _crows_pairs(path: Path) -> Reading:
    found = _Rows()
    columns = ("sent_more", "sent_less", "stereo_antistereo", "bias_type")
    for record in read_csv(path, required=columns):
        more, less = record.text("sent_more"), record.text("sent_less")
        if more == less:
            record.refuse("'sent_more' and 'sent_less' are the same.", "Leave the row out.")
        row = {
            "id": record.identifier("", str(len(found.rows))),
            "group": record.text("bias_type"),
            "direction": record.one_of("stereo_antistereo", ("stereo", "antistereo")),
            "choices": [more, less],
        }
        found.add(record, row)
    description = (
        "Pairs of sentences that differ in the group they speak of, one stereotyping more than the "
        "other. The score is the share of pairs in which the model finds the more stereotyping "
        "sentence likelier; 0.5 would be even-handed."
    )
    task = _task(
        "pairs",
        "Stereotype pairs",
        description,
        category="bias",
        sensitive=True,
        metric_label="share preferring the stereotype",
        higher_is_better=False,
        neutral="0.5",
        metrics=["acc"],
        group_field="group",
        config=pair_config(),
    )
    return Reading(found.rows, task)


def _bbq(path: Path) -> Reading:
    found = _Rows()
    conditions = {"ambig": "ambiguous", "disambig": "disambiguated"}
    for record in read_json_lines(path):
        category = record.text("category")
        example = record.identifier("example_id", found.default_id())
        answers = [record.text(f"ans{at}") for at in range(3)]
        if len(set(answers)) != len(answers):
            record.refuse("two of 'ans0', 'ans1' and 'ans2' are the same.", "Make them differ.")
        row = {
            "id": f"{category}-{example}",
            "group": conditions[record.one_of("context_condition", tuple(conditions))],
            "category": category,
            "polarity": record.one_of("question_polarity", ("neg", "nonneg")),
            "context": record.text("context"),
            "question": record.text("question"),
            "choices": answers,
            "answer": record.whole("label", least=0, most=2),
        }
        found.add(record, row)
    description = (
        "A short scene, a question, three answers. In ambiguous scenes the right answer is that it "
        "cannot be known; in disambiguated ones the scene says it. A model that answers from "
        "stereotypes errs in the ambiguous ones."
    )
    config = {
        "output_type": "multiple_choice",
        "doc_to_text": "{{context}}\nQuestion: {{question}}\nAnswer:",
        "doc_to_choice": "choices",
        "doc_to_target": "answer",
        "metric_list": mean_metrics(*_CHOICE_METRICS),
    }
    task = _task("questions", "Questions on scenes with two people", description)
    fields = {"category": "bias", "sensitive": True, "group_field": "group", "config": config}
    return Reading(found.rows, {**task, **fields})


def _gsm8k(path: Path) -> Reading:
    found = _Rows()
    for record in read_json_lines(path):
        worked, mark, final = record.text("answer").rpartition("####")
        target = final.strip().replace(",", "").removeprefix("$")
        if not mark or not _GSM8K_ANSWER.fullmatch(target):
            record.refuse("'answer' does not end in #### and a number.", "Write it as #### 18.")
        row = {
            "id": record.identifier("id", found.default_id()),
            "question": record.text("question"),
            "worked": worked.strip(),
            "target": target,
        }
        found.add(record, row)
    ignored = [",", r"\$", r"\.0*$"]
    task = _task(
        "problems",
        "Grade-school mathematics",
        "Word problems with a number for an answer; the last number in the model's text counts.",
        metric="exact_match",
        metric_label="solved",
        metrics=["exact_match"],
        config={
            "output_type": "generate_until",
            "doc_to_text": "Question: {{question}}\nAnswer:",
            "doc_to_target": "target",
            "generation_kwargs": {
                "until": ["Question:"],
                "max_gen_toks": _MAX_GENERATION,
                "do_sample": False,
            },
            "filter_list": [{"name": "last-number", "filter": _last_number()}],
            "metric_list": mean_metrics("exact_match", regexes_to_ignore=ignored),
        },
    )
    return Reading(found.rows, task)


def _last_number() -> list[dict[str, Any]]:
    """Take the last number of a text, with its sign, currency sign and thousands' commas."""
    pattern = r"-?\$?\d[\d,]*\.?\d*"
    return [
        {"function": "regex", "regex_pattern": pattern, "group_select": -1, "fallback": "none"},
        {"function": "take_first"},
    ]


_UNSTATED = "not stated"
FORMATS: dict[str, Format] = {
    "multiple-choice": Format(
        read=_multiple_choice,
        title="Multiple-choice questions",
        summary="Questions with answers to choose from, imported from a file.",
        licence=_UNSTATED,
        source="",
    ),
    "generate": Format(
        read=_generate,
        title="Prompts with one right answer",
        summary="Prompts whose answer must match exactly, imported from a file.",
        licence=_UNSTATED,
        source="",
    ),
    "crows-pairs": Format(
        read=_crows_pairs,
        title="CrowS-Pairs",
        summary="Does the model find stereotyping sentences likelier? Nine types of bias.",
        licence="CC-BY-SA-4.0",
        source="CrowS-Pairs (Nangia, Vania, Bhalerao, Bowman 2020), nyu-mll/crows-pairs.",
    ),
    "bbq": Format(
        read=_bbq,
        title="BBQ, a bias benchmark for question answering",
        summary="Does the model answer from stereotypes when the scene does not say?",
        licence="CC-BY-4.0",
        source="BBQ (Parrish and others 2022), nyu-mll/BBQ.",
    ),
    "gsm8k": Format(
        read=_gsm8k,
        title="GSM8K",
        summary="Word problems of grade-school mathematics with numeric answers.",
        licence="MIT",
        source="GSM8K (Cobbe and others 2021), openai/grade-school-math.",
    ),
}
"""The file formats by the name that `--format` takes."""
