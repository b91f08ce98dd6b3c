"""What somebody looks for, as PostgreSQL reads it, and where it stands in a text. Pure."""

import re
import unicodedata
from dataclasses import dataclass

MOST_CHARACTERS = 200
MOST_WORDS = 12
SNIPPET = 220
_WORD = re.compile(r"[^\W_]+")
_REF = re.compile(r"\d{4}-\d{1,6}", re.ASCII)
_RUN = re.compile(r"run-[0-9a-f]{4,16}", re.ASCII)
_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Query:
    """The words of a search, without accents and in small letters."""

    text: str
    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Query":
        """Read what was typed; anything can be typed."""
        clean = " ".join(text.replace("\x00", " ").split())[:MOST_CHARACTERS]
        return cls(clean, tuple(dict.fromkeys(_WORD.findall(plain(clean))))[:MOST_WORDS])

    @property
    def tsquery(self) -> str:
        """Every word, each as the beginning of one: `help:* & desk:*`."""
        return " & ".join(f"{word}:*" for word in self.words)

    @property
    def reference(self) -> str:
        """The reference of a proposal or a decision, where it is one."""
        return self.text if _REF.fullmatch(self.text) else ""

    @property
    def run(self) -> str:
        """The reference of a run, where it is one."""
        found = self.text.lower()
        return found if _RUN.fullmatch(found) else ""

    @property
    def digest(self) -> str:
        """The digest, where it is one."""
        found = self.text.lower()
        return f"sha256:{found[-64:]}" if _DIGEST.fullmatch(found) else ""


def plain(text: str) -> str:
    """Return a text in small letters without accents."""
    return "".join(_plain_letters(text))


def snippet(text: str, query: Query) -> tuple[tuple[str, bool], ...]:
    """Return the piece of a text round the first word that was sought, with each such word marked.

    Pieces are pairs of words and whether they are what was sought; the whole is at most some 240
    characters long and begins and ends at words.
    """
    one = " ".join(text.split())
    hits = _hits(one, query)
    start, end = _window(one, hits[0][0] if hits else 0)
    pieces: list[tuple[str, bool]] = [("… ", False)] if start else []
    at = start
    for first, last in hits:
        if first >= at and last <= end:
            pieces += [(one[at:first], False), (one[first:last], True)]
            at = last
    pieces.append((one[at:end] + (" …" if end < len(one) else ""), False))
    return tuple(piece for piece in pieces if piece[0])


def _hits(text: str, query: Query) -> list[tuple[int, int]]:
    """Return where the words stand that begin with one that was sought."""
    letters = _plain_letters(text)
    starts: list[int] = []
    for at, letter in enumerate(letters):
        starts += [at] * len(letter)
    flat = "".join(letters)
    return [
        (starts[found.start()], starts[found.end() - 1] + 1)
        for found in _WORD.finditer(flat)
        if any(found[0].startswith(word) for word in query.words)
    ]


def _plain_letters(text: str) -> list[str]:
    """Return each letter of a text in small, without its accent."""
    return [
        "".join(c for c in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(c))
        .lower()
        .replace("ß", "ss")
        for letter in text
    ]


def _window(text: str, middle: int) -> tuple[int, int]:
    start = max(0, min(middle - SNIPPET // 3, len(text) - SNIPPET))
    end = min(len(text), start + SNIPPET)
    if start:
        start = text.find(" ", start, start + 30) + 1 or start
    if end < len(text):
        cut = text.rfind(" ", end - 30, end)
        end = cut if cut > start else end
    return start, end
