"""The command line: counts a file of ballots and prints the tally sheet."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, TypeVar

from proposals.tally import blt, consent, document, score, yes_no
from proposals.tally.casting import CastingVote
from proposals.tally.consent import ConsentSheet
from proposals.tally.election import MAX_SEATS, Election
from proposals.tally.errors import InputError
from proposals.tally.lot import Lot
from proposals.tally.methods import METHODS, SINGLE_SEAT, USUAL_LOT
from proposals.tally.readable import text_of
from proposals.tally.score import ScoreElection
from proposals.tally.sheet import Decider, ElectionSheet
from proposals.tally.yes_no import YesNoSheet

PROGRAM = "proposals.tally"

Sheet = ElectionSheet | YesNoSheet | ConsentSheet

_Election = TypeVar("_Election", Election, ScoreElection)
_Given = TypeVar("_Given")

_EXIT_CODES = """\
exit codes: 0 the votes were counted, whatever came of it; 1 the sheet could not be written;
2 the arguments or the file cannot be used, with one line that says why on standard error
"""


def main(arguments: Sequence[str]) -> int:
    """Runs the command.

    Returns:
        0 with the sheet on standard output, 2 with one line on standard error, or 1 when the
        sheet could not be written.
    """
    try:
        options = _read_arguments(arguments)
        sheet = _count(options)
    except (InputError, blt.BltError, _UsageError) as error:
        _complain(str(error))
        return 2
    text = text_of(sheet) if options.text else _json(sheet)
    try:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    except OSError as error:
        _complain(f"the sheet cannot be written: {error.strerror}")
        # Else the interpreter would try to write the rest once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


class _UsageError(ValueError):
    """Arguments or a file the command cannot use."""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{message} (see --help)")


def _complain(message: str) -> None:
    # Names of files and arguments may hold line breaks; the message is one line all the same.
    sys.stderr.write(f"{PROGRAM}: {' '.join(message.split())}\n")


def _json(sheet: Sheet) -> str:
    return json.dumps(sheet.as_json(), ensure_ascii=False, indent=2) + "\n"


def _read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(
        prog=f"python -m {PROGRAM}",
        description=__doc__,
        epilog=_EXIT_CODES,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    methods = (*METHODS, *_FROM_JSON)
    parser.add_argument("method", metavar="METHOD", choices=methods, help=", ".join(methods))
    help_file = f"the ballots: BLT or JSON; JSON only for {', '.join(_FROM_JSON)}"
    parser.add_argument("file", metavar="FILE", type=Path, help=help_file)
    parser.add_argument("--contract", metavar="FILE", type=Path, help="rules and roll, as JSON")
    parser.add_argument("--seats", type=int, help="count for this many seats, not the file's")
    ties = parser.add_mutually_exclusive_group()
    ties.add_argument("--lot-seed", metavar="TEXT", help="draw lots by this seed")
    help_chair = "the chair's casting vote; for candidates repeat it, best first"
    ties.add_argument("--casting-vote", metavar="NAME", action="append", help=help_chair)
    ties.add_argument("--no-lot", action="store_true", help="leave ties open")
    help_commitment = "refuse a seed other than the one committed to"
    parser.add_argument("--commitment", metavar="SHA256", help=help_commitment)
    parser.add_argument("--text", action="store_true", help="print a text for people, not JSON")
    return parser.parse_args(arguments)


def _count(options: argparse.Namespace) -> Sheet:
    if options.commitment is not None:
        if options.lot_seed is None:
            raise _UsageError("--commitment: give the revealed seed, too, with --lot-seed")
        Lot.revealed(options.lot_seed, options.commitment)
    if options.method in _FROM_JSON:
        return _FROM_JSON[options.method](options)
    method: str = options.method
    if options.seats is not None:
        _check_seats(method, options.seats)
    data = _read(options.file, blt.MAX_BYTES)
    if document.is_document(data):
        found = _read_document(options)
        election = _seated(_named(options.file, document.read_election, found), options)
        usual = document.decider(found, USUAL_LOT[method])
        sheet = METHODS[method](election, _decider(options, usual))
        return document.under_its_quorum(sheet, found)
    if options.contract is not None:
        raise _UsageError("--contract: a BLT file needs none")
    election = _seated(_named(options.file, blt.parse, data), options)
    return METHODS[method](election, _decider(options, USUAL_LOT[method]))


def _seated(election: _Election, options: argparse.Namespace) -> _Election:
    return election if options.seats is None else replace(election, seats=options.seats)


def _decider(options: argparse.Namespace, usual: Decider | None) -> Decider | None:
    if options.lot_seed is not None:
        return Lot(options.lot_seed)
    if options.casting_vote is not None:
        return CastingVote(tuple(options.casting_vote))
    return None if options.no_lot else usual


def _check_seats(method: str, seats: int) -> None:
    most = 1 if method in SINGLE_SEAT else MAX_SEATS
    if not 1 <= seats <= most:
        allowed = "always elects 1" if most == 1 else f"takes 1 to {most}"
        raise _UsageError(f"--seats {seats}: {method} {allowed}")


def _count_motion(options: argparse.Namespace) -> YesNoSheet:
    _refuse_seats(options)
    chair = options.casting_vote or [None]
    if len(chair) > 1:
        raise _UsageError("--casting-vote: give yes or no, once")
    found = _read_document(options)
    return document.count_motion(found, casting_vote=chair[0], seed=options.lot_seed)


def _count_consent(options: argparse.Namespace) -> ConsentSheet:
    _refuse_seats(options)
    return document.count_consent(_read_document(options))


def _count_scores(options: argparse.Namespace) -> ElectionSheet:
    found = _read_document(options)
    election = document.read_scores(found)
    if options.seats is not None:
        _check_seats(options.method, options.seats)
    sheet = score.count(
        _seated(election, options), _decider(options, document.decider(found, None))
    )
    return document.under_its_quorum(sheet, found)


_FROM_JSON: dict[str, Callable[[argparse.Namespace], Sheet]] = {
    score.METHOD: _count_scores,
    yes_no.METHOD: _count_motion,
    consent.METHOD: _count_consent,
}
"""The methods whose ballots BLT cannot hold."""


def _refuse_seats(options: argparse.Namespace) -> None:
    if options.seats is not None:
        raise _UsageError(f"--seats: {options.method} elects nobody")


def _read_document(options: argparse.Namespace) -> document.Document:
    """Reads the file, laid over the contract where one is given."""
    found: dict[str, object] = {}
    for path in (options.contract, options.file):
        if path is not None:
            data = _read(path, document.MAX_BYTES)
            try:
                found |= document.parse(data)
            except InputError as error:
                raise _UsageError(f"{_shown(path)}: {error.problem}") from None
    return found


def _named(path: Path, read: Callable[[_Given], Election], given: _Given) -> Election:
    """Reads an election and names the file in whatever is wrong with it."""
    try:
        return read(given)
    except (blt.BltError, InputError) as error:
        raise _UsageError(f"{_shown(path)}: {error}") from None


def _read(path: Path, most: int) -> bytes:
    """Reads a file, or just enough of it to see that it is too long."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _UsageError(f"{_shown(path)}: cannot be read: {reason}") from None


def _shown(path: Path) -> str:
    return str(path).encode(errors="replace").decode()
