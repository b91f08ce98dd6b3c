"""Hashing a directory of weights, beside `sha256sum` run on as many cores over the same files.

The files lie in memory (page cache) for both, so that the processor is measured and not the disk.
Each is timed several times in turn; the median counts. Many builds of `sha256sum` do not use the
processor's own instructions for SHA-256, so `openssl dgst` stands beside it where there is one.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.result import Figure, Result
from oversight.registry.manifest import manifest_of

FILES = 8
FILE_BYTES = 192_000_000
ROUNDS = 5


def measure() -> Result:
    """Hash the same files by turns."""
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        block = os.urandom(8_000_000)
        for number in range(FILES):
            with (folder / f"model-{number:05}.safetensors").open("wb") as file:
                for _ in range(FILE_BYTES // len(block)):
                    file.write(block)
        seconds: dict[str, list[float]] = {name: [] for name in _names()}
        for _ in range(ROUNDS):
            for name, timed in seconds.items():
                timed.append(_timed(partial(_hash, name, folder, cores)))
    gigabytes = FILES * FILE_BYTES / 1e9
    pace = {name: gigabytes / statistics.median(timed) for name, timed in seconds.items()}
    return Result(
        "hashing",
        f"Hashing {gigabytes:.1f} GB of weights in {FILES} files on {cores} cores",
        [
            Figure(
                "pace, as a share of sha256sum's",
                100 * pace["ours"] / pace["sha256sum"],
                "%",
                at_least=80,
            ),
            *(Figure(name, value, "GB/s") for name, value in pace.items()),
        ],
        {"seconds": seconds, "cores": cores},
    )


def _names() -> list[str]:
    return ["ours", "sha256sum", *(["openssl dgst"] if shutil.which("openssl") else [])]


def _hash(name: str, folder: Path, cores: int) -> None:
    if name == "ours":
        manifest_of(folder, threads=cores)
        return
    names = "\0".join(str(path) for path in sorted(folder.iterdir()))
    program = ["sha256sum"] if name == "sha256sum" else ["openssl", "dgst", "-sha256"]
    command = ["xargs", "-0", "-n", "1", "-P", str(cores), *program]
    subprocess.run(command, input=names.encode(), stdout=subprocess.DEVNULL, check=True)


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
