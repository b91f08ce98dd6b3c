"""Headlines that are findings: numbers in words, and sentences made of them."""

from datetime import datetime

from django.conf import settings
from django.utils.translation import get_language, gettext, ngettext

from oversight.registry.choices import AuthorisationState
from oversight.registry.models import Authorisation
from oversight.web.figures import grouped

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven", "twelve")  # fmt: skip


def number_word(number: int) -> str:
    """Return small numbers as words, larger ones as digits; in other languages all as digits.

    There a word for a number follows the gender and the case of what it counts.
    """
    if get_language() == settings.LANGUAGE_CODE and 0 <= number < len(_SMALL):
        return _SMALL[number]
    return grouped(number)


def counted(number: int, one: str, many: str) -> str:
    """Return `three models`, `one model`, `no models`."""
    return f"{number_word(number)} {one if number == 1 else many}"


def worded(text: str, number: int, *, none: str = "") -> str:
    """Return a text of `ngettext` with the number in its gap, in words where it is small.

    Args:
        text: what `ngettext` chose for the number.
        number: what is counted.
        none: what to say of nothing; a language whose "no" follows what it counts needs it whole.
    """
    return none if none and not number else text % {"number": number_word(number)}


def sentence(text: str) -> str:
    """Return the text with a capital letter and a full stop."""
    return text[0].upper() + text[1:] + "."


def home_headline(in_service: int, being_decided: int) -> list[str]:
    """Return the home page's two sentences."""
    return [sentence(models_in_service(in_service)), sentence(decisions_open(being_decided))]


def models_in_service(number: int) -> str:
    """Return `three models are in service`."""
    words = ngettext("%(number)s model is in service", "%(number)s models are in service", number)
    return worded(words, number, none=gettext("no models are in service"))


def decisions_open(number: int) -> str:
    """Return `three decisions are open`."""
    words = ngettext("%(number)s decision is open", "%(number)s decisions are open", number)
    return worded(words, number, none=gettext("no decisions are open"))


def members_in_words(number: int) -> str:
    """Return `three members`."""
    return worded(ngettext("%(number)s member", "%(number)s members", number), number)


def listed(items: list[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return gettext("%(items)s and %(last)s") % {"items": ", ".join(items[:-1]), "last": items[-1]}


def standing_words(row: Authorisation, moment: datetime) -> str:
    """Return what an authorisation allows at a moment, in the words of its mark on the pages."""
    if row.is_in_force(moment):
        return gettext("In service")
    state = row.state_at(moment)
    if state == AuthorisationState.GRANTED and row.ends_at is not None and row.ends_at <= moment:
        return gettext("Expired")
    words = str(state.label)
    return words[:1].upper() + words[1:]


def lowered(text: str) -> str:
    """Return the text as the middle of a sentence has it; German nouns keep their capital."""
    if (get_language() or "").startswith("de"):
        return text
    return text[:1].lower() + text[1:]


def full_stop(text: str) -> str:
    """Return the text as a sentence that ends."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
