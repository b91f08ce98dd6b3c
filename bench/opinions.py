"""The opinion map of a large crowd: from the published file to the drawn map, as a program.

The crowd has four camps of different sizes and was asked two thirds of the statements. Each map is
drawn in a process of its own, whose peak it is; the digests show that every round drew the same.
Beside it: how often groups are claimed where there are none.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.result import PROJECT, Figure, Result
from tests.proposals.opinions.crowds import crowd, noise

PEOPLE = 2_000
STATEMENTS = 300
CAMPS = (900, 600, 350, 150)
ROUNDS = 5
CHANCES = 50


def measure() -> Result:
    """Draw the map of one input again and again, each time in a new process."""
    answers = crowd(CAMPS, STATEMENTS, sure=0.8, asked=0.66)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        file = Path(scratch) / "input.json"
        file.write_text(json.dumps({"digest": answers.digest, "input": answers.document}))
        rounds = [_in_a_process(file) for _ in range(ROUNDS)]
    if len({found["map"] for found in rounds}) != 1:
        raise RuntimeError("the same input gave different maps")
    chance = _by_chance()
    size = f"{PEOPLE:,} people, {STATEMENTS} statements"
    whole = [found["whole_seconds"] for found in rounds]
    return Result(
        "opinions",
        "Opinion map by exact sums of whole numbers: places, groups, what unites and divides",
        [
            Figure(f"{size}: file to map, whole program, median", statistics.median(whole), "s", 3),
            Figure("the same, slowest", max(whole), "s"),
            Figure(
                "the map alone, median",
                statistics.median(found["map_seconds"] for found in rounds),
                "s",
            ),
            Figure(
                "the same, processor time, median",
                statistics.median(found["processor_seconds"] for found in rounds),
                "s",
            ),
            Figure("largest memory", max(found["peak_mb"] for found in rounds), "MB", 200),
            Figure("groups found", rounds[0]["groups"], "count", len(CAMPS), len(CAMPS)),
            Figure("maps of coin throws that show groups", chance["share"], "%", 5),
        ],
        {
            "chance": chance,
            "camps": CAMPS,
            "input": answers.digest,
            "map": rounds[0]["map"],
            "rounds": rounds,
        },
    )


def _by_chance() -> dict[str, float]:
    """Draw maps of small crowds who throw coins; return in how many per cent groups are claimed."""
    from proposals.opinions.drawing import draw

    sizes = [(people, asked) for people in (12, 16, 24, 40, 100) for asked in (6, 10, 20, 60)]
    claimed = [
        len(draw(noise(people, asked, seed=seed))["groups"]) > 1
        for people, asked in sizes
        for seed in range(CHANCES)
    ]
    return {"maps": len(claimed), "share": round(100 * sum(claimed) / len(claimed), 2)}


def _in_a_process(file: Path) -> dict[str, float]:
    began = time.perf_counter()
    command = [sys.executable, "-m", "bench.opinions", str(file)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    whole = time.perf_counter() - began
    return {"whole_seconds": round(whole, 3), **json.loads(done.stdout)}


def main() -> None:
    """Draw one map and print what it took."""
    from proposals.opinions.answers import digest_of, read
    from proposals.opinions.drawing import draw

    answers = read(json.loads(Path(sys.argv[1]).read_bytes()))
    began, worked = time.perf_counter(), time.process_time()
    drawn = draw(answers)
    seconds = time.perf_counter() - began
    worked = time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "map_seconds": round(seconds, 3),
                "processor_seconds": round(worked, 3),
                "peak_mb": round(peak / 1000, 1),
                "groups": len(drawn["groups"]),
                "map": digest_of(drawn),
            }
        )
    )


if __name__ == "__main__":
    main()
