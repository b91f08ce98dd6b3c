"""Run benchmarks by name, or all: `python -m bench [NAME …]`."""

import argparse
import importlib
import sys

from bench.result import table

BENCHMARKS = (
    "demo",
    "identity",
    "against_bare",
    "cancel",
    "runner",
    "memory",
    "tally",
    "opinions",
    "ballots",
    "coverage",
    "compare",
    "proposal_page",
    "crowded",
    "report",
    "charts",
    "verify",
    "bytes",
    "beside",
    "pages",
    "lighthouse",
    "gate",
    "litellm",
    "append",
    "receipts",
    "crashes",
    "claims",
    "ingest",
    "hashing",
    "registry",
    "lists",
)


def main() -> int:
    """Run, write `bench/results/NAME.json` and print a table; 1 when an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or BENCHMARKS
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    missed = False
    for name in names:
        print(f"{name}: measuring …", flush=True)
        result = importlib.import_module(f"bench.{name}").measure()
        print(
            f"{result.what}\n{table(result.figures)}\n  written to {result.write()}\n", flush=True
        )
        missed |= any(figure.verdict == "not met" for figure in result.figures)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
