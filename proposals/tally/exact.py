"""Reads and writes exact numbers; a float never gets in or out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import lcm
from typing import TypeVar

from proposals.tally.errors import InputError

_Enum = TypeVar("_Enum", bound=StrEnum)

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]
"""JSON without floats."""

Number = int | Fraction | Decimal | str
"""What a caller may hand over as a number: exact types, or text such as `2.5` or `2/3`."""

MAX_NUMBER = 10**15
"""Bound on the size of every number read, so that no input can make the arithmetic slow."""

MAX_SCALE = 10**18
"""Bound on the common denominator of the weights that are counted together."""

_NUMBER = re.compile(r"-?\d{1,16}(?:\.\d{1,16}|/\d{1,16})?", re.ASCII)


def fraction(value: object, field: str) -> Fraction:
    """Turns a `Number` into a `Fraction`.

    Raises:
        InputError: naming `field`, for floats, booleans, text that is no plain decimal or
            fraction, and numbers beyond `MAX_NUMBER`.
    """
    exact = _read(value, field)
    if abs(exact) > MAX_NUMBER or exact.denominator > MAX_NUMBER:
        raise InputError(field, f"{value} is out of range; use numbers up to {MAX_NUMBER}")
    return exact


def weight(value: object, field: str) -> Fraction:
    """Turns a `Number` into a weight: zero or more, exact, thirds and the like included.

    Raises:
        InputError: naming `field`.
    """
    exact = fraction(value, field)
    if exact < 0:
        raise InputError(field, f"{value} is below 0; a weight is 0 or more")
    return exact


def common_scale(numbers: Iterable[Fraction], field: str) -> int:
    """Returns the smallest integer that makes every number whole when multiplied by it.

    Raises:
        InputError: naming `field`, when that integer is beyond `MAX_SCALE`.
    """
    scale = 1
    for denominator in {number.denominator for number in numbers}:
        scale = lcm(scale, denominator)
        if scale > MAX_SCALE:
            raise InputError(
                field, f"the weights have no common denominator up to {MAX_SCALE}; use decimals"
            )
    return scale


def number_text(value: Fraction, places: int = 0) -> str:
    """Writes a number as people do: `5`, `2.5`, and `1/3` when no decimal is exact.

    A decimal has at least `places` decimals.
    """
    try:
        return decimal_text(value, places)
    except ValueError:
        return fraction_text(value)


def fraction_text(value: Fraction) -> str:
    """Writes a number as a fraction in lowest terms: `1/2`, `2/3`, `1`."""
    return str(value)


def decimal_text(value: Fraction, places: int) -> str:
    """Writes an exact decimal with at least `places` decimals, more only when needed.

    Raises:
        ValueError: when the number has no finite decimal form.
    """
    while 10**places % value.denominator:
        places += 1
        if 10**places > 10 * MAX_NUMBER**2:
            raise ValueError(f"{value} has no finite decimal form")
    digits = str(abs(value.numerator) * (10**places // value.denominator)).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def read_member(kind: type[_Enum], value: str, field: str) -> _Enum:
    """Reads one of an enumeration's values.

    Raises:
        InputError: naming the field and the values it may have.
    """
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise InputError(field, f"{str(value)[:40]!r} is not one of {allowed}") from None


def _read(value: object, field: str) -> Fraction:
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= 16:
        return Fraction(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value) and not _divides_by_zero(value):
        return Fraction(value)
    raise InputError(
        field,
        f"{str(value)[:40]!r} is not an exact number; write 3, 2.5 or 2/3 (floats are refused)",
    )


def _divides_by_zero(text: str) -> bool:
    _, slash, denominator = text.partition("/")
    return bool(slash) and int(denominator) == 0
