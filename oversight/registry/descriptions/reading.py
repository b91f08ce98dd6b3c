"""How what was given for each field is read, and refused."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from oversight.registry.descriptions.items import ITEMS, Item

Document = dict[str, Any]
MOST_TEXT, MOST_LINE, MOST_ADDRESS, MOST_LIST = 4000, 200, 500, 50
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", re.ASCII)
_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", re.ASCII)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


class DescriptionError(ValueError):
    """A field that cannot be used; `field` names it, `problem` says how to write it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def read(kind: str, given: object) -> Document:
    """Return a description in its one form; what is left empty is left out.

    Raises:
        DescriptionError: an unknown field, or one that is not written as its kind asks.
    """
    if not isinstance(given, Mapping):
        raise DescriptionError("document", "Give an object of fields.")
    items = {item.name: item for item in ITEMS[kind]}
    unknown = sorted(str(name) for name in given if name not in items)
    if unknown:
        known = ", ".join(items)
        raise DescriptionError("document", f"“{unknown[0][:40]}” is no field: use {known}.")
    return {
        name: _READERS[item.kind](item, given[name])
        for name, item in items.items()
        if name in given and given[name] not in (None, "", [])
    }


def _plain(item: Item, value: object, most: int) -> str:
    problem = DescriptionError(item.name, f"Write it in up to {most:,} characters.")
    if not isinstance(value, str) or len(value.strip()) > most:
        raise problem
    if any(ord(sign) < 32 and sign not in "\n\t" for sign in value):
        raise DescriptionError(item.name, "Leave control characters out.")
    return value.strip()


def _text(item: Item, value: object) -> str:
    return _plain(item, value, MOST_TEXT)


def _line(item: Item, value: object) -> str:
    found = _plain(item, value, MOST_LINE)
    if "\n" in found:
        raise DescriptionError(item.name, "Write it in one line.")
    return found


def _address(item: Item, value: object) -> str:
    found = _plain(item, value, MOST_ADDRESS)
    try:
        split = urlsplit(found)
    except ValueError:
        split = urlsplit("")
    if split.scheme not in {"https", "http"} or not split.hostname or " " in found:
        raise DescriptionError(item.name, "Write a web address such as https://example.org/model.")
    return found


def _date(item: Item, value: object) -> str:
    try:
        return date.fromisoformat(_plain(item, value, 10)).isoformat()
    except ValueError:
        raise DescriptionError(item.name, "Write a day such as 2026-11-27.") from None


def _choice(item: Item, value: object) -> str:
    names = [name for name, _ in item.choices]
    if value not in names:
        raise DescriptionError(item.name, f"Use one of {', '.join(names)}.")
    return str(value)


def _whole(item: Item, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= item.most:
        raise DescriptionError(item.name, f"Use a whole number from 1 to {item.most:,}.")
    return value


def _decimal(item: Item, value: object) -> str:
    """Return a decimal as its shortest text; the record holds no floats."""
    problem = DescriptionError(item.name, f"Use a number from 0 to {item.most}, such as 0.7.")
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise problem
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise problem from None
    if not number.is_finite() or not 0 <= number <= item.most:
        raise problem
    if abs(int(number.as_tuple().exponent)) > 4:
        raise problem
    return f"{number.normalize():f}"


def _digest(item: Item, value: object) -> str:
    if not isinstance(value, str) or _DIGEST.fullmatch(value.strip()) is None:
        raise DescriptionError(item.name, "Write a digest as sha256: and 64 hex digits.")
    return value.strip()


def _listed(
    pattern: re.Pattern[str], example: str, *, in_order: bool = False
) -> Callable[[Item, object], list[str]]:
    def read_list(item: Item, value: object) -> list[str]:
        if not isinstance(value, list | tuple) or len(value) > MOST_LIST:
            raise DescriptionError(
                item.name, f"Give a list of up to {MOST_LIST}, such as {example}."
            )
        for each in value:
            if not isinstance(each, str) or pattern.fullmatch(each) is None:
                shown = str(each)[:40]
                raise DescriptionError(item.name, f"“{shown}” is none: write it like {example}.")
        return list(dict.fromkeys(value)) if in_order else sorted(set(value))

    return read_list


_READERS: dict[str, Callable[[Item, object], Any]] = {
    "text": _text,
    "line": _line,
    "address": _address,
    "date": _date,
    "choice": _choice,
    "whole": _whole,
    "decimal": _decimal,
    "digest": _digest,
    "languages": _listed(_LANGUAGE, "de, fr or en-GB"),
    "regions": _listed(_REGION, "CH or DE-BE"),
    "slugs": _listed(_SLUG, "town-endpoint", in_order=True),
}
