"""How long large counts take: the aims are for a whole program, from the file to the sheet.

The ballots are drawn by a fixed seed, all different, every candidate ranked: the hardest case,
since equal ballots are counted once. Each count runs in a process of its own, whose peak it is.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from bench.result import PROJECT, Figure, Result
from proposals.tally.election import Election, Ranking
from proposals.tally.methods import METHODS, USUAL_LOT

CANDIDATES = 20
SEATS = 7
SEED = 20_111_110
STV_BALLOTS = 100_000
SCHULZE_BALLOTS = 1_000_000


def measure() -> Result:
    """Count 100,000 rankings from a file by STV, and a million in memory by Schulze."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        file = Path(scratch) / "ballots.blt"
        _write(file, STV_BALLOTS)
        from_file = _in_a_process("command", str(file))
    stv = _in_a_process("scottish-stv", str(STV_BALLOTS))
    schulze = _in_a_process("schulze", str(SCHULZE_BALLOTS))
    many = f"{STV_BALLOTS:,} distinct rankings, {CANDIDATES} candidates, {SEATS} seats"
    million = f"{SCHULZE_BALLOTS:,} distinct ballots, {CANDIDATES} candidates"
    return Result(
        "tally",
        "Exact counts of ballots that are all different, by integers in plain Python",
        [
            Figure(f"STV, {many}: file to sheet", from_file["seconds"], "s", at_most=5),
            Figure("the same, largest memory", from_file["peak_mb"], "MB", at_most=300),
            Figure("STV, once loaded", stv["seconds"], "s"),
            Figure(f"Schulze, {million}, once loaded", schulze["seconds"], "s", at_most=5),
            Figure("the same, processor time", schulze["processor_seconds"], "s"),
            Figure("the same, largest memory, ballots included", schulze["peak_mb"], "MB"),
            Figure("the same, checking the ballots", schulze["checking_seconds"], "s"),
        ],
        {"from_file": from_file, "scottish_stv": stv, "schulze": schulze, "seed": SEED},
    )


def _rankings(number: int) -> Iterator[Ranking]:
    """Yield so many different rankings, the same on every machine."""
    # Not for secrecy: the seed is fixed so that every run counts the same ballots.
    draw = random.Random(SEED)
    ranks = [(candidate,) for candidate in range(CANDIDATES)]
    seen = set()
    while len(seen) < number:
        draw.shuffle(ranks)
        ranking = tuple(ranks)
        if ranking not in seen:
            seen.add(ranking)
            yield ranking


def _write(file: Path, number: int) -> None:
    with file.open("w") as out:
        out.write(f"{CANDIDATES} {SEATS}\n")
        for ranking in _rankings(number):
            out.write(f"1 {' '.join(str(rank[0] + 1) for rank in ranking)} 0\n")
        out.write("0\n" + "".join(f'"Candidate {n + 1}"\n' for n in range(CANDIDATES)))


def _in_a_process(what: str, argument: str) -> dict[str, float]:
    """Run this module for one count and return what it measured of itself."""
    command = [sys.executable, "-m", "bench.tally", what, argument]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _count_file(file: str) -> dict[str, float]:
    """Count a file by the command people use, and say how long the whole of it took."""
    command = [sys.executable, "-m", "proposals.tally", "scottish-stv", file]
    began = time.perf_counter()
    subprocess.run(command, cwd=PROJECT, stdout=subprocess.DEVNULL, check=True)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {"seconds": round(seconds, 3), "peak_mb": round(peak / 1000, 1)}


def _count_loaded(method: str, number: int) -> dict[str, float]:
    """Count ballots that are in memory already."""
    names = tuple(f"Candidate {n + 1}" for n in range(CANDIDATES))
    ballots = dict.fromkeys(_rankings(number), Fraction(1))
    began = time.perf_counter()
    election = Election(names, SEATS, ballots)
    loaded, worked = time.perf_counter(), time.process_time()
    sheet = METHODS[method](election, USUAL_LOT[method])
    counted = time.perf_counter()
    if sheet.valid != number:
        raise RuntimeError(f"{sheet.valid} of {number} ballots were counted")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": round(counted - loaded, 3),
        "processor_seconds": round(time.process_time() - worked, 3),
        "checking_seconds": round(loaded - began, 3),
        "peak_mb": round(peak / 1000, 1),
    }


if __name__ == "__main__":
    what, argument = sys.argv[1:]
    count = _count_file(argument) if what == "command" else _count_loaded(what, int(argument))
    print(json.dumps(count))
