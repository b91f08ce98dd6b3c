"""The mark of a text that a catalogue translates and whoever shows it looks up there. Pure.

For modules that may not import Django, whose own `gettext_noop` does the same everywhere else.
"""


def gettext_noop(text: str) -> str:
    """Mark a text for translation and return it as it is; xgettext knows the name, and `_`."""
    return text
