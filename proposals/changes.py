"""What changed between two texts, word by word."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

KEPT_AROUND = 12
"""Words of the unchanged text shown on each side of a change."""

LONGEST = 6_000
"""Words, or else lines, of both texts together that are compared: beyond it takes too long."""


@dataclass(frozen=True, slots=True)
class Change:
    """One stretch of the comparison."""

    kind: str
    """"same", "new", "gone", or "skip" for unchanged text left out."""
    text: str = ""


@lru_cache(maxsize=64)
def changes_between(before: str, after: str) -> tuple[Change, ...]:
    """Return how one text becomes another; empty when they are the same.

    Long texts are compared by lines, and very long ones stand whole, one after the other.
    """
    if before == after:
        return ()
    for pieces in (_words, _lines):
        old, new = pieces(before), pieces(after)
        if len(old) + len(new) <= LONGEST:
            return tuple(_compared(old, new))
    return Change("gone", before), Change("new", after)


def _compared(old: list[str], new: list[str]) -> Iterator[Change]:
    codes = SequenceMatcher(None, old, new).get_opcodes()
    for number, (kind, left, right, start, end) in enumerate(codes):
        if kind == "equal":
            first, last = number == 0, number == len(codes) - 1
            yield from _shortened(new[start:end], first=first, last=last)
            continue
        gone, added = "".join(old[left:right]), "".join(new[start:end])
        if gone.strip():
            yield Change("gone", gone.strip())
        # Space round the new words is no change that anybody needs to see.
        words = added.strip()
        before, _, after = added.partition(words) if words else (added, "", "")
        for kept in (Change("same", before), Change("new", words), Change("same", after)):
            if kept.text:
                yield kept


def _words(text: str) -> list[str]:
    return re.findall(r"\s+|\w+|[^\w\s]", text)


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _shortened(pieces: list[str], *, first: bool, last: bool) -> Iterator[Change]:
    """Yield an unchanged stretch, its middle (or its far end) left out when it is long."""
    kept = 2 * KEPT_AROUND  # a word and the space after it are two pieces
    head = 0 if first else kept
    tail = 0 if last else kept
    if len(pieces) <= head + tail + kept:
        yield Change("same", "".join(pieces))
        return
    if head:
        yield Change("same", "".join(pieces[:head]))
    yield Change("skip")
    if tail:
        yield Change("same", "".join(pieces[-tail:]))
