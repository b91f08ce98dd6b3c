"""An allow-list for the Jinja templates of a suite, checked on the parsed tree.

The harness renders templates in an ordinary Jinja environment, with every attribute of every
Python object in reach. So a template is accepted only when its syntax tree is made of the few
harmless nodes listed here: reading a column, printing, conditions, a plain loop, and a short list
of filters and text methods. Nothing here can reach an attribute that starts with an underscore,
call anything else, or make output that grows faster than its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

TEMPLATE_LIMIT = 8_000
"""Characters in one template."""

FILTERS = frozenset(
    {"capitalize", "default", "first", "int", "join", "last", "length", "lower"}
    | {"replace", "string", "title", "trim", "upper"}
)
METHODS = frozenset(
    {"capitalize", "join", "lower", "lstrip", "replace", "rstrip", "split", "strip"}
    | {"title", "upper"}
)
TESTS = frozenset({"defined", "none", "string", "number", "even", "odd"})
GLOBALS = frozenset(
    {"range", "dict", "lipsum", "cycler", "joiner", "namespace", "self", "super", "caller"}
    | {"varargs", "kwargs"}
)
"""Names that Jinja defines by itself; a template may not read them."""

_LOOP_FIELDS = frozenset({"index", "index0", "first", "last", "length"})
_GROWTH_LIMIT = 256.0
"""How many times longer than its row a template may make its output: the number of columns it
reads, times what `replace`, `join` and the plain text inside a loop can multiply."""
_DEPTH_LIMIT = 30
_FILTER_ARGUMENTS = {"default": 2, "join": 1, "replace": 2, "trim": 1}
"""The most arguments of each filter; none for the others (a second one of `join` or `int` could
name an attribute)."""

_HARMLESS: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.List,
    nodes.Tuple,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Add,
    nodes.Sub,
    nodes.Neg,
    nodes.Concat,
    nodes.Slice,
)

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
)


class TemplateRefused(Exception):  # noqa: N818 - it is a verdict, not an error of ours
    """A template is outside the allow-list; the text says what to write instead."""


def check_template(source: str) -> frozenset[str]:
    """Accept a template or refuse it; returns the columns that it reads.

    Raises:
        TemplateRefused: with the reason and the way out.
    """
    if len(source) > TEMPLATE_LIMIT:
        raise TemplateRefused(f"The template is longer than {TEMPLATE_LIMIT} characters.")
    try:
        tree = _ENVIRONMENT.parse(source)
    except (TemplateError, RecursionError, ValueError, OverflowError) as error:
        raise TemplateRefused(f"The template does not parse: {error}.") from None
    inspector = _Inspector()
    inspector.visit(tree, frozenset())
    if inspector.reads * inspector.growth > _GROWTH_LIMIT:
        raise TemplateRefused("It can make a text far longer than its row; repeat less.")
    return frozenset(inspector.columns)


def render(source: str, row: dict[str, object]) -> str:
    """Render an accepted template as the harness will, but inside Jinja's sandbox.

    Raises:
        TemplateRefused: when the row lacks a column or has one of the wrong kind.
    """
    try:
        return _compiled(source).render(row)
    except (TemplateError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise TemplateRefused(f"The template does not fit this row: {error}.") from None


@lru_cache(maxsize=256)
def _compiled(source: str) -> Template:
    """Compile a template after checking it, so that nothing unchecked is ever run."""
    check_template(source)
    return _ENVIRONMENT.from_string(source)


class _Inspector:
    """Walks a parsed template and refuses the first node outside the allow-list."""

    def __init__(self) -> None:
        self.columns: set[str] = set()
        self.reads = 0
        self.growth = 1.0
        self._depth = 0
        self._special: dict[type[nodes.Node], Callable[..., None]] = {
            nodes.Name: self._name,
            nodes.Getattr: self._getattr,
            nodes.Getitem: self._getitem,
            nodes.Filter: self._filter,
            nodes.Test: self._test,
            nodes.Call: self._call,
            nodes.For: self._for,
        }

    def visit(self, node: nodes.Node, scope: frozenset[str]) -> None:
        """Check one node and what is below it; `scope` holds the loop's names inside a loop."""
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise TemplateRefused("The template is nested too deeply; make it simpler.")
        special = self._special.get(type(node))
        if special is not None:
            special(node, scope)
        elif isinstance(node, _HARMLESS):
            self._children(node.iter_child_nodes(), scope)
        else:
            kind = type(node).__name__.lower()
            raise TemplateRefused(
                f"Line {node.lineno} uses {kind}, which suites may not; print columns with "
                "{{ column }}, and use if, for, and plain filters only."
            )
        self._depth -= 1

    def _children(self, children: Iterator[nodes.Node], scope: frozenset[str]) -> None:
        for child in children:
            self.visit(child, scope)

    def _name(self, node: nodes.Name, scope: frozenset[str]) -> None:
        self.reads += 1
        if node.name in scope:
            return
        if node.name.startswith("_") or node.name in GLOBALS:
            raise TemplateRefused(f"The name {node.name} is not a column; remove it.")
        if scope:
            raise TemplateRefused(
                f"Inside a loop only the loop's own names may be used, not {node.name}."
            )
        self.columns.add(node.name)

    def _getattr(self, node: nodes.Getattr, scope: frozenset[str]) -> None:
        is_loop = isinstance(node.node, nodes.Name) and node.node.name == "loop" and bool(scope)
        if not (is_loop and node.attr in _LOOP_FIELDS):
            raise TemplateRefused(
                f"The attribute .{node.attr} may not be read; "
                f"give the value a column of its own, or write ['{node.attr}']."
            )

    def _getitem(self, node: nodes.Getitem, scope: frozenset[str]) -> None:
        if not _is_safe_index(node.arg):
            raise TemplateRefused(
                "An index must be a whole number, a plain name in quotes, a slice, or a column "
                "made whole with |int, as in choices[answer|int]."
            )
        self._children(node.iter_child_nodes(), scope)

    def _filter(self, node: nodes.Filter, scope: frozenset[str]) -> None:
        if node.name not in FILTERS or node.node is None:
            raise TemplateRefused(
                f"The filter {node.name} may not be used; allowed are {_listed(FILTERS)}."
            )
        if _has_keywords(node) or len(node.args) > _FILTER_ARGUMENTS.get(node.name, 0):
            raise TemplateRefused(f"The filter {node.name} has too many arguments; remove some.")
        self._count_growth(node.name, node.args)
        self._children(node.iter_child_nodes(), scope)

    def _test(self, node: nodes.Test, scope: frozenset[str]) -> None:
        if node.name not in TESTS:
            raise TemplateRefused(
                f"The test {node.name} may not be used; allowed are {_listed(TESTS)}."
            )
        self._children(node.iter_child_nodes(), scope)

    def _call(self, node: nodes.Call, scope: frozenset[str]) -> None:
        callee = node.node
        if not (isinstance(callee, nodes.Getattr) and callee.attr in METHODS):
            raise TemplateRefused(f"Only these may be called: {_listed(METHODS)} on a text.")
        if _has_keywords(node):
            raise TemplateRefused(f"{callee.attr} may not have named arguments; remove them.")
        self._count_growth(callee.attr, [callee.node] if callee.attr == "join" else node.args)
        self.visit(callee.node, scope)
        self._children(iter(node.args), scope)

    def _for(self, node: nodes.For, scope: frozenset[str]) -> None:
        if scope or node.recursive or node.test or not isinstance(node.target, nodes.Name):
            raise TemplateRefused("Only a plain, single loop is allowed: {% for x in column %}.")
        if not isinstance(node.iter, nodes.Name):
            raise TemplateRefused("A loop may only go over a column: {% for x in column %}.")
        self.visit(node.iter, scope)
        self.growth *= 1 + _plain_text_length(node.body)
        inner = frozenset({node.target.name, "loop"})
        self._children(iter(node.body), inner)
        self._children(iter(node.else_), scope)

    def _count_growth(self, name: str, args: list[nodes.Expr]) -> None:
        """Bound what `replace` and `join` can make of a row, from their constant arguments."""
        if name not in ("replace", "join"):
            return
        texts = [arg.value for arg in args if isinstance(arg, nodes.Const)]
        if len(texts) != len(args) or not all(isinstance(text, str) for text in texts):
            raise TemplateRefused(f"The arguments of {name} must be plain texts in quotes.")
        if name == "join":
            self.growth *= 1 + len("".join(texts))
        elif len(texts) == 2 and texts[0]:
            self.growth *= max(1.0, len(texts[1]) / len(texts[0]))
        else:
            raise TemplateRefused("replace needs two texts: what to replace, and by what.")


def _has_keywords(node: nodes.Call | nodes.Filter) -> bool:
    return bool(node.kwargs or node.dyn_args or node.dyn_kwargs)


def _plain_text_length(body: list[nodes.Node]) -> int:
    """Count the characters of plain text in a loop's body, which each round prints again."""
    length = 0
    for node in body:
        for found in (node, *node.find_all(nodes.Literal)):
            if isinstance(found, nodes.TemplateData):
                length += len(found.data)
            elif isinstance(found, nodes.Const):
                length += len(str(found.value))
    return length


def _is_safe_index(node: nodes.Node) -> bool:
    """True for an index that cannot be turned into an attribute name with an underscore."""
    if isinstance(node, nodes.Const):
        value = node.value
        return isinstance(value, int) or (isinstance(value, str) and not value.startswith("_"))
    if isinstance(node, nodes.Neg):
        return isinstance(node.node, nodes.Const)
    if isinstance(node, nodes.Filter):
        return node.name == "int" and not node.args
    is_loop_count = isinstance(node, nodes.Getattr) and node.attr in ("index", "index0")
    return is_loop_count or isinstance(node, nodes.Slice)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
