"""YAML from strangers: it means what LiteLLM reads, and the rest is refused by its line."""

import pytest
import yaml

from oversight_gate import yaml_file
from oversight_gate.yaml_file import Unreadable, parse


def plain(value):
    """Return a value without its places."""
    if isinstance(value.plain, dict):
        return {name: plain(each) for name, each in value.plain.items()}
    if isinstance(value.plain, list):
        return [plain(each) for each in value.plain]
    return value.plain


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: 1.5\nc: true\nd: no\ne: null\nf: ~\ng: '1'\ni: 2026-01-01\nj: |\n  x\n",
        'h: "x\\ny"\n',
        "a: [1, two, {three: 3}]\nb:\n- x\n- - y\n  - z\n",
        "base: &b {x: 1, y: 2}\nmore:\n  <<: *b\n  y: 3\n",
        "list: [&a {k: v}, *a]\n",
        "a: 0x1F\nb: 1_000\nc: .inf\nd: !!str 5\n",
        "k: {<<: [{a: 1}, {a: 2, b: 3}], c: 4}\n",
    ],
)
def test_it_means_what_the_usual_reader_says(text):
    assert plain(parse(text.encode(), "x")) == yaml.safe_load(text)


def test_every_mapping_knows_the_lines_of_its_keys():
    value = parse(b"a:\n  b: 1\n  c:\n  - d\n", "f.yaml")
    assert value.key_place("a").line == 1
    assert value.get("a").key_place("c").line == 3
    assert str(value.get("a").get("c").entries()[0].place) == "f.yaml:4"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (BOMB, 6, "aliases counted each time"),
        ("[" * 100 + "]" * 100, 1, "nested deeper"),
        ("{a: " * 100 + "1" + "}" * 100, 1, "nested deeper"),
        ("a: 1\nb: !!python/object/apply:os.system ['id']\n", 2, "has the tag"),
        ("a: !include other.yaml\n", 1, "has the tag"),
        ("a: 1\nb: 2\na: 3\n", 3, "twice"),
        ("a: *nothing\n", 1, "nothing above"),
        ("a: &a [*a]\n", 1, "nothing above"),
        ("a: &a k\n*a : 1\n", 2, "where a name belongs"),
        ("? [a, b]\n: 1\n", 1, "where a name belongs"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: [1\n", 2, "not YAML"),
        ("a: 1\n\tb: 2\n", 2, "not YAML"),
        ("", 0, "is empty"),
        ("<<: 5\n", 1, "no mapping"),
        ("a: 2026-99-99\n", 1, "has no value"),
    ],
)
def test_what_is_not_plain_is_refused_by_its_line(text, line, says):
    with pytest.raises(Unreadable, match=says) as refused:
        parse(text.encode(), "x")
    assert refused.value.line == line


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(Unreadable, match="not YAML"):
        parse(b"a: \xff\xfe\x00", "x")


def test_a_bomb_of_plain_values_is_refused_early(monkeypatch):
    monkeypatch.setattr(yaml_file, "MAX_VALUES", 100)
    with pytest.raises(Unreadable, match="more than 100 values"):
        parse(b"[" + b"1," * 200 + b"]", "x")


def test_a_large_file_and_one_that_is_not_there_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(yaml_file, "MAX_BYTES", 10)
    (tmp_path / "big").write_text("a: " + "b" * 50)
    with pytest.raises(Unreadable, match="larger"):
        yaml_file.read(tmp_path / "big")
    with pytest.raises(Unreadable, match="no such file"):
        yaml_file.read(tmp_path / "none")
