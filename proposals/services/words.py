"""Checks of texts that people give with an act."""

from django.utils.translation import gettext as _

from oversight.web.figures import grouped
from oversight.web.refusals import Invalid


def storable(text: str, longest: int, *, field: str, asked: str) -> str:
    """Return the words without the space around them.

    Raises:
        Invalid: there are none, too many, or some cannot be stored; `asked` says what to write.
    """
    words = text.strip()
    if not words or len(words) > longest or "\x00" in words:
        raise Invalid(asked, fields={field: asked})
    return words


def one_line(text: str, longest: int, what: str) -> str:
    """Return the words with single spaces between them.

    Raises:
        Invalid: there are none, too many, or some cannot be stored; the field is `text`.
    """
    words = " ".join(text.split())
    if not words or "\x00" in words:
        raise Invalid(_("Write something first."), fields={"text": _("Empty.")})
    if len(words) > longest:
        message = _("%(what)s has at most %(longest)s characters; this one has %(words)s.") % {
            "what": what,
            "longest": longest,
            "words": grouped(len(words)),
        }
        raise Invalid(message, fields={"text": message})
    return words
