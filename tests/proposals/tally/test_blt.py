"""BLT files: what is read, what is refused and with which words, and the way back."""

from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proposals.tally import blt
from proposals.tally.blt import BltError
from proposals.tally.election import Election
from tests.proposals.tally.strategies import elections

GOOD = """\
# An example
3 2
-2          # Ben withdrew

4 1 3 0
1.5 2 1 = 3 0   # a shared rank, written with spaces
1/3 3 0
2 0
4 1 3 0
0
"Ann \\"the first\\" O'Neil # 1"   # a comment
Ben Bäcker
'Cat'
"The ""board"" \\\\ 2026"
"""


def test_every_part_of_the_format_is_read():
    election = blt.parse(GOOD)
    assert election.candidates == ('Ann "the first" O\'Neil # 1', "Ben Bäcker", "'Cat'")
    assert election.seats == 2
    assert election.title == 'The "board" \\ 2026'
    assert election.withdrawn == {1}
    assert election.ballots == {
        ((0,), (2,)): Fraction(8),
        ((1,), (0, 2)): Fraction(3, 2),
        ((2,),): Fraction(1, 3),
        (): Fraction(2),
    }


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        GOOD.rstrip("\n"),
        GOOD + "\n\n# the end\n",
    ],
)
def test_byte_order_marks_and_line_endings_make_no_difference(data):
    assert blt.parse(data) == blt.parse(GOOD)


def test_a_shared_rank_is_the_same_in_any_order():
    election = blt.parse("3 1\n1 3 2=1 0\n1 3 1=2 0\n0\nAnn\nBen\nCat\n")
    assert election.ballots == {((2,), (0, 1)): Fraction(2)}
    assert (
        election.ballots
        == Election.of(
            candidates=election.candidates,
            ballots=[(1, ["Cat", ["Ben", "Ann"]]), (1, ["Cat", ["Ann", "Ben"]])],
        ).ballots
    )


def test_a_title_may_be_left_out():
    assert blt.parse("1 1\n0\nAnn").title == ""


def test_quoted_parts_on_one_line_are_one_name():
    assert blt.parse('1 1\n0\n"Ann" "BERG" "Green"\n').candidates == ("Ann BERG Green",)


def test_commas_that_a_spreadsheet_left_at_the_ends_of_lines_are_ignored():
    commas = '2 1,,\n-2,\n3 1 0 , ,\n0,\n"Ann", "Lab",\n"Ben, B.",,\nWard 6,,,\n,,\n'
    plain = '2 1\n-2\n3 1 0\n0\n"Ann" "Lab"\n"Ben, B."\nWard 6\n'
    assert blt.parse(commas) == blt.parse(plain)


def test_a_party_in_doubled_quotation_marks_stays_part_of_the_name():
    text = '1 1\n0\n"Ann BERG ""Green Party"""\nWard 6 - Elgin'
    assert blt.parse(text).candidates == ('Ann BERG "Green Party"',)


