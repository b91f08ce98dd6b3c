"""What changed between two revisions, word by word."""

import time

from hypothesis import given
from hypothesis import strategies as st

from proposals.changes import Change, changes_between

words = st.lists(st.sampled_from(["one", "two", "three", "\n", " ", ",", "vier"]), max_size=60)


def test_the_same_text_has_no_changes():
    assert changes_between("one two", "one two") == ()


def test_words_put_in_and_taken_out_are_marked():
    found = changes_between("for twelve months", "for four months, at night")
    assert [c.text for c in found if c.kind == "gone"] == ["twelve"]
    assert [c.text for c in found if c.kind == "new"] == ["four", ", at night"]


def test_the_middle_of_an_unchanged_stretch_is_left_out():
    long = " ".join(f"word{n}" for n in range(300))
    found = changes_between(f"a {long} b", f"c {long} d")
    assert [c.kind for c in found].count("skip") == 1
    assert sum(len(c.text) for c in found) < len(long)


@given(words, words)
def test_what_is_new_and_what_is_kept_make_the_new_text_where_nothing_is_left_out(before, after):
    old, new = "".join(before), "".join(after)
    found = changes_between(old, new)
    if found and all(c.kind != "skip" for c in found):
        assert "".join(c.text for c in found if c.kind in {"same", "new"}) == new


def test_texts_too_long_to_compare_stand_whole_and_quickly():
    old, new = "a\n" * 50_000, "b\n" * 50_000
    began = time.monotonic()
    assert changes_between(old, new) == (Change("gone", old), Change("new", new))
    assert changes_between("a " * 1400, "a " * 1500)
    assert time.monotonic() - began < 5
