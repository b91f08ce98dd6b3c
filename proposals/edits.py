"""Edits of a text: what an amendment is made of, applied, carried to a newer text, and compared."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

from proposals.changes import Change, Stretch, compare, paragraphs, readable, stretches
from proposals.redline import Redline, redline


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """One passage and what stands there instead; an empty passage is a place between two words."""

    start: int
    end: int
    """Offsets in the text it is an edit of: the passage is `text[start:end]`."""

    text: str
    """What stands there instead; empty to take the passage out."""


class UnfitEditsError(ValueError):
    """Edits that do not fit their text: out of it, out of order, or one over the other."""


def edits_between(before: str, after: str) -> tuple[Edit, ...]:
    """Return the passages to replace so that one text becomes the other, word by word.

    What differs in white space alone between two words is an edit, too: applying all of them gives
    `after` to the letter.
    """
    found: list[Edit] = []
    at = 0
    for block in compare(before, after, with_moves=False):
        for change in block.changes:
            end = at + len(change.text) if change.kind == "gone" else at
            if change.kind == "same":
                at += len(change.text)
                continue
            new = change.text if change.kind == "new" else ""
            if found and found[-1].end == at:
                last = found.pop()
                found.append(Edit(last.start, end, last.text + new))
            else:
                found.append(Edit(at, end, new))
            at = end
    return tuple(found)


def applied(text: str, edits: Sequence[Edit]) -> str:
    """Return the text with the edits in it.

    Raises:
        UnfitEditsError: they are not in order, or one lies over another or out of the text.
    """
    pieces, at = [], 0
    for edit in edits:
        if not at <= edit.start <= edit.end <= len(text):
            raise UnfitEditsError(f"An edit from {edit.start} to {edit.end} does not fit here.")
        pieces += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*pieces, text[at:]])


def carried(edits: Iterable[Edit], before: str, after: str) -> tuple[Edit | None, ...]:
    """Return the edits of one text as edits of a newer one; None for each whose passage changed.

    A passage has to stand in the newer text as it did, wherever its paragraph went, and so do the
    words on either side of it within the paragraph. Two additions at one place are a change.
    """
    if before == after:
        return tuple(edits)
    common = stretches(before, after)
    starts = [stretch.before for stretch in common]
    bounds, ends = _bounds(before), (len(before), len(after))
    found: list[Edit | None] = []
    for edit in edits:
        place = max(0, bisect_right(starts, edit.start) - 2)
        near = common[place : bisect_right(starts, edit.start)]
        shift = next(
            (s.after - s.before for s in near if _holds(s, edit, before, bounds, ends)), None
        )
        moved = Edit(edit.start + shift, edit.end + shift, edit.text) if shift is not None else None
        found.append(moved)
    return tuple(found)


def _holds(
    stretch: Stretch, edit: Edit, text: str, bounds: frozenset[int], ends: tuple[int, int]
) -> bool:
    """Say whether a stretch in common holds an edit's passage and the words it leans on."""
    low, high = stretch.before, stretch.before + stretch.length
    start, end = _leaning(edit, text, bounds)
    if not low <= start <= end <= high:
        return False
    if edit.start < edit.end:
        return True
    # Another addition at the same place would tear the stretch just there.
    is_first = low == stretch.after == 0
    is_last = (high, stretch.after + stretch.length) == ends
    return (low < edit.start or is_first) and (edit.end < high or is_last)


Span = tuple[int, int]
Reach = tuple[tuple[Span, Span], ...]
"""Of each edit the passage, and the passage with the words on its sides that it leans on."""


def reach(edits: Sequence[Edit], text: str) -> Reach:
    """Return how far edits of a text reach: found once, then held against those of many others."""
    bounds = _bounds(text)
    return tuple(((edit.start, edit.end), _leaning(edit, text, bounds)) for edit in edits)


def meet(one: Reach, other: Reach) -> bool:
    """Say whether two amendments of the same text are about the same words or the same place.

    Changes of neighbouring words meet, too, because together they may make no sentence; those of
    neighbouring paragraphs do not.
    """
    return any(
        _lie_over(leaning, passage) or _lie_over(other_leaning, own)
        for own, leaning in one
        for passage, other_leaning in other
    )


