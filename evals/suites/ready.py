"""Ready-made definitions of known benchmarks, resolved to digests once their files are there.

A definition says where a benchmark's file comes from and how its rows are asked; the prompts are
those of lm-eval's own tasks where it has one. The files are not part of this software. They lie in
a folder of sources, where `import_suite --ready NAME --fetch` puts them or anybody by hand; without
them a definition says which file is missing and where it belongs. From then on the suite is like
any other: its rows are in it, under their digest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from evals.reckoner import asking
from evals.reckoner.refusals import Refused
from evals.suites.checking import Problem, SuiteError
from evals.suites.document import FILE_LIMIT_BYTES, VERSION, data_file, require_valid, stock_task
from evals.suites.formats import FORMATS, SEED, mean_metrics
from evals.suites.importers import ImportedSuite
from evals.suites.rows import Row, encode_rows, require_files
from evals.suites.sources import read_csv

_ENDINGS = ("parquet", "jsonl", "csv")

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One task of a definition: its file, and what the file's rows become."""

    name: str
    title: str
    file: str
    """The name in the folder of sources, without its ending."""
    urls: tuple[str, ...]
    """Where the file is fetched from; several are put together, one after the other."""
    row: Callable[[Record], Row] | str
    """What makes a row of a record, without its id; or one of `formats.FORMATS`."""
    fields: Mapping[str, Any]
    """What differs from a plain multiple-choice task; `config` is merged unless it is whole."""

    @property
    def endings(self) -> tuple[str, ...]:
        """The endings its file may have, the one that is fetched first."""
        fetched = self.urls[0].rpartition(".")[2]
        if isinstance(self.row, str):
            return (fetched,)
        return (fetched, *(each for each in _ENDINGS if each != fetched))


@dataclass(frozen=True, slots=True)
class Definition:
    """One benchmark, before its data."""

    slug: str
    title: str
    summary: str
    category: str
    licence: str
    source: str
    parts: tuple[Part, ...]
    stock: str = ""
    """Instead of parts: a task whose scoring is code, so that only the harness can run it."""
    metric: tuple[str, str] = ("acc", "accuracy")


def missing_files(definition: Definition, folder: Path) -> list[Part]:
    """Return the parts whose file is not in the folder."""
    return [part for part in definition.parts if _found(part, folder) is None]


def missing_words(definition: Definition, folder: Path) -> str:
    """Say which files are missing, where each comes from and where it belongs; empty if none."""
    words = [
        f"{folder / part.file}.{part.endings[0]}, from {' and '.join(part.urls)}"
        for part in missing_files(definition, folder)
    ]
    if not words:
        return ""
    return "Missing: " + "; ".join(words) + "."


def resolve(definition: Definition, folder: Path) -> ImportedSuite:
    """Make the suite from the files in the folder.

    Raises:
        SuiteError: a file is missing (the message says where it belongs) or not as expected.
    """
    if definition.stock:
        return _stock_suite(definition)
    if words := missing_words(definition, folder):
        fix = f"Put it there, or run: manage.py import_suite --ready {definition.slug} --fetch"
        raise SuiteError([Problem(definition.slug, words, fix)])
    tasks, files = [], {}
    for part in definition.parts:
        task, content = _resolved(part, cast("Path", _found(part, folder)), definition)
        tasks.append(task)
        files[task["data"]["name"]] = content
    document = require_valid(_document(definition, tasks))
    require_files(document, files)
    return ImportedSuite(document, files)


def _found(part: Part, folder: Path) -> Path | None:
    paths = (folder / f"{part.file}.{ending}" for ending in part.endings)
    return next((path for path in paths if path.is_file()), None)


def _document(definition: Definition, tasks: list[Any]) -> dict[str, Any]:
    keys = ("slug", "title", "summary", "licence", "source")
    words = {key: getattr(definition, key) for key in keys}
    return {"v": VERSION, **words, "tasks": tasks}


def _stock_suite(definition: Definition) -> ImportedSuite:
    metric, label = definition.metric
    task = stock_task(
        definition.stock,
        title=definition.title,
        description=definition.summary,
        category=definition.category,
        metric=metric,
        metric_label=label,
    )
    return ImportedSuite(require_valid(_document(definition, [task])), {})


def _resolved(part: Part, path: Path, definition: Definition) -> tuple[dict[str, Any], bytes]:
    rows, base = _rows(part, path)
    if not rows:
        raise SuiteError([Problem(path.name, "the file has no rows.", "Fetch it again.")])
    content = encode_rows(rows)
    plain, own = base.pop("config"), part.fields.get("config", {})
    config = dict(own) if "output_type" in own else {**plain, **own}
    task = {
        **base,
        "title": part.title,
        "category": definition.category,
        **part.fields,
        "name": part.name,
        "config": config,
        "data": data_file(f"{part.name}.jsonl", content),
    }
    return task, content


def _rows(part: Part, path: Path) -> tuple[list[Row], dict[str, Any]]:
    """Return the rows of a file, and the task without its data that they are asked by."""
    if isinstance(part.row, str):
        reading = FORMATS[part.row].read(path)
        return reading.rows, dict(reading.task)
    rows = []
    for number, record in enumerate(_records(path), start=1):
        try:
            row = part.row(record)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            message = f"it is not as {part.urls[0]} has it ({type(error).__name__}: {error})."
            raise SuiteError(
                [Problem(f"{path.name} row {number}", message, "Fetch the file again.")]
            ) from None
        rows.append({"id": f"row-{number}", **row})
    return rows, _choice_task(part)


def _choice_task(part: Part) -> dict[str, Any]:
    """Describe a multiple-choice task over `question`, `choices` and `right`."""
    return {
        "title": part.title,
        "description": "Questions with answers to choose from; the most likely answer counts.",
        "sensitive": False,
        "visibility": "public",
        "metric": "acc",
        "metric_label": "accuracy",
        "higher_is_better": True,
        "metrics": ["acc", "acc_norm"],
        "num_fewshot": 0,
        "apply_chat_template": False,
        "seed": SEED,
        "group_field": None,
        "config": {
            "output_type": "multiple_choice",
            "doc_to_text": "Question: {{question}}\nAnswer:",
            "doc_to_choice": "choices",
            "doc_to_target": "right",
            "metric_list": mean_metrics("acc", "acc_norm"),
        },
    }


def _records(path: Path) -> Iterator[Record]:
    """Read a file that the operator put into the folder of sources."""
    if path.stat().st_size > 4 * FILE_LIMIT_BYTES:
        raise SuiteError([Problem(path.name, "the file is too large.", "Fetch it again.")])
    if path.suffix == ".parquet":
        yield from _parquet(path)
    elif path.suffix == ".csv":
        for record in read_csv(path, required=()):
            yield record.values
    else:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield json.loads(line)
                except (ValueError, RecursionError):
                    where = f"{path.name} line {number}"
                    raise SuiteError([Problem(where, "this is not JSON.", "")]) from None


def _parquet(path: Path) -> Iterator[Record]:
    try:
        yield from asking.fetched_records(path)
    except Refused as refused:
        where = f"it cannot be read ({refused})."
        raise SuiteError([Problem(path.name, where, "Fetch it again.")]) from None
