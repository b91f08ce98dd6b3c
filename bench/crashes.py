"""Killed at every step of append, sequence, sign and publish, by the hundred, with `kill -9`.

Each seed is a log of its own whose process dies three to six times, each time before or after one
call of one step, and starts again. Then every act that was acknowledged must be on the record once
and in its order, every signed tree must continue the one before it, every receipt must hold, and
the published files must be what a rebuild gives.
"""

import collections
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.record import in_own_site
from bench.result import Figure, Result

SEEDS = int(os.environ.get("BENCH_CRASH_SEEDS", "500"))


def measure() -> Result:
    """Run all seeds against one database that is emptied between them."""
    found = in_own_site("bench.crashes")
    kills = found["kills"]
    return Result(
        "crashes",
        f"{SEEDS} logs, each killed at drawn steps and started again; fsync on",
        [
            Figure(
                "seeds in which something was lost or differs", len(found["failed"]), "count", 0
            ),
            Figure("steps at which nothing was ever killed", found["never"], "count", at_most=0),
            Figure("processes killed", sum(kills.values()), "count"),
            Figure("acts acknowledged, all found", found["acknowledged"], "count"),
            Figure("entries on the records", found["entries"], "count"),
            Figure("receipts checked", found["receipts"], "count"),
            Figure("all seeds", found["seconds"], "s", at_most=600),
        ],
        found,
    )


def inside() -> dict[str, Any]:
    """Run the seeds on the database of this process."""
    from tests.ledger import crashes

    began = time.perf_counter()
    totals, kills, failed = collections.Counter[str](), collections.Counter[str](), []
    for seed in range(SEEDS):
        with tempfile.TemporaryDirectory(prefix="bench-crash-") as scratch:
            _begin_a_log(Path(scratch))
            try:
                found = crashes.crash_and_recover(seed, Path(scratch) / "rebuilt")
            except Exception as error:  # noqa: BLE001 - counted and named; the others still run
                failed.append(f"seed {seed}: {type(error).__name__}: {error}"[:300])
                continue
        kills.update(found.killed_at)
        totals["acknowledged"] += len(found.acknowledged)
        totals["receipts"] += len(found.receipts)
        totals["entries"] += found.entries
    steps = [step for _, step in crashes.FAILPOINTS]
    return {
        "seconds": time.perf_counter() - began,
        "failed": failed,
        "kills": {step: kills[step] for step in steps},
        "never": sum(not kills[step] for step in steps),
        **{name: totals[name] for name in ("acknowledged", "receipts", "entries")},
    }


def _begin_a_log(folder: Path) -> None:
    """Empty the tables, past the triggers that refuse it, and give the log a key of its own."""
    from django.conf import settings
    from django.db import connection

    from tests.ledger.record_fixtures import APPEND_ONLY

    settings.LEDGER_KEY_PATH = folder / "log-key.pem"
    settings.LEDGER_SIGNER_STATE_PATH = folder / "signer.json"
    settings.LEDGER_PUBLIC_DIR = folder / "public"
    tables = ", ".join(APPEND_ONLY)
    with connection.cursor() as cursor:
        for table in APPEND_ONLY:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"TRUNCATE {tables}")
        for table in APPEND_ONLY:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
