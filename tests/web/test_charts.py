"""Positions on drawings: inside the drawing, in order, and told in the same words."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.web import bars, charts
from oversight.web.charts import Score

scores = st.decimals(min_value=0, max_value=1, places=4)
figures = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)


def place(position: str) -> float:
    """Read a position back."""
    assert position.endswith("%")
    return float(position[:-1])


# -- Figures in words ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figure", "places", "text"),
    [
        ("0.5324", 3, "0.532"),
        (Decimal("0.5"), 3, "0.500"),
        (1, 3, "1.000"),
        ("2/3", 3, "0.667"),
        (-0.041, 3, "−0.041"),
        ("−0.041", 2, "−0.04"),
        (-0.0001, 3, "0.000"),
        (12.6, 0, "13"),
    ],
)
def test_a_figure_has_fixed_decimals_and_a_true_minus(
    figure: charts.Figure, places: int, text: str
) -> None:
    assert charts.decimal(figure, places) == text


@given(st.decimals(min_value=-1000, max_value=1000, places=6), st.integers(0, 6))
def test_a_figure_in_words_is_within_half_a_unit_of_itself(value: Decimal, places: int) -> None:
    written = Fraction(charts.decimal(value, places).replace("−", "-"))
    assert abs(written - Fraction(value)) <= Fraction(1, 2 * 10**places)


@pytest.mark.parametrize(
    ("comparison", "words"),
    [
        ("below", "below 0.60"),
        ("at_least", "at least 0.60"),
        ("at_most", "at most 0.60"),
        ("", "0.60"),
    ],
)
def test_a_criterion_is_named_in_words(comparison: str, words: str) -> None:
    assert charts.criterion_words("0.6", comparison) == words


# -- Scale and axis --------------------------------------------------------------------------


def test_a_scale_without_length_is_refused() -> None:
    with pytest.raises(ValueError, match="start < end"):
        charts.Scale(0.5, 0.5)
    with pytest.raises(ValueError, match="start < end"):
        charts.Scale(float("nan"), 1)


def test_a_value_outside_the_scale_is_held_at_its_end() -> None:
    scale = charts.Scale(0, 1)
    assert (scale.at(-3), scale.at(0.25), scale.at(3)) == (0, 25, 100)


def test_an_axis_has_round_ticks_that_hold_the_figures() -> None:
    scale, ticks = charts.axis(0.506, 0.672)
    assert [tick.label for tick in ticks] == ["0.50", "0.55", "0.60", "0.65", "0.70"]
    assert (scale.start, round(scale.end, 9)) == (0.5, 0.7)
    assert [tick.x for tick in ticks] == ["0.00%", "25.00%", "50.00%", "75.00%", "100.00%"]


def test_an_axis_through_zero_uses_the_true_minus() -> None:
    _, ticks = charts.axis(-0.064, 0.02)
    assert [tick.label for tick in ticks] == ["−0.08", "−0.06", "−0.04", "−0.02", "0.00", "0.02"]


def test_an_axis_of_quarter_steps_shows_their_last_decimal() -> None:
    _, ticks = charts.axis(0.5, 0.6125)
    assert [tick.label for tick in ticks][:3] == ["0.500", "0.525", "0.550"]


@given(figures, figures)
def test_an_axis_holds_its_figures_with_few_distinct_ticks(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    scale, ticks = charts.axis(low, high)
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert scale.start <= low + slack
    assert high - slack <= scale.end
    assert 2 <= len(ticks) <= 8
    assert len({tick.label for tick in ticks}) == len(ticks)


# -- Standing and passing side ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "comparison", "tone"),
    [
        (0.70, 0.80, "at_least", "good"),
        (0.40, 0.50, "at_least", "bad"),
        (0.55, 0.65, "at_least", "wait"),
        (0.60, 0.70, "at_least", "good"),
        (0.40, 0.50, "below", "good"),
        (0.70, 0.80, "below", "bad"),
        (0.60, 0.70, "below", "bad"),
        (0.50, 0.60, "at_least", "wait"),
        (0.50, 0.60, "above", "bad"),
        (0.50, 0.60, "below", "wait"),
        (0.60, 0.60, "at_least", "good"),
        (0.60, 0.60, "below", "bad"),
        (0.60, 0.60, "at_most", "good"),
        (0.40, 0.50, "", "accent"),
    ],
)
def test_the_tone_follows_where_the_interval_lies(
    low: float, high: float, comparison: str, tone: str
) -> None:
    assert charts.standing(low, high, 0.60, comparison) == tone


def test_the_tinted_side_is_the_one_that_meets_the_criterion() -> None:
    scale = charts.Scale(0, 1)
    assert charts.passing_side(scale, 0.6, "at_least") == charts.Span("60.00%", "40.00%")
    assert charts.passing_side(scale, 0.6, "below") == charts.Span("0.00%", "60.00%")
    assert charts.passing_side(scale, 0.6, "") is None


# -- Strip -----------------------------------------------------------------------------------


def test_strips_with_like_intervals_share_one_width_of_window() -> None:
    first = charts.strip_scale([0.506, 0.532, 0.558, 0.60])
    second = charts.strip_scale([0.689, 0.715, 0.741, 0.65])
    assert round(first.end - first.start, 9) == round(second.end - second.start, 9) == 0.25


def test_a_strip_may_be_given_its_window() -> None:
    strip = charts.strip(low="0.2", value="0.5", high="0.8", start=0, end=1)
    assert (strip.low, strip.value, strip.high) == ("20.00%", "50.00%", "80.00%")
    assert strip.criterion is None
    assert strip.tone == "accent"


def test_a_strip_says_in_words_what_it_draws() -> None:
    strip = charts.strip(
        low="0.506", value="0.532", high="0.558", criterion="0.6", comparison="below"
    )
    assert strip.description == "0.532, 95 % interval 0.506 to 0.558; criterion: below 0.60"
    assert strip.tone == "good"


@given(scores, scores, scores, st.none() | scores)
def test_everything_on_a_strip_lies_inside_it_in_order(
    one: Decimal, two: Decimal, three: Decimal, criterion: Decimal | None
) -> None:
    low, value, high = sorted((one, two, three))
    strip = charts.strip(
        low=low, value=value, high=high, criterion=criterion, comparison="at_least"
    )
    positions = [place(strip.low), place(strip.value), place(strip.high)]
    assert positions == sorted(positions)
    assert all(0 <= position <= 100 for position in positions)
    if strip.passing is not None:
        end = place(strip.passing.x) + place(strip.passing.width)
        assert end == pytest.approx(100, abs=0.02)


@given(scores, scores)
def test_the_window_over_scores_stays_inside_the_scores(one: Decimal, other: Decimal) -> None:
    scale = charts.strip_scale([float(one), float(other)])
    if scale.end - scale.start <= 1:
        assert scale.start >= -1e-9
        assert scale.end <= 1 + 1e-9


# -- Interval chart --------------------------------------------------------------------------


def test_an_interval_chart_holds_its_criterion_and_reference() -> None:
    chart = charts.interval_chart(
        [Score("A", "0.532", "0.506", "0.558"), Score("B", "0.648", "0.623", "0.672")],
        criterion="0.70",
        comparison="below",
        reference="0.50",
        reference_label="no preference",
    )
    assert [row.value_text for row in chart.rows] == ["0.532", "0.648"]
    assert chart.rows[0].interval_text == "0.506 to 0.558"
    assert chart.criterion == charts.Marker("100.00%", "criterion: below 0.70", "end", -6)
    assert chart.reference == charts.Marker("0.00%", "no preference", "start", 6)
    assert chart.passing == charts.Span("0.00%", "100.00%")


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ("0.61", "0.74", ("The scale begins at 0.60, not at\N{NO-BREAK SPACE}0.",)),
        ("0.02", "0.74", ()),
        ("-0.1", "0.2", ()),
        ("-0.3", "-0.12", ("The scale ends at −0.10, before\N{NO-BREAK SPACE}0.",)),
    ],
)
def test_an_interval_chart_says_where_its_scale_leaves_zero_out(
    low: str, high: str, said: tuple[str, ...]
) -> None:
    chart = charts.interval_chart([Score("A", low, low, high)])
    assert chart.notes == said
    assert not said or said[0].split()[4].strip(",") in {tick.label for tick in chart.ticks}


def test_the_line_for_orientation_is_told_in_words() -> None:
    chart = charts.interval_chart(
        [Score("A", "0.5", "0.4", "0.6")], reference="1/3", reference_label="guessing"
    )
    assert chart.notes[0] == "The line at 0.333: guessing."


def test_an_interval_chart_without_scores_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        charts.interval_chart([])


# -- Result bar ------------------------------------------------------------------------------


def test_the_threshold_is_a_share_of_its_base_only() -> None:
    votes = bars.result_bar(votes_for=14, against=3, abstain=2, threshold="2/3")
    cast = bars.result_bar(votes_for=14, against=3, abstain=2, threshold="2/3", base="cast")
    assert place(votes.threshold or "") == pytest.approx(100 * 2 / 3 * 17 / 19, abs=0.01)
    assert place(cast.threshold or "") == pytest.approx(100 * 2 / 3, abs=0.01)


def test_a_vote_carries_where_the_bar_reaches_the_threshold() -> None:
    bar = bars.result_bar(votes_for=12, against=6, abstain=5, threshold="2/3")
    assert place(bar.threshold or "") == pytest.approx(place(bar.segments[0].span.width), abs=0.01)


def test_a_bar_without_votes_is_empty_and_says_so() -> None:
    bar = bars.result_bar(votes_for=0, against=0, threshold="1/2")
    assert (bar.segments, bar.threshold, bar.description) == ((), None, "no votes")


counts = st.integers(0, 10_000)


@given(counts, counts, counts, counts)
def test_the_segments_of_a_bar_fill_it_without_overlap(
    votes_for: int, against: int, abstain: int, waiting: int
) -> None:
    bar = bars.result_bar(
        votes_for=votes_for, against=against, abstain=abstain, waiting=waiting, threshold="1/2"
    )
    edge = 0.0
    for segment in bar.segments:
        assert place(segment.span.x) == pytest.approx(edge, abs=0.02)
        edge = place(segment.span.x) + place(segment.span.width)
    assert edge == pytest.approx(100 if bar.segments else 0, abs=0.02)
    assert sum(segment.count for segment in bar.segments) == votes_for + against + abstain + waiting


# -- Stage line ------------------------------------------------------------------------------


def test_stages_before_the_current_one_are_done() -> None:
    line = bars.stage_line("final_text")
    assert [stage.state for stage in line.stages] == ["done", "done", "current", "ahead", "ahead"]
    assert (line.current, line.place) == ("Final text", "stage 3 of 5")


def test_the_current_stage_can_carry_the_outcome() -> None:
    assert bars.stage_line("decided", label="Carried").stages[-1].label == "Carried"


def test_an_ending_claims_no_stage_that_may_not_have_been_reached() -> None:
    annulled, withdrawn = bars.stage_line("annulled"), bars.stage_line("withdrawn")
    assert [annulled.current, annulled.stages[3].state] == ["Annulled", "current"]
    assert [withdrawn.current, withdrawn.stages[1].state] == ["Withdrawn", "ahead"]


def test_an_unknown_stage_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'closed'"):
        bars.stage_line("closed")
