"""Text for formats in which a line is a line: feeds, calendars, files of ballots."""

from unicodedata import category

_UNWRITABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that such formats cannot hold: controls, lone surrogates, breaks."""

_NO_CHARACTERS = "\ufffe\uffff"
"""What XML refuses beside them."""


def one_line(text: str) -> str:
    """Return the text on one line, without what such formats cannot hold."""
    kept = (
        " " if category(sign) in _UNWRITABLE or sign in _NO_CHARACTERS else sign for sign in text
    )
    return " ".join("".join(kept).split())
