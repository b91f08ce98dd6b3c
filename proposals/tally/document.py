"""Reads votes from JSON: what BLT cannot hold, and what the site publishes of a decision.

A decision is its record laid over its contract: the one has the ballots, the other who could vote
and by which rules.
"""

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from proposals.tally import consent, exact, yes_no
from proposals.tally.casting import CastingVote
from proposals.tally.consent import ConsentBallot, ConsentSheet
from proposals.tally.election import Election
from proposals.tally.errors import InputError
from proposals.tally.lot import Lot
from proposals.tally.motion import Rules, Votes
from proposals.tally.quorum import Quorum, QuorumBase, Turnout
from proposals.tally.score import ScoreElection
from proposals.tally.sheet import Decider, ElectionSheet, TieRule
from proposals.tally.yes_no import YesNoSheet

Document = Mapping[str, Any]

ZERO = Fraction(0)

MAX_BYTES = 64 * 1024 * 1024
"""Longest document that is read."""


def parse(data: bytes) -> Document:
    """Reads a JSON object; decimals stay texts, so no number is ever rounded.

    Raises:
        InputError: for anything else, with the line where there is one.
    """
    if len(data) > MAX_BYTES:
        raise InputError("document", f"is longer than {MAX_BYTES} bytes")
    try:
        document = json.loads(
            data.decode("utf-8-sig"),
            parse_float=str,
            parse_constant=_refuse,
            object_pairs_hook=_without_repeats,
        )
    except InputError:
        raise
    except UnicodeDecodeError:
        raise InputError("document", "is not UTF-8; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise InputError("document", f"line {error.lineno} is no JSON: {error.msg}") from None
    except (RecursionError, ValueError) as error:
        raise InputError("document", f"cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise InputError("document", "must be a JSON object")
    return document


def is_document(data: bytes) -> bool:
    """Return whether a file is an object of JSON; a BLT file begins with a number."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def count_motion(document: Document, *, casting_vote: str | None, seed: str | None) -> YesNoSheet:
    """Counts a motion: `rules`, `roll`, and `ballots` with `choice` and `weight`.

    Where `rules` or `roll` are missing they are taken from `sheet`, as a decision's record has it;
    a casting vote or a seed that is not given, from the document.

    Raises:
        InputError: naming the field that is missing or wrong.
    """
    sheet = document.get("sheet") or {}
    rules = _fields(document, "rules", sheet.get("rules") if isinstance(sheet, dict) else None)
    ballots = [(_text(each, "choice"), each.get("weight", 1)) for each in _ballots(document)]
    votes = Votes.from_ballots(ballots, **_entitled(document, sheet))
    return yes_no.count(
        _rules(rules),
        votes,
        casting_vote=casting_vote or next(iter(_casting_vote(document)), None),
        lot_seed=_seed(document) if seed is None else seed,
    )


def count_consent(document: Document) -> ConsentSheet:
    """Counts a vote by consent: as a motion, with `reason` and `member` on each ballot.

    Raises:
        InputError: naming the field that is missing or wrong.
    """
    ballots = [
        ConsentBallot.of(
            _text(each, "choice"),
            each.get("weight", 1),
            reason=_text(each, "reason", ""),
            by=_text(each, "member", ""),
        )
        for each in _ballots(document)
    ]
    return consent.count(ballots, quorum=_quorum(document), **_entitled(document, {}))


def read_scores(document: Document) -> ScoreElection:
    """Reads a score vote: `candidates`, `highest`, `seats`, `title`, and `ballots` with `scores`.

    Raises:
        InputError: naming the field that is missing or wrong.
    """
    return ScoreElection.of(
        candidates=_candidates(document),
        highest=_whole(document, "highest"),
        seats=_whole(document, "seats", 1),
        title=_text(document, "title", ""),
        ballots=[(each.get("weight", 1), _fields(each, "scores")) for each in _ballots(document)],
    )


def read_election(document: Document) -> Election:
    """Reads a ranked vote: `options`, `seats`, `title`, and `ballots` with `ranking`.

    Raises:
        InputError: naming the field that is missing or wrong.
    """
    return Election.of(
        candidates=_candidates(document),
        seats=_whole(document, "seats", 1),
        title=_text(document, "title", ""),
        ballots=[(each.get("weight", 1), _ranking(each)) for each in _ballots(document)],
    )


def decider(document: Document, usual: Decider | None) -> Decider | None:
    """Returns what ties fall to by the document's `rules`, or what is usual if it has none.

    Raises:
        InputError: naming the field that is wrong.
    """
    rules = document.get("rules")
    if not isinstance(rules, dict) or "tie_rule" not in rules:
        return usual
    rule = exact.read_member(TieRule, rules["tie_rule"], "tie_rule")
    seed = _seed(document)
    if rule is TieRule.LOT and seed is not None:
        return Lot(seed)
    return CastingVote(_casting_vote(document)) if rule is TieRule.CHAIR else None


def under_its_quorum(sheet: ElectionSheet, document: Document) -> ElectionSheet:
    """Holds an election against the document's quorum; without a `roll` it has none.

    Raises:
        InputError: naming the field that is missing or wrong.
    """
    if "roll" not in document:
        return sheet
    cast = sum((exact.weight(each.get("weight", 1), "weight") for each in _ballots(document)), ZERO)
    turnout = Turnout.of(cast=cast, **_entitled(document, {}))
    return sheet.under(_quorum(document).check(turnout))


def _rules(fields: Mapping[str, Any]) -> Rules:
    try:
        return Rules.of(**fields)
    except TypeError:
        known = ", ".join(Rules().as_json())
        raise InputError("rules", f"may hold {known} and nothing else") from None


def _entitled(document: Document, sheet: Any) -> dict[str, Any]:
    """Returns who could vote; where a list of entries is given, their weights are added up."""
    votes = sheet.get("votes") if isinstance(sheet, dict) else None
    roll = document.get("roll", votes.get("roll") if isinstance(votes, dict) else None)
    if roll is None:
        raise InputError("roll", "is missing; give its weight, or a list of entries with weights")
    members = document.get("members")
    if members is None and isinstance(roll, list):
        members = len(roll)
    voters = document.get("voters")
    if voters is None and members is not None:
        voters = sum(_whole(each, "voters", 1) for each in _ballots(document))
    return {
        "roll": _added_up(roll, "roll"),
        "recused": _added_up(document.get("recused", document.get("recusals", 0)), "recused"),
        "voters": voters,
        "members": members,
    }


def _added_up(value: Any, field: str) -> Any:
    if not isinstance(value, list):
        return value
    weights = [exact.weight(_object(entry, field).get("weight", 1), field) for entry in value]
    return sum(weights, ZERO)


def _quorum(document: Document) -> Quorum:
    rules = _fields(document, "rules", {})
    if unknown := sorted(rules.keys() - Rules().as_json().keys()):
        raise InputError("rules", f"may not hold {unknown[0][:40]!r}")
    return Quorum.of(rules.get("quorum", 0), rules.get("quorum_base", QuorumBase.ROLL))


def _seed(document: Document) -> str | None:
    return None if document.get("lot_seed") is None else _text(document, "lot_seed")


def _casting_vote(document: Document) -> tuple[str, ...]:
    """Returns the names a casting vote holds: a list, or an object with one as `names`."""
    given = document.get("casting_vote") or []
    names = given.get("names") if isinstance(given, dict) else given
    return tuple(_names(names, "casting_vote"))


def _candidates(document: Document) -> list[str]:
    field = "candidates" if "candidates" in document else "options"
    return _names(document.get(field), field)


def _names(value: Any, field: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InputError(field, "must be a list of names")
    return value


def _ranking(ballot: dict[str, Any]) -> list[str | list[str]]:
    ranking = ballot.get("ranking")
    if not isinstance(ranking, list):
        raise InputError("ranking", "is missing or no list")
    return [rank if isinstance(rank, str) else _names(rank, "ranking") for rank in ranking]


def _ballots(document: Document) -> list[dict[str, Any]]:
    ballots = document.get("ballots")
    if not isinstance(ballots, list):
        raise InputError("ballots", "must be a list of objects")
    return [_object(ballot, "ballots") for ballot in ballots]


def _object(value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(field, "must hold objects only")
    return value


def _fields(document: Document, field: str, otherwise: Any = None) -> dict[str, Any]:
    value = document.get(field, otherwise)
    if not isinstance(value, dict):
        raise InputError(field, "is missing or no object")
    return value


def _text(document: Document, field: str, otherwise: str | None = None) -> str:
    value = document.get(field, otherwise)
    if not isinstance(value, str):
        raise InputError(field, "is missing or no text")
    return value


def _whole(document: Document, field: str, otherwise: int | None = None) -> int:
    value = document.get(field, otherwise)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(field, "is missing or no whole number")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError("document", f"an object has {twice[:40]!r} twice")
    return fields


def _refuse(constant: str) -> None:
    raise InputError("document", f"{constant} is no number")
