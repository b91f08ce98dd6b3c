"""Leaves: what an act says on the public record, as canonical JSON under 4 KB.

A leaf names type, time, actor's public id, subject, digests, commitments and short machine-readable
facts. It has no prose, no personal data and no floats, because it can never be taken back.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

import rfc8785

from oversight.ledger.encoding import EncodingError, from_digest

VERSION = 1
MAX_LEAF_BYTES = 4095
MAX_FACT_CHARACTERS = 200
MAX_INTEGER = 2**53 - 1
"""Beyond it JSON readers in other languages round."""

Fact: TypeAlias = "str | int | bool | None"

_TYPE = re.compile(r"[a-z][a-z0-9_-]{0,39}(\.[a-z][a-z0-9_-]{0,39}){1,4}")
_REFERENCE = re.compile(r"[a-z][a-z0-9_-]{0,39}:[!-~]{1,160}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,79}")


class LeafError(ValueError):
    """An act that cannot be put on the record as given; the message names the field and the fix."""


def encode(
    *,
    type: str,  # noqa: A002 - the word of the leaf format
    at: datetime,
    actor: str,
    subject: str,
    digests: Mapping[str, str] | None = None,
    commits: Mapping[str, str] | None = None,
    facts: Mapping[str, Fact] | None = None,
) -> bytes:
    """Return the exact bytes of the leaf, which are stored and never serialised again.

    Raises:
        LeafError: when a field is not of its form or the leaf is 4 KB or longer.
    """
    _require(_TYPE, type, "type", "two to five lower-case words joined by dots")
    _require(_REFERENCE, actor, "actor", "of the form kind:id, ASCII, without spaces")
    _require(_REFERENCE, subject, "subject", "of the form kind:id, ASCII, without spaces")
    content: dict[str, object] = {
        "v": VERSION,
        "type": type,
        "at": _instant(at),
        "actor": actor,
        "subject": subject,
        "digests": _digests("digests", digests or {}),
        "commits": _digests("commits", commits or {}),
    }
    if facts:
        content["facts"] = {_name("facts", name): _fact(name, facts[name]) for name in facts}
    body = _canonical(content)
    if len(body) > MAX_LEAF_BYTES:
        raise LeafError(
            f"The leaf has {len(body)} bytes; at most {MAX_LEAF_BYTES} fit. "
            "Put the content into an artefact and its digest into the leaf."
        )
    return body


def _canonical(content: dict[str, object]) -> bytes:
    try:
        return rfc8785.dumps(content)  # type: ignore[arg-type]
    except rfc8785.CanonicalizationError as error:
        raise LeafError(f"The leaf has no canonical JSON: {error}.") from None


def _instant(at: datetime) -> str:
    if at.utcoffset() is None:
        raise LeafError("at has no time zone: use an aware datetime.")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _digests(field: str, values: Mapping[str, str]) -> dict[str, str]:
    for name, value in values.items():
        _name(field, name)
        try:
            from_digest(value)
        except (EncodingError, TypeError) as error:
            raise LeafError(f"{field}.{name}: {error}") from None
    return dict(values)


def _fact(name: str, value: Fact) -> Fact:
    """Return the fact if it is short, exact and says nothing that only a person could read."""
    if isinstance(value, float):
        raise LeafError(f"facts.{name} is a float: write it as a decimal string.")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise LeafError(f"facts.{name} is beyond 2^53: write it as a decimal string.")
        return value
    if not isinstance(value, str):
        raise LeafError(f"facts.{name} must be a string, a whole number, true, false or null.")
    if len(value) > MAX_FACT_CHARACTERS or not value.isprintable():
        raise LeafError(
            f"facts.{name} must be at most {MAX_FACT_CHARACTERS} printable characters on one line."
        )
    return value


def _name(field: str, name: str) -> str:
    return _require(_NAME, name, f"A name in {field}", "ASCII letters, digits and _.:/-")


def _require(pattern: re.Pattern[str], value: object, field: str, form: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise LeafError(f"{field} is {str(value)[:80]!r}; it must be {form}.")
    return value
