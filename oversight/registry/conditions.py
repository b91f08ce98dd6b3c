"""The conditions of an authorisation as data: typed, checked. Pure.

What is read here stands in the contract of the vote, in the authorisation, and in every
answer of the gate, so that an operator's software can hold to it without reading prose.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from oversight.registry.codes import DIGEST, LANGUAGE, REGION, shortest_decimal
from oversight.web.marks import Said
from oversight.web.marks import gettext_noop as _

Conditions = dict[str, Any]

MOST_AUDIENCE = 120
MOST_CODES = 50
MOST_RATE = 1_000_000
MOST_TEMPERATURE = 2


class ConditionError(ValueError):
    """A condition that cannot be used; `field` names it, `problem` says how to write it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem if isinstance(problem, Said) else Said(problem)


def read(given: object) -> Conditions:
    """Return conditions in their one form; those left empty are left out.

    Raises:
        ConditionError: an unknown condition, or one that is not written as its kind asks.
    """
    if not isinstance(given, Mapping):
        raise ConditionError("conditions", _("Give an object of conditions."))
    unknown = sorted(str(name) for name in given if name not in _READERS)
    if unknown:
        words = _("“%(name)s” is no condition: use %(known)s.")
        known = ", ".join(_READERS)
        raise ConditionError("conditions", Said(words, name=unknown[0][:40], known=known))
    return {
        name: reader(name, given[name])
        for name, reader in _READERS.items()
        if name in given and given[name] not in (None, "", [])
    }


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or "\x00" in value or len(value.strip()) > MOST_AUDIENCE:
        words = _("Write it in up to %(most)s characters.")
        raise ConditionError(name, Said(words, most=MOST_AUDIENCE))
    return value.strip()


def _codes(pattern: re.Pattern[str], example: str) -> Callable[[str, object], list[str]]:
    def read_codes(name: str, value: object) -> list[str]:
        if not isinstance(value, list | tuple) or len(value) > MOST_CODES:
            words = _("Give a list of up to %(most)s codes such as %(example)s.")
            raise ConditionError(name, Said(words, most=MOST_CODES, example=example))
        for code in value:
            if not isinstance(code, str) or pattern.fullmatch(code) is None:
                words = _("“%(text)s” is no code: write it like %(example)s.")
                raise ConditionError(name, Said(words, text=str(code)[:40], example=example))
        return sorted(set(value))

    return read_codes


def _rate(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_RATE:
        words = _("Use a whole number from 1 to %(most)s.")
        raise ConditionError(name, Said(words, most=MOST_RATE))
    return value


def _digest(name: str, value: object) -> str:
    if not isinstance(value, str) or DIGEST.fullmatch(value) is None:
        raise ConditionError(name, _("Write a digest as sha256: and 64 hex digits."))
    return value


def _temperature(name: str, value: object) -> str:
    found = shortest_decimal(value, MOST_TEMPERATURE)
    if found is None:
        words = _("Use a number from 0 to %(most)s, such as 0.7.")
        raise ConditionError(name, Said(words, most=MOST_TEMPERATURE))
    return found


_READERS: dict[str, Callable[[str, object], Any]] = {
    "audience": _text,
    "languages": _codes(LANGUAGE, "de, fr or en-GB"),
    "regions": _codes(REGION, "CH or DE-BE"),
    "requests_per_minute": _rate,
    "system_prompt": _digest,
    "maximum_temperature": _temperature,
}
