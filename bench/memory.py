"""Memory of each process of a site that has evaluated, decided nothing yet, and shown its pages.

Peaks of resident memory (VmHWM) as Linux counts them; pages shared with other processes count in
each. None of the site's own processes may have torch in it.
"""

import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from bench.parts import environment_of, manage, run, small_model
from bench.result import Figure, Result
from oversight.embedded.session import running_system

PAGES = (
    "/", "/in-service/", "/deciding/", "/findings/", "/suites/public-service/", "/record/",
    "/api/v1/models/", "/api/v1/runs/", "/api/schema/", "/api/docs/", "/design/",
    "/log/checkpoint", "/api/v1/suites/public-service/lm-eval.zip", "/accounts/login/",
)  # fmt: skip
OF_A_RUN = (
    "/runs/{ref}/", "/runs/{ref}/samples/{task}/", "/runs/{ref}/samples/{task}/?q=the",
    "/api/v1/runs/{ref}/samples.jsonl", "/api/v1/runs/{ref}/results.parquet",
    "/compare/?run={ref}&run={other}",
)  # fmt: skip
"""Pages and exports that a reckoner has to read for."""
ROUNDS = 25
PARTS = {
    "web": ("granian", 200),
    "sequencer": ("manage.py sequencer", 150),
    "tasks": ("oversight.celery:app --quiet worker", 150),
    "clock": ("oversight.celery:app --quiet beat", 150),
    "worker": ("evals.worker.app --quiet worker", None),
    "runner": ("evals.worker.runner", None),
    "reckoner": ("evals.reckoner", None),
}
"""Each part: what its command line says, and its aim in MB."""


@dataclass(frozen=True)
class Seen:
    """One process."""

    part: str
    peak_mb: float
    has_torch: bool


def measure() -> Result:
    """Evaluate four samples of each task twice, ask for every kind of page, and read the peaks."""
    model = small_model()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        var = Path(scratch) / "var"
        run(
            [sys.executable, "-m", "bench.inside", "publish", "public-service"],
            **environment_of(var),
        )
        with running_system(var=var, environment=environment_of(var)) as url:
            work = ["--model", model, "--suite", "public-service", "--limit", "4", "--wait"]
            for _ in range(2):
                manage(var, "evaluate", *work)
            pages = _pages(url)
            _browse(url, pages)
            seen = list(_processes(var))
    figures = []
    for part, (_, aim) in PARTS.items():
        peaks = [process.peak_mb for process in seen if process.part == part]
        figures += [Figure(f"{part}, largest process", max(peaks), "MB", at_most=aim)]
    torch = sum(process.has_torch for process in seen if process.part != "runner")
    figures.append(Figure("processes beside the runner with torch", torch, "count", at_most=0))
    return Result(
        "memory",
        f"Peak resident memory after two evaluations and {ROUNDS * len(pages)} page requests",
        figures,
        {"processes": [vars(process) for process in seen]},
    )


def _pages(url: str) -> list[str]:
    """Return all pages: those that every site has, and those of the two runs."""
    runs = httpx.get(f"{url}/api/v1/runs/").raise_for_status().json()["results"]
    first = httpx.get(f"{url}/api/v1/runs/{runs[0]['ref']}/").raise_for_status().json()
    names = {
        "ref": runs[0]["ref"],
        "other": runs[1]["ref"],
        "task": first["tasks"][0]["task_name"],
    }
    return [*PAGES, *(page.format(**names) for page in OF_A_RUN)]


def _browse(url: str, pages: list[str]) -> None:
    with httpx.Client(base_url=url, timeout=60) as client, ThreadPoolExecutor(8) as pool:
        for answer in pool.map(client.get, pages * ROUNDS):
            answer.raise_for_status()


def _processes(var: Path) -> list[Seen]:
    """Return the processes of the system that serves from `var`."""
    found = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
            if process.environ().get("OVERSIGHT_VAR", str(var)) != str(var):
                continue
            part = next((p for p, (words, _) in PARTS.items() if words in line), None)
            if part is None or not _belongs(process, var):
                continue
            status = Path(f"/proc/{process.pid}/status").read_text()
            maps = Path(f"/proc/{process.pid}/maps").read_text()
        except (psutil.Error, OSError):
            continue
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        found.append(Seen(part, int(peak[1]) / 1000 if peak else 0.0, "libtorch" in maps))
    return found


def _belongs(process: psutil.Process, var: Path) -> bool:
    """Say whether a process or one that started it was told to serve from `var`."""
    line = [process, *process.parents()]
    return any(one.environ().get("OVERSIGHT_VAR") == str(var) for one in line)
