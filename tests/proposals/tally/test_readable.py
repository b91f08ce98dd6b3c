"""Sheets as text: everything that decided is there to read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proposals.tally.casting import CastingVote
from proposals.tally.election import Election
from proposals.tally.exact import number_text
from proposals.tally.lot import Lot
from proposals.tally.methods import METHODS
from proposals.tally.quorum import Quorum, Turnout
from proposals.tally.readable import text_of
from proposals.tally.yes_no import Rules, Votes, count
from tests.proposals.tally.strategies import elections

CYCLE = Election.of(
    candidates=["Ann", "Ben", "Cat"],
    title="Chair",
    ballots=[
        (8, ["Ann", "Ben", "Cat"]),
        (7, ["Ben", "Cat", "Ann"]),
        (5, ["Cat", "Ann", "Ben"]),
        (1, ["Ann", "Cat", "Ben"]),
    ],
)


def test_a_schulze_sheet_shows_both_matrices_with_rows_and_columns_in_one_order():
    text = text_of(METHODS["schulze"](CYCLE, None))
    assert (
        text
        == """\
Chair (schulze, 1 to elect)
Valid: 21; void: 0.

Stage 1: candidates beaten one to one
  Ann  1
  Ben  1
  Cat  1

Stage 2: candidates beaten by strongest path
  Ann  2
  Ben  1
  Cat  0
  Elected: Ann.

Votes that rank the candidate of the row above the one of the column:
       Ann  Ben  Cat
  Ann    –   14    9
  Ben    7    –   15
  Cat   12    6    –

Strength of the strongest path from the row to the column:
       Ann  Ben  Cat
  Ann    –   14   14
  Ben   12    –   15
  Cat   12   12    –

Ties leave the status quo.
Elected: Ann.
"""
    )


def test_a_motion_reads_as_its_sentences():
    sheet = count(Rules.of(quorum="1/2"), Votes.of(yes=3, no=1, roll=9))
    assert text_of(sheet).splitlines() == list(sheet.words)


@pytest.mark.parametrize(
    ("decider", "words"),
    [
        (None, "Ties leave the status quo."),
        (Lot("s"), "Ties fall to a lot; there was none."),
        (CastingVote(("Ben", "Ann")), "Ties fall to the chair, who prefers Ben and Ann."),
    ],
)
def test_the_tie_rule_and_a_missing_quorum_are_said_at_the_end(decider, words):
    sheet = METHODS["irv"](CYCLE, decider)
    missed = sheet.under(Quorum.of("1/2").check(Turnout.of(cast=21, roll=50)))
    text = text_of(missed)
    assert "Quorum: at least 1/2 of the roll: 1/2 × 50 = 25; 21 were cast" in text
    assert text.endswith(f"{words}\nElected: nobody; outcome: no quorum.\n")


def test_the_seed_of_a_lot_is_said_where_a_tie_fell_to_it():
    tied = Election.of(candidates=["Ann", "Ben"], ballots=[(1, ["Ann"]), (1, ["Ben"])])
    text = text_of(METHODS["irv"](tied, Lot("s")))
    assert "Ties fall to a lot; its seed is 's'.\n" in text


@settings(max_examples=60, deadline=None)
@given(elections(max_candidates=5), st.sampled_from([None, Lot("x")]), st.sampled_from([*METHODS]))
def test_every_stage_total_and_tie_is_in_the_text(election, decider, method):
    sheet = METHODS[method](election, decider)
    text = text_of(sheet)
    for stage in sheet.stages:
        assert stage.act in text
        assert all(number_text(votes, sheet.places) in text for votes in stage.totals.values())
    assert all(tie.words in text for tie in sheet.ties)
    assert all(note in text for note in sheet.notes)
