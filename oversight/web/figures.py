"""Figures as a language writes them: 4,812 and 0.65 in English, 4.812 and 0,65 in German.

What programs read (the API, files, the record) has figures as JSON and CSV have them, never these.
"""

from django.conf import settings
from django.utils.formats import get_format
from django.utils.translation import get_language

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
MISSING = "–"
"""Stands for a figure or a time that there is none of, so that no cell is empty by accident."""


def localised(text: str) -> str:
    """Return an English figure, such as 4,812.65, as the spoken language writes it."""
    if (get_language() or settings.LANGUAGE_CODE) == settings.LANGUAGE_CODE:
        return text
    marks = {",": get_format("THOUSAND_SEPARATOR"), ".": get_format("DECIMAL_SEPARATOR")}
    return "".join(marks.get(character, character) for character in text)


def grouped(number: float) -> str:
    """Write a whole number with its thousands set apart."""
    return localised(f"{int(number):,}".replace("-", MINUS))


def percent(share: float) -> str:
    """Write a share as a whole percentage: 0.8235 becomes 82 %."""
    return f"{grouped(round(share * 100))}{NO_BREAK}%"
