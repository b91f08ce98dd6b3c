"""What the verifier is as a file: old Python, the standard library, nothing of this project."""

import ast
import base64
import sys

import pytest

from tests.audit.conftest import PROGRAM, program

TREE = ast.parse(PROGRAM.read_text(), feature_version=(3, 9))
"""Parsed as Python 3.9 does it: newer syntax is an error here."""


def imported():
    for node in ast.walk(TREE):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        if isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


def test_it_is_python_3_9_and_imports_the_standard_library_alone():
    assert set(imported()) <= sys.stdlib_module_names
    assert not any(isinstance(node, ast.Match | ast.TryStar) for node in ast.walk(TREE))
    calls = [node for node in ast.walk(TREE) if isinstance(node, ast.Call)]
    # What later versions brought to calls that 3.9 knows.
    assert not any(
        word.arg == "strict" and node.func.id == "zip"
        for node in calls
        if isinstance(node.func, ast.Name)
        for word in node.keywords
    )
    names = {node.id for node in ast.walk(TREE) if isinstance(node, ast.Name)}
    assert not names & {"aiter", "anext", "EncodingWarning", "ExceptionGroup"}


def test_no_function_is_longer_than_a_reader_holds_in_mind():
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(TREE)
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= 42
    }
    assert long == {}
    assert max(map(len, PROGRAM.read_text().splitlines())) <= 100


def test_every_kind_of_act_has_its_line_in_the_report_and_its_method():
    for kind, act in program.KINDS.items():
        assert act.group in program.GROUPS, kind
        assert act.method is None or callable(getattr(program.Replay, act.method)), kind


# -- A policy is a file of a stranger, too


def vkey(name):
    material = b"\x04" + program.encode_point(program.BASE)
    key_id = program.sha256(name.encode() + b"\n" + material)[:4]
    return f"{name}+{key_id.hex()}+{base64.b64encode(material).decode()}"


def test_groups_of_groups_are_judged_at_once_however_deep():
    """Each names its two forerunners: asked one by one, that would be 2 to the 400th questions."""
    lines = [f"log {vkey('log')}", f"witness a {vkey('a')}", f"witness b {vkey('b')}"]
    names = ["a", "b"]
    for n in range(400):
        lines.append(f"group g{n} 2 {names[-2]} {names[-1]}")
        names.append(f"g{n}")
    policy = program.Policy("\n".join([*lines, f"quorum {names[-1]}", ""]))
    assert policy.met_by({"a", "b"})
    assert not policy.met_by({"a"})


@pytest.mark.parametrize(
    "lines",
    [
        f"witness a {vkey('a')}\ngroup g 2 a a\nquorum g",
        f"witness a {vkey('a')}\nwitness b {vkey('a')}\nquorum a",
        f"witness a {vkey('a')}\ngroup g 0 a\nquorum g",
        f"witness a {vkey('a')}\ngroup g 2 a\nquorum g",
        f"witness a {vkey('a')}\ngroup g any g\nquorum g",
        f"witness none {vkey('a')}\nquorum none",
    ],
)
def test_a_policy_that_counts_somebody_twice_or_nobody_is_refused(lines):
    with pytest.raises(program.Contradiction):
        program.Policy(f"log {vkey('log')}\n{lines}\n")
