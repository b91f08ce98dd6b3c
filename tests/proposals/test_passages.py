"""A quoted passage is found again where a newer text has it, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals.passages import MOST_PLACES, Passage, context_of, locate

TEXT = """## Conditions

The operator **must** log every request for twelve months.

The operator publishes the log of outages each quarter.

## Term

The authorisation lasts twelve months.
"""


def quoted(text, quote, nth=0):
    """Return what is kept of a quote: itself and what stands around it."""
    start = -1
    for _ in range(nth + 1):
        start = text.index(quote, start + 1)
    return (quote, *context_of(text, start, start + len(quote)))


def found(kept, text):
    passage = locate(*kept, text)
    return None if passage is None else (text[passage.start : passage.end], passage.is_changed)


@pytest.mark.parametrize("nth", [0, 1])
def test_a_quote_that_stands_twice_is_told_apart_by_its_surroundings(nth):
    passage = locate(*quoted(TEXT, "twelve months", nth), TEXT)
    assert passage == Passage(
        TEXT.index("twelve months") if nth == 0 else TEXT.rindex("twelve months"),
        (TEXT.index("twelve months") if nth == 0 else TEXT.rindex("twelve months")) + 13,
        is_changed=False,
    )


def test_a_quote_is_found_behind_text_put_in_before_it():
    kept = quoted(TEXT, "publishes the log of outages")
    assert found(kept, "# A long preamble\n\n" * 40 + TEXT) == (kept[0], False)


def test_a_quote_is_found_in_a_paragraph_that_moved():
    kept = quoted(TEXT, "The operator publishes the log of outages each quarter.")
    moved = TEXT.replace(kept[0] + "\n\n", "") + "\n" + kept[0] + "\n"
    assert found(kept, moved) == (kept[0], False)


def test_a_reworded_quote_is_found_and_said_to_be_changed():
    kept = quoted(TEXT, "The operator publishes the log of outages each quarter.")
    reworded = TEXT.replace("each quarter", "every month").replace("## Term", "## How long")
    now = "The operator publishes the log of outages every month."
    assert found(kept, reworded) == (now, True)


def test_a_reworded_quote_is_found_in_a_paragraph_that_moved():
    old = "The operator publishes the log of outages each quarter."
    now = "The operator publishes a log of all outages each quarter."
    moved = now + "\n\n" + TEXT.replace(old + "\n\n", "")
    assert found(quoted(TEXT, old), moved) == (now, True)


def test_a_quote_whose_first_and_last_words_were_replaced_keeps_its_whole_length():
    kept = quoted(TEXT, "log every request for twelve")
    reworded = TEXT.replace("log every request for twelve", "store every request for six")
    assert found(kept, reworded) == ("store every request for six", True)


def test_a_line_break_or_a_mark_of_markdown_is_no_change_of_wording():
    kept = ("must log every request", "The operator ", " for twelve months.")
    assert found(kept, TEXT) == ("must** log every request", False)
    assert found(kept, TEXT.replace("log every", "log\nevery")) == (
        "must** log\nevery request",
        False,
    )


def test_a_passage_that_was_taken_out_is_not_found():
    kept = quoted(TEXT, "The operator publishes the log of outages each quarter.")
    assert locate(*kept, TEXT.replace(kept[0], "Nothing is published.")) is None
    assert locate(*kept, "") is None


def test_a_short_quote_is_not_found_where_only_its_words_happen_to_stand():
    kept = quoted(TEXT, "twelve months", 1)
    gone = TEXT[: TEXT.index("## Term")] + "## End\n\nIt ends at once.\n"
    assert locate(*kept, gone) is None


def test_a_quote_that_stands_twice_with_the_same_surroundings_names_no_place():
    kept = quoted(TEXT, "publishes the log of outages")
    assert locate(*kept, TEXT + TEXT) is None


def test_a_place_between_two_words_is_found_as_long_as_its_surroundings_stand():
    at = TEXT.index("## Term")
    kept = ("", *context_of(TEXT, at, at))
    assert locate(*kept, "# Preamble\n\n" + TEXT) == Passage(at + 12, at + 12, is_changed=False)
    assert locate(*kept, TEXT.replace("## Term", "## Duration")) is None


def test_a_place_at_either_end_of_a_text_is_found():
    assert locate("", "", TEXT[:80], TEXT) == Passage(0, 0, is_changed=False)
    assert locate("", TEXT[-80:], "", TEXT) == Passage(len(TEXT), len(TEXT), is_changed=False)


def test_texts_made_to_be_slow_name_no_place():
    assert locate("a", "a", "a", "a" * 100_000) is None
    assert locate("a b " * 500, "", "", "b a c " * 20_000) is None
    assert locate("x ", "", "", "x " * (MOST_PLACES + 1)) is None


words = st.lists(st.sampled_from(["one", "two", "three", "four", "##", "\n\n"]), max_size=80)


@given(words, words, st.data())
def test_what_is_put_in_elsewhere_never_loses_a_passage(before, text, data):
    """A text whose words are all different is found wherever it is put."""
    whole = " ".join(f"{word}{number}" for number, word in enumerate([*text, "end"]))
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start + 1, len(whole)))
    quote = whole[start:end]
    lead = " ".join(before)
    passage = locate(quote, *context_of(whole, start, end), lead + "\n\n" + whole)
    shift = len(lead) + 2
    assert passage == Passage(start + shift, end + shift, is_changed=False)


@given(st.text(max_size=60), st.text(max_size=30), st.text(max_size=30), st.text(max_size=200))
def test_whatever_is_asked_the_answer_lies_inside_the_text(quote, before, after, text):
    passage = locate(quote, before, after, text)
    assert passage is None or 0 <= passage.start <= passage.end <= len(text)
