"""Where statsmodels and scipy have the same method, they have the same numbers.

statsmodels is no part of the site: it brings pandas and over 200 MB into a process. It is what the
formulas are held against.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats import contingency_tables
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from evals.statistics import holm, mcnemar, summarise, wilson_interval

COUNTS = st.integers(0, 300)
GRADES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
CLUSTERED = st.lists(st.tuples(st.integers(0, 14), GRADES), min_size=2, max_size=80)
P_VALUES = st.lists(st.floats(0, 1), max_size=12)


@settings(max_examples=30, deadline=None)
@given(CLUSTERED)
def test_the_clustered_error_is_that_of_statsmodels(rows):
    labels, scores = [label for label, _ in rows], [score for _, score in rows]
    found = summarise(scores, labels)
    if not found.stderr:
        return
    fit = OLS(scores, np.ones(len(scores))).fit(cov_type="cluster", cov_kwds={"groups": labels})

    assert found.mean == pytest.approx(fit.params[0], rel=1e-9)
    assert found.stderr == pytest.approx(fit.bse[0], rel=1e-6, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(COUNTS, COUNTS)
def test_the_exact_test_is_that_of_statsmodels(gained, lost):
    if not gained + lost:
        return

    expected = contingency_tables.mcnemar([[5, lost], [gained, 5]], exact=True).pvalue

    assert mcnemar(gained, lost) == pytest.approx(expected, rel=1e-9, abs=1e-15)


@settings(deadline=None)
@given(COUNTS, COUNTS)
def test_the_exact_test_is_scipy_s_binomial_test(gained, lost):
    expected = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0

    assert mcnemar(gained, lost) == pytest.approx(expected, rel=1e-9, abs=1e-15)


@settings(max_examples=20, deadline=None)
@given(P_VALUES)
def test_holm_is_that_of_statsmodels(p_values):
    if p_values:
        expected = multipletests(p_values, method="holm")[1]
        assert holm(p_values) == pytest.approx(list(expected), rel=1e-12)


@settings(deadline=None)
@given(st.integers(1, 2000), st.data())
def test_the_wilson_interval_is_that_of_statsmodels_and_scipy(n, data):
    successes = data.draw(st.integers(0, n))
    theirs = proportion_confint(successes, n, method="wilson")
    scipys = stats.binomtest(successes, n).proportion_ci(0.95, "wilson")

    found = wilson_interval(successes, n)

    assert found == pytest.approx(theirs, abs=1e-12)
    assert found == pytest.approx((scipys.low, scipys.high), abs=1e-12)
