"""Markdown of strangers becomes safe HTML, quickly."""

import re
import time

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


@pytest.mark.parametrize(
    "text",
    [
        "|" * 50_000,
        "|a" * 20_000 + "|\n" + "|-" * 20_000 + "|\n" + ("|b" * 100 + "|\n") * 200,
        "[" * 50_000,
        "*" * 50_000,
        "> " * 40_000 + "x",
        "- " * 40_000 + "x",
        "`" * 50_000,
        "![" * 40_000,
        "a_" * 50_000,
        "<" * 100_000,
        "&" * 100_000,
        "\\" * 100_000,
        "# x\n" * 25_000,
        "[a](" * 25_000,
        "<!--" * 25_000,
    ],
    ids=lambda text: text[:6].strip() or "space",
)
def test_a_text_at_the_limit_made_to_be_slow_is_set_in_time(text):
    began = time.monotonic()
    render_markdown(text[:100_000])
    assert time.monotonic() - began < 5


@given(
    st.text(alphabet=st.sampled_from(list("<>&\"'`*_[]()!#|-~:/\\ \n\tabjs1\u202e")), max_size=200)
)
def test_whatever_is_typed_only_known_tags_come_out(text):
    html = render_markdown(text)
    rest = ALLOWED.sub("", html)
    assert "<" not in rest
