"""Numbers as plain decimal text, as statements and the documents of scores write them."""

import math
from decimal import Decimal


def decimal_text(number: float) -> str:
    """Return a number as plain decimal text that reads back as exactly the same float.

    Raises:
        ValueError: the number is not finite.
    """
    if not math.isfinite(number):
        raise ValueError(f"{number} has no decimal form")
    text = format(Decimal(repr(float(number))), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
