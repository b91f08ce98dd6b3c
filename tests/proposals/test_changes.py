"""What changed between two revisions: word by word, moved paragraphs as moved, nothing lost."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals.changes import compare, paragraphs, shown_changes, stretches

A = "The operator must log every request for twelve months."
B = "A person takes over when the caller asks for one."
C = "At most twenty requests a minute are answered for each caller."
D = "The council looks at the outages every quarter and reports in public."

pieces = st.sampled_from(
    ["one", "two", "three", "# four", "- five", "1. six", "\n", "\n\n", " ", ",", "```\n", "é", "_"]
)
texts = st.lists(pieces, max_size=60).map("".join)
documents = st.lists(
    st.sampled_from([A, B, C, D, A + " Or not.", "## Term", "---"]), max_size=8
).map("\n\n".join)


def joined(*parts):
    return "\n\n".join(parts) + "\n"


def kinds(before, after):
    return [block.kind for block in compare(before, after)]


def earlier(blocks):
    found = sorted((b for b in blocks if b.before_at >= 0), key=lambda block: block.before_at)
    return "".join(c.text for b in found for c in b.changes if c.kind in {"same", "gone"})


def later(blocks):
    return "".join(c.text for b in blocks for c in b.changes if c.kind in {"same", "new"})


@pytest.mark.parametrize("with_moves", [True, False])
@given(before=st.one_of(texts, documents), after=st.one_of(texts, documents))
def test_the_comparison_holds_both_texts_to_the_letter(with_moves, before, after):
    blocks = compare(before, after, with_moves=with_moves)
    assert earlier(blocks) == before
    assert later(blocks) == after


@given(before=st.one_of(texts, documents), after=st.one_of(texts, documents))
def test_what_both_texts_have_stands_where_it_is_said_to(before, after):
    for stretch in stretches(before, after):
        assert (
            before[stretch.before : stretch.before + stretch.length]
            == after[stretch.after : stretch.after + stretch.length]
        )


@given(st.permutations([A, B, C, D, "A fifth paragraph that says nothing new."]))
def test_paragraphs_in_another_order_are_kept_or_moved_and_never_new(order):
    found = compare(joined(A, B, C, D, "A fifth paragraph that says nothing new."), joined(*order))
    assert {block.kind for block in found} <= {"kept", "moved", "left"}
    moved = [block.number for block in found if block.kind == "moved"]
    assert sorted(block.number for block in found if block.kind == "left") == sorted(moved)


@given(texts)
def test_paragraphs_are_the_text(text):
    assert "".join(paragraphs(text)) == text


def test_headings_list_items_and_paragraphs_are_told_apart_and_code_is_not_cut():
    code = "```\n# no heading\n\n- no item\n```\nend\n"
    text = "# A\nwords\nmore\n\n- one\n- two\n  still two\n\n" + code
    assert [unit.strip() for unit in paragraphs(text)] == [
        "# A",
        "words\nmore",
        "- one",
        "- two\n  still two",
        code.strip(),
    ]


def test_the_same_text_has_no_changes():
    assert shown_changes("one two", "one two") == ()
    assert shown_changes("one two\n", "one  two") == ()


def test_words_put_in_and_taken_out_are_marked():
    found = compare("for twelve months", "for four months, at night")[0].changes
    assert [c.text for c in found if c.kind == "gone"] == ["twelve"]
    assert [c.text for c in found if c.kind == "new"] == ["four", ", at night"]


def test_words_replaced_side_by_side_are_one_change():
    found = compare("reports each quarter in public", "reports every month in public")[0].changes
    assert [(c.kind, c.text) for c in found if c.kind != "same"] == [
        ("gone", "each quarter"),
        ("new", "every month"),
    ]


def test_a_moved_paragraph_is_moved_with_the_words_that_changed_in_it():
    reworded = A.replace("twelve", "six")
    found = compare(joined(A, B, C, D), joined(B, C, D, reworded))
    assert [block.kind for block in found] == ["left", "kept", "kept", "kept", "moved"]
    assert found[0].number == found[-1].number == 1
    words = [(c.kind, c.text) for c in found[-1].changes if c.kind != "same" and c.text.strip()]
    assert words == [("gone", "twelve"), ("new", "six")]


def test_a_paragraph_moved_over_many_is_the_one_that_moved():
    assert kinds(joined(A, B, C, D), joined(D, A, B, C)) == [
        "moved",
        "kept",
        "kept",
        "kept",
        "left",
    ]


def test_what_went_stands_before_what_came():
    assert kinds(joined(A, B, D), joined(A, "Quite other words here.", D)) == [
        "kept",
        "gone",
        "new",
        "kept",
    ]


def test_the_middle_of_an_unchanged_stretch_is_left_out():
    long = " ".join(f"word{n}" for n in range(300))
    found = shown_changes(f"a {long} b", f"c {long} d")
    shown = [change for block in found for change in block.changes]
    assert [c.kind for c in shown].count("skip") == 1
    assert sum(len(c.text) for c in shown) < len(long)


def test_unchanged_paragraphs_away_from_a_change_are_left_out():
    found = shown_changes(joined(A, B, C, D), joined(A, B, C, D, "One more paragraph."))
    assert [block.kind for block in found] == ["skip", "kept", "new"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\n" * 50_000, "b\n" * 50_000),
        ("a " * 50_000, "a " * 49_000 + "b"),
        ("# x\n" * 25_000, "# y\n# x\n" * 12_500),
        ("- a\n- b\n" * 12_000, "- b\n- c\n" * 12_000),
        ("one two three " * 7_000, "three two one " * 7_000),
        (
            "\n\n".join(f"p{n} q" for n in range(9_000)),
            "\n\n".join(f"r{n} q" for n in range(9_000)),
        ),
    ],
    ids=["lines", "words", "headings", "items", "repetition", "paragraphs"],
)
def test_texts_at_the_limit_made_to_be_slow_are_compared_in_time(before, after):
    began = time.monotonic()
    blocks = compare.__wrapped__(before, after)
    assert time.monotonic() - began < 5
    assert earlier(blocks) == before
    assert later(blocks) == after
