"""Exact numbers and lots: what is read, what is written, and what anyone can redo."""

import shutil
import subprocess
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proposals.tally import exact
from proposals.tally.election import Election
from proposals.tally.errors import InputError
from proposals.tally.lot import Lot


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, "3"),
        ("2.50", "2.5"),
        ("-0.5", "-0.5"),
        ("1/3", "1/3"),
        ("3/4", "0.75"),
        (Decimal("0.000001"), "0.000001"),
        (Fraction(10, 5), "2"),
        (0, "0"),
    ],
)
def test_numbers_are_written_as_people_write_them(value, expected):
    assert exact.number_text(exact.fraction(value, "x")) == expected


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("inf"),
        True,
        None,
        "",
        "1e3",
        " 1",
        "1.",
        "１",
        "1/0",
        "1" * 5000,
        Decimal("NaN"),
        Decimal("1E+999999"),
        10**400,
        Fraction(1, 10**16),
    ],
)
def test_anything_but_a_bounded_exact_number_is_refused(value):
    with pytest.raises(InputError, match=r"^x: "):
        exact.fraction(value, "x")


@settings(deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(0, 8), st.integers(0, 7))
def test_a_decimal_text_reads_back_as_the_same_number(digits, places, wanted):
    number = Fraction(digits, 10**places)
    text = exact.decimal_text(number, wanted)
    assert Fraction(text) == number
    assert wanted == 0 or len(text.partition(".")[2]) >= wanted


def test_a_third_has_no_decimal_text():
    with pytest.raises(ValueError, match="no finite decimal"):
        exact.decimal_text(Fraction(1, 3), 5)


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="sha256sum is not installed")
def test_a_lot_can_be_redone_in_a_shell():
    names = ["Ann", "Béatrice", "Ξένια"]
    keys = {
        name: subprocess.run(
            ["sh", "-c", 'printf "%s%s" "$1" "$2" | sha256sum', "sh", "the seed", name],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[0]
        for name in names
    }
    assert Lot("the seed").order(names) == sorted(names, key=keys.get)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("candidates", {"candidates": [], "ballots": []}),
        ("candidates", {"candidates": ["Ann", "Ann"]}),
        ("candidates", {"candidates": ["Ann", "  "]}),
        ("candidates", {"candidates": ["Ann", "B\nen"]}),
        ("candidates", {"candidates": ["Ann", "\ud800"]}),
        ("candidates", {"candidates": ["Ann", "B" * 501]}),
        ("candidates", {"candidates": [str(n) for n in range(301)], "ballots": []}),
        ("title", {"title": "a\x00b"}),
        ("seats", {"seats": 0}),
        ("seats", {"seats": 1001}),
        ("withdrawn", {"withdrawn": ["Cat"]}),
        ("withdrawn", {"withdrawn": ["Ann", "Ben"]}),
        ("ballots", {"ballots": [(1, ["Cat"])]}),
        ("ballots", {"ballots": [(1, ["Ann", "Ann"])]}),
        ("ballots", {"ballots": [(1, ["Ann", ["Ben", "Ann"]])]}),
        ("ballots", {"ballots": [(1, ["Ann", []])]}),
        ("ballots", {"ballots": [(0, ["Ann"])]}),
        ("ballots", {"ballots": [(-1, ["Ann"])]}),
        ("ballots", {"ballots": [(0.5, ["Ann"])]}),
        ("ballots", {"ballots": [(None, ["Ann"])]}),
        ("ballots", {"ballots": [("1/999983", ["Ann"]), ("1/99999999999973", ["Ben"])]}),
    ],
)
def test_an_election_that_cannot_be_counted_is_refused_by_the_name_of_its_field(field, change):
    good = {"candidates": ["Ann", "Ben"], "ballots": [(1, ["Ann"])]}
    Election.of(**good)
    with pytest.raises(InputError) as caught:
        Election.of(**{**good, **change})
    assert caught.value.field == field
