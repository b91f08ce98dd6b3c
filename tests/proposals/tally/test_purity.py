"""The counting code itself, read from its source: no floats, no clock, no chance."""

import ast
import sys
from pathlib import Path

import pytest

import proposals.tally

SOURCES = sorted(Path(proposals.tally.__path__[0]).glob("*.py"))
IMPURE = {"random", "secrets", "time", "datetime", "uuid", "socket", "subprocess", "threading"}
SHELL = {"command.py", "__main__.py"}
"""The command line may read files and write to the terminal; the rest only computes."""


def trees():
    return [pytest.param(path.name, ast.parse(path.read_text()), id=path.name) for path in SOURCES]


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize(("name", "tree"), trees())
def test_no_float_is_written_or_made(name, tree):
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), node.lineno
        assert not (isinstance(node, ast.Name) and node.id in ("float", "round")), node.lineno


@pytest.mark.parametrize(("name", "tree"), trees())
def test_nothing_but_the_standard_library_and_neither_clock_nor_chance_is_imported(name, tree):
    for module in imported(tree):
        top = module.partition(".")[0]
        assert module.startswith("proposals.tally") or top in sys.stdlib_module_names
        assert top not in IMPURE
        assert name in SHELL or top not in ("os", "io", "pathlib")


def test_all_of_the_counting_code_was_read():
    assert {"stv.py", "irv.py", "schulze.py", "pairwise.py", "score.py"} <= {
        p.name for p in SOURCES
    }
