"""What is wrong with a suite, in the reader's language: every sentence of the checks is known."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import override

from evals.suite_refusals import PATTERNS, error_words, in_words
from evals.suites.checking import SuiteError
from evals.suites.document import validate
from evals.suites.uploads import read_upload
from oversight.web.sentences import Sentences

CHECKS = Path(settings.BASE_DIR) / "evals" / "suites"
READ_BY = ("authoring", "checking", "document", "parquet", "patterns", "rows", "templates")
READ_BY += ("unpacking", "uploads")
"""What reads documents, files and templates on pages; the rest serves commands."""
WRITTEN = {
    "Pairs of sentences; the score is how often the first one is found likelier.",
    "The task %s of lm-eval.",
}
"""What is put into a document."""


def sentences():
    """Yield every sentence of the checks, `%s` for what changes in it."""
    for name in READ_BY:
        nodes = list(ast.walk(ast.parse((CHECKS / f"{name}.py").read_text())))
        inner = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            inner |= {id(each) for each in getattr(node, "values", ())}
        for node in nodes:
            said = written(node) if id(node) not in inner else ""
            if said.endswith(".") and " " in said and said not in WRITTEN:
                yield said


def written(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [each.value if isinstance(each, ast.Constant) else "%s" for each in node.values]
        return "".join(parts)
    return ""


def test_every_sentence_of_the_checks_is_among_the_patterns():
    known = {re.sub(r"%\(\w+\)s", "%s", each) for each in PATTERNS}
    found = set(sentences())
    assert len(found) > 100
    assert found - known == set()


def test_a_document_that_cannot_be_used_is_refused_in_the_readers_language():
    document = {"v": 9, "slug": "No!", "tasks": [{"name": "a"}], "more": 1}
    problems = validate(document)
    assert len(problems) > 8
    with override("ar-xb"):
        for each in problems:
            assert in_words(each.message).startswith("["), each
            assert in_words(each.fix).startswith("["), each


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b"x,x\n1,2\n"),
        ("a.csv", b"x,y\n1\n"),
        ("a.csv", b"x\n=1+1\n"),
        ("a.exe", b"x"),
        ("a.jsonl", b"{"),
        ("a.jsonl", b'{"a": 1}\n{"b": 1}\n'),
        ("a.parquet", b"PAR1"),
        ("a.jsonl", b"PK\x03\x04"),
        ("a.jsonl", b"\x1f\x8b"),
        ("a.jsonl", b"#!/bin/sh"),
        ("a.yaml", b"a: !function b.c"),
        ("a.yaml", b"a: 1"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_the_readers_language(name, content):
    with pytest.raises(SuiteError) as refusal:
        read_upload(name, content)
    with override("ar-xb"):
        assert "[" in error_words(refusal.value)
        for each in refusal.value.problems:
            assert in_words(each.message).startswith("["), each


def test_a_sentence_that_nobody_knows_is_shown_as_it_is():
    with override("de"):
        assert in_words("this is new.") == "this is new."
        assert in_words("'x' is not allowed here.") == "'x' ist hier nicht zulässig."
    same = Sentences(["the same %(name)s twice: %(name)s"])
    assert same.in_words("the same a twice: b") == "the same a twice: b"
