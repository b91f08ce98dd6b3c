"""A change as it reads: nothing is lost of either wording, and nothing runs that somebody wrote."""

import re
from html import unescape

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from proposals.markdown import render_markdown
from proposals.redline import redline
from tests.marked import put_in, taken_out

HIDDEN = re.compile(r'<span class="visually-hidden">[^<]*</span>')
TAG = re.compile(r"<[^>]*>")
VOID = {"br", "hr"}
NO_CHARACTERS = (0xFDD0, 0xFDD1)


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


def rows_of(*rows):
    return "".join(f"\n| {' | '.join(row)} |" for row in rows)


HEAD = "| Room | Seats |\n|---|---|"
ROOMS = [("Hall", "120"), ("Attic", "12"), ("Cellar", "30"), ("Garden", "200")]


def set_row(*cells, named=""):
    inside = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr class="{named}">{inside}</tr>' if named else f"<tr>{inside}</tr>"


def body_of(html):
    return html.partition("<tbody>")[2].partition("</tbody>")[0]


@pytest.mark.parametrize("number", range(4))
def test_a_row_that_is_taken_out_or_put_in_stands_whole_in_its_place(number):
    rest = ROOMS[:number] + ROOMS[number + 1 :]
    for before, after, mark, named in (
        (ROOMS, rest, taken_out, "is-gone"),
        (rest, ROOMS, put_in, "is-new"),
    ):
        found = redline(HEAD + rows_of(*before), HEAD + rows_of(*after))
        rows = [set_row(*row) for row in ROOMS]
        rows[number] = set_row(*map(mark, ROOMS[number]), named=named)
        assert body_of(found.html) == "".join(rows)
        assert found.is_visible


def test_a_row_that_changes_keeps_what_it_had_in_the_cells_where_it_stood():
    before = HEAD + rows_of(*ROOMS)
    html = redline(before, before.replace("| 12 |", "| 14, standing |")).html
    changed = set_row("Attic", f"{taken_out('12')}{put_in('14, standing')}")
    others = [set_row(*row) for row in ROOMS if row[0] != "Attic"]
    assert body_of(html) == "".join([others[0], changed, *others[1:]])
    # Emptied and filled again, too.
    emptied = before.replace("| 12 |", "| |")
    assert set_row("Attic", taken_out("12")) in redline(before, emptied).html
    assert set_row("Attic", put_in("12")) in redline(emptied, before).html


def test_a_row_that_is_written_anew_stands_below_the_one_it_replaces():
    html = redline(HEAD + rows_of(*ROOMS), HEAD + rows_of(ROOMS[0], ("Loft", "7"), *ROOMS[2:])).html
    gone = set_row(taken_out("Attic"), taken_out("12"), named="is-gone")
    assert gone + set_row(put_in("Loft"), put_in("7"), named="is-new") in body_of(html)


def test_a_column_that_is_put_in_is_one_in_every_row():
    wide = "| Room | Floor | Seats |\n|---|---|---|" + rows_of(*((a, "0", b) for a, b in ROOMS))
    html = redline(HEAD + rows_of(*ROOMS), wide).html
    assert f"<th>Room</th><th>{put_in('Floor')}</th><th>Seats</th>" in html
    assert body_of(html) == "".join(set_row(a, put_in("0"), b) for a, b in ROOMS)


def test_a_table_that_is_taken_out_between_two_sentences_ends_the_paragraph_around_it():
    table = HEAD + rows_of(ROOMS[0])
    html = redline(f"One two.\n\n{table}\n\nThree four.", "One two. Three four.").html
    assert re.sub(r"<table>.*</table>", "T", html, flags=re.DOTALL) == (
        "<p>One two.</p>T<p> Three four.</p>"
    )
    cells = map(taken_out, ROOMS[0])
    assert body_of(html) == set_row(*cells, named="is-gone")


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
    # What Unicode keeps for programs is no character of a text.
    return "".join(unescape(TAG.sub(" ", html)).split()).translate(
        dict.fromkeys(NO_CHARACTERS, "�")
    )


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
        "|a|b|\n|-|-|\n|*one* six|two|\n|one|`three`|\n||four|",
        "|a|b|\n|-|-|\n|one|[four](https://a.example/)|\n|one|three|\n|two||",
        "|a|c|b|\n|-|-|-|\n|one|five|two|\n|two|five|three|",
        "> |a|b|\n> |-|-|\n> |one|two|",
        "\ufdd0 one \ufdd1",
        "```\none two\n  three\n```",
        "one  \ntwo",
        "---",
        "",
    ]
)
documents = st.lists(pieces, max_size=5).map("\n\n".join)


def test_what_is_read_aloud_is_in_the_language_of_each_reader():
    with override("de"):
        assert "(eingefügt:" in redline("one", "one two").html
    with override("fr"):
        assert "(ajouté" in redline("one", "one two").html
    assert "(put in:" in redline("one", "one two").html


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
