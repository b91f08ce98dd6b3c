"""From a fresh clone to a finished evaluation and a decision in force, by `make demo`."""

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from bench.result import PROJECT, Figure, Result

LINE = re.compile(r"\s*([0-9.]+) s  (.+)")
EVALUATED = "Evaluated by a worker"


def measure() -> Result:
    """Clone the committed state, run `DEMO_ONCE=1 make demo` there, and time its steps.

    Packages come from pip's cache where it has them; nothing else is taken over.
    """
    with tempfile.TemporaryDirectory(prefix="bench-demo-") as folder:
        clone = Path(folder) / "oversight"
        subprocess.run(["git", "clone", "--quiet", PROJECT, clone], check=True)
        steps, whole = _demo(clone)
    environments = whole - steps[-1][0]
    evaluated = next(seconds for seconds, what in steps if EVALUATED in what)
    return Result(
        "demo",
        "Fresh clone, `DEMO_ONCE=1 make demo`, packages cached",
        [
            Figure("clone to finished evaluation", environments + evaluated, "s", at_most=300),
            Figure("clone to decision in force", whole, "s"),
            Figure("of this, making both environments", environments, "s"),
        ],
        {"steps": [{"seconds": seconds, "step": what} for seconds, what in steps]},
    )


def _demo(clone: Path) -> tuple[list[tuple[float, str]], float]:
    began = time.monotonic()
    done = subprocess.run(
        ["make", "demo"],
        cwd=clone,
        env=os.environ | {"DEMO_ONCE": "1", "PORT": "8961"},
        capture_output=True,
        text=True,
        check=False,
    )
    whole = time.monotonic() - began
    if done.returncode:
        raise SystemExit(f"The demo ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    found = (LINE.match(line) for line in done.stdout.splitlines())
    return [(float(m[1]), m[2]) for m in found if m], whole
