"""Markdown of proposals and comments to safe HTML."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_HIGHEST, _LOWEST = 3, 6


@lru_cache(maxsize=1)
def _renderer() -> MarkdownIt:
    # Raw HTML is off in the parser; nh3 is the second wall behind it.
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, list, table or heading of a text, set; and where it stands in the Markdown."""

    html: SafeString
    start: int
    end: int
    number: int = 1
    """Counted from 1."""
    is_heading: bool = False


@lru_cache(maxsize=512)
def render_markdown(text: str) -> SafeString:
    """Return sanitised HTML; headings start at h3, below those of the page, and skip no level."""
    return _set(_tokens_of(text)[0])


@lru_cache(maxsize=64)
def render_blocks(text: str) -> tuple[Block, ...]:
    """Return the same, block by block, so that something can stand between them."""
    tokens, env = _tokens_of(text)
    lines = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    found: list[Block] = []
    first = depth = 0
    for number, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            start, end = tokens[first].map or (0, 0)
            html = _set(tokens[first : number + 1], env)
            is_heading = tokens[first].type == "heading_open"
            span = lines[start], min(lines[end], len(text))
            found.append(Block(html, *span, len(found) + 1, is_heading))
            first = number + 1
    return tuple(found)


def parsed(text: str) -> SyntaxTreeNode:
    """Return a piece of Markdown as a tree, headings renumbered, for another form than HTML."""
    return SyntaxTreeNode(_tokens_of(text)[0])


def plain_words(text: str) -> str:
    """Return what a piece of Markdown says, without its marks."""
    found = []
    for token in _tokens_of(text)[0]:
        if token.children is not None:
            found.append("".join(_inline(each) for each in token.children))
        elif token.type in {"fence", "code_block"}:
            found.append(token.content)
    return " ".join(" ".join(found).split())


def _inline(token: Token) -> str:
    return " " if token.type in {"softbreak", "hardbreak"} else token.content


def _tokens_of(text: str) -> tuple[list[Token], dict[str, Any]]:
    env: dict[str, Any] = {}
    tokens = _renderer().parse(text, env)
    _renumber_headings(tokens)
    return tokens, env


def _set(tokens: list[Token], env: dict[str, Any] | None = None) -> SafeString:
    """Return the HTML of tokens, sanitised."""
    parser = _renderer()
    return cleaned(parser.renderer.render(tokens, parser.options, env or {}))


def cleaned(html: str) -> SafeString:
    """Return HTML with nothing in it but what a set text has, and what marks its changes."""
    clean = nh3.clean(
        html,
        tags=_TAGS | {"ins", "del", "span"},
        attributes={"a": {"href"}, "ol": {"start"}},
        allowed_classes={"span": {"visually-hidden"}, "tr": {"is-gone", "is-new"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener",
    )
    return mark_safe(clean)  # noqa: S308 - nh3 has just sanitised it


def _renumber_headings(tokens: list[Token]) -> None:
    """Give each heading the level of its place in the outline, whatever its author typed."""
    outline: list[int] = []
    for token in tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
            while outline and outline[-1] >= level:
                outline.pop()
            outline.append(level)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(_HIGHEST + len(outline) - 1, _LOWEST)}"