BAD_FILES = [
    ("", 1, "the file ends here; begin it with the number of candidates and of seats"),
    ("# nothing\n\n", 2, "begin it with"),
    ("3\n", 1, "begin with two numbers"),
    ("3 x\n", 1, "begin with two numbers"),
    ("3 1 2\n", 1, "begin with two numbers"),
    ("-3 1\n", 1, "begin with two numbers"),
    ("٣ 1\n", 1, "begin with two numbers"),
    ("0 1\n", 1, "candidates must be 1 to 300, not 0"),
    ("301 1\n", 1, "candidates must be 1 to 300, not 301"),
    ("2 0\n", 1, "seats must be 1 to 1000, not 0"),
    ("2 1\n", 1, "the file ends here; add the ballots"),
    ("2 1\n-3\n0\nA\nB", 2, "'-3': write -N for a withdrawn candidate N"),
    ("2 1\n-0\n0\nA\nB", 2, "'-0': write -N"),
    ("2 1\n-1 2\n0\nA\nB", 2, "'2': write -N"),
    ("2 1\n-1\n-1\n0\nA\nB", 3, "candidate 1 is withdrawn twice"),
    ("2 1\n-1 -2\n0\nA\nB", 1, "every candidate is withdrawn"),
    ("2 1\n1 1 0\n-2\n0\nA\nB", 3, "withdrawn candidates stand before the first ballot"),
    ("2 1\n1 1 0\n", 2, "the file ends here; end the ballots with a line 0"),
    ('2 1\n1 1 0\n"A"\n"B"\n', 3, "put a line 0 before the names"),
    ("2 1\n1 1 2\n0\nA\nB", 2, "end the ballot with 0"),
    ("2 1\n7\n0\nA\nB", 2, "end the ballot with 0"),
    ("2 1\n1 1 0 2\n0\nA\nB", 2, "junk after the final 0"),
    ("2 1\n1 1 0 # ok\n1 1 0 junk\n0\nA\nB", 3, "junk after the final 0"),
    ("2 1\n1 1 0 2 0\n0\nA\nB", 2, "'0' is no candidate; junk after the final 0"),
    ("2 1\n1 3 0\n0\nA\nB", 2, "'3' is no candidate; use 1 to 2"),
    ("2 1\n1 -1 0\n0\nA\nB", 2, "'-1' is no candidate; use 1 to 2"),
    ("2 1\n1 1.0 0\n0\nA\nB", 2, "'1.0' is no candidate"),
    ("2 1\n1 1= 0\n0\nA\nB", 2, "end the ballot with 0"),
    ("2 1\n1 1==2 0\n0\nA\nB", 2, "'' is no candidate"),
    ("2 1\n1 1 - 2 0\n0\nA\nB", 2, "a skipped rank means different things"),
    ("2 1\n1 1 2 1 0\n0\nA\nB", 2, "candidate 1 is ranked twice; keep one of the two"),
    ("2 1\n1 1=1 0\n0\nA\nB", 2, "candidate 1 is ranked twice"),
    ("2 1\n1 2 1=2 0\n0\nA\nB", 2, "candidate 2 is ranked twice"),
    ("2 1\nx 1 0\n0\nA\nB", 2, "a ballot begins with a weight such as 3, 2.5 or 1/3"),
    ("2 1\n1e3 1 0\n0\nA\nB", 2, "not '1e3'"),
    ("2 1\n(7) 1 1 0\n0\nA\nB", 2, "not '(7)'"),
    ("2 1\n1.0000000000000001 1 0\n0\nA\nB", 2, "a ballot begins with a weight"),
    ("2 1\n9999999999999999 1 0\n0\nA\nB", 2, "a ballot begins with a weight"),
    ("2 1\n1/0 1 0\n0\nA\nB", 2, "'1/0' divides by 0; write a weight above 0"),
    ("2 1\n1/2/3 1 0\n0\nA\nB", 2, "a ballot begins with a weight"),
    ("2 1\n1/999983 1 0\n1/99999999999973 1 0\n0\nA\nB", 3, "too fine to add up exactly"),
    ("2 1\n" + "9" * 50 + " 1 0\n0\nA\nB", 2, "not '99999999999999999999…'"),
    ("2 1\n0.0 1 0\n0\nA\nB", 2, "must be more than 0"),
    ("2 1\n0\nA\n", 3, "candidate 2 of 2 has no name"),
    ("2 1\n0\nA\n\n \nA\n", 6, "the name 'A' is used twice; make the names differ"),
    ('2 1\n0\n"A"\n""\n', 4, "a candidate's name is empty"),
    ('2 1\n0\n"A\nB\n', 3, "a quotation mark is not closed or text follows it"),
    ('2 1\n0\n"A" b\nB\n', 3, "a quotation mark is not closed or text follows it"),
    ('2 1\n0\n"A "x" y"\nB\n', 3, "a quotation mark is not closed or text follows it"),
    ("2 1\n0\nA\x07\nB\n", 3, "has a control character"),
    ("2 1\n0\n" + "A" * 501 + "\nB\n", 3, "longer than 500 characters"),
    ("2 1\n0\nA\nB\nTitle\n# fine\nmore\n", 7, "'more' stands after the title; remove it"),
    ("#\n2 1\n0\nA\nB\nC\nTitle\n", 7, "line 2 says there are 2 candidates"),
    ('2 1\n0\n"A" x "B"\nB\n', 3, "a quotation mark is not closed or text follows it"),
    ("2 1\n0\nA\nB\nTi\x00tle\n", 5, "the title has a control character"),
]
"""What is no BLT: the text, the line at fault, words of the message."""


@pytest.mark.parametrize(("text", "line", "words"), BAD_FILES)
def test_a_bad_file_is_refused_with_its_line_and_the_fix(text, line, words):
    with pytest.raises(BltError) as caught:
        blt.parse(text)
    assert caught.value.line == line
    assert words in caught.value.problem
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_utf8_are_refused_with_their_line():
    with pytest.raises(BltError, match="line 3: the text is not UTF-8"):
        blt.parse("1 1\n0\nBäcker".encode("latin-1"))
    with pytest.raises(BltError, match="line 1: the text is not UTF-8"):
        blt.parse("1 1\n0\nAnn".encode("utf-16"))


def test_a_file_beyond_the_bound_is_refused(monkeypatch):
    monkeypatch.setattr(blt, "MAX_BYTES", 10)
    with pytest.raises(BltError, match="longer than 10 bytes"):
        blt.parse(b"1 1\n0\nAnnabel")


@settings(max_examples=150, deadline=None)
@given(elections())
def test_what_is_written_reads_back_as_the_same_election(election):
    assert blt.parse(blt.dump(election)) == election
    assert blt.parse(blt.dump(election).encode()) == election


@settings(deadline=None)
@given(st.text(alphabet="ab\"\\# '=0-é\u2028", max_size=8))
@example('\\"')
def test_any_name_that_may_stand_reads_back_as_it_was(name):
    try:
        election = Election.of(candidates=[name], ballots=[], title=name)
    except ValueError:
        return
    assert blt.parse(blt.dump(election)) == election


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='0123-=." #\n\\A', max_size=60))
def test_whatever_is_read_is_an_election_or_a_refusal_with_a_line(text):
    try:
        election = blt.parse(text)
    except BltError as refusal:
        line = refusal.line
    else:
        assert blt.parse(blt.dump(election)) == election
        line = 1
    assert 1 <= line <= text.count("\n") + 1
