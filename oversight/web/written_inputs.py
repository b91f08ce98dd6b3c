"""The language of a text in the network API."""

from rest_framework import serializers

from oversight.web.written import CODES

OF_TEXT = "Of the text, by BCP 47."


def language_input(words: str, *, required: bool = False) -> serializers.ChoiceField:
    """Return the field in which a writer says a text's language; without one the default holds."""
    return serializers.ChoiceField(CODES, required=required, help_text=words)
