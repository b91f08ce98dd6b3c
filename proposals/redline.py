"""A change as a reader sees it: the set text with what is taken out and put in. Pure.

Both wordings are set as HTML first and compared word by word as they read, so no Markdown shows. A
word whose link, emphasis or kind of paragraph changes is taken out and put in, too: nothing that
would change passes for the same. A table is compared with the table it was, row by row and cell by
cell, so that each row stands whole in its place; one in a list or a quotation, as other text is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from html.parser import HTMLParser

from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from proposals.changes import Change, word_changes
from proposals.markdown import cleaned, render_markdown
from proposals.tables import Table, lines, paired

INLINE = frozenset({"a", "em", "strong", "s", "code"})
HEADINGS = frozenset({"h3", "h4", "h5", "h6"})
HOLDS_ITEMS = frozenset({"ul", "ol"})
HOLDS_ROWS = frozenset({"table", "thead", "tbody"})
HOLDS_PARAGRAPHS = frozenset({"", "blockquote"})
HOLDERS = HOLDS_ITEMS | {"table", "blockquote"}

BLOCK_END, LINE_BREAK = "\x1e", "\x1f"
"""White space to the comparison, so that neither counts as a word."""

TABLE_GONE, TABLE_NEW = "\ufdd0", "\ufdd1"
"""Each stands for a whole table; two, since one that went is never the one that came."""

_OWN = str.maketrans({TABLE_GONE: "\ufffd", TABLE_NEW: "\ufffd", BLOCK_END: " ", LINE_BREAK: " "})
_APART = re.compile(f"([{BLOCK_END}{TABLE_GONE}{TABLE_NEW}])")
_SAID = {"ins": _("(put in:"), "del": _("(taken out:")}


@dataclass(frozen=True, slots=True)
class Redline:
    """One change, set."""

    html: SafeString
    is_visible: bool
    """Whether anything in it is put in or taken out; a rule or white space alone is not seen."""


@dataclass(frozen=True, slots=True)
class _Style:
    """How a character is set: the tags around it, and the kind of paragraph it stands in."""

    tags: tuple[str, ...] = ()
    block: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reader(HTMLParser):
    """Reads our own set HTML into its characters, their styles, and the blocks between them."""

    text: list[str] = field(default_factory=list)
    styles: list[_Style] = field(default_factory=list)
    blocks: list[tuple[int, str]] = field(default_factory=list)
    """Tags of blocks, each with the number of characters before it."""
    tables: dict[int, Table] = field(default_factory=dict)
    """Tables that stand in no other block, by the place of the character that stands for each."""
    table_sign: str = TABLE_NEW
    rows: list[list[str]] = field(default_factory=list)
    """Those of the table that is being read."""

    inline: list[tuple[str, str]] = field(default_factory=list)
    path: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self, convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = "".join(f' {name}="{escape(value or "")}"' for name, value in attrs)
        if self._is_table(tag):
            self._begin_in_table(tag, f"<{tag}{named}>")
        elif tag == "br":
            self._add(LINE_BREAK)
        elif tag in INLINE:
            self.inline.append((tag, f"<{tag}{named}>"))
        elif tag in HEADINGS:
            # The text has this heading already; a second one would stand in lists of headings.
            self.blocks.append((len(self.text), "<p>"))
            self.path.append(tag)
            self.inline.append((tag, "<strong>"))
        else:
            self.blocks.append((len(self.text), f"<{tag}{named}>"))
            if tag != "hr":
                self.path.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._is_table(tag):
            self._end_in_table(tag)
        elif tag in INLINE:
            self.inline.pop()
        elif tag != "hr":
            if tag in HEADINGS:
                self.inline.pop()
            self.path.pop()
            self.blocks.append((len(self.text), f"</{'p' if tag in HEADINGS else tag}>"))
            if self.text and self.text[-1] != BLOCK_END:
                self._add(BLOCK_END)

    def handle_data(self, data: str) -> None:
        if self._is_table(""):
            if self.path[-1] in {"td", "th"}:
                self.rows[-1][-1] += escape(data)
            return
        # Between blocks there is only the white space of the file.
        holds_text = self.path and self.path[-1] not in HOLDS_ITEMS | HOLDS_ROWS | {"tr"}
        if data.strip() or (holds_text and self.path[-1] not in HOLDS_PARAGRAPHS):
            self._add(data.translate(_OWN))

    def _is_table(self, tag: str) -> bool:
        """Say whether what is read is, or is in, a table that stands in no other block."""
        return self.path[0] == "table" if self.path else tag == "table"

    def _begin_in_table(self, tag: str, written: str) -> None:
        if tag in INLINE or tag == "br":
            self.rows[-1][-1] += written
            return
        self.path.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def _end_in_table(self, tag: str) -> None:
        if tag in INLINE:
            self.rows[-1][-1] += f"</{tag}>"
            return
        self.path.pop()
        if tag == "table":
            self.tables[len(self.text)] = tuple(tuple(row) for row in self.rows)
            self.rows = []
            self._add(self.table_sign)
            self._add(BLOCK_END)

    def _add(self, text: str) -> None:
        # A loose list has paragraphs in its items, a tight one has not; they read alike.
        block = tuple(tag for tag in self.path if tag != "p" or "li" not in self.path)
        style = _Style(tuple(tag for _, tag in self.inline), block)
        self.text.extend(text)
        self.styles.extend([style] * len(text))


@dataclass(slots=True)
class _Writer:
    """Sets a comparison in the blocks of the later wording."""

    later: _Reader
    pieces: list[str] = field(default_factory=list)
    open_blocks: list[str] = field(default_factory=list)
    written: int = 0
    """Characters of the later wording."""
    block: int = 0
    """Tags of its blocks."""
    is_visible: bool = False

    def keep_table(self, before: Table) -> None:
        """Write the next character of the later wording, a table, as what became of another."""
        self._reach(self.written)
        self._add_table(before, self.later.tables[self.written])
        self.written += 1

    def keep(self, count: int, mark: str = "") -> None:
        """Write the next characters of the later wording, as they are or as put in."""
        for text, style in _runs(self.later, self.written, count):
            for part in _parts(text):
                self._reach(self.written)
                if self.written in self.later.tables:
                    self._add_table((), self.later.tables[self.written])
                elif part != BLOCK_END:
                    self.pieces.append(self._marked(part, style, mark))
                self.written += len(part)

    def take_out(self, earlier: _Reader, start: int, count: int) -> None:
        """Write characters that only the earlier wording has, at the place that was reached.

        Whole paragraphs get blocks of their own; what is left begins the block that comes next.
        """
        held: list[str] = []
        for text, style in _runs(earlier, start, count):
            for part in _parts(text):
                if start in earlier.tables:
                    self._put_between(earlier.tables[start])
                elif part != BLOCK_END:
                    if not held:
                        self._leave(style)
                    held.append(self._marked(part, style, "del"))
                elif held:
                    before, after = self._wrap()
                    self.pieces += [before, *held, after or "<br>"]
                    held = []
                start += len(part)
        if held and self._wrap() != ("", ""):
            self._reach(self.written)
        before, after = self._wrap()
        self.pieces += [before, *held, after] if held else []

    def end(self) -> str:
        """Close what is open and return the HTML."""
        self._reach(len(self.later.text))
        return "".join(self.pieces)

    def _put_between(self, table: Table) -> None:
        """Write a table that only the earlier wording has, outside of what is open here."""
        while (tag := self._next_tag(self.written)).startswith("</"):
            self.pieces.append(tag)
            self.open_blocks.pop()
            self.block += 1
        self.pieces += [f"</{tag}>" for tag in reversed(self.open_blocks)]
        self._add_table(table, ())
        self.pieces += [f"<{tag}>" for tag in self.open_blocks]

    def _add_table(self, before: Table, after: Table) -> None:
        """Write a table, with what became of its rows; () is no table."""
        parts: dict[str, list[str]] = {"thead": [], "tbody": []}
        for line in lines(before, after):
            tag = "th" if line.is_head else "td"
            cells = "".join(f"<{tag}>{self._cell(a, b)}</{tag}>" for a, b in line.cells)
            named = "" if line.kind == "kept" else f' class="is-{line.kind}"'
            parts["thead" if line.is_head else "tbody"].append(f"<tr{named}>{cells}</tr>")
        rows = "".join(f"<{part}>{''.join(rows)}</{part}>" for part, rows in parts.items() if rows)
        self.pieces.append(f"<table>{rows}</table>")

    def _cell(self, before: str | None, after: str | None) -> str:
        """Return what stands in a cell, set."""
        if before == after:
            return after or ""
        inside = _Writer(_inside(after or ""), open_blocks=["td"])
        html = _set(inside, _inside(before or ""))
        self.is_visible |= inside.is_visible
        return html

    def _reach(self, place: int) -> None:
        """Write the tags of blocks that stand before a place."""
        while tag := self._next_tag(place):
            self.pieces.append(tag)
            if tag.startswith("</"):
                self.open_blocks.pop()
            elif not tag.startswith("<hr"):
                self.open_blocks.append(tag.strip("<>").partition(" ")[0])
            self.block += 1

    def _leave(self, style: _Style) -> None:
        """End the tables, lists and quotations that end here and did not hold such a text."""
        theirs = [tag for tag in style.block if tag in HOLDERS]
        while self._next_tag(self.written).startswith("</"):
            ours = [tag for tag in self.open_blocks if tag in HOLDERS]
            if ours == theirs[: len(ours)]:
                return
            self.pieces.append(self.later.blocks[self.block][1])
            self.open_blocks.pop()
            self.block += 1

    def _next_tag(self, place: int) -> str:
        """Return the next tag of a block, where it stands before a place."""
        tags = self.later.blocks[self.block : self.block + 1]
        return tags[0][1] if tags and tags[0][0] <= place else ""

    def _marked(self, text: str, style: _Style, mark: str) -> str:
        words = escape(text).replace(LINE_BREAK, "<br>")
        if mark and text.strip():
            hidden = f'<span class="visually-hidden">{_SAID[mark]} </span>'
            words = f'<{mark}>{hidden}{words}<span class="visually-hidden">)</span></{mark}>'
            self.is_visible = True
        closing = "".join(f"</{tag[1:].partition(' ')[0].rstrip('>')}>" for tag in style.tags[::-1])
        return f"{''.join(style.tags)}{words}{closing}"

    def _wrap(self) -> tuple[str, str]:
        """Return what text needs around it where the blocks that are open hold none."""
        around = self.open_blocks[-1] if self.open_blocks else ""
        if around in HOLDS_ITEMS:
            return "<li>", "</li>"
        if around in HOLDS_ROWS:
            return "<tr><td>", "</td></tr>"
        if around == "tr":
            return "<td>", "</td>"
        return ("<p>", "</p>") if around in HOLDS_PARAGRAPHS else ("", "")


def redline(before: str, after: str) -> Redline:
    """Return how one wording in Markdown becomes another, as sanitised HTML."""
    return _redline(before, after, get_language() or "")


@lru_cache(maxsize=512)
def _redline(before: str, after: str, language: str) -> Redline:  # noqa: ARG001
    # The words that are read aloud before each change are of one language.
    earlier, later = _read(before, TABLE_GONE), _read(after, TABLE_NEW)
    writer = _Writer(later)
    html = _set(writer, earlier)
    return Redline(cleaned(html), writer.is_visible)


def _set(writer: _Writer, earlier: _Reader) -> str:
    """Return the comparison of the writer's wording with an earlier one, as HTML."""
    at = 0
    for change in _changes(earlier, writer.later):
        length = len(change.text)
        if change.kind == "new":
            writer.keep(length, "ins")
            continue
        if change.kind == "gone":
            writer.take_out(earlier, at, length)
        elif change.kind == "table":
            writer.keep_table(earlier.tables[at])
        else:
            _keep_what_is_alike(writer, earlier, at, length)
        at += length
    return writer.end()


