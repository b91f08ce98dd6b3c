"""The command line: counts a BLT file and prints the tally sheet as JSON."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from proposals.tally import blt
from proposals.tally.election import MAX_SEATS, Election
from proposals.tally.errors import InputError
from proposals.tally.lot import Lot
from proposals.tally.methods import METHODS, SINGLE_SEAT, USUAL_LOT
from proposals.tally.sheet import ElectionSheet

PROGRAM = "proposals.tally"


def main(arguments: Sequence[str]) -> int:
    """Runs the command.

    Returns:
        0 with the sheet on standard output, or 2 with one line on standard error.
    """
    try:
        sheet = _count(_read_arguments(arguments))
    except (InputError, blt.BltError, _UsageError) as error:
        # Names of files and arguments may hold line breaks; the message is one line all the same.
        sys.stderr.write(f"{PROGRAM}: {' '.join(str(error).split())}\n")
        return 2
    text = json.dumps(sheet.as_json(), ensure_ascii=False, indent=2)
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.buffer.flush()
    return 0


class _UsageError(ValueError):
    """Arguments or a file the command cannot use."""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{message} (see --help)")


def _read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(prog=f"python -m {PROGRAM}", description=__doc__, allow_abbrev=False)
    parser.add_argument("method", metavar="METHOD", choices=METHODS, help=", ".join(METHODS))
    parser.add_argument("file", metavar="FILE.blt", type=Path, help="the ballots, in BLT format")
    parser.add_argument("--seats", type=int, help="count for this many seats, not the file's")
    parser.add_argument("--lot-seed", metavar="TEXT", help="draw lots by this seed")
    return parser.parse_args(arguments)


def _count(arguments: argparse.Namespace) -> ElectionSheet:
    method: str = arguments.method
    lot = USUAL_LOT[method] if arguments.lot_seed is None else Lot(arguments.lot_seed)
    if arguments.seats is not None:
        _check_seats(method, arguments.seats)
    election = _read_election(arguments.file)
    if arguments.seats is not None:
        election = replace(election, seats=arguments.seats)
    return METHODS[method](election, lot)


def _check_seats(method: str, seats: int) -> None:
    most = 1 if method in SINGLE_SEAT else MAX_SEATS
    if not 1 <= seats <= most:
        allowed = "always elects 1" if most == 1 else f"takes 1 to {most}"
        raise _UsageError(f"--seats {seats}: {method} {allowed}")


def _read_election(path: Path) -> Election:
    name = str(path).encode(errors="replace").decode()
    try:
        with path.open("rb") as file:
            data = file.read(blt.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _UsageError(f"{name}: cannot be read: {reason}") from None
    try:
        return blt.parse(data)
    except blt.BltError as error:
        raise _UsageError(f"{name}: {error}") from None
