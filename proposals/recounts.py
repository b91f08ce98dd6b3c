"""Counts a file of ranked ballots that somebody sends, and keeps nothing of it."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from oversight.web.figures import grouped
from oversight.web.refusals import Invalid
from proposals import count_refusals
from proposals.tally import blt
from proposals.tally.election import Election
from proposals.tally.errors import InputError
from proposals.tally.lot import MAX_SEED_CHARACTERS, Lot
from proposals.tally.methods import METHODS, SINGLE_SEAT, USUAL_LOT

MAX_BYTES = 2_000_000
"""Longest file: a ward's official count is a hundredth of it."""

MAX_CANDIDATES = 100
"""Most candidates: a matrix of more is long to count, and nobody could read it."""

NAMES = {
    "scottish-stv": gettext_lazy("Single transferable vote (Scottish rules)"),
    "irv": gettext_lazy("Instant runoff"),
    "schulze": "Schulze",
    "approval": gettext_lazy("Approval: whoever a ballot names has its vote"),
    "plurality": gettext_lazy("Plurality: the first name of a ballot has its vote"),
}
"""The methods that count such a file, as a form lists them."""

SEED_CHARACTERS = MAX_SEED_CHARACTERS


@dataclass(frozen=True, slots=True)
class Recount:
    """What a file held, and what came of it."""

    title: str
    candidates: int
    withdrawn: int
    sheet: dict[str, Any]
    """As `python -m proposals.tally` prints it."""


def recount(
    method: str, data: bytes | str, *, field: str, seats: int | None = None, lot_seed: str = ""
) -> Recount:
    """Count a BLT file; the same file gives the same sheet as the command and as any other site.

    Args:
        method: a name of `NAMES`.
        data: the file.
        field: what the sender calls it, for a refusal.
        seats: how many are to be elected, whatever the file says.
        lot_seed: what ties fall to; without one, to the method's usual lot if it has one.

    Raises:
        Invalid: the file is too long or is no BLT, which names the line and the fix.
    """
    size = len(data.encode(errors="replace")) if isinstance(data, str) else len(data)
    if size > MAX_BYTES:
        raise _refused(
            field,
            gettext("The file has %(size)s bytes; at most %(max_bytes)s are counted.")
            % {"size": grouped(size), "max_bytes": grouped(MAX_BYTES)},
        )
    try:
        election = _seated(blt.parse(data), method, seats)
        decider = Lot(lot_seed) if lot_seed else USUAL_LOT[method]
    except blt.BltError as error:
        words = gettext("Line %(line)s: %(problem)s.")
        said = {"line": error.line, "problem": count_refusals.in_words(error.problem)}
        raise _refused(field, words % said) from None
    except InputError as error:
        raise _refused(error.field, f"{count_refusals.in_words(error.problem)}.") from None
    if len(election.candidates) > MAX_CANDIDATES:
        number = len(election.candidates)
        raise _refused(
            field,
            gettext("%(number)s candidates; at most %(max_candidates)s are counted here.")
            % {"number": number, "max_candidates": MAX_CANDIDATES},
        )
    return Recount(
        election.title,
        len(election.candidates),
        len(election.withdrawn),
        METHODS[method](election, decider).as_json(),
    )


def _seated(election: Election, method: str, seats: int | None) -> Election:
    if seats is None:
        return election
    if method in SINGLE_SEAT and seats != 1:
        raise _refused("seats", gettext("%(value)s always elects one.") % {"value": NAMES[method]})
    return Election(
        election.candidates, seats, election.ballots, election.title, election.withdrawn
    )


def _refused(field: str, words: str) -> Invalid:
    return Invalid(words, fields={field: words})
