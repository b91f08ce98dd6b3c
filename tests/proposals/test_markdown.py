"""Markdown of strangers becomes safe HTML, quickly."""

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals.markdown import render_markdown

ALLOWED = re.compile(
    r"</?(a|blockquote|br|code|em|h[3-6]|hr|li|ol|p|pre|s|strong|table|tbody|td|th|thead|tr|ul)"
    r"( (href|rel|start)=\"[^\"]*\")*\s*/?>"
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("**must**", "<strong>must</strong>"),
        ("- a\n- b", "<li>a</li>"),
        ("~~gone~~", "<s>gone</s>"),
        ("> said", "<blockquote>"),
        ("3. three", '<ol start="3">'),
        ("|a|b|\n|-|-|\n|1|2|", "<td>2</td>"),
        ("[x](https://example.org/?a=1&b=2)", 'href="https://example.org/?a=1&amp;b=2"'),
        ("[m](mailto:a@example.org)", 'href="mailto:a@example.org"'),
    ],
)
def test_the_usual_marks_are_set(text, words):
    assert words in render_markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<iframe src='https://example.org'></iframe>",
        "<style>body{display:none}</style>",
        "<a href='x' onclick='alert(1)'>x</a>",
        "<form action=/accounts/logout/ method=post><button>",
        "</main></body></html>",
        "<!-- comment -->",
        "![x](https://example.org/track.png)",
        "`<b>`",
    ],
)
def test_raw_html_is_shown_or_dropped_and_never_let_through(text):
    html = render_markdown(text)
    assert not re.search(r"<(script|img|svg|iframe|style|form|button|b|main|body|html|!--)", html)
    assert not re.search(r"<[^>]*\son\w+=", html)


def test_raw_html_is_shown_as_it_was_typed():
    html = render_markdown("Say <b>this</b>.\n\n<div>and that</div>")
    assert "Say &lt;b&gt;this&lt;/b&gt;." in html
    assert "&lt;div&gt;and that" in html


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "&#106;avascript:alert(1)",
        "data:text/html;base64,PHNjcmlwdD4=",
        "vbscript:x",
        "file:///etc/passwd",
        "\x01javascript:alert(1)",
    ],
)
@pytest.mark.parametrize("form", ["[x]({})", "<{}>", "[x]: {}\n\n[x]", "[x](<{}>)"])
def test_links_lead_only_to_the_web_and_to_mail(target, form):
    html = render_markdown(form.format(target))
    for href in re.findall(r'href="([^"]*)"', html):
        scheme = re.match(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):", href)
        assert scheme is None or scheme[1] in {"http", "https", "mailto"}, href


def test_links_of_strangers_lend_no_reputation():
    assert 'rel="nofollow noopener"' in render_markdown("[x](https://example.org)")


def test_headings_begin_below_those_of_the_page_and_skip_no_level():
    html = render_markdown("## A\n\n#### B\n\n##### C\n\n## D\n\n# E\n\n###### F")
    assert re.findall(r"<h(\d)>(\w)", html) == [
        ("3", "A"),
        ("4", "B"),
        ("5", "C"),
        ("3", "D"),
        ("3", "E"),
        ("4", "F"),
    ]


def work(text):
    """Return how many functions setting the text calls: what time would say, without the noise."""
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        render_markdown(text)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "|" * n,
        lambda n: "|a" * (n // 5) + "|\n" + "|-" * (n // 5) + "|\n" + "|b|\n" * 10,
        lambda n: "|a|b|\n|-|-|\n" + "|a|b|\n" * n,
        lambda n: "[" * n,
        lambda n: "*" * n,
        lambda n: "> " * n + "x",
        lambda n: "- " * n + "x",
        lambda n: "`" * n,
        lambda n: "![" * n,
        lambda n: "a_" * n,
        lambda n: "<" * n,
        lambda n: "&" * n,
        lambda n: "\\" * n,
        lambda n: "# x\n" * n,
        lambda n: "[a](" * n,
        lambda n: "<!--" * n,
    ],
    ids=lambda make: make(3)[:6].strip(),
)
def test_a_text_made_to_be_slow_takes_work_by_its_length_and_not_by_its_square(make):
    render_markdown("warm")
    assert work(make(1000)) < 2.3 * work(make(500)) + 1000


@given(
    st.text(alphabet=st.sampled_from(list("<>&\"'`*_[]()!#|-~:/\\ \n\tabjs1\u202e")), max_size=200)
)
def test_whatever_is_typed_only_known_tags_come_out(text):
    html = render_markdown(text)
    rest = ALLOWED.sub("", html)
    assert "<" not in rest
