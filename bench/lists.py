"""A long public list in its three forms: how long, and how much memory in the process that answers.

Rows as those of the list of results are made up one by one and go the way that every list goes: to
lines of JSON, and from these to JSON, CSV and Parquet. Twice as many as a live list may have, so
that a list held in memory whole would show.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.result import PROJECT, Figure, Result

ROWS = 200_000


def measure() -> Result:
    """Write the list in a process of its own, whose peak it is."""
    command = [sys.executable, "-m", "bench.lists"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    size = f"{ROWS:,} results"
    return Result(
        "lists",
        "Public lists as JSON, CSV and Parquet, from rows that are never in memory together",
        [
            *(
                Figure(f"{size} as {form}, from their lines", found["seconds"][form], "s")
                for form in ("json", "csv", "parquet")
            ),
            Figure("rows to lines", found["seconds"]["lines"], "s"),
            Figure("memory of the process that answers, at most", found["own_mb"], "MB", 200),
            Figure("more than before the first row", found["grown_mb"], "MB", 20),
            Figure("memory of the process that writes Parquet", found["child_mb"], "MB", 300),
            Figure("size as CSV", found["sizes_mb"]["csv"], "MB"),
            Figure("size as Parquet", found["sizes_mb"]["parquet"], "MB"),
        ],
        found,
    )


def _rows() -> Iterator[dict[str, Any]]:
    for n in range(ROWS):
        yield {
            "run": f"run-{n // 40:08x}",
            "suite": "public-service",
            "suite_digest": f"sha256:{'a' * 64}",
            "model_digest": f"sha256:{n // 4000:064x}",
            "task": f"task-{n % 40}",
            "metric": "acc",
            "group": None,
            "n": 200 + n % 17,
            "mean": (n * 7919 % 10_007) / 10_007,
            "stderr": 0.01 + (n % 101) / 7_001,
            "low": (n * 7919 % 10_007) / 10_107,
            "high": (n * 7919 % 10_007) / 9_907,
            "method": "wilson",
            "clusters": None,
            "organisation": "statistics-office",
            "worker": f"{n % 9:016x}",
            "statement": f"sha256:{n:064x}",
            "samples_sha256": f"{n * 31:064x}",
        }


def main() -> None:
    """Write the list and print what it took."""
    import os

    os.environ["DJANGO_SETTINGS_MODULE"] = "oversight.settings"
    os.environ.setdefault("OVERSIGHT_ENV", "test")
    import django

    django.setup()
    from evals.reckoner.pool import pool
    from oversight.dashboards.tables import writing
    from oversight.dashboards.tables.dictionary import TABLES

    table, about = TABLES["results"], {"source": "bench", "tree_size": 0}
    before = _peak_mb(resource.RUSAGE_SELF)
    seconds, sizes = {}, {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        lines = Path(folder) / "lines"
        began = time.perf_counter()
        writing.write_lines(table, _rows(), lines)
        seconds["lines"] = round(time.perf_counter() - began, 2)
        steps = {
            "json": lambda to: writing.write_json(table, lines, to, about),
            "csv": lambda to: writing.write_csv(table, lines, to),
            "parquet": lambda to: writing.write_parquet(table, lines, to, about),
        }
        for form, step in steps.items():
            began = time.perf_counter()
            step(Path(folder) / form)
            seconds[form] = round(time.perf_counter() - began, 2)
            sizes[form] = round((Path(folder) / form).stat().st_size / 1e6, 1)
    pool.close()
    own = _peak_mb(resource.RUSAGE_SELF)
    found = {
        "rows": ROWS,
        "seconds": seconds,
        "sizes_mb": sizes,
        "own_mb": own,
        "grown_mb": round(own - before, 1),
        "child_mb": _peak_mb(resource.RUSAGE_CHILDREN),
        "load": os.getloadavg()[0],
    }
    print(json.dumps(found))


def _peak_mb(who: int) -> float:
    return round(resource.getrusage(who).ru_maxrss / 1024, 1)


if __name__ == "__main__":
    main()
