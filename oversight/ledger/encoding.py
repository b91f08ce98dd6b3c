"""The few text encodings that all formats of the public record share, read strictly.

Each value has one spelling only: a reader that accepted a second one would let two different
texts pass for the same record.
"""

import base64
import binascii
import re

from oversight.web.marks import Said
from oversight.web.marks import gettext_noop as _

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class EncodingError(ValueError):
    """A value that is not written in its one allowed spelling."""


def to_base64(data: bytes) -> str:
    """Return the standard padded base64 of `data` (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Return the bytes that `text` spells in standard padded base64.

    Raises:
        EncodingError: on anything else, also on stray bits after the last byte.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise EncodingError(Said(_("%(text)s is not base64."), text=repr(text[:60]))) from None
    if to_base64(data) != text:
        words = _("%(text)s is not the usual spelling of its bytes in base64.")
        raise EncodingError(Said(words, text=repr(text[:60])))
    return data


def from_decimal(text: str) -> int:
    """Return the whole number that `text` spells in ASCII digits without leading zeros.

    Raises:
        EncodingError: on anything else, and above 63 bits.
    """
    if not _DECIMAL.fullmatch(text) or int(text) >= 1 << 63:
        words = _("%(text)s is not a whole number without leading zeros.")
        raise EncodingError(Said(words, text=repr(text[:30])))
    return int(text)


def to_digest(value: bytes) -> str:
    """Return a SHA-256 value as the record writes it: `sha256:` and 64 hexadecimal digits."""
    return f"sha256:{value.hex()}"


def from_digest(text: str) -> bytes:
    """Return the 32 bytes of a digest written `sha256:<64 hexadecimal digits>`.

    Raises:
        EncodingError: on any other spelling.
    """
    match = _DIGEST.fullmatch(text)
    if match is None:
        words = _("%(text)s is not of the form sha256:<64 hexadecimal digits>.")
        raise EncodingError(Said(words, text=repr(text[:80])))
    return bytes.fromhex(match[1])
