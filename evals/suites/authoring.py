"""From uploaded rows to a task: the author says which column is what, and gets a first wording.

The rows are kept as uploaded, with two columns of ours: `id`, which every row needs, and for
multiple choice `right`, the index of the right answer, whatever way the file marks it. Everything
after that is the task's own configuration, which the author edits and the preview renders.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from random import Random
from typing import Any, cast

from evals.suites.checking import Checker, Problem, SuiteError
from evals.suites.document import TASKS_LIMIT, Task, data_file, require_valid, stock_task
from evals.suites.formats import SEED, mean_metrics, pair_config
from evals.suites.importers import ImportedSuite
from evals.suites.rows import Item, Row, encode_rows, render_item, require_files
from evals.suites.templates import TemplateRefused, render
from evals.suites.uploads import Table, read_upload

FORMS: Mapping[str, str] = {
    "multiple-choice": "Multiple choice: the likeliest answer counts",
    "generate": "Generate: the model writes, and the text must match",
    "pairs": "Pairs of sentences: which one is likelier",
}
MARKINGS: Mapping[str, str] = {
    "index": "its place, counted from 0",
    "number": "its place, counted from 1",
    "letter": "its letter (A, B, C …)",
    "text": "its whole text",
}


def guess_columns(columns: Mapping[str, str]) -> dict[str, Any]:
    """Guess the form and which column is what, from names that authors often use.

    Keys: `form`, `id`, `group`, `prompt`, `choices` (names of columns), `answer`, `marking`.
    """
    texts = [name for name, kind in columns.items() if kind == "text"]
    lists = [name for name, kind in columns.items() if kind == "list of texts"]
    single = [name for name in texts if len(name) == 1 and name.upper() in string.ascii_uppercase]
    numbered = [name for name in texts if name.rstrip("0123456789") in {"ans", "choice", "option"}]
    choices = lists[:1] or (single if len(single) > 1 else numbered if len(numbered) > 1 else [])
    prompt = _first(columns, ("question", "prompt", "text", "input", "query", "sentence"))
    return {
        "form": "multiple-choice" if choices else "generate",
        "id": _first(columns, ("id", "example_id", "uid")),
        "group": _first(columns, ("group", "category", "subject", "type")),
        "prompt": prompt or next((name for name in texts if name not in choices), ""),
        "choices": choices,
        "answer": _first(columns, ("answer", "target", "label", "gold", "correct", "output")),
        "marking": "index",
    }


def _first(columns: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((name for name in names if name in columns), "")


def prepare_rows(table: Table, *, form: str, chosen: Mapping[str, Any], source: str) -> list[Row]:
    """Return the rows with an `id`, and for multiple choice with `right`.

    Raises:
        SuiteError: naming the row whose answer cannot be found among its choices.
    """
    _require_columns(table, form, chosen, source)
    prepared = []
    for number, row in enumerate(table.rows, start=1):
        own = row[chosen["id"]] if chosen.get("id") else f"row-{number}"
        new = {"id": str(own), **{key: value for key, value in row.items() if key != "id"}}
        if form == "multiple-choice":
            new["right"] = _right(row, chosen, f"{source} row {number}")
        prepared.append(new)
    return prepared


def _require_columns(table: Table, form: str, chosen: Mapping[str, Any], source: str) -> None:
    wanted = {"prompt": "the prompt", "answer": "the right answer"} if form != "pairs" else {}
    for key, what in wanted.items():
        if not chosen.get(key):
            raise SuiteError([Problem(source, f"no column is {what}.", "Choose one.")])
    choices = chosen.get("choices") or []
    least = 0 if form == "generate" else 1
    if len(choices) < least or (form == "pairs" and len(choices) != 2):
        fix = "Choose one column with a list, or one column for each choice."
        raise SuiteError([Problem(source, "no columns are the choices.", fix)])
    named = [chosen.get("id"), chosen.get("group"), chosen.get("prompt"), chosen.get("answer")]
    for name in [*filter(None, named), *choices]:
        if name not in table.columns:
            have = ", ".join(table.columns)
            raise SuiteError([Problem(source, f"there is no column {name}.", f"Use {have}.")])


def _right(row: Row, chosen: Mapping[str, Any], where: str) -> int:
    texts = choice_texts(row, chosen["choices"])
    answer = row[chosen["answer"]]
    place = _place(answer, chosen.get("marking", "index"), texts)
    if place is None or not 0 <= place < len(texts):
        marking = MARKINGS[chosen.get("marking", "index")]
        message = (
            f"the answer {str(answer)[:40]!r} is not one of {len(texts)} choices by {marking}."
        )
        raise SuiteError([Problem(where, message, "Mend it, or choose how answers are marked.")])
    return place


def _place(answer: object, marking: str, texts: list[str]) -> int | None:
    if marking == "text":
        return texts.index(str(answer)) if str(answer) in texts else None
    word = str(answer).strip()
    if marking == "letter":
        upper = word.upper().rstrip(".)")
        is_letter = len(upper) == 1 and upper in string.ascii_uppercase
        return string.ascii_uppercase.index(upper) if is_letter else None
    if not (word.isascii() and word.isdigit() and len(word) < 4):
        return None
    return int(word) - (1 if marking == "number" else 0)


def choice_texts(row: Row, choices: list[str]) -> list[str]:
    """Return the choices of a row: those of one list, or those in several columns."""
    if len(choices) == 1 and isinstance(row[choices[0]], list):
        return list(row[choices[0]])
    return [str(row[name]) for name in choices]


def first_wording(
    name: str, rows: list[Row], *, form: str, chosen: Mapping[str, Any]
) -> tuple[Task, bytes]:
    """Return a task of the form over the rows, worded plainly, and its data file's bytes."""
    content = encode_rows(rows)
    columns = chosen.get("choices") or []
    task: dict[str, Any] = {
        "name": name,
        "title": name.replace("-", " ").capitalize(),
        "description": _DESCRIPTIONS[form],
        "category": "bias" if form == "pairs" else "capability",
        "sensitive": form == "pairs",
        "visibility": "public",
        "metric": "exact_match" if form == "generate" else "acc",
        "metric_label": _LABELS[form],
        "higher_is_better": form != "pairs",
        "metrics": {"generate": ["exact_match"], "pairs": ["acc"]}.get(form, ["acc", "acc_norm"]),
        "num_fewshot": 0,
        "apply_chat_template": False,
        "seed": SEED,
        "group_field": chosen.get("group") or None,
        "data": data_file(f"{name}.jsonl", content),
        "config": _config(form, chosen, columns, rows),
    }
    if form == "pairs":
        task["neutral"] = "0.5"
    if chosen.get("clustered"):
        task["clustered"] = True
    return cast("Task", task), content


