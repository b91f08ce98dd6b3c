"""Checks of short texts that stand in one line."""

from oversight.web.refusals import Invalid


def one_line(text: str, longest: int, what: str) -> str:
    """Return the words with single spaces between them.

    Raises:
        Invalid: there are none, too many, or some cannot be stored; the field is `text`.
    """
    words = " ".join(text.split())
    if not words or "\x00" in words:
        raise Invalid("Write something first.", fields={"text": "Empty."})
    if len(words) > longest:
        message = f"{what} has at most {longest} characters; this one has {len(words):,}."
        raise Invalid(message, fields={"text": message})
    return words