def _changes(earlier: _Reader, later: _Reader) -> Iterator[Change]:
    """Yield how one wording becomes the other; each table that is still there holds them apart."""
    old, new = list(earlier.tables), list(later.tables)
    pairs = paired([earlier.tables[at] for at in old], [later.tables[at] for at in new])
    before, after, left, right = "".join(earlier.text), "".join(later.text), 0, 0
    for number, own in pairs.items():
        yield from word_changes(before[left : old[own]], after[right : new[number]])
        yield Change("table", TABLE_NEW)
        left, right = old[own] + 1, new[number] + 1
    yield from word_changes(before[left:], after[right:])


def _keep_what_is_alike(writer: _Writer, earlier: _Reader, at: int, length: int) -> None:
    """Write words that both wordings have; those set otherwise now are taken out and put in."""
    begun = 0
    for place in range(1, length + 1):
        is_alike = earlier.styles[at + begun] == writer.later.styles[writer.written]
        if place < length:
            later = writer.later.styles[writer.written + place - begun]
            if (earlier.styles[at + place] == later) == is_alike:
                continue
        if not is_alike:
            writer.take_out(earlier, at + begun, place - begun)
        writer.keep(place - begun, "" if is_alike else "ins")
        begun = place


def _read(markdown: str, table_sign: str) -> _Reader:
    reader = _Reader(table_sign=table_sign)
    reader.feed(render_markdown(markdown))
    reader.close()
    return reader


def _inside(cell: str) -> _Reader:
    """Read what stands in a cell of a table, without the cell itself."""
    reader = _Reader(path=["td"])
    reader.feed(cell)
    reader.close()
    return reader


def _runs(reader: _Reader, start: int, count: int) -> Iterator[tuple[str, _Style]]:
    """Yield characters together that are set alike."""
    begun = start
    for place in range(start + 1, start + count + 1):
        if place == start + count or reader.styles[place] != reader.styles[begun]:
            yield "".join(reader.text[begun:place]), reader.styles[begun]
            begun = place


def _parts(text: str) -> list[str]:
    """Split off the ends of blocks, and what stands for tables."""
    return [part for part in _APART.split(text) if part]