_DESCRIPTIONS = {
    "multiple-choice": "Questions with answers to choose from; the most likely answer counts.",
    "generate": "The model writes an answer, which must match the target exactly.",
    "pairs": "Pairs of sentences; the score is how often the first one is found likelier.",
}
_LABELS = {
    "multiple-choice": "accuracy",
    "generate": "exact match",
    "pairs": "share preferring the first sentence",
}


def _config(
    form: str, chosen: Mapping[str, Any], columns: list[str], rows: list[Row]
) -> dict[str, Any]:
    listed = columns[0] if len(columns) == 1 else "{{[" + ", ".join(columns) + "]}}"
    if form == "pairs":
        return pair_config(listed)
    prompt = "{{" + str(chosen["prompt"]) + "}}"
    if form == "multiple-choice":
        return {
            "output_type": "multiple_choice",
            "doc_to_text": f"Question: {prompt}\nAnswer:",
            "doc_to_choice": listed,
            "doc_to_target": "right",
            "metric_list": mean_metrics("acc", "acc_norm"),
        }
    longest = max(len(str(row[chosen["answer"]]).encode()) for row in rows)
    return {
        "output_type": "generate_until",
        "doc_to_text": prompt,
        "doc_to_target": "{{" + str(chosen["answer"]) + "}}",
        "generation_kwargs": {
            "until": ["\n"],
            "max_gen_toks": min(2_048, max(32, longest + 8)),
            "do_sample": False,
        },
        "filter_list": [
            {
                "name": "stripped",
                "filter": [{"function": "remove_whitespace"}, {"function": "take_first"}],
            }
        ],
        "metric_list": mean_metrics("exact_match"),
    }


def exact_prompt(task: Task, rows: list[Row], place: int) -> tuple[str, list[str], str]:
    """Return the context, the continuations and the target of one row, as the harness asks it.

    The context has the description, the worked examples that the seed draws for this row, and the
    question; a chat template, which belongs to a model, comes round it later. For generation there
    are no continuations. The same bytes as lm-eval 0.4.13 sends: its sampler draws for one row
    after the other from one stream, so the examples of a row depend on its place.

    Raises:
        TemplateRefused: a template is not allowed, or does not fit a row.
        IndexError: there is no such row.
    """
    row, config = rows[place], task["config"]
    item = render_item(task, row)
    delimiter = config.get("target_delimiter", " ")
    shots = _examples(rows, place, task["num_fewshot"] or 0, task["seed"])
    parts = [_optional(config, "description", row)]
    parts += [_worked(task, example, delimiter) for example in shots]
    prefix = _optional(config, "gen_prefix", row)
    between = delimiter if prefix and _touch(item.text, prefix) else ""
    context = "".join(parts) + item.text + between + prefix
    return context, [delimiter + choice for choice in item.choices or ()], _target(item)


