"""Threads about a passage: where it stands in the text of today, and what each paragraph has."""

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic

from proposals.amending import Note, TextBlock
from proposals.evidence import Shown
from proposals.markdown import Block, plain_words, render_blocks
from proposals.models import Anchor, Proposal, Revision
from proposals.passages import Passage, locate

ANCHORS_SHOWN = 300
"""The newest; each is looked for in the text. The discussion below shows them all."""

SEEK_SECONDS = 0.25
"""How long one request looks for passages in a text that nobody has looked in yet."""

PLACES_KEPT = 4096
_PLACES: OrderedDict[tuple[str, str, str, str], Passage | None] = OrderedDict()
"""Where passages stand, the last used last."""

MOST_WORDS = 200
"""Of a quote that is looked for between Markdown's marks."""

_BETWEEN = r"[*_`~]*\s[>*_`~\s]*"
"""What Markdown may have between two words that a page shows beside each other. Nothing in it can
match in two ways, so that no text makes the search slow."""
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=\S)")
_ITEM = re.compile(r"^(?: {0,3}(?:[-*+]|\d{1,9}[.)])[ \t]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Found:
    """A quoted passage beside the text of today."""

    quote: str
    """Its words as they were."""
    revision: int
    state: str
    """"as_it_was", "changed" or "gone"; "unsought" until a later request has looked for it."""
    block: int | None
    """The number of the paragraph where it begins."""


@dataclass(slots=True)
class Passed:
    """One paragraph of the text on the page, and the threads that begin in it."""

    block: Block
    notes: Sequence[Note] = ()
    """What amendments would change in it."""

    more_notes: int = 0
    """How many more would change it than are noted."""

    evidence: Shown | None = None
    """What is shown in its place where it refers to evidence."""

    anchors: list[tuple[Anchor, Found]] = field(default_factory=list)


@dataclass(slots=True)
class Patience:
    """How long one request may look for passages that were reworded; what is left, the next does.

    Each is looked for once for each text, and takes up to a tenth of a second in a long one.
    """

    left: float = SEEK_SECONDS

    def locate(self, anchor: Anchor, text: str) -> tuple[Passage | None, bool]:
        """Return where a passage stands, and whether it was looked for at all."""
        key = anchor.quote, anchor.before, anchor.after, text
        if key in _PLACES:
            _PLACES.move_to_end(key)
            return _PLACES[key], True
        if self.left <= 0:
            return None, False
        begun = monotonic()
        place = _PLACES[key] = locate(*key)
        if len(_PLACES) > PLACES_KEPT:
            _PLACES.popitem(last=False)
        self.left -= monotonic() - begun
        return place, True


def found_in(anchor: Anchor, text: str, patience: Patience | None = None) -> Found:
    """Return where an anchor's passage stands in the text."""
    place, is_sought = (patience or Patience()).locate(anchor, text)
    if not is_sought:
        state, block = "unsought", None
    elif place is None:
        state, block = "gone", None
    else:
        state = "changed" if place.is_changed else "as_it_was"
        block = _block_at(place.start, render_blocks(text))
    return Found(_plain(anchor.quote), anchor.revision.number, state, block)


def passages_of(
    proposal: Proposal, text: Revision, noted: Sequence[TextBlock] = ()
) -> list[Passed]:
    """Return the paragraphs of the text with the threads about them; one query.

    `noted` has the same paragraphs with their amendments and evidence.
    """
    passed = [Passed(block) for block in render_blocks(text.body_markdown)]
    patience = Patience()
    for paragraph, block in zip(passed, noted, strict=False):
        paragraph.notes, paragraph.evidence = block.notes, block.evidence
        paragraph.more_notes = block.more_notes
    for anchor in _anchors(proposal):
        found = found_in(anchor, text.body_markdown, patience)
        if found.block is not None:
            passed[found.block - 1].anchors.append((anchor, found))
    return passed


def pieces_of(block: Block, text: str) -> list[tuple[int, int]]:
    """Return the parts a paragraph can be quoted by: its sentences, or a list's items.

    Each as offsets into the text, like a `Passage`.
    """
    source = text[block.start : block.end].rstrip()
    items = list(_ITEM.finditer(source))
    breaks = [(0, 0), *(found.span() for found in items or _SENTENCE_END.finditer(source))]
    starts = [end for _, end in breaks]
    ends = [start for start, _ in breaks[1:]] + [len(source)]
    spans = zip(starts, ends, strict=True)
    found = [(start, start + len(source[start:end].rstrip())) for start, end in spans]
    return [(block.start + start, block.start + end) for start, end in found if end > start]


def quoted_in(text: str, quote: str, before: str = "", after: str = "") -> tuple[int, int] | None:
    """Return where a quote stands in Markdown, word for word: as written, or as a page shows it.

    None where it does not, or stands more than once and what is around it does not tell which.
    """
    found = locate(quote, before, after, text)
    if found is not None and not found.is_changed:
        return found.start, found.end
    words = [re.escape(word) for word in quote.split()[:MOST_WORDS]]
    shown = list(re.finditer(_BETWEEN.join(words), text)) if words else []
    return shown[0].span() if len(shown) == 1 else None


def _anchors(proposal: Proposal) -> Iterable[Anchor]:
    rows = Anchor.objects.filter(comment__proposal=proposal, comment__hidden_at=None)
    rows = rows.select_related("comment__author", "revision").defer("revision__body_markdown")
    found = list(rows.order_by("-pk")[:ANCHORS_SHOWN])
    for row in found:
        row.comment.proposal = proposal
    return reversed(found)


def _block_at(place: int, blocks: tuple[Block, ...]) -> int | None:
    """Return the number of the last block that begins before the place or there."""
    numbers = [block.number for block in blocks if block.start <= place]
    return numbers[-1] if numbers else (blocks[0].number if blocks else None)


@lru_cache(maxsize=4096)
def _plain(quote: str) -> str:
    return plain_words(quote)
