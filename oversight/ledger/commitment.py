"""Salted commitments: a public digest of private content that can be shown later, or erased.

Without the salt nobody can guess the content from the digest; once the salt is erased, nobody ever
can. The digest is SHA-256 over a domain tag, 32 random bytes and the canonical JSON of the content.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

import rfc8785

from oversight.ledger.encoding import to_digest

DOMAIN = b"oversight/commit/v1"
SALT_BYTES = 32

JsonValue: TypeAlias = "str | int | bool | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
"""What can be committed to: JSON without floats."""


class CommitmentError(ValueError):
    """A value that cannot be committed to; the message names the part and the fix."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """A private value, its salt, and the digest that goes into the public leaf."""

    salt: bytes
    digest: str
    value: JsonValue


def commit(value: JsonValue, salt: bytes | None = None) -> Commitment:
    """Return a commitment to `value` under a fresh salt, or under the given one.

    Raises:
        CommitmentError: when the value holds a float, a NUL character, or what JSON cannot say.
    """
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    if len(salt) != SALT_BYTES:
        raise CommitmentError(f"A salt has {SALT_BYTES} bytes, not {len(salt)}.")
    _require_exact(value, "value")
    try:
        body = rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise CommitmentError(f"The value has no canonical JSON: {error}.") from None
    return Commitment(salt, to_digest(sha256(DOMAIN + salt + body).digest()), value)


def opens(digest: str, salt: bytes, value: JsonValue) -> bool:
    """Return whether salt and value are what `digest` was committed to."""
    try:
        return secrets.compare_digest(commit(value, salt).digest, digest)
    except (CommitmentError, TypeError):
        return False


def _require_exact(value: object, where: str) -> None:
    """Refuse what could be written in more than one way or cannot be stored as it is."""
    if isinstance(value, float):
        raise CommitmentError(f"{where} is a float: write it as a decimal string.")
    if isinstance(value, str) and "\x00" in value:
        raise CommitmentError(f"{where} holds a NUL character: remove it.")
    if isinstance(value, Mapping):
        for key, each in value.items():
            _require_exact(key, f"{where} key")
            _require_exact(each, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for position, each in enumerate(value):
            _require_exact(each, f"{where}[{position}]")
