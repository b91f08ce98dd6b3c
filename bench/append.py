"""How fast acts get onto the record: with receipts to many clients, in batches, and one alone.

fsync is on. Clients are threads in four processes; each act is a transaction of its own through the
same service as the site's, then a receipt as the site waits for it.
"""

import multiprocessing
import os
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from bench.record import in_own_site
from bench.result import PROJECT, Figure, Result

CLIENTS = 32
PROCESSES = 4
SECONDS = 10.0
WARM_UP_SECONDS = 2.0
BATCHED_ENTRIES = 20_000
ALONE = 60


def measure() -> Result:
    """Measure all three on a fresh database."""
    load = os.getloadavg()[0]
    found = in_own_site("bench.append")
    return Result(
        "append",
        f"Acts onto the record with fsync on; load of the machine before: {load:.1f}",
        [
            Figure(
                f"acts acknowledged with a receipt, {CLIENTS} clients",
                found["acts_per_second"],
                "1/s",
                at_least=1000,
            ),
            Figure("the same, 99 of 100 within", found["p99_seconds"] * 1e3, "ms", at_most=150),
            Figure("the same, median", found["median_seconds"] * 1e3, "ms"),
            Figure(
                "batched append: pending leaves sequenced and signed",
                found["entries_per_second"],
                "1/s",
                at_least=15_000,
            ),
            Figure("stored for hashes per entry", found["hash_bytes"], "bytes", at_most=33),
            Figure("from commit to receipt when idle, median", found["idle_ms"], "ms", at_most=30),
        ],
        found | {"load_after": round(os.getloadavg()[0], 2)},
    )


def inside() -> dict[str, Any]:
    """Measure on the database of this process."""
    batched = _batched()
    with _sequencer():
        return batched | _idle() | _many_clients()


def _batched() -> dict[str, float]:
    from django.db import connection

    from oversight.ledger.sequencer import make_signer, sequence_once

    signer = make_signer()
    sequence_once(signer)
    _pending_leaves(BATCHED_ENTRIES)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        cursor.execute("ANALYZE ledger_pendingleaf")
    began = time.perf_counter()
    done = 0
    while count := sequence_once(signer):
        done += count
    seconds = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(length(data)) FROM ledger_tile")
        stored = int(cursor.fetchone()[0])
    return {"entries_per_second": done / seconds, "hash_bytes": stored / done}


def _pending_leaves(count: int) -> None:
    """Commit leaves as acts do, many in one transaction, because only the sequencer is measured."""
    from django.utils import timezone

    from oversight.ledger import leaf, merkle
    from oversight.ledger.encoding import to_digest
    from oversight.ledger.models import PendingLeaf

    now = timezone.now()
    for start in range(0, count, 5000):
        rows = []
        for number in range(start, min(count, start + 5000)):
            fields = {"type": "bench.thing.done", "actor": "system:bench"}
            subject = f"thing:{number}"
            facts = {f"fact{n}": "x" * 60 for n in range(6)}
            body = leaf.encode(**fields, subject=subject, at=now, facts=facts)
            digest = to_digest(merkle.leaf_hash(body))
            rows.append(PendingLeaf(body=body, leaf_hash=digest, subject=subject, **fields))
        PendingLeaf.objects.bulk_create(rows)


@contextmanager
def _sequencer() -> Any:
    """Run the real process beside this one."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "sequencer"], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = []
        while not said or "ready" not in said[-1]:
            said.append(process.stdout.readline())
            if not said[-1]:
                raise RuntimeError(f"The sequencer did not start: {said}")
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield
    finally:
        process.terminate()
        process.wait(20)


def _act(number: int) -> tuple[float, float]:
    """Do one act; return the seconds from its commit to its receipt, and in all."""
    from django.db import transaction

    from oversight.ledger import services

    began = time.perf_counter()
    with transaction.atomic():
        leaf = services.append(
            type="bench.thing.done", actor="system:bench", subject=f"thing:{number}"
        )
    committed = time.perf_counter()
    if services.wait_for_receipt(leaf.id, timeout_seconds=30) is None:
        raise RuntimeError("no receipt within 30 seconds")
    done = time.perf_counter()
    return done - committed, done - began


def _idle() -> dict[str, float]:
    waits = []
    for number in range(ALONE):
        waits.append(_act(number)[0])
        time.sleep(0.05)
    return {"idle_ms": statistics.median(waits) * 1e3}


def _many_clients() -> dict[str, float]:
    begin_at = time.time() + 6
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES) as pool:
        parts = pool.map(_clients, [(begin_at, CLIENTS // PROCESSES)] * PROCESSES)
    times = sorted(each for part in parts for each in part)
    return {
        "acts_per_second": len(times) / SECONDS,
        "median_seconds": statistics.median(times),
        "p99_seconds": times[int(len(times) * 0.99)],
        "acts": len(times),
    }


def _clients(job: tuple[float, int]) -> list[float]:
    """Run some clients until the time is over; return how long each act took, warm-up left out."""
    begin_at, clients = job
    import django

    django.setup()

    def client(_: int) -> list[float]:
        took = []
        time.sleep(max(0.0, begin_at - time.time()))
        measured_from = begin_at + WARM_UP_SECONDS
        while time.time() < measured_from + SECONDS:
            whole = _act(0)[1]
            if measured_from <= time.time() < measured_from + SECONDS:
                took.append(whole)
        from django.db import connection

        connection.close()
        return took

    with ThreadPoolExecutor(clients) as pool:
        return [each for part in pool.map(client, range(clients)) for each in part]
