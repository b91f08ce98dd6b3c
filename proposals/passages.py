"""Finding a quoted passage again in a text that was changed meanwhile. Markdown in, offsets out."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from itertools import takewhile

CONTEXT = 80
"""Characters kept on each side of a quote, so that it is found again among similar passages."""

ENOUGH = 24
"""Characters of quote and context that must agree, where there are as many: a lone “the” that
happens to stand elsewhere is not the passage."""

JUNCTION = 16
"""Characters on each side that must stand unchanged where the quote itself is empty."""

KEPT = 0.5
"""Least share of the quote's words that a reworded passage still has, and of its own from it."""

AROUND = 0.25
"""The say of a word around the quote in where to look, against one of the quote itself."""

LONGEST = 1_200
"""Words of a quote with its context that are looked for word by word; longer ones only as they
stand."""

MOST_PLACES = 1_000
"""Places where a quote stands as it is that are weighed; one that stands more often names none."""

MOST_PAIRS = 400_000
"""Pairs of equal words, one here and one there, that are weighed; beyond it takes too long."""

_WORDS = re.compile(r"[^\W_]+|[^\w\s]")
_MARKS = frozenset("*_`#>~|\\")
"""Characters of Markdown that set words and are none, so that a passage may be quoted as shown."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Where a quote stands in a text now."""

    start: int
    end: int
    """Offsets into the text: the passage is `text[start:end]`."""

    is_changed: bool
    """Whether its wording differs from the quote; line breaks and Markdown's marks do not count."""


def context_of(text: str, start: int, end: int) -> tuple[str, str]:
    """Return what stands before and after a passage, to be kept beside its quote."""
    return text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT]


def locate(quote: str, before: str, after: str, text: str) -> Passage | None:
    """Find a quoted passage in a text; None when it is gone, or stands there more than once.

    Where the quote stands as it is, the place whose surroundings agree best is taken. Otherwise it
    is looked for word by word, in moved paragraphs, too, and at least half of it must be left.

    Args:
        quote: the passage as it was; empty for a place between two words.
        before: what stood before it then (`context_of`); may be empty.
        after: what stood after it then; may be empty.
        text: where to look.
    """
    if quote and text.count(quote) > MOST_PLACES:
        return None
    places = sorted(_as_it_stands(quote, before, after, text), reverse=True)
    enough = min(ENOUGH, len(before) + len(quote) + len(after))
    if places and places[0][0] >= enough:
        agreed, start = places[0]
        is_alone = len(places) == 1 or agreed > places[1][0]
        return Passage(start, start + len(quote), is_changed=False) if is_alone else None
    return _reworded(quote, before, after, text) if quote.strip() else None


