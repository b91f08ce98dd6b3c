"""What changed between two texts: word by word, and which paragraphs moved. Loses no character."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import Match, SequenceMatcher
from functools import lru_cache

KEPT_AROUND = 12
"""Words of an unchanged stretch shown on each side of a change."""

MOST_PAIRS = 400_000
"""Pairs of equal words, or paragraphs, of both texts that are weighed: beyond it takes too long."""

MOST_LIKENESSES = 10_000
"""Pairs of paragraphs without an equal one that are compared for likeness."""

ALIKE = 0.4
"""Least share of words that two paragraphs have in common to be one that was changed."""

MOVED_LEAST = 12
"""Characters of a paragraph that is worth calling moved; a shorter one is gone and new."""

STRAY = 4
"""Characters of common words between two changes that are too few to hold them apart."""

_WORDS = re.compile(r"[^\W_]+|[^\w\s]|_")
_BEGINS_UNIT = re.compile(r" {0,3}(#{1,6}|[-*+]|\d{1,9}[.)])[ \t]")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]")
_FENCE = re.compile(r" {0,3}(```|~~~)")


@dataclass(frozen=True, slots=True)
class Change:
    """One stretch of the comparison."""

    kind: str
    """"same", "new", "gone", or "skip" for unchanged text left out of what is shown."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, heading or list item of the comparison."""

    kind: str
    """"kept" in its place, "new", "gone", "moved" to here, or "left" from here when it moved."""

    changes: tuple[Change, ...]
    before_at: int = -1
    """Where it begins in the earlier text; -1 where it does not stand there."""

    after_at: int = -1
    """Where it begins in the later text."""

    number: int = 0
    """Which of the moved ones it is, the same where it left and where it stands."""

    @property
    def is_changed(self) -> bool:
        """Whether a reader has to see it."""
        return self.kind != "kept" or any(
            change.kind in {"new", "gone"} and change.text.strip() for change in self.changes
        )


@dataclass(frozen=True, slots=True)
class Stretch:
    """Text that stands in both, as long as can be: `before[before:][:length]` and likewise."""

    before: int
    after: int
    length: int


def paragraphs(text: str) -> list[str]:
    """Split Markdown into headings, paragraphs and list items; joined they are the text again."""
    units: list[str] = []
    is_open, is_fenced = False, False
    for line in text.splitlines(keepends=True):
        is_blank, is_fence = not line.strip(), _FENCE.match(line) is not None
        begins = not is_open or (not is_fenced and _BEGINS_UNIT.match(line) is not None)
        if begins and not is_blank:
            units.append(line)
        elif units:
            units[-1] += line
        else:
            units.append(line)
        is_fenced ^= is_fence
        is_open = is_fenced or not (is_blank or _HEADING.match(line))
    return units


@lru_cache(maxsize=64)
def compare(before: str, after: str, *, with_moves: bool = True) -> tuple[Block, ...]:
    """Return how one text becomes another, in the order of the later one.

    Taken in order, what is same and new is the later text; ordered by `before_at`, what is same
    and gone is the earlier one. Very long or very repetitive texts stand whole, one after the
    other.

    Args:
        before: the earlier text.
        after: the later text.
        with_moves: whether a paragraph that moved is one; else it is gone and new.
    """
    old, new = paragraphs(before), paragraphs(after)
    pairs = _paired(old, new)
    in_place = _in_order(pairs)
    if not with_moves:
        pairs = {right: left for right, left in pairs.items() if right in in_place}
    return tuple(_blocks(old, new, pairs, in_place))


def _blocks(
    old: list[str], new: list[str], pairs: dict[int, int], in_place: frozenset[int]
) -> Iterator[Block]:
    """Yield the comparison; `pairs` leads from paragraphs of the new text to those of the old."""
    old_at, new_at = _offsets(old), _offsets(new)
    numbers = {right: n for n, right in enumerate(sorted(set(pairs) - in_place), 1)}
    left_as = {pairs[right]: number for right, number in numbers.items()}
    at = 0
    for right, ahead in enumerate(_next_in_place(pairs, in_place, len(old), len(new))):
        # What went from here stands before what came.
        for index in range(at, ahead):
            number = left_as.get(index, 0)
            changes = () if number else (Change("gone", old[index]),)
            yield Block("left" if number else "gone", changes, old_at[index], number=number)
        at = max(at, ahead)
        if right in pairs:
            own = pairs[right]
            at += right in in_place
            yield Block(
                "kept" if right in in_place else "moved",
                tuple(word_changes(old[own], new[right])),
                old_at[own],
                new_at[right],
                numbers.get(right, 0),
            )
        elif right < len(new):
            yield Block("new", (Change("new", new[right]),), after_at=new_at[right])


def _next_in_place(
    pairs: dict[int, int], in_place: frozenset[int], old: int, new: int
) -> list[int]:
    """Return by place in the new text, its end included, which old paragraph comes next."""
    found = [old]
    for right in range(new - 1, -1, -1):
        found.append(pairs[right] if right in in_place else found[-1])
    return found[::-1]


