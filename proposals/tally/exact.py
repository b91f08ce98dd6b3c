"""Reads and writes exact numbers; a float never gets in or out."""

import re
from decimal import Decimal
from fractions import Fraction
from math import lcm

from proposals.tally.errors import InputError

Number = int | Fraction | Decimal | str
"""What a caller may hand over as a number: exact types, or text such as `2.5` or `2/3`."""

MAX_NUMBER = 10**15
"""Bound on the size of every number read, so that no input can make the arithmetic slow."""

WEIGHT_PLACES = 6
"""Decimal places a weight may have."""

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
    """Turns a `Number` into a weight: zero or more, with at most `WEIGHT_PLACES` decimals.

    Raises:
        InputError: naming `field`.
    """
    exact = fraction(value, field)
    if exact < 0:
        raise InputError(field, f"{value} is below 0; a weight is 0 or more")
    if 10**WEIGHT_PLACES % exact.denominator:
        raise InputError(field, f"{value} needs more than {WEIGHT_PLACES} decimals; round it first")
    return exact


def common_scale(numbers: list[Fraction]) -> int:
    """Returns the smallest integer that makes every number whole when multiplied by it."""
    return lcm(*{number.denominator for number in numbers}) if numbers else 1


def number_text(value: Fraction) -> str:
    """Writes a number as people do: `5`, `2.5`, and `1/3` when no decimal is exact."""
    try:
        return decimal_text(value, 0)
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
