"""The aggregates of a run as a flat table: one row a task, metric and group."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from evals.models import Aggregate, Run
from evals.reckoner import asking

COLUMNS: dict[str, type] = {
    "run": str,
    "suite": str,
    "suite_digest": str,
    "model_digest": str,
    "task": str,
    "metric": str,
    "group": str,
    "n": int,
    "mean": float,
    "stderr": float,
    "low": float,
    "high": float,
    "method": str,
    "clusters": int,
    "organisation": str,
    "worker": str,
    "statement": str,
    "samples_sha256": str,
    "limit": int,
    "backend": str,
    "dtype": str,
    "answers": int,
    "recalled": int,
}
"""Name and kind of each column."""
NULLABLE = frozenset({"stderr", "low", "high", "clusters", "limit", "answers", "recalled"})
"""Columns that may be empty: the last two of a run that is not over."""


def rows(run: Run) -> Iterator[dict[str, Any]]:
    """Yield the rows in the order of the suite, all samples before their groups."""
    found = (
        Aggregate.objects.filter(task_run__run=run)
        .select_related("task_run__worker__organisation")
        .order_by("task_run__position", "metric", "group")
    )
    for row in found:
        part, worker = row.task_run, row.task_run.worker
        yield {
            "run": run.ref,
            "suite": run.suite_version.suite.slug,
            "suite_digest": run.suite_version.digest,
            "model_digest": run.model_version.digest,
            "task": part.task_name,
            "metric": row.metric,
            "group": row.group,
            "n": row.n,
            "mean": row.mean,
            "stderr": row.stderr,
            "low": row.low,
            "high": row.high,
            "method": row.method,
            "clusters": row.clusters,
            "organisation": worker.organisation.slug if worker else "",
            "worker": worker.public_id if worker else "",
            "statement": part.statement_digest,
            "samples_sha256": part.samples_id,
            **{name: run.settings[name] for name in ("limit", "backend", "dtype")},
            "answers": run.answers,
            "recalled": run.recalled,
        }


def as_csv(run: Run) -> str:
    """Return the table as CSV (RFC 4180), numbers as they read back exactly."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows(run))
    return out.getvalue()


def as_parquet(run: Run) -> bytes:
    """Return the table as a Parquet file."""
    return asking.parquet_table(COLUMNS, list(rows(run)))


def _plain(value: Any) -> Any:
    """Return a value that a spreadsheet reads as what it is and never as a formula."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value
