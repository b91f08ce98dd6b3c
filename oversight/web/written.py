"""Texts that people wrote, and the language that each of them is in.

The pages speak three languages; what people write has its own, which its writer says. A text that
remembers it is marked on every page of another language, so that a screen reader changes its voice.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from oversight.web.languages import direction_of
from oversight.web.refusals import Invalid

CODES = tuple(code for code, _name in settings.TEXT_LANGUAGES)
MAX_CODE = 12
"""Characters of a language's code as the tables hold it."""


class Written(str):
    """A text in the language of whoever wrote it.

    It is that text everywhere; in a template it becomes a `span` with its language where the page
    speaks another. In an attribute there can be no `span`: write it there as `{{ text|plain }}`.
    """

    language: str

    def __new__(cls, text: str, language: str) -> "Written":
        """Let a text remember its language."""
        made = super().__new__(cls, text)
        made.language = language
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Written, (plain(self), self.language)

    def __html__(self) -> SafeString:
        """Return it for a page, marked where the page speaks another language."""
        marks = language_marks(self.language)
        words = plain(self)
        return format_html("<span{}>{}</span>", marks, words) if marks and words else escape(words)


class Told(str):
    """A sentence of ours with what people wrote in it, each part in its language."""

    pattern: str
    values: dict[str, object]

    def __new__(cls, pattern: str, **values: object) -> "Told":
        """Fill the gaps of a translated pattern, such as `Proposed: %(title)s`."""
        made = super().__new__(cls, pattern % values)
        made.pattern, made.values = pattern, values
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy, as a program gets one, is the sentence alone.
        return str, (plain(self),)

    def __html__(self) -> SafeString:
        """Return it for a page, with its parts marked where they are in another language."""
        parts = {name: _escaped(value) for name, value in self.values.items()}
        return mark_safe(escape(self.pattern) % parts)  # noqa: S308 - all of it is escaped


def _escaped(value: object) -> SafeString:
    return conditional_escape(value if isinstance(value, str) else str(value))


def language_marks(language: str) -> SafeString:
    """Return the attributes of an element that holds such a text; none in a page that speaks it."""
    page = get_language() or settings.LANGUAGE_CODE
    if not language or language == page:
        return SafeString("")
    direction = direction_of(language)
    turned = format_html(' dir="{}"', direction) if direction != direction_of(page) else ""
    return format_html(' lang="{}"{}', language, turned)


def language_of(text: str) -> str:
    """Return the language of what somebody wrote; empty where it is ours."""
    return text.language if isinstance(text, Written) else ""


def plain(text: object) -> str:
    """Return a text for an attribute or a title, where nothing can be marked."""
    return str.__str__(text) if isinstance(text, str) else str(text)


def language_name(code: str) -> str:
    """Return a language's own name, or its code where this site does not know it."""
    return dict(settings.TEXT_LANGUAGES).get(code, code)


def required_language(code: str) -> str:
    """Return the code of a language that texts can be in.

    Raises:
        Invalid: this site knows no such language.
    """
    if code not in CODES:
        words = gettext("Texts here are in one of these languages: %(languages)s.") % {
            "languages": ", ".join(CODES)
        }
        raise Invalid(words, fields={"language": words})
    return code


class LanguageField(forms.ChoiceField):
    """In which language a text is; the form comes with the likely one.

    Who sends none means what the service takes: the language of the proposal, or of the body.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{
                "label": _("Language of this text"),
                "choices": settings.TEXT_LANGUAGES,
                "widget": forms.Select(attrs={"class": "input-short"}),
                **options,
            }
        )

    def validate(self, value: str) -> None:
        """Take none, or one that is there."""
        if value:
            super().validate(value)
