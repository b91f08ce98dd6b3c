"""Importers: a file that others publish, or that you wrote, becomes a suite of one task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evals.suites.checking import Problem, SuiteError
from evals.suites.document import VERSION, Suite, data_file, require_valid
from evals.suites.formats import FORMATS
from evals.suites.rows import encode_rows, require_files


@dataclass(frozen=True, slots=True)
class ImportedSuite:
    """A suite made from files: the valid document, and its data files by name."""

    document: Suite
    files: dict[str, bytes]


def import_suite_file(
    path: Path,
    format: str,  # noqa: A002 - the word of the command line
    slug: str,
    title: str | None = None,
    *,
    licence: str | None = None,
    source: str | None = None,
) -> ImportedSuite:
    """Make a suite of one task from a file in one of `FORMATS`.

    Raises:
        SuiteError: naming file, line, column and fix; nothing is half imported.
    """
    chosen = FORMATS.get(format)
    if chosen is None:
        known = ", ".join(FORMATS)
        raise SuiteError([Problem("format", f"{format!r} is not known.", f"Use one of {known}.")])
    reading = chosen.read(path)
    if not reading.rows:
        fix = "Give a file with at least one row below the header."
        raise SuiteError([Problem(path.name, "the file has no rows.", fix)])
    content = encode_rows(reading.rows)
    task = {**reading.task, "data": data_file(f"{reading.task['name']}.jsonl", content)}
    document = require_valid(
        {
            "v": VERSION,
            "slug": slug,
            "title": title or chosen.title,
            "summary": chosen.summary,
            "licence": licence or chosen.licence,
            "source": source or chosen.source or f"Imported from the file {path.name}.",
            "tasks": [task],
        }
    )
    files = {task["data"]["name"]: content}
    require_files(document, files)
    return ImportedSuite(document, files)