def _as_it_stands(quote: str, before: str, after: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield how many characters agree, and the start, of each place where the quote stands."""
    head, tail = ("", "") if quote else (before[-JUNCTION:], after[:JUNCTION])
    wanted = head + quote + tail
    found = text.find(wanted) if wanted else -1
    while found >= 0:
        start = found + len(head)
        end = start + len(quote)
        left = _same(before[::-1], text[max(0, start - len(before)) : start][::-1])
        right = _same(after, text[end : end + len(after)])
        yield left + len(quote) + right, start
        found = text.find(wanted, found + 1)


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many characters, or words, two have in common at their beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a text, without Markdown's marks, and where each begins and ends."""

    names: list[str]
    spans: list[tuple[int, int]]


def _words_of(text: str) -> _Words:
    found = [match for match in _WORDS.finditer(text) if match[0] not in _MARKS]
    return _Words([match[0] for match in found], [match.span() for match in found])


def _reworded(quote: str, before: str, after: str, text: str) -> Passage | None:
    """Find a passage that no longer stands as it was, by the words that are left of it."""
    wanted, there = _words_of(quote), _words_of(text)
    left, right = _words_of(before).names, _words_of(after).names
    low = _neighbourhood(left, wanted.names, right, there.names)
    if low is None:
        return None
    near = there.names[low : low + 3 * (len(left) + len(wanted.names) + len(right))]
    kept, blocks = _kept_best(wanted, there, _matching(wanted.names, near, low))
    if kept < KEPT:
        return None
    begin = _reach(blocks[0].a, blocks[0].b, left[::-1], there.names, -1)
    end = blocks[-1].b + blocks[-1].size - 1
    missing = len(wanted.names) - blocks[-1].a - blocks[-1].size
    end = _reach(missing, end, right, there.names, 1)
    agreed = kept * len(quote) + _agreeing(left[::-1], there.names[:begin][::-1])
    agreed += _agreeing(right, there.names[end + 1 :])
    if agreed < ENOUGH:
        return None
    return Passage(
        there.spans[begin][0],
        there.spans[end][1],
        is_changed=there.names[begin : end + 1] != wanted.names,
    )


def _neighbourhood(
    left: list[str], wanted: list[str], right: list[str], words: list[str]
) -> int | None:
    """Return from which word on to look, by a vote in which rare words count more.

    What stood around the quote has a smaller say: its paragraph may have moved. None when nothing
    is in common, or so much that it would take too long.
    """
    needle = [*left, *wanted, *right]
    counts, own = Counter(words), Counter(needle)
    pairs = sum(counts[word] * times for word, times in own.items())
    if not wanted or len(needle) > LONGEST or not 0 < pairs <= MOST_PAIRS:
        return None
    places: dict[str, list[int]] = defaultdict(list)
    for position, word in enumerate(words):
        if word in own:
            places[word].append(position)
    width = max(8, len(needle) // 2)
    votes: dict[int, float] = defaultdict(float)
    for offset, word in enumerate(needle):
        say = 1 if len(left) <= offset < len(left) + len(wanted) else AROUND
        for position in places[word]:
            votes[(position - offset) // width] += say * len(word) / counts[word]
    best = max(votes, key=lambda bucket: (votes[bucket] + votes.get(bucket + 1, 0), -bucket))
    return max(0, (best - 1) * width)


def _matching(wanted: list[str], near: list[str], low: int) -> list[Match]:
    """Return the stretches of words that both have, with places counted from the text's start."""
    blocks = SequenceMatcher(None, wanted, near, autojunk=False).get_matching_blocks()
    return [Match(block.a, low + block.b, block.size) for block in blocks if block.size]


def _agreeing(one: list[str], other: list[str]) -> int:
    """Return how many characters of words two lists have in common at their beginning."""
    return sum(len(word) for word in one[: _same(one, other)])


def _kept_best(wanted: _Words, there: _Words, blocks: list[Match]) -> tuple[float, list[Match]]:
    """Return the run of stretches that keeps the most of the quote, and which share it keeps.

    A word that happens to stand further away must not draw the passage out.
    """
    whole = wanted.spans[-1][1] - wanted.spans[0][0]
    best: tuple[float, list[Match]] = (0, [])
    for first in range(len(blocks)):
        kept = 0
        for last in range(first, len(blocks)):
            a, b, size = blocks[last]
            kept += wanted.spans[a + size - 1][1] - wanted.spans[a][0]
            span = there.spans[b + size - 1][1] - there.spans[blocks[first].b][0]
            if kept / max(whole, span) > best[0]:
                best = kept / max(whole, span), blocks[first : last + 1]
    return best


def _reach(missing: int, at: int, beyond: list[str], words: list[str], step: int) -> int:
    """Return where the passage begins (step -1) or ends (1) when its edge words were replaced.

    It then reaches as far as the word that stood beside the quote, where that is still near.
    """
    if not missing or not beyond:
        return at
    for place in range(at + step, at + step * (2 * missing + 2), step):
        if not 0 <= place < len(words):
            break
        if words[place] == beyond[0]:
            return place - step
    return at
