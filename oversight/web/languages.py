"""The language of a page is part of its address: English has none, others a prefix such as `/fr/`.

Nothing is negotiated: an address has one text whoever asks, so caches and citations hold. What
programs read (the API, the log, feeds, files) has no prefix and speaks English.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import URLPattern, URLResolver
from django.utils import translation
from django.utils.functional import lazy
from django.utils.translation import gettext

from oversight.web.figures import grouped
from oversight.web.marks import Said
from oversight.web.refusals import BadQuery

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# Addresses of this site in a page, but for the footer's way to the English one.
_LINKS = re.compile(rb'(\b(?:href|action|formaction|hx-get|hx-post)=")(/(?!/)[^"]*)"(?! lang="en")')

Handler = Callable[[HttpRequest], HttpResponse]


@dataclass(frozen=True, slots=True)
class Choice:
    """A language in which the reader can have the page: its code, own name, address and script."""

    code: str
    name: str
    href: str
    is_current: bool
    direction: str


def filled(text: "StrOrPromise", **values: object) -> str:
    """Return a text whose gaps are filled when it is read, in the language that is spoken then."""
    words: str = _filled(text, values)
    return words


def spoken(text: str) -> str:
    """Return what a pure module said in the language that is spoken; other texts as they are."""
    if not isinstance(text, Said):
        return text
    pattern = translation.gettext(text.pattern)
    values = {name: _spoken_value(value) for name, value in text.values.items()}
    return pattern % values if values else pattern


def _spoken_value(value: object) -> object:
    if isinstance(value, int):
        return grouped(value)
    return spoken(value) if isinstance(value, str) else value


def lowered(label: "StrOrPromise") -> str:
    """Return a label as the middle of a sentence has it, in the language that is spoken then."""
    words: str = _lower(label)
    return words


def _small(label: "StrOrPromise") -> str:
    # German writes its nouns with a capital wherever they stand.
    return str(label) if (translation.get_language() or "").startswith("de") else str(label).lower()


_lower = lazy(_small, str)


def _fill(text: "StrOrPromise", values: dict[str, object]) -> str:
    return str(text) % values


_filled = lazy(_fill, str)


def language_of(path: str) -> str:
    """Return the language that a path names; English where it names none."""
    first = path[1:].partition("/")[0]
    return first if first in _prefixes() else settings.LANGUAGE_CODE


def without_language(path: str) -> str:
    """Return the stable address of a page: the path without the language in front.

    What is stored, sent, exported or cited holds this one.
    """
    language = language_of(path)
    return path if language == settings.LANGUAGE_CODE else path[len(language) + 1 :]


def in_language(path: str, language: str) -> str:
    """Return the address of the same page in another language."""
    plain = without_language(path)
    return plain if language == settings.LANGUAGE_CODE else f"/{language}{plain}"


def with_language(address: str, language: str) -> str:
    """Return the address of a file that is written in several languages, in one of them.

    Files have one path in all languages, so the language is a part of the query.
    """
    return address if language == settings.LANGUAGE_CODE else f"{address}?language={language}"


def spoken_in_query(request: HttpRequest) -> AbstractContextManager[None]:
    """Speak the language that a file is asked for in, English where the query names none.

    Raises:
        BadQuery: the site does not have that language.
    """
    known = dict(settings.LANGUAGES)
    code = request.GET.get("language", settings.LANGUAGE_CODE)
    if code not in known:
        words = gettext("This site has no such language. It has: %(languages)s.")
        detail = words % {"languages": ", ".join(known)}
        raise BadQuery(detail, fields={"language": detail})
    return translation.override(code)


def choices(request: HttpRequest) -> list[Choice]:
    """Return the languages of a page with its address in each; none where it has no other."""
    path = request.get_full_path()
    if len(settings.LANGUAGES) < 2 or not _is_page(without_language(request.path)):
        return []
    current = language_of(request.path)
    return [
        Choice(code, name, in_language(path, code), code == current, direction_of(code))
        for code, name in settings.LANGUAGES
    ]


def direction_of(language: str) -> str:
    """Say in which direction a language is written: ltr or rtl."""
    return "rtl" if language.partition("-")[0] in settings.LANGUAGES_BIDI else "ltr"


def is_reviewed(language: str) -> bool:
    """Say whether people have read a language's texts: no catalogue was made by machine alone."""
    return language not in settings.LANGUAGES_NOT_REVIEWED


class LanguageMiddleware:
    """Speaks the language that the address names while it is answered."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in the language of the address; neither cookies nor `Accept-Language` count.

        A file has one address in all languages; whoever asks for it under a prefix is sent there.
        """
        language = language_of(request.path_info)
        plain = without_language(request.path_info)
        if plain != request.path_info and not _is_page(plain):
            return HttpResponsePermanentRedirect(without_language(request.get_full_path()))
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Language", language)
        if language != settings.LANGUAGE_CODE:
            _keep_language(response, language)
        return response


def _keep_language(response: HttpResponse, language: str) -> None:
    """Let links to pages and redirects stay in the language.

    Objects know their stable address only, because that is what is stored, sent and cited.
    """
    for name in ("Location", "HX-Redirect", "HX-Location"):
        if name in response.headers and response.headers[name].startswith("/"):
            response.headers[name] = _led(response.headers[name], language)
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    if not is_page or response.streaming:
        return
    response.content = _LINKS.sub(
        lambda found: found[1] + _led(found[2].decode(), language).encode() + b'"',
        response.content,
    )
    if "Content-Length" in response.headers:
        response.headers["Content-Length"] = str(len(response.content))


def _led(address: str, language: str) -> str:
    """Return a page's stable address in a language; what names a language already stays."""
    path = re.split(r"[?#]", address, maxsplit=1)[0]
    is_stable = without_language(path) == path
    return in_language(address, language) if is_stable and _is_page(path) else address


def pages_of(*modules: str) -> Iterator[URLPattern | URLResolver]:
    """Return the addresses of pages in these modules of addresses: what may have a prefix."""
    yield from (each for each in _all_of(modules) if _is_page(f"/{each.pattern}"))


def others_of(*modules: str) -> Iterator[URLPattern | URLResolver]:
    """Return all other addresses in these modules: the API, files, feeds."""
    yield from (each for each in _all_of(modules) if not _is_page(f"/{each.pattern}"))


def _all_of(modules: tuple[str, ...]) -> Iterator[URLPattern | URLResolver]:
    for module in modules:
        yield from import_module(module).urlpatterns


def _is_page(route: str) -> bool:
    """Say whether an address is a page's: those end in a slash, files do not."""
    if route == "/api/docs/":
        return True
    return route.endswith("/") and not route.startswith(("/api/", "/log/", "/admin/"))


def _prefixes() -> list[str]:
    return [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
