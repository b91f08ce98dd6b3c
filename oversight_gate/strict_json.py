"""JSON from a stranger: no repeated names, no floats, no huge numbers, not nested too deeply."""

import hashlib
import json
from typing import Any


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names something twice")
    return found


def _refuse(text: str) -> Any:
    raise ValueError(f"the number {text[:20]} is not a whole one")


def _whole(text: str) -> int:
    if len(text) > 17:
        raise ValueError(f"the number {text[:20]} is too large")
    return int(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_single, parse_int=_whole, parse_float=_refuse, parse_constant=_refuse
)


def read(data: bytes | str) -> Any:
    """Return the value that the text spells.

    Raises:
        ValueError: it spells none, or one of another form.
    """
    try:
        return _DECODER.decode(data if isinstance(data, str) else data.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def canonical(value: Any) -> bytes:
    """Write a value without fractions in the one form that is hashed (RFC 8785)."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def digest(value: Any) -> str:
    """Return the SHA-256 of a value's canonical form, as the record writes it."""
    return f"sha256:{hashlib.sha256(canonical(value)).hexdigest()}"
