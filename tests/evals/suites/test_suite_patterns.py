"""Which regular expressions a filter may have."""

import pytest

from evals.suites.patterns import PatternRefused, check_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        r"-?\$?\d[\d,]*\.?\d*",
        r"(?i)\b(?:i|we) (?:can't|cannot)\b",
        r"#### (-?[0-9.,]+)",
        r"(?:ab){3}",
    ],
)
def test_a_plain_expression_is_accepted(pattern):
    check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)+$", r"(a|aa)+$", r"(?:a*)*", r"((?:a?){2,9})+", r"(?=(a+)+)b", r"(a)\1", r"(?>(a+)+)"],
)
def test_an_expression_that_can_run_for_years_is_refused(pattern):
    with pytest.raises(PatternRefused):
        check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["(", "[a", "*a", "(?P<n>a)(?P<n>b)", "a{99999999999999999999}"]
)
def test_an_expression_that_does_not_compile_is_refused(pattern):
    with pytest.raises(PatternRefused, match="does not compile"):
        check_pattern(pattern)
