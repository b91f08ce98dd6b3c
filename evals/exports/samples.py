"""The samples of a run over all its tasks, as one CSV or Parquet file, in bounded memory."""

import csv
import io
import json
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from evals import artefacts
from evals.models import Run
from evals.samples import Sample, read_samples

COLUMNS = ("task", "doc_id", "id", "group", "target", "prompts", "responses", "scores")
"""`prompts`, `responses` and `scores` are JSON in text: tasks differ in what they ask and score."""
GROUP_ROWS = 2_000


def rows(run: Run, shown: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield the samples of the tasks `shown`, task by task."""
    found = run.task_runs.filter(samples__isnull=False, task_name__in=shown)
    for task_run in found.order_by("position"):
        for sample in read_samples(artefacts.path_of(str(task_run.samples_id))):
            yield _row(task_run.task_name, sample)


def csv_lines(run: Run, shown: Collection[str]) -> Iterator[str]:
    """Yield the samples as CSV (RFC 4180), some lines at a time."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    found = rows(run, shown)
    while block := list(islice(found, GROUP_ROWS)):
        writer.writerows(_guarded(row) for row in block)
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    if rest := out.getvalue():
        yield rest


def write_parquet(run: Run, shown: Collection[str], path: Path) -> None:
    """Write the samples as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"doc_id": pa.int64()}
    schema = pa.schema([pa.field(name, kinds.get(name, pa.string())) for name in COLUMNS])
    found = rows(run, shown)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while block := list(islice(found, GROUP_ROWS)):
            writer.write_table(pa.Table.from_pylist(block, schema=schema))


def _row(task: str, sample: Sample) -> dict[str, Any]:
    return {
        "task": task,
        "doc_id": sample.doc_id,
        "id": sample.item_id,
        "group": sample.group,
        "target": sample.target,
        "prompts": _json(sample.prompts),
        "responses": _json(sample.responses),
        "scores": _json(dict(sample.scores)),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _guarded(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row that no spreadsheet takes for a formula: its texts come from strangers."""
    return {
        name: f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
        for name, value in row.items()
    }