def _worked(task: Task, row: Row, delimiter: str) -> str:
    """Write one worked example with its answer, and what stands between it and the next."""
    config, item = task["config"], render_item(task, row)
    prefix, answer = _optional(config, "gen_prefix", row), _target(item)
    if prefix:
        between = delimiter if _touch(item.text, prefix) else ""
        answer = prefix + (" " if _touch(prefix, answer) else "") + answer
    else:
        between = delimiter
    return item.text + between + answer + str(config.get("fewshot_delimiter", "\n\n"))


def _target(item: Item) -> str:
    return item.choices[int(item.target)] if item.choices else str(item.target)


def _optional(config: Mapping[str, Any], key: str, row: Row) -> str:
    source = config.get(key) or ""
    return str(row[source]) if source in row else render(source, row)


def _touch(before: str, after: str) -> bool:
    """Say whether two texts would run into each other without a delimiter."""
    return bool(before) and not (before[-1].isspace() or after[:1].isspace())


def _examples(rows: list[Row], place: int, count: int, seed: int) -> list[Row]:
    """Draw the worked examples of a row as the harness's sampler does, one row after the other."""
    if not count:
        return []
    if count + 1 > len(rows):
        raise TemplateRefused(f"{count} worked examples take at least {count + 1} rows.")
    stream, drawn = Random(seed), []  # noqa: S311 - the harness's own draw, not a secret
    for number in range(place + 1):
        drawn = [row for row in stream.sample(rows, count + 1) if row != rows[number]][:count]
        if len(drawn) < count:
            drawn = stream.sample([row for row in rows if row != rows[number]], count)
    return drawn


_SUITE_FIELDS = ("slug", "title", "summary", "licence", "source")
_SPEC_FIELDS = ("name", "file", "form", "columns", "config", "stock")


def compose(spec: object, files: Mapping[str, bytes]) -> ImportedSuite:
    """Make a suite from data files and a description of each task, as programs send it.

    `spec` has the suite's fields and `tasks`; each task has `name`, `file` (JSON Lines, CSV or
    Parquet, among `files`), `form` and `columns` (as `guess_columns` names them; what is left out
    is guessed), and any field of a task, or of its `config`, that is to differ from the first
    wording. A task with `stock` instead of `file` is one of the harness.

    Raises:
        SuiteError: naming the field, or the file and its line, and the fix.
    """
    check = Checker()
    found = check.mapping(spec, "suite") or {}
    check.keys(found, "", required=(*_SUITE_FIELDS, "tasks"))
    entries = check.items(found.get("tasks"), "tasks", most=TASKS_LIMIT) if found else []
    if check.problems:
        raise SuiteError(check.problems)
    tasks, data = [], {}
    for number, entry in enumerate(entries):
        task, content = _composed(entry, f"tasks[{number}]", files)
        tasks.append(task)
        if content is not None:
            data[task["data"]["name"]] = content
    document = require_valid({"v": 1, **{key: found[key] for key in _SUITE_FIELDS}, "tasks": tasks})
    require_files(document, data)
    return ImportedSuite(document, data)


def _composed(
    entry: object, where: str, files: Mapping[str, bytes]
) -> tuple[dict[str, Any], bytes | None]:
    check = Checker()
    task = check.mapping(entry, where) or {}
    for key in ("name", "stock" if "stock" in task else "file"):
        check.text(task.get(key), f"{where}.{key}", limit=100)
    for key in ("columns", "config"):
        if key in task:
            check.mapping(task[key], f"{where}.{key}")
    if not check.problems and "stock" not in task and task["file"] not in files:
        check.add(f"{where}.file", f"there is no file {task['file']}.", "Send it along.")
    if not check.problems and task.get("form", "generate") not in FORMS:
        check.one_of(task["form"], f"{where}.form", tuple(FORMS))
    if check.problems:
        raise SuiteError(check.problems)
    own = {key: value for key, value in task.items() if key not in _SPEC_FIELDS}
    if "stock" in task:
        words = {"title": task["stock"], "description": f"The task {task['stock']} of lm-eval."}
        metric = {"category": "capability", "metric": "acc", "metric_label": "accuracy"}
        return {**stock_task(task["stock"], **words, **metric), "name": task["name"], **own}, None
    return _from_file(task, own, files[task["file"]])


def _from_file(
    task: Mapping[str, Any], own: Mapping[str, Any], content: bytes
) -> tuple[dict[str, Any], bytes]:
    table = read_upload(task["file"], content)
    chosen = {**guess_columns(table.columns), **task.get("columns", {})}
    form = task.get("form") or chosen["form"]
    if isinstance(chosen["choices"], str):
        chosen["choices"] = [chosen["choices"]]
    rows = prepare_rows(table, form=form, chosen=chosen, source=task["file"])
    made, data = first_wording(task["name"], rows, form=form, chosen=chosen)
    config = {**made["config"], **task.get("config", {})}
    if "higher_is_better" in own and "config" not in task:
        better = {"higher_is_better": own["higher_is_better"]}
        config["metric_list"] = [{**each, **better} for each in config["metric_list"]]
    return {**made, **own, "config": config}, data
