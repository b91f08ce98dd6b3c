"""Edits of a text: applied they give what was meant, and they follow the text where they can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals.edits import (
    Edit,
    UnfitEditsError,
    applied,
    as_documents,
    carried,
    edits_between,
    from_documents,
    replacements,
    shown,
    touch,
)

A = "The operator must log every request for twelve months."
B = "A person takes over when the caller asks for one."
C = "At most twenty requests a minute are answered for each caller."
TEXT = f"{A}\n\n{B}\n\n{C}\n"

units = st.sampled_from([A, B, C, A.replace("twelve", "six"), "## Term", "- one", "\n", ""])
documents = st.lists(units, max_size=7).map("\n\n".join)
texts = st.one_of(documents, st.text(alphabet="ab \n#-", max_size=40))


def edit(old, new, text=TEXT):
    """Return the edits that put one passage of the text for another."""
    assert text.count(old) == 1
    return edits_between(text, text.replace(old, new))


@given(texts, texts)
def test_edits_applied_give_the_later_text_to_the_letter(before, after):
    assert applied(before, edits_between(before, after)) == after


@given(texts, texts)
def test_edits_survive_being_written_down(before, after):
    edits = edits_between(before, after)
    rows = as_documents(edits, before)
    assert from_documents(rows) == edits
    assert all(before[row["start"] : row["end"]] == row["passage"] for row in rows)


@given(documents, documents, documents)
def test_an_edit_that_follows_replaces_the_same_words(before, amended, after):
    edits = edits_between(before, amended)
    for old, new in zip(edits, carried(edits, before, after), strict=True):
        if new is not None:
            assert after[new.start : new.end] == before[old.start : old.end]
            assert new.text == old.text


@given(documents, documents)
def test_edits_follow_to_the_same_text_as_they_are(before, after):
    edits = edits_between(before, after)
    assert carried(edits, before, before) == edits


def test_an_edit_is_of_the_words_and_no_more():
    assert edit("twelve", "six") == (Edit(TEXT.index("twelve"), TEXT.index(" months"), "six"),)


def test_an_edit_follows_what_is_put_in_before_it_and_where_its_paragraph_goes():
    edits = edit("twelve", "six")
    for newer in (f"# Title\n\n{TEXT}", f"{B}\n\n{C}\n\n{A}\n", TEXT.replace("asks", "wishes")):
        assert applied(newer, carried(edits, TEXT, newer)) == newer.replace("twelve", "six")


@pytest.mark.parametrize("now", ["eighteen", "twelve or more"])
def test_an_edit_whose_words_or_their_neighbours_changed_does_not_follow(now):
    assert carried(edit("twelve", "six"), TEXT, TEXT.replace("twelve", now)) == (None,)


def test_a_whole_paragraph_taken_out_follows_though_others_came_beside_it():
    edits = edit(f"{B}\n\n", "")
    newer = TEXT.replace(B, f"Something new.\n\n{B}\n\nSomething else.")
    assert applied(newer, carried(edits, TEXT, newer)) == newer.replace(f"{B}\n\n", "")


def test_two_additions_at_one_place_touch_and_neither_follows_the_other():
    one, other = edit(B, f"First.\n\n{B}"), edit(B, f"Second.\n\n{B}")
    assert touch(one, other, TEXT)
    assert carried(other, TEXT, applied(TEXT, one)) == (None,)


def test_an_addition_at_the_end_follows_unless_another_was_made_there():
    addition = edits_between(TEXT, f"{TEXT}\nThe end.\n")
    newer = TEXT.replace("twelve", "six")
    assert applied(newer, carried(addition, TEXT, newer)) == f"{newer}\nThe end.\n"
    assert carried(addition, TEXT, f"{TEXT}\nAnother end.\n") == (None,)


def test_amendments_touch_where_they_are_about_the_same_or_neighbouring_words():
    twelve = edit("twelve", "six")
    assert touch(twelve, edit("twelve months", "a year"), TEXT)
    assert touch(twelve, edit("for twelve months", "for ever"), TEXT)
    assert touch(edit(" months", " years"), edit("twelve", "two"), TEXT)
    assert not touch(twelve, edit("every", "each"), TEXT)
    assert not touch(twelve, edit(B, f"New.\n\n{B}"), TEXT)
    assert not touch(edit(f"{A}\n\n", ""), edit("A person", "A human"), TEXT)


@given(documents, documents, documents)
def test_amendments_that_do_not_touch_can_both_be_made_in_either_order(text, first, second):
    one, other = edits_between(text, first), edits_between(text, second)
    if touch(one, other, text):
        return
    both = applied(text, sorted([*one, *other], key=lambda e: (e.start, e.end)))
    for base, made, rest in ((first, one, other), (second, other, one)):
        assert applied(text, made) == base
        followed = carried(rest, text, base)
        if None not in followed:
            assert applied(base, followed) == both


def test_edits_that_do_not_fit_are_refused():
    for bad in ([Edit(5, 3, "")], [Edit(0, 5, ""), Edit(4, 6, "")], [Edit(0, len(TEXT) + 1, "")]):
        with pytest.raises(UnfitEditsError):
            applied(TEXT, bad)


def test_edits_are_shown_in_the_paragraphs_that_they_stand_in():
    edits = edits_between(TEXT, TEXT.replace("twelve", "six").replace("asks for", "wishes"))
    passages = shown(TEXT, edits)
    assert [passage.at for passage in passages] == [0, TEXT.index(B)]
    words = [(c.kind, c.text) for c in passages[0].changes]
    assert words[1:3] == [("gone", "twelve"), ("new", "six")]


def test_a_new_paragraph_is_shown_before_the_one_it_would_stand_before():
    passages = shown(TEXT, edit(B, f"First of all.\n\n{B}"))
    assert [passage.at for passage in passages] == [TEXT.index(B)]
    assert [c.kind for c in passages[0].changes] == ["new", "same"]


def test_whole_paragraphs_stand_beside_what_they_would_be():
    edits = edits_between(TEXT, TEXT.replace("twelve", "six").replace(f"{C}\n", "").rstrip("\n"))
    assert replacements(TEXT, edits)[0] == (A, A.replace("twelve", "six"))


@given(texts, texts)
def test_whatever_is_edited_all_of_it_is_shown(before, after):
    edits = edits_between(before, after)
    found = [c for passage in shown(before, edits) for c in passage.changes]
    new = "".join("".join(c.text for c in found if c.kind == "new").split())
    for edit_ in edits:
        assert "".join(edit_.text.split()) in new
