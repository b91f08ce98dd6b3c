"""The mark of a text that a catalogue translates and whoever shows it looks up there. Pure.

For modules that may not import Django, whose own `gettext_noop` does the same everywhere else.
"""


def gettext_noop(text: str) -> str:
    """Mark a text for translation and return it as it is; xgettext knows the name, and `_`."""
    return text


class Said(str):
    """An English text made of a pattern that a catalogue has and of what fills its gaps.

    It is the English text wherever nobody asks for more; `oversight.web.languages.spoken` writes it
    anew in the language that is spoken. So a pure module can say what is wrong in one language and
    be understood in all.
    """

    pattern: str
    values: dict[str, object]

    def __new__(cls, pattern: str, **values: object) -> "Said":
        """Fill the gaps of a marked pattern, such as `from 0 to %(most)s`."""
        grouped = {name: f"{v:,}" if isinstance(v, int) else v for name, v in values.items()}
        said = super().__new__(cls, pattern % grouped if values else pattern)
        said.pattern, said.values = pattern, values
        return said
