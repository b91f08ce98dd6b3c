"""The samples of a run over all its tasks, as JSON lines, CSV or Parquet, in bounded memory."""

import csv
import io
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from evals import artefacts
from evals.models import Run
from evals.reckoner import asking
from evals.samples import Sample
from evals.samples.tables import COLUMNS, flat_row


def json_lines(run: Run, shown: Collection[str]) -> Iterator[str]:
    """Yield the samples of the tasks `shown` as JSON, some lines at a time."""
    for task, path in _parts(run, shown):
        for block in asking.blocks_of_samples(path):
            objects = (json.dumps(_object(task, each), ensure_ascii=False) for each in block)
            yield "".join(f"{line}\n" for line in objects)


def csv_lines(run: Run, shown: Collection[str]) -> Iterator[str]:
    """Yield the samples as CSV (RFC 4180), some lines at a time."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for task, path in _parts(run, shown):
        for block in asking.blocks_of_samples(path):
            writer.writerows(_guarded(flat_row(task, sample)) for sample in block)
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    if rest := out.getvalue():
        yield rest


def write_parquet(run: Run, shown: Collection[str], path: Path) -> None:
    """Write the samples as Parquet."""
    asking.export_samples(list(_parts(run, shown)), path)


def _parts(run: Run, shown: Collection[str]) -> Iterator[tuple[str, Path]]:
    """Yield the finished tasks among those `shown`, each with its file."""
    found = run.task_runs.filter(samples__isnull=False, task_name__in=shown)
    for task_run in found.order_by("position"):
        yield task_run.task_name, artefacts.path_of(str(task_run.samples_id))


def _object(task: str, sample: Sample) -> dict[str, Any]:
    """Return one sample as the public API shows it."""
    return {
        "task": task,
        "doc_id": sample.doc_id,
        "id": sample.item_id,
        "group": sample.group,
        "target": sample.target,
        "prompts": sample.prompts,
        "responses": sample.responses,
        "scores": sample.scores,
    }


def _guarded(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row that no spreadsheet takes for a formula: its texts come from strangers."""
    return {
        name: f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
        for name, value in row.items()
    }
