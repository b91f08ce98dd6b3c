"""Lighthouse's marks for ten pages of the worked example, as a slow phone sees them.

Lighthouse comes from npm into a folder of the test cache; the browser is Debian's Chromium. Its
mobile profile simulates a phone's processor and a slow connection. Each page is read three times
and the median counts: one read says as much about the machine as about the page.
"""

import json
import os
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from bench.example import Example, worked_example
from bench.result import PROJECT, Figure, Result

VERSION = "12.8.2"
READS = 3
ATTEMPTS = 4
"""Of one read: the browser does not always start."""
CATEGORIES = {"performance": 95, "accessibility": 100, "best-practices": 100}
PAGES = {
    "home": r"/",
    "in service": "/in-service/",
    "deciding": "/deciding/",
    "findings": "/findings/",
    "model": r"/models/[^/]+/",
    "use": r"/deployments/[^/]+/",
    "suite": r"/suites/[^#]+",
    "proposal": r"/proposals/[^/]+/",
    "decision": r"/decisions/[^/]+/",
    "run": r"/runs/[^/]+/",
}
"""Pages by name; those with no name in their address are asked for as they stand."""
BROWSER = (
    "--headless=new --no-sandbox --disable-gpu --disable-background-networking "
    "--disable-component-update --disable-sync --no-first-run"
)


def measure() -> Result:
    """Read ten pages as a phone does; return the lowest mark of each kind."""
    program = _installed()
    with (
        tempfile.TemporaryDirectory(prefix="bench-lighthouse-") as folder,
        worked_example(Path(folder) / "var") as example,
    ):
        marks = {name: _marks(program, example, path) for name, path in PAGES.items()}
    return Result(
        "lighthouse",
        f"Lighthouse {VERSION}, mobile profile, {len(PAGES)} pages, median of {READS} reads",
        [
            Figure(f"lowest mark: {kind}", min(m[kind] for m in marks.values()), "", at_least=aim)
            for kind, aim in CATEGORIES.items()
        ],
        {"marks": marks},
    )


def _installed() -> Path:
    """Return Lighthouse's program, fetched once and kept."""
    folder = PROJECT / "var" / "test-cache" / f"lighthouse-{VERSION}"
    program = folder / "node_modules" / ".bin" / "lighthouse"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm") or "npm"
        subprocess.run(
            [npm, "install", "--silent", "--prefix", folder, f"lighthouse@{VERSION}"], check=True
        )
    return program


def _marks(program: Path, example: Example, pattern: str) -> dict[str, float]:
    """Return the median marks of one page, by category, of 100."""
    path = example.path(pattern) if "[" in pattern else pattern
    reads = [_read(program, f"http://localhost:{example.port}{path}") for _ in range(READS)]
    return {kind: statistics.median(read[kind] for read in reads) for kind in CATEGORIES}


def _read(program: Path, address: str) -> dict[str, float]:
    options = ["--quiet", "--output=json", f"--chrome-flags={BROWSER}"]
    for _attempt in range(ATTEMPTS):
        done = subprocess.run(
            [program, address, *options, f"--only-categories={','.join(CATEGORIES)}"],
            env=os.environ | {"CHROME_PATH": "/usr/bin/chromium"},
            capture_output=True,
            text=True,
            check=False,
        )
        if not done.returncode:
            break
    else:
        raise RuntimeError(f"Lighthouse could not read {address}: {done.stderr[-1_000:]}")
    found: dict[str, Any] = json.loads(done.stdout)["categories"]
    return {kind: round(100 * found[kind]["score"]) for kind in CATEGORIES}
