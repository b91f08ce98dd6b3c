"""Markdown as a tree of plain values, for a typesetter that must never read it as its own code.

A block is a list that begins with its kind, and so is a piece of a line:

    ["paragraph", pieces]   ["heading", level, pieces]   ["code", text]   ["rule"]
    ["list", first, items]  (first is 0 for bullets; an item is a list of blocks)
    ["quote", blocks]       ["table", rows]  (the first row is the head; a cell is pieces)

    ["text", words]   ["code", words]   ["break"]
    ["strong" | "emphasis" | "struck", pieces]   ["link", address, pieces]

Images are left out, as on the pages.
"""

from collections.abc import Callable
from typing import Any

from markdown_it.tree import SyntaxTreeNode

from proposals.markdown import parsed

Tree = list[Any]
SCHEMES = ("http://", "https://", "mailto:")


def blocks_of(markdown: str) -> Tree:
    """Return the blocks of a text."""
    return _blocks(parsed(markdown))


def _blocks(node: SyntaxTreeNode) -> Tree:
    return [_BLOCKS[child.type](child) for child in node.children if child.type in _BLOCKS]


def _pieces(node: SyntaxTreeNode) -> Tree:
    """Return what stands in a line, whether the node is the line or holds it."""
    found: Tree = []
    for child in node.children:
        if child.type == "inline":
            found += _pieces(child)
        elif child.type in _PIECES:
            found.append(_PIECES[child.type](child))
    return found


def _list(first: int, node: SyntaxTreeNode) -> Tree:
    return ["list", first, [_blocks(item) for item in node.children]]


def _table(node: SyntaxTreeNode) -> Tree:
    rows = [row for part in node.children for row in part.children]
    return ["table", [[_pieces(cell) for cell in row.children] for row in rows]]


def _link(node: SyntaxTreeNode) -> Tree:
    address = str(node.attrs.get("href", ""))
    return ["link", address if address.startswith(SCHEMES) else "", _pieces(node)]


_BLOCKS: dict[str, Callable[[SyntaxTreeNode], Tree]] = {
    "paragraph": lambda node: ["paragraph", _pieces(node)],
    "heading": lambda node: ["heading", int(node.tag[1]), _pieces(node)],
    "bullet_list": lambda node: _list(0, node),
    "ordered_list": lambda node: _list(int(node.attrs.get("start", 1)), node),
    "blockquote": lambda node: ["quote", _blocks(node)],
    "fence": lambda node: ["code", node.content],
    "code_block": lambda node: ["code", node.content],
    "table": _table,
    "hr": lambda _: ["rule"],
}
_PIECES: dict[str, Callable[[SyntaxTreeNode], Tree]] = {
    "text": lambda node: ["text", node.content],
    "code_inline": lambda node: ["code", node.content],
    "softbreak": lambda _: ["text", " "],
    "hardbreak": lambda _: ["break"],
    "strong": lambda node: ["strong", _pieces(node)],
    "em": lambda node: ["emphasis", _pieces(node)],
    "s": lambda node: ["struck", _pieces(node)],
    "link": _link,
}
