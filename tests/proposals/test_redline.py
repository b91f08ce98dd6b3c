"""A change as it reads: nothing is lost of either wording, and nothing runs that somebody wrote."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals.markdown import render_markdown
from proposals.redline import redline
from tests.marked import put_in, taken_out

HIDDEN = re.compile(r'<span class="visually-hidden">[^<]*</span>')
TAG = re.compile(r"<[^>]*>")
VOID = {"br", "hr"}


@pytest.mark.parametrize(
    ("before", "after", "html"),
    [
        (
            "At most **20** requests.",
            "At most **30** requests.",
            (
                f"<p>At most <strong>{taken_out('20')}</strong><strong>{put_in('30')}</strong>"
                " requests.</p>"
            ),
        ),
        ("- a\n- b\n- c", "- a\n- c", f"<ul><li>a</li><li>{taken_out('b')}</li><li>c</li></ul>"),
        ("One.\n\nTwo.", "One.\n\nNew.\n\nTwo.", f"<p>One.</p><p>{put_in('New.')}</p><p>Two.</p>"),
        ("One.\n\nTwo.", "", f"<p>{taken_out('One.')}</p><p>{taken_out('Two.')}</p>"),
        ("", "1 < 2 & 3", f"<p>{put_in('1 &lt; 2 &amp; 3')}</p>"),
        ("# Term", "# Terms", f"<p><strong>{taken_out('Term')}{put_in('Terms')}</strong></p>"),
    ],
)
def test_words_are_marked_in_the_set_text_without_any_markdown(before, after, html):
    found = redline(before, after)
    assert found.is_visible
    # Runs of one change may each have their own tags.
    assert found.html.replace("</strong><strong>", "") == html.replace("</strong><strong>", "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("See [this](https://a.example/).", "See [this](https://b.example/)."),
        ("It must be so.", "It **must** be so."),
        ("Term", "# Term"),
        ("a word", "- a word"),
    ],
)
def test_a_change_of_link_emphasis_or_kind_of_paragraph_is_never_shown_as_the_same(before, after):
    found = redline(before, after)
    assert found.is_visible
    assert "<del>" in found.html
    assert "<ins>" in found.html


@pytest.mark.parametrize(
    "above",
    ["| a | b |\n|---|---|\n| 1 | 2 |", "- a\n- b", "> a", "1. a\n   - b"],
)
@pytest.mark.parametrize("below", ["", "\n\nEnd."])
def test_a_paragraph_that_is_taken_out_stands_below_what_it_stood_below(above, below):
    found = redline(f"{above}\n\nGone.{below}", f"{above}{below}").html
    kept, _, rest = found.partition(f"<p>{taken_out('Gone.')}</p>")
    assert kept.replace("\n", "") == render_markdown(above).replace("\n", "")
    assert rest == ("<p>End.</p>" if below else "")


def test_what_no_reader_sees_is_said_to_be_unseen():
    assert not redline("One.\n\nTwo.", "One.\n\n\nTwo.").is_visible
    assert not redline("One.", "One.\n\n---\n").is_visible


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        '<ins onclick="alert(1)">x</ins>',
        '<span class="visually-hidden">no</span>',
    ],
)
def test_what_somebody_wrote_is_shown_and_never_run(evil):
    for html in (redline("x", evil).html, redline(evil, "x").html, redline(evil, evil).html):
        assert "<script" not in html
        assert not re.search(r"<[^>]*(onclick|javascript)", html)
    assert "&lt;" in redline("x", evil).html or "<script" not in evil


def words_of(html):
    return "".join(unescape(TAG.sub(" ", html)).split())


def left_out(html, mark):
    return re.sub(rf"<{mark}>.*?</{mark}>", "", HIDDEN.sub("", html), flags=re.DOTALL)


pieces = st.sampled_from(
    [
        "One *two* three.",
        "One two [three](https://a.example/).",
        "# One",
        "- one\n- two `three`",
        "1. one\n2. two",
        "> said one",
        "|a|b|\n|-|-|\n|one|two|",
        "```\none two\n  three\n```",
        "one  \ntwo",
        "---",
        "",
    ]
)
documents = st.lists(pieces, max_size=5).map("\n\n".join)


@given(documents, documents)
def test_without_what_is_put_in_it_is_the_earlier_text_and_without_what_is_taken_out_the_later(
    before, after
):
    html = redline(before, after).html
    assert words_of(left_out(html, "ins")) == words_of(render_markdown(before))
    assert words_of(left_out(html, "del")) == words_of(render_markdown(after))


@given(documents, documents)
def test_its_tags_are_nested_as_they_should_be(before, after):
    held = []
    for closing, tag in re.findall(r"<(/?)([a-z0-9]+)[^>]*>", redline(before, after).html):
        if closing:
            assert held.pop() == tag
        elif tag not in VOID:
            assert not (tag in {"p", "li"} and "p" in held), held
            held.append(tag)
    assert held == []
