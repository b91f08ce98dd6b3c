"""What a benchmark returns, and how it is kept: one JSON file and one table."""

import json
import math
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Figure:
    """One measured number."""

    name: str
    """What was measured, in words that stand alone in a table."""
    value: float
    unit: str
    """`s`, `MB`, `ratio`, `count`, `%`; empty for a difference of scores."""
    at_most: float | None = None
    """The aim; None where the figure is only told."""
    at_least: float | None = None
    """The other end of an aim that is a band."""

    @property
    def verdict(self) -> str:
        """`met`, `not met`, or nothing where there is no aim."""
        if self.at_most is None and self.at_least is None:
            return ""
        low = -math.inf if self.at_least is None else self.at_least
        high = math.inf if self.at_most is None else self.at_most
        return "met" if low <= self.value <= high else "not met"

    @property
    def aim(self) -> str:
        """The aim as a table says it, such as `≤ 200` or `93 to 97`."""
        if self.at_least is None:
            return f"≤ {self.at_most:g}"
        return (
            f"≥ {self.at_least:g}"
            if self.at_most is None
            else f"{self.at_least:g} to {self.at_most:g}"
        )


@dataclass(frozen=True)
class Result:
    """All figures of one benchmark and what is needed to judge them."""

    benchmark: str
    what: str
    figures: list[Figure]
    details: dict[str, Any] = field(default_factory=dict)

    def write(self) -> Path:
        """Write the result with machine, commit and time; returns the file."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.benchmark}.json"
        about = {"measured_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        value = asdict(self) | about | {"commit": _commit(), "machine": machine()}
        path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        return path


def machine() -> dict[str, Any]:
    """Return what decides how fast this machine is, and nothing that names it."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def table(figures: list[Figure]) -> str:
    """Return figures as lines of a table for a terminal."""
    width = max(len(figure.name) for figure in figures)
    return "\n".join(
        f"  {figure.name:<{width}}  {figure.value:>10.4g} {figure.unit:<5}"
        + (f"  aim {figure.aim}: {figure.verdict}" if figure.verdict else "")
        for figure in figures
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