def _offsets(units: list[str]) -> list[int]:
    found = [0]
    for unit in units:
        found.append(found[-1] + len(unit))
    return found


def _paired(old: list[str], new: list[str]) -> dict[int, int]:
    """Return by paragraph of the new text which one of the old it is: equal ones, then alike."""
    left, right = [unit.strip() for unit in old], [unit.strip() for unit in new]
    pairs = {b.b + n: b.a + n for b in _matches(left, right) for n in range(b.size)}
    places: dict[str, list[int]] = {}
    for index in sorted(set(range(len(left))) - set(pairs.values()), reverse=True):
        places.setdefault(left[index], []).append(index)
    for index, unit in enumerate(right):
        if index not in pairs and len(unit) >= MOVED_LEAST and places.get(unit):
            pairs[index] = places[unit].pop()
    return pairs | _alike(left, right, pairs)


def _alike(left: list[str], right: list[str], pairs: dict[int, int]) -> dict[int, int]:
    """Return pairs of paragraphs that have most words in common, the likest first."""
    taken = set(pairs.values())
    olds = [n for n, unit in enumerate(left) if n not in taken and unit]
    news = [n for n, unit in enumerate(right) if n not in pairs and unit]
    if len(olds) * len(news) > MOST_LIKENESSES:
        return {}
    words = [Counter(_WORDS.findall(left[n])) for n in olds]
    found = []
    for b in news:
        mine = Counter(_WORDS.findall(right[b]))
        for a, theirs in zip(olds, words, strict=True):
            share = 2 * (mine & theirs).total() / ((mine.total() + theirs.total()) or 1)
            if share >= ALIKE:
                found.append((-share, abs(a - b), b, a))
    chosen: dict[int, int] = {}
    for _, _, b, a in sorted(found):
        if b not in chosen and a not in taken:
            chosen[b] = a
            taken.add(a)
    return chosen


def in_place(old: list[str], new: list[str]) -> dict[int, int]:
    """Return by unit of a new text, in order, which one of the old it is; those that moved not."""
    pairs = _paired(old, new)
    return {right: pairs[right] for right in sorted(_in_order(pairs))}


def _in_order(pairs: dict[int, int]) -> frozenset[int]:
    """Return the most paragraphs of the new text that stand in the old order: the others moved."""
    tails: list[int] = []
    ends: list[int] = []
    previous: dict[int, int] = {}
    for right in sorted(pairs):
        place = bisect_left(tails, pairs[right])
        previous[right] = ends[place - 1] if place else -1
        tails[place : place + 1] = [pairs[right]]
        ends[place : place + 1] = [right]
    kept, at = set(), ends[-1] if ends else -1
    while at >= 0:
        kept.add(at)
        at = previous[at]
    return frozenset(kept)


def word_changes(old: str, new: str) -> Iterator[Change]:
    """Yield how one paragraph becomes another, word by word."""
    if old == new:
        yield Change("same", old)
        return
    left, right = list(_WORDS.finditer(old)), list(_WORDS.finditer(new))
    blocks = _without_strays(_matches([m[0] for m in left], [m[0] for m in right]), left)
    words = [(b.a + n, b.b + n) for b in blocks for n in range(b.size)]
    at_old = at_new = 0
    pieces: list[Change] = []
    for a, b in words:
        pieces += _gap(old[at_old : left[a].start()], new[at_new : right[b].start()])
        pieces.append(Change("same", left[a][0]))
        at_old, at_new = left[a].end(), right[b].end()
    pieces += _gap(old[at_old:], new[at_new:])
    yield from _joined(pieces)


def _gap(old: str, new: str) -> Iterator[Change]:
    """Yield what stands between two words that both texts have."""
    if old == new:
        yield Change("same", old)
        return
    lead = _space_in_common(old, new)
    yield Change("same", old[:lead])
    old, new = old[lead:], new[lead:]
    tail = _space_in_common(old[::-1], new[::-1])
    middle_old, middle_new = old[: len(old) - tail], new[: len(new) - tail]
    yield Change("gone", middle_old)
    yield Change("new", middle_new)
    yield Change("same", old[len(old) - tail :])


def _space_in_common(one: str, other: str) -> int:
    """Return how much white space two texts both begin with."""
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b or not a.isspace():
            break
        length += 1
    return length


def _joined(pieces: Iterable[Change]) -> Iterator[Change]:
    """Yield the pieces with neighbours of one kind made one, and without empty ones."""
    held: Change | None = None
    for piece in pieces:
        if not piece.text:
            continue
        if held is not None and held.kind == piece.kind:
            held = Change(held.kind, held.text + piece.text)
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held


