"""`verify.py` on a log of a million entries: its time and its memory, as an auditor would run it.

The log is synthetic and whole: a council of 480 members votes on 2,034 motions, so that every entry
is an act that the replay has to judge, and nearly every one a ballot that it opens and counts.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.result import PROJECT, Figure, Result
from tests.audit.forge import Forge

ENTRIES = int(os.environ.get("BENCH_VERIFY_ENTRIES", "1000000"))
MEMBERS = 480
CHOICES = ("yes", "no", "abstain", "yes", "yes")


def measure() -> Result:
    """Write such a log, then verify it three times in processes of their own; the median counts."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        path = Path(scratch) / "bundle.zip"
        entries, motions = _write(path)
        size = path.stat().st_size
        runs = sorted((_verify(path) for _ in range(3)), key=lambda run: run["seconds"])
    middle = runs[1]
    return Result(
        "verify",
        f"verify.py on {entries:,} entries with {motions:,} decisions, every ballot replayed",
        [
            Figure("wall time, median of three", middle["seconds"], "s", at_most=90),
            Figure("processor time of that run", middle["processor_seconds"], "s"),
            Figure("peak resident memory", max(r["mb"] for r in runs), "MB", at_most=1500),
            Figure("entries a second", entries / middle["seconds"], "1/s"),
            Figure("size of the bundle", size / 1e6, "MB"),
        ],
        {"runs": runs, "checks": middle["checks"], "python": sys.version.split()[0]},
    )


def _write(path: Path) -> tuple[int, int]:
    forge, motions = Forge(members=MEMBERS), 0
    choices = [CHOICES[n % len(CHOICES)] for n in range(MEMBERS)]
    while len(forge.entries) < ENTRIES:
        forge.motion(choices)
        motions += 1
    with path.open("wb") as target:
        forge.write(target)
    return len(forge.entries), motions


def _verify(path: Path) -> dict[str, float]:
    """Run the program once; its own process tells its peak memory when it is waited for."""
    command = [sys.executable, "-I", "-S", str(PROJECT / "verify.py"), str(path), "--json"]
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        report = json.load(out)
    if process.returncode or report["verdict"] != "proven":
        wrong = [check for check in report["checks"] if check["verdict"] != "proven"]
        raise RuntimeError(f"an honest log was not proven: {wrong[:3]}")
    checks = len(report["checks"])
    spent = usage.ru_utime + usage.ru_stime
    mb = usage.ru_maxrss / 1000
    return {"seconds": seconds, "processor_seconds": spent, "mb": mb, "checks": checks}
