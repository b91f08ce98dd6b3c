"""How what was given for each field is read, and refused."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from oversight.registry.codes import DIGEST, LANGUAGE, REGION, SLUG, shortest_decimal
from oversight.registry.descriptions.items import ITEMS, Item
from oversight.web.marks import Said
from oversight.web.marks import gettext_noop as _

Document = dict[str, Any]
MOST_TEXT, MOST_LINE, MOST_ADDRESS, MOST_LIST = 4000, 200, 500, 50


class DescriptionError(ValueError):
    """A field that cannot be used; `field` names it, `problem` says how to write it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem if isinstance(problem, Said) else Said(problem)


def read(kind: str, given: object) -> Document:
    """Return a description in its one form; what is left empty is left out.

    Raises:
        DescriptionError: an unknown field, or one that is not written as its kind asks.
    """
    if not isinstance(given, Mapping):
        raise DescriptionError("document", _("Give an object of fields."))
    items = {item.name: item for item in ITEMS[kind]}
    unknown = sorted(str(name) for name in given if name not in items)
    if unknown:
        words = _("“%(name)s” is no field: use %(known)s.")
        known = ", ".join(items)
        raise DescriptionError("document", Said(words, name=unknown[0][:40], known=known))
    return {
        name: _READERS[item.kind](item, given[name])
        for name, item in items.items()
        if name in given and given[name] not in (None, "", [])
    }


def _plain(item: Item, value: object, most: int) -> str:
    problem = DescriptionError(
        item.name, Said(_("Write it in up to %(most)s characters."), most=most)
    )
    if not isinstance(value, str) or len(value.strip()) > most:
        raise problem
    if any(ord(sign) < 32 and sign not in "\n\t" for sign in value):
        raise DescriptionError(item.name, _("Leave control characters out."))
    return value.strip()


def _text(item: Item, value: object) -> str:
    return _plain(item, value, MOST_TEXT)


def _line(item: Item, value: object) -> str:
    found = _plain(item, value, MOST_LINE)
    if "\n" in found:
        raise DescriptionError(item.name, _("Write it in one line."))
    return found


def _address(item: Item, value: object) -> str:
    found = _plain(item, value, MOST_ADDRESS)
    try:
        split = urlsplit(found)
    except ValueError:
        split = urlsplit("")
    if split.scheme not in {"https", "http"} or not split.hostname or " " in found:
        words = _("Write a web address such as https://example.org/model.")
        raise DescriptionError(item.name, words)
    return found


def _date(item: Item, value: object) -> str:
    try:
        return date.fromisoformat(_plain(item, value, 10)).isoformat()
    except ValueError:
        raise DescriptionError(item.name, _("Write a day such as 2026-11-27.")) from None


def _choice(item: Item, value: object) -> str:
    names = [name for name, _words in item.choices]
    if value not in names:
        raise DescriptionError(item.name, Said(_("Use one of %(known)s."), known=", ".join(names)))
    return str(value)


def _whole(item: Item, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= item.most:
        words = _("Use a whole number from 1 to %(most)s.")
        raise DescriptionError(item.name, Said(words, most=item.most))
    return value


def _decimal(item: Item, value: object) -> str:
    found = shortest_decimal(value, item.most)
    if found is None:
        words = _("Use a number from 0 to %(most)s, such as 0.7.")
        raise DescriptionError(item.name, Said(words, most=item.most))
    return found


def _digest(item: Item, value: object) -> str:
    if not isinstance(value, str) or DIGEST.fullmatch(value.strip()) is None:
        raise DescriptionError(item.name, _("Write a digest as sha256: and 64 hex digits."))
    return value.strip()


def _listed(
    pattern: re.Pattern[str], example: str, *, in_order: bool = False
) -> Callable[[Item, object], list[str]]:
    def read_list(item: Item, value: object) -> list[str]:
        if not isinstance(value, list | tuple) or len(value) > MOST_LIST:
            words = _("Give a list of up to %(most)s, such as %(example)s.")
            raise DescriptionError(item.name, Said(words, most=MOST_LIST, example=example))
        for each in value:
            if not isinstance(each, str) or pattern.fullmatch(each) is None:
                words = _("“%(text)s” is none: write it like %(example)s.")
                said = Said(words, text=str(each)[:40], example=example)
                raise DescriptionError(item.name, said)
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
    "languages": _listed(LANGUAGE, "de, fr or en-GB"),
    "regions": _listed(REGION, "CH or DE-BE"),
    "slugs": _listed(SLUG, "town-endpoint", in_order=True),
}
