"""Uploaded files: what is read, and what is refused by its name."""

import io
import json
import pickle
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evals.suites import parquet as parquet_files
from evals.suites import uploads
from evals.suites.checking import SuiteError
from evals.suites.uploads import read_upload

ROWS = [
    {"question": "Is water wet?", "choices": ["no", "yes"], "answer": 1, "share": 0.5, "ok": True},
    {"question": "Is fire cold?", "choices": ["no", "yes"], "answer": 0, "share": 1.0, "ok": False},
]


def json_lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(**columns):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def refusal(name, content):
    with pytest.raises(SuiteError) as caught:
        read_upload(name, content)
    return str(caught.value)


def test_json_lines_and_parquet_give_the_same_rows():
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    kinds = {
        "question": "text",
        "choices": "list of texts",
        "answer": "integer",
        "share": "number",
        "ok": "boolean",
    }
    for name, content in (("a.jsonl", json_lines(*ROWS)), ("a.parquet", parquet(**columns))):
        table = read_upload(name, content)
        assert (table.columns, table.rows) == (kinds, ROWS)


def test_csv_is_text_in_every_column():
    table = read_upload("a.csv", '\ufeffa,b\n007,"x, y"\n-3,- no\n'.encode())
    assert table.rows == [{"a": "007", "b": "x, y"}, {"a": "-3", "b": "- no"}]
    assert set(table.columns.values()) == {"text"}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", pickle.dumps({"a": 1}), "pickle"),
        ("a.pkl", b"anything", "pickle"),
        ("a.csv", b"PK\x03\x04rest", "archive"),
        ("a.csv", b"\xd0\xcf\x11\xe0", "macros"),
        ("a.jsonl", b"#!/bin/sh\n", "script"),
        ("a.yaml", b"doc_to_text: !function utils.f\n", "!function"),
        ("a.py", b"!!python/object/apply:os.system", "!!python"),
        ("a.txt", b"hello", ".txt"),
        ("a.csv", b"a,b\n=1+1,x\n", "formula"),
        ("a.csv", b"a,b\n@SUM(A1),x\n", "formula"),
        ("a.csv", b"a,b\n+cmd|' /C calc'!A0,x\n", "formula"),
        ("a.csv", b"a,b\n-cmd(1),x\n", "formula"),
        ("a.csv", b'a,b\n"\t=1",x\n', "formula"),
        ("a.csv", b"a,a\n1,2\n", "same name"),
        ("a.csv", b"a,b\n1\n", "1 fields"),
        ("a.csv", b'a,b\n1,"2\n', "not well-formed"),
        ("a.csv", b"a,b\n", "no rows"),
        ("a.csv", b"\xff\xfe", "UTF-8"),
        ("a.jsonl", b"   ", "empty"),
        ("a.jsonl", b"[1]\n", "no JSON object"),
        ("a.jsonl", b'{"a": 1, "a": 2}\n', "twice"),
        ("a.jsonl", b'{"a": NaN}\n', "NaN"),
        ("a.jsonl", b'{"a": null}\n', "no value"),
        ("a.jsonl", b'{"a": {"b": 1}}\n', "dict"),
        ("a.jsonl", b'{"a": [1]}\n', "list"),
        ("a.jsonl", b'{"a": 1}\n{"b": 1}\n', "not in every row"),
        ("a.jsonl", b'{"a": 1}\n{"a": "1"}\n', "Make them alike"),
        ("a.jsonl", b'{"__class__": 1}\n', "name of a column"),
        ("a.jsonl", b'{"a": "x\\u0000"}\n', "control character"),
        ("a.jsonl", b"{" * 20_000, "JSON"),
        ("a.parquet", b"PAR1 but no more", "sound Parquet"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_name(name, content, words):
    assert words in refusal(name, content)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array([b"x"]), "binary"),
        (pa.array([{"a": 1}]), "struct"),
        (pa.array([1], pa.timestamp("s")), "timestamp"),
        (pa.array([[1]]), "list<"),
        (pa.array([None]), "null"),
        (pa.array([[["x"]]]), "list<"),
    ],
)
def test_odd_types_of_parquet_are_refused_with_column_and_type(values, kind):
    words = refusal("a.parquet", parquet(fine=["x"], odd=values))
    assert "column odd" in words
    assert kind in words


def test_extension_types_which_load_code_are_refused():
    class Odd(pa.ExtensionType):
        def __init__(self):
            super().__init__(pa.string(), "tests.odd")

        def __arrow_ext_serialize__(self):
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage, data):
            return cls()

    array = pa.ExtensionArray.from_storage(Odd(), pa.array(["x"]))
    assert "column odd" in refusal("a.parquet", parquet(odd=array))


def test_a_small_file_that_unpacks_to_much_is_refused(monkeypatch):
    monkeypatch.setattr(parquet_files, "FILE_LIMIT_BYTES", 100_000)
    content = parquet(a=["x" * 10_000] * 1_000)
    assert len(content) < 100_000
    # In this process: the one that reads uploads knows only the real limit.
    with pytest.raises(SuiteError, match="more than it weighs"):
        list(parquet_files.rows("a.parquet", content))


def test_limits_are_said_in_the_refusal(monkeypatch):
    monkeypatch.setattr(uploads, "ROWS_LIMIT", 2)
    assert "Keep it to 2" in refusal("a.csv", b"a\n1\n2\n3\n")
    monkeypatch.setattr(uploads, "FILE_LIMIT_BYTES", 4)
    assert "5 bytes" in refusal("a.csv", b"a\n1\n\n")


def test_an_archive_by_another_name_is_still_an_archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "")
    assert "archive" in refusal("rows.csv", file.getvalue())
