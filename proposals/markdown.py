"""Markdown of proposals and comments to safe HTML."""

from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_HIGHEST, _LOWEST = 3, 6


@lru_cache(maxsize=1)
def _renderer() -> MarkdownIt:
    # Raw HTML is off in the parser; nh3 is the second wall behind it.
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@lru_cache(maxsize=512)
def render_markdown(text: str) -> SafeString:
    """Return sanitised HTML; headings start at h3, below those of the page, and skip no level."""
    parser = _renderer()
    tokens = parser.parse(text)
    _renumber_headings(tokens)
    clean = nh3.clean(
        parser.renderer.render(tokens, parser.options, {}),
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
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
