"""The conditions of an authorisation as data: typed, checked. Pure.

What is read here stands in the contract of the vote, in the authorisation, and in every
answer of the gate, so that an operator's software can hold to it without reading prose.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from oversight.registry.codes import DIGEST, LANGUAGE, REGION, shortest_decimal

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
        self.problem = problem


def read(given: object) -> Conditions:
    """Return conditions in their one form; those left empty are left out.

    Raises:
        ConditionError: an unknown condition, or one that is not written as its kind asks.
    """
    if not isinstance(given, Mapping):
        raise ConditionError("conditions", "Give an object of conditions.")
    unknown = sorted(str(name) for name in given if name not in _READERS)
    if unknown:
        known = ", ".join(_READERS)
        raise ConditionError("conditions", f"“{unknown[0][:40]}” is no condition: use {known}.")
    return {
        name: reader(name, given[name])
        for name, reader in _READERS.items()
        if name in given and given[name] not in (None, "", [])
    }


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or "\x00" in value or len(value.strip()) > MOST_AUDIENCE:
        raise ConditionError(name, f"Write it in up to {MOST_AUDIENCE} characters.")
    return value.strip()


def _codes(pattern: re.Pattern[str], example: str) -> Callable[[str, object], list[str]]:
    def read_codes(name: str, value: object) -> list[str]:
        if not isinstance(value, list | tuple) or len(value) > MOST_CODES:
            raise ConditionError(
                name, f"Give a list of up to {MOST_CODES} codes such as {example}."
            )
        for code in value:
            if not isinstance(code, str) or pattern.fullmatch(code) is None:
                shown = str(code)[:40]
                raise ConditionError(name, f"“{shown}” is no code: write it like {example}.")
        return sorted(set(value))

    return read_codes


def _rate(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_RATE:
        raise ConditionError(name, f"Use a whole number from 1 to {MOST_RATE:,}.")
    return value


def _digest(name: str, value: object) -> str:
    if not isinstance(value, str) or DIGEST.fullmatch(value) is None:
        raise ConditionError(name, "Write a digest as sha256: and 64 hex digits.")
    return value


def _temperature(name: str, value: object) -> str:
    found = shortest_decimal(value, MOST_TEMPERATURE)
    if found is None:
        raise ConditionError(name, f"Use a number from 0 to {MOST_TEMPERATURE}, such as 0.7.")
    return found


_READERS: dict[str, Callable[[str, object], Any]] = {
    "audience": _text,
    "languages": _codes(LANGUAGE, "de, fr or en-GB"),
    "regions": _codes(REGION, "CH or DE-BE"),
    "requests_per_minute": _rate,
    "system_prompt": _digest,
    "maximum_temperature": _temperature,
}
