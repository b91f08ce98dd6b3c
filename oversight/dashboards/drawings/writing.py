"""How the program that draws writes figures in the language that is spoken.

Dates need nothing: a drawing has them as 2026-03-05, which all languages read.
"""

from typing import Any

from django.conf import settings
from django.utils.formats import get_format
from django.utils.translation import get_language


def locale() -> dict[str, Any]:
    """Return Vega's `config.locale` of the language that is spoken; empty for English, its own."""
    if (get_language() or settings.LANGUAGE_CODE) == settings.LANGUAGE_CODE:
        return {}
    number = {
        "decimal": get_format("DECIMAL_SEPARATOR"),
        "thousands": get_format("THOUSAND_SEPARATOR"),
        "grouping": [3],
        "currency": ["", ""],
    }
    return {"locale": {"number": number}}
