"""Fields of parsed JSON from anyone: each is there and of its type, or is named and refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_EXACT_INTEGER_LIMIT = 2**53 - 1


class StatementError(ValueError):
    """The statement or its envelope is refused; the message names the field and says why."""


def refuse_floats(value: object, where: str) -> None:
    """Refuse what has no exact meaning in every JSON implementation."""
    if isinstance(value, float):
        raise StatementError(f"{where}: {value} is a floating point number; write decimals as text")
    if isinstance(value, int) and abs(value) > _EXACT_INTEGER_LIMIT:
        raise StatementError(f"{where}: {value} is too large for a JSON number")
    if isinstance(value, Mapping):
        for name, entry in value.items():
            refuse_floats(entry, f"{where}.{name}")
    elif isinstance(value, list | tuple):
        for place, entry in enumerate(value):
            refuse_floats(entry, f"{where}.{place}")


def as_mapping(value: object, where: str) -> Mapping[str, Any]:
    """Return a value that is an object."""
    if not isinstance(value, Mapping):
        raise StatementError(f"{where}: has to be an object")
    return value


def object_in(parent: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    """Return a field that is an object."""
    return as_mapping(parent.get(name), where)


def entries_in(parent: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return a field that is a list of objects, each with its place."""
    value = parent.get(name)
    if not isinstance(value, list):
        raise StatementError(f"predicate.{name}: has to be a list")
    places = [f"predicate.{name}.{place}" for place in range(len(value))]
    return [(place, as_mapping(entry, place)) for place, entry in zip(places, value, strict=True)]


def text_in(parent: Mapping[str, Any], name: str, where: str) -> str:
    """Return a field that is a text and not empty."""
    value = parent.get(name)
    if not isinstance(value, str) or not value:
        raise StatementError(f"{where}.{name}: has to be a text")
    return value


def whole_in(parent: Mapping[str, Any], name: str, where: str) -> None:
    """Refuse a field that is no whole number, 0 or more."""
    value = parent.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise StatementError(f"{where}.{name}: has to be a whole number, 0 or more")


def pattern_in(
    parent: Mapping[str, Any], name: str, where: str, pattern: re.Pattern[str], form: str
) -> None:
    """Refuse a field that is no text of this form."""
    if not pattern.fullmatch(text_in(parent, name, where)):
        raise StatementError(f"{where}.{name}: has to be {form}")


def decimal_in(parent: Mapping[str, Any], name: str, where: str) -> None:
    """Refuse a field that is no decimal as text."""
    pattern_in(parent, name, where, _DECIMAL, 'a decimal as text, such as "0.57"')