def touch(one: Sequence[Edit], other: Sequence[Edit], text: str) -> bool:
    """Say the same of two amendments by their edits."""
    return meet(reach(one, text), reach(other, text))


def _lie_over(one: Span, other: Span) -> bool:
    return one == other or (one[0] < other[1] and other[0] < one[1])


def _leaning(edit: Edit, text: str, bounds: frozenset[int]) -> Span:
    """Return the passage of an edit with the word on each side of it, within its paragraph."""
    start, end = edit.start, edit.end
    if start not in bounds and (before := _LAST_WORD.search(text, max(0, start - NEAR), start)):
        start = before.start()
    if end not in bounds and (after := _NEXT_WORD.match(text, end, end + NEAR)):
        end = after.end()
    return start, end


NEAR = 200
"""Characters within which a neighbouring word is looked for."""

_LAST_WORD = re.compile(r"\S+\s*\Z")
_NEXT_WORD = re.compile(r"\s*\S+")


@lru_cache(maxsize=32)
def _bounds(text: str) -> frozenset[int]:
    """Return where paragraphs begin and end, and where the white space after them begins."""
    units = paragraphs(text)
    ends = list(accumulate(len(unit) for unit in units))
    words = (end - len(unit) + len(unit.rstrip()) for end, unit in zip(ends, units, strict=True))
    return frozenset({0, *ends, *words})


# -- What is shown -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShownPassage:
    """The paragraph or paragraphs that edits stand in, with what they would change."""

    at: int
    """Where it begins in the text."""

    changes: tuple[Change, ...]
    """As it was typed."""

    before: str
    after: str

    @property
    def redline(self) -> Redline:
        """The same as it reads when it is set."""
        return redline(self.before, self.after)


def shown(text: str, edits: Sequence[Edit]) -> tuple[ShownPassage, ...]:
    """Return what a reader has to see of edits: each paragraph they stand in, word by word."""
    found = []
    for low, high, held in _by_paragraph(text, edits):
        pieces, at = [], low
        for edit in held:
            pieces += [
                Change("same", text[at : edit.start]),
                Change("gone", text[edit.start : edit.end]),
                Change("new", edit.text),
            ]
            at = edit.end
        pieces.append(Change("same", text[at:high]))
        changes = readable([piece for piece in pieces if piece.text])
        after = applied(text[:high], held)[low:]
        found.append(ShownPassage(low, changes, text[low:high], after))
    return tuple(found)


def replacements(text: str, edits: Sequence[Edit]) -> list[tuple[str, str]]:
    """Return the paragraphs that edits stand in, as they are and as they would be."""
    return [
        (
            text[low:high].strip("\n"),
            applied(text[:high], held)[low:].strip("\n"),
        )
        for low, high, held in _by_paragraph(text, edits)
    ]


def _by_paragraph(text: str, edits: Sequence[Edit]) -> list[tuple[int, int, list[Edit]]]:
    """Return from where to where the paragraphs go that edits stand in, and which stand there."""
    starts = [0, *accumulate(len(unit) for unit in paragraphs(text))]
    groups: list[tuple[int, int, list[Edit]]] = []
    for edit in edits:
        first = max(0, bisect_right(starts, edit.start) - 1)
        last = max(first, bisect_right(starts, max(edit.start, edit.end - 1)) - 1)
        if groups and first <= groups[-1][1]:
            low, _, held = groups.pop()
            groups.append((low, last, [*held, edit]))
        else:
            groups.append((first, last, [edit]))
    final = len(starts) - 1
    return [(starts[low], starts[min(high + 1, final)], held) for low, high, held in groups]


# -- As documents --------------------------------------------------------------------------------


def as_documents(edits: Iterable[Edit], text: str) -> list[dict[str, Any]]:
    """Return edits for the record: each with the passage that it replaces."""
    return [{**asdict(edit), "passage": text[edit.start : edit.end]} for edit in edits]


def from_documents(rows: Iterable[dict[str, Any]]) -> tuple[Edit, ...]:
    """Return the edits that `as_documents` wrote."""
    return tuple(Edit(row["start"], row["end"], row["text"]) for row in rows)
