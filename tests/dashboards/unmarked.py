"""Finds words of a page in the pseudo-language that no catalogue has: those outside of brackets."""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

# What is read as it is, or by programs.
SKIPPED = {"script", "style", "code", "pre", "time", "kbd", "textarea", "noscript"}
VOID = {"meta", "link", "img", "input", "br", "hr", "wbr", "source", "col", "area", "base"}
# Sentences are told apart by these; other elements stand within one.
BLOCKS = {
    *("p", "li", "td", "th", "h1", "h2", "h3", "h4", "dt", "dd", "summary", "label", "legend"),
    *("figcaption", "button", "option", "caption", "div", "title", "text", "small", "nav", "main"),
    *("section", "header", "footer", "form", "ul", "ol", "dl", "tr", "fieldset", "svg", "desc"),
}
READ_ALOUD = (
    "aria-label",
    "alt",
    "placeholder",
    "title",
    "data-label",
    "data-announce",
    "data-copy-label",
)
WORD = re.compile(r"[A-Za-z]{3,}")
# Addresses, names of files, digests and references: nothing that a language has words for.
NO_WORDS = re.compile(
    r"\S*(?:://|@|/|\.\w{2,5}\b|_|sha256:|…)\S*|\b[0-9a-f]{8,}\b|\b(?:run|INC|CHK)-[\w-]+\b"
    r"|[a-z]*:(?:write|cast|own)\b"
    r"|[\u0600-\u06ff][\u0600-\u06ff\s\d:،]*(?:UTC)?"
)


class _Page(HTMLParser):
    """Collects the texts of a page, sentence by sentence."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = [""]
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        is_other = tag != "html" and ("lang" in said or said.get("translate") == "no")
        skipped = self._is_skipped or tag in SKIPPED or is_other
        if not skipped:
            self.texts += [text for name in READ_ALOUD if (text := said.get(name)) is not None]
            if tag == "meta" and said.get("name") == "description":
                self.texts.append(said.get("content") or "")
        if tag in BLOCKS:
            self.texts.append("")
        elif tag in {"span", "input", "br", "a"}:
            self.handle_data(" ")
        if tag not in VOID:
            self._open.append((tag, skipped))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass
        if tag in BLOCKS:
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if not self._is_skipped:
            # An attribute that was read in between is a sentence of its own.
            self.texts[-1] += data

    @property
    def _is_skipped(self) -> bool:
        return bool(self._open) and self._open[-1][1]


def unmarked(html: str, without: Callable[[str], str]) -> Iterator[str]:
    """Return the texts of a page in which words stand outside of all brackets.

    `without` takes out what is no text of ours.
    """
    page = _Page()
    page.feed(html)
    for text in page.texts:
        left = NO_WORDS.sub(" ", without(outside(text)))
        if WORD.search(left):
            yield " ".join(left.split())


def outside(text: str) -> str:
    """Return what stands outside of brackets, which may stand within each other."""
    before = None
    while before != text:
        before, text = text, re.sub(r"\[[^\[\]]*\]", " ", text)
    return text