def _without_strays(blocks: list[Match], words: Sequence[re.Match[str]]) -> list[Match]:
    """Leave out a few letters in common between two changes: they only tear a sentence apart."""
    return [
        block
        for number, block in enumerate(blocks)
        if number in {0, len(blocks) - 1}
        or words[block.a + block.size - 1].end() - words[block.a].start() >= STRAY
        or not _is_torn(blocks, number)
    ]


def _is_torn(blocks: list[Match], number: int) -> bool:
    """Say whether words were replaced both before and after a stretch."""
    before, block, after = blocks[number - 1 : number + 2]
    return (
        block.a > before.a + before.size
        and block.b > before.b + before.size
        and after.a > block.a + block.size
        and after.b > block.b + block.size
    )


def _matches(left: Sequence[str], right: Sequence[str]) -> list[Match]:
    """Return the stretches two lists have in common in order; only their ends when it is much."""
    head = 0
    while head < min(len(left), len(right)) and left[head] == right[head]:
        head += 1
    tail = 0
    most = min(len(left), len(right)) - head
    while tail < most and left[-1 - tail] == right[-1 - tail]:
        tail += 1
    inner_left, inner_right = left[head : len(left) - tail], right[head : len(right) - tail]
    found = [Match(0, 0, head)]
    counts = Counter(inner_right)
    if sum(counts[word] for word in inner_left) <= MOST_PAIRS:
        matcher = SequenceMatcher(None, inner_left, inner_right, autojunk=False)
        found += [Match(head + b.a, head + b.b, b.size) for b in matcher.get_matching_blocks()]
    found.append(Match(len(left) - tail, len(right) - tail, tail))
    return [block for block in found if block.size]


# -- What both texts have ----------------------------------------------------------------------


@lru_cache(maxsize=64)
def stretches(before: str, after: str) -> tuple[Stretch, ...]:
    """Return what stands in both texts, moved paragraphs included, in the order of the earlier."""
    found: list[Stretch] = []
    for block in compare(before, after):
        at_before, at_after = block.before_at, block.after_at
        for change in block.changes:
            if change.kind == "same":
                found.append(Stretch(at_before, at_after, len(change.text)))
            at_before += len(change.text) if change.kind != "new" else 0
            at_after += len(change.text) if change.kind != "gone" else 0
    joined: list[Stretch] = []
    for stretch in sorted(found, key=lambda each: each.before):
        last = joined[-1] if joined else None
        ends = (last.before + last.length, last.after + last.length) if last else None
        if last and ends == (stretch.before, stretch.after):
            joined[-1] = replace(last, length=last.length + stretch.length)
        else:
            joined.append(stretch)
    return tuple(joined)


# -- What is shown -----------------------------------------------------------------------------


def shown_changes(before: str, after: str) -> tuple[Block, ...]:
    """Return what a reader has to see of a comparison: changes, and a few words around them.

    Empty where the two differ in white space at most.
    """
    blocks = compare(before, after)
    marked = [False, *(block.is_changed for block in blocks), False]
    found: list[Block] = []
    for block, head, is_changed, tail in zip(blocks, marked, marked[1:], marked[2:], strict=False):
        if is_changed:
            found.append(replace(block, changes=readable(block.changes)))
        elif head or tail:
            text = "".join(change.text for change in block.changes if change.kind != "gone")
            changes = _shortened(text, head=head, tail=tail)
            found.append(replace(block, changes=_without_ends(changes)))
        elif not found or found[-1].kind != "skip":
            found.append(Block("skip", (Change("skip"),)))
    return tuple(found) if any(marked) else ()


def readable(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return changes with long unchanged stretches shortened and changed white space left out."""
    found: list[Change] = []
    for number, change in enumerate(changes):
        if change.kind == "same":
            found += _shortened(change.text, head=number > 0, tail=number < len(changes) - 1)
        elif change.text.strip():
            found.append(change)
        elif change.kind == "new":
            found.append(Change("same", change.text))
    return _without_ends(found)


def _without_ends(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Leave out the white space with which a paragraph begins and ends."""
    found = list(changes)
    while found and found[0].kind != "skip" and not found[0].text.strip():
        found.pop(0)
    while found and found[-1].kind != "skip" and not found[-1].text.strip():
        found.pop()
    if found:
        found[0] = replace(found[0], text=found[0].text.lstrip())
        found[-1] = replace(found[-1], text=found[-1].text.rstrip())
    return tuple(found)


def _shortened(text: str, *, head: bool, tail: bool) -> Iterator[Change]:
    """Yield an unchanged stretch with its middle left out, or the end that no change touches."""
    pieces = re.findall(r"\s+|\S+", text)
    kept = 2 * KEPT_AROUND  # a word and the space after it are two pieces
    first, last = (kept if head else 0), (kept if tail else 0)
    if len(pieces) <= first + last + kept:
        yield Change("same", text)
        return
    if first:
        yield Change("same", "".join(pieces[:first]))
    yield Change("skip")
    if last:
        yield Change("same", "".join(pieces[-last:]))
