"""A check on regular expressions: they must compile and must not take exponential time.

Filters run over texts that a model wrote, so a pattern such as `(a+)+$` could stop a worker for
years. Refused are repeats without an upper bound that hold another repeat or an alternation, which
is where backtracking explodes; backreferences are refused with them.
"""

from __future__ import annotations

import re
from typing import Any

_UNBOUNDED_FROM = 1_000
"""A repeat that may go on this long counts as unbounded."""
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


class PatternRefused(Exception):  # noqa: N818 - it is a verdict, not an error of ours
    """A regular expression was refused; the text says why."""


def check_pattern(pattern: str) -> None:
    """Accept a regular expression or refuse it.

    Raises:
        PatternRefused: with the reason and the way out.
    """
    try:
        compiled = re.compile(pattern)
        tree = re._parser.parse(pattern, compiled.flags)  # type: ignore[attr-defined]
    except (re.error, RecursionError, OverflowError) as error:
        raise PatternRefused(f"This regular expression does not compile: {error}.") from None
    _walk(tree, inside_repeat=False)


def _walk(tree: Any, *, inside_repeat: bool) -> None:
    for operation, argument in tree:
        _check_operation(str(operation), argument, inside_repeat=inside_repeat)


def _check_operation(operation: str, argument: Any, *, inside_repeat: bool) -> None:
    if operation.startswith("GROUPREF"):
        raise PatternRefused("Backreferences are not allowed; write the text out.")
    if operation == "BRANCH" and inside_repeat:
        raise PatternRefused("An alternation inside an endless repeat can run for years.")
    if operation in _REPEATS:
        least, most, body = argument
        if inside_repeat and least != most:
            raise PatternRefused("A repeat inside an endless repeat can run for years; unfold it.")
        _walk(body, inside_repeat=inside_repeat or int(most) >= _UNBOUNDED_FROM)
    else:
        for inner in _inner(operation, argument):
            _walk(inner, inside_repeat=inside_repeat)


def _inner(operation: str, argument: Any) -> list[Any]:
    """List the patterns inside an operation of Python's expression parser."""
    if operation == "BRANCH":
        return list(argument[1])
    if operation == "SUBPATTERN":
        return [argument[-1]]
    if operation in ("ASSERT", "ASSERT_NOT"):
        return [argument[1]]
    return [argument] if operation == "ATOMIC_GROUP" else []
