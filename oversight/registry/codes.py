"""How codes, digests, address names and decimals are written in what people give. Pure."""

import re
from decimal import Decimal, InvalidOperation

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", re.ASCII)
REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
DECIMAL_PLACES = 4


def shortest_decimal(value: object, most: int) -> str | None:
    """Return a number from 0 to `most` as its shortest text; the record holds no floats.

    None where it is no such number, or has more places than are kept.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or not 0 <= number <= most:
        return None
    if abs(int(number.as_tuple().exponent)) > DECIMAL_PLACES:
        return None
    return f"{number.normalize():f}"
