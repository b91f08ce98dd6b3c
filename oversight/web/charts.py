"""Places figures on drawings: interval strips, interval charts, result bars, stage lines.

Pure: no Django, no markup. A position is a percentage of the drawing's width, written as text
("41.50%"), so that a drawing is laid out anew at every width and never scaled, and so that no
locale can change its decimal point.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

Figure: TypeAlias = int | float | Decimal | Fraction | str
"""A number as pages get it; text may be a decimal or a fraction ("2/3")."""

HIGHER_PASSES = frozenset({"at_least", "above", "gte", "gt", "non_inferior", "non_inferiority"})
"""Comparisons that a score meets from the criterion upwards."""

LOWER_PASSES = frozenset({"at_most", "below", "lte", "lt"})
"""Comparisons that a score meets from the criterion downwards."""

STRIP_SPANS = (0.25, 0.5, 1.0, 2.0, 4.0, 10.0)
"""Widths a strip may show, in units of the score: few, so that strips in a table compare."""

STAGES = (
    ("draft", "Draft"),
    ("deliberation", "Deliberation"),
    ("final_text", "Final text"),
    ("voting", "Voting"),
    ("decided", "Decided"),
)
"""The stages of a proposal in order: key and the word shown."""

ENDINGS = {"withdrawn": ("draft", "Withdrawn"), "annulled": ("voting", "Annulled")}
"""What ended a proposal before its decision: the stage it surely reached, and the word."""

MINUS = "\N{MINUS SIGN}"


def number(figure: Figure) -> float:
    """Return the figure as a float; decimal text and fractions ("2/3") are read exactly first."""
    if isinstance(figure, str):
        return float(Fraction(figure.replace(MINUS, "-")))
    return float(figure)


def decimal(figure: Figure, places: int = 3) -> str:
    """Write a figure with fixed decimals and a true minus sign, rounding halves to even."""
    exact = Fraction(figure.replace(MINUS, "-")) if isinstance(figure, str) else Fraction(figure)
    units = round(exact * 10**places)
    whole, rest = divmod(abs(units), 10**places)
    return (MINUS if units < 0 else "") + (f"{whole}.{rest:0{places}d}" if places else str(whole))


@dataclass(frozen=True, slots=True)
class Scale:
    """A stretch of the number line across the whole width of a drawing."""

    start: float
    end: float

    def __post_init__(self) -> None:
        """Refuse a stretch without length.

        Raises:
            ValueError: if the end is not after the start, or either is not a number.
        """
        if not self.start < self.end:
            raise ValueError(f"a scale needs start < end, got {self.start} and {self.end}")

    def at(self, value: float) -> float:
        """Return the position of a value in percent, held inside the drawing."""
        share = (value - self.start) / (self.end - self.start)
        return 100 * min(1.0, max(0.0, share))


def percent(position: float) -> str:
    """Write a position as SVG wants it."""
    return f"{position:.2f}%"


@dataclass(frozen=True, slots=True)
class Span:
    """A horizontal stretch of a drawing."""

    x: str
    width: str


def _span(left: float, right: float) -> Span:
    return Span(percent(left), percent(right - left))


def passing_side(scale: Scale, criterion: float, comparison: str) -> Span | None:
    """Return the stretch on which the criterion is met; None for an unknown comparison."""
    at = scale.at(criterion)
    if comparison in HIGHER_PASSES:
        return _span(at, 100)
    if comparison in LOWER_PASSES:
        return _span(0, at)
    return None


def standing(low: float, high: float, criterion: float | None, comparison: str) -> str:
    """Return the tone of an interval against its criterion.

    "good" when the whole interval is on the passing side, "bad" when none of it is, "wait" when
    the criterion lies inside, "accent" without a criterion. For drawing only: whether a criterion
    counts as met is decided, and recorded, where runs are judged.
    """
    if criterion is None or comparison not in HIGHER_PASSES | LOWER_PASSES:
        return "accent"
    if low < criterion < high:
        return "wait"
    above = low >= criterion
    if low == high == criterion:
        return "good"
    return "good" if above == (comparison in HIGHER_PASSES) else "bad"


def criterion_words(criterion: Figure, comparison: str, places: int = 2) -> str:
    """Return the criterion in words, such as "at least 0.65" or "below 0.60"."""
    words = {"gte": "at least", "gt": "above", "lte": "at most", "lt": "below"}
    words |= {"non_inferior": "no less than", "non_inferiority": "no less than"}
    return f"{words.get(comparison, comparison.replace('_', ' '))} {decimal(criterion, places)}"


# -- Interval strip --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Strip:
    """One score with its interval and its criterion, drawn in a line of a table."""

    low: str
    value: str
    high: str
    criterion: str | None
    passing: Span | None
    tone: str
    description: str
    """The same in words, for who does not see the drawing."""


def strip_scale(figures: Iterable[float]) -> Scale:
    """Return the window of a strip: the smallest of a few widths that holds the figures.

    A window over scores from 0 to 1 stays inside 0 to 1.
    """
    known = sorted(figures)
    low, high = known[0], known[-1]
    wanted = (high - low) * 1.3
    span = next((width for width in STRIP_SPANS if width >= wanted), wanted)
    start = (low + high) / 2 - span / 2
    if low >= 0 and high <= 1 and span <= 1:
        start = min(max(start, 0.0), 1.0 - span)
    return Scale(start, start + span)


def strip(
    *,
    low: Figure,
    value: Figure,
    high: Figure,
    criterion: Figure | None = None,
    comparison: str = "",
    tone: str = "",
    start: Figure | None = None,
    end: Figure | None = None,
) -> Strip:
    """Lay out one strip.

    `start` and `end` fix the window (give both, the same for all rows, to compare positions down
    a column); without them it is chosen by `strip_scale`. Without a `tone` it follows `standing`.
    """
    ends = sorted((number(low), number(high)))
    level = None if criterion is None else number(criterion)
    shown = [*ends, number(value)] + ([] if level is None else [level])
    scale = (
        strip_scale(shown) if start is None or end is None else Scale(number(start), number(end))
    )
    return Strip(
        low=percent(scale.at(ends[0])),
        value=percent(scale.at(number(value))),
        high=percent(scale.at(ends[1])),
        criterion=None if level is None else percent(scale.at(level)),
        passing=None if level is None else passing_side(scale, level, comparison),
        tone=tone or standing(ends[0], ends[1], level, comparison),
        description=describe(value, low, high, criterion, comparison),
    )


def describe(
    value: Figure, low: Figure, high: Figure, criterion: Figure | None = None, comparison: str = ""
) -> str:
    """Return a score with its interval and criterion as one phrase."""
    text = f"{decimal(value)}, 95 % interval {decimal(low)} to {decimal(high)}"
    if criterion is None:
        return text
    return f"{text}; criterion: {criterion_words(criterion, comparison)}"


# -- Interval chart --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Score:
    """One line of an interval chart, as measured."""

    label: str
    value: Figure
    low: Figure
    high: Figure
    n: int | None = None
    note: str = ""
    href: str = ""
    tone: str = "neutral"


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled position on the axis."""

    x: str
    label: str


@dataclass(frozen=True, slots=True)
class Marker:
    """A labelled vertical line; the label stands on the side where it has more room."""

    x: str
    label: str
    anchor: str
    shift: int


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One line of an interval chart, laid out."""

    score: Score
    low: str
    value: str
    high: str
    value_text: str
    interval_text: str


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """Several scores with their intervals on one axis, with its criterion and reference line."""

    rows: tuple[ChartRow, ...]
    ticks: tuple[Tick, ...]
    criterion: Marker | None
    reference: Marker | None
    passing: Span | None


def nice_step(length: float, parts: int) -> float:
    """Return the 1, 2, 2.5 or 5 times a power of ten nearest above `length / parts`."""
    raw = length / parts
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * lead for lead in (1, 2, 2.5, 5, 10) if power * lead >= raw * (1 - 1e-9))


def axis(low: float, high: float, parts: int = 5) -> tuple[Scale, tuple[Tick, ...]]:
    """Return a scale that begins and ends on round numbers, and a tick at each of its steps."""
    if high - low < 1e-9:
        low, high = low - 0.05, high + 0.05
    step = nice_step(high - low, parts)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    places += 1 if round(step * 10**places, 6) % 1 else 0
    scale = Scale(first * step, last * step)
    marks = (index * step for index in range(first, last + 1))
    return scale, tuple(Tick(percent(scale.at(mark)), _tick_text(mark, places)) for mark in marks)


def _tick_text(mark: float, places: int) -> str:
    return decimal(f"{mark:.9f}", places)


def _marker(scale: Scale, value: float, label: str) -> Marker:
    at = scale.at(value)
    to_the_right = at <= 50
    return Marker(
        x=percent(at),
        label=label,
        anchor="start" if to_the_right else "end",
        shift=6 if to_the_right else -6,
    )


def _chart_row(scale: Scale, score: Score) -> ChartRow:
    low, high = sorted((number(score.low), number(score.high)))
    return ChartRow(
        score=score,
        low=percent(scale.at(low)),
        value=percent(scale.at(number(score.value))),
        high=percent(scale.at(high)),
        value_text=decimal(score.value),
        interval_text=f"{decimal(score.low)} to {decimal(score.high)}",
    )


def interval_chart(
    scores: Sequence[Score],
    *,
    criterion: Figure | None = None,
    comparison: str = "",
    reference: Figure | None = None,
    reference_label: str = "",
) -> IntervalChart:
    """Lay out an interval chart with a round axis that holds everything drawn.

    Raises:
        ValueError: without any score.
    """
    if not scores:
        raise ValueError("an interval chart needs at least one score")
    figures = [number(end) for score in scores for end in (score.low, score.value, score.high)]
    level = None if criterion is None else number(criterion)
    fixed = None if reference is None else number(reference)
    figures += [line for line in (level, fixed) if line is not None]
    scale, ticks = axis(min(figures), max(figures))
    words = "" if criterion is None else f"criterion: {criterion_words(criterion, comparison)}"
    return IntervalChart(
        rows=tuple(_chart_row(scale, score) for score in scores),
        ticks=ticks,
        criterion=None if level is None else _marker(scale, level, words),
        reference=None if fixed is None else _marker(scale, fixed, reference_label),
        passing=None if level is None else passing_side(scale, level, comparison),
    )


# -- Result bar ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a result bar, with its words for the key below it."""

    kind: str
    words: str
    count: int
    span: Span


@dataclass(frozen=True, slots=True)
class ResultBar:
    """A count of votes against its threshold."""

    segments: tuple[Segment, ...]
    threshold: str | None
    description: str


def result_bar(
    *,
    votes_for: int,
    against: int,
    abstain: int = 0,
    waiting: int = 0,
    threshold: Figure | None = None,
    base: str = "votes",
) -> ResultBar:
    """Lay out a result bar.

    Args:
        votes_for: votes for.
        against: votes against.
        abstain: abstentions.
        waiting: members on the roll who have not voted.
        threshold: share of the base that must be for, such as "2/3".
        base: what the threshold is a share of: "votes" (for and against), "cast" (with
            abstentions) or "roll" (with those who did not vote).
    """
    parts = (
        ("for", "for", votes_for),
        ("against", "against", against),
        ("abstain", "abstained", abstain),
        ("waiting", "not voted", waiting),
    )
    total = sum(count for _, _, count in parts)
    counted = {"votes": 2, "cast": 3, "roll": 4}[base]
    in_base = sum(count for _, _, count in parts[:counted])
    mark = None
    if threshold is not None and in_base:
        mark = percent(100 * number(threshold) * in_base / total)
    return ResultBar(
        segments=tuple(_segments(parts, total)),
        threshold=mark,
        description=", ".join(f"{count} {words}" for _, words, count in parts if count)
        or "no votes",
    )


def _segments(parts: Iterable[tuple[str, str, int]], total: int) -> Iterable[Segment]:
    before = 0
    for kind, words, count in parts:
        if count:
            left, right = 100 * before / total, 100 * (before + count) / total
            yield Segment(kind, f"{count} {words}", count, _span(left, right))
        before += count


# -- Stage line ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a proposal as the stage bar shows it."""

    label: str
    state: str
    """"done", "current" or "ahead"."""


@dataclass(frozen=True, slots=True)
class StageLine:
    """All stages, and in words where the proposal stands, for a bar too narrow for every name."""

    stages: tuple[Stage, ...]
    current: str
    place: str


def stage_line(
    current: str, *, label: str = "", names: Sequence[tuple[str, str]] = STAGES
) -> StageLine:
    """Lay out the stages up to and after the current one.

    Args:
        current: key of the stage reached, or an ending before the decision.
        label: the word shown for it in place of its own, such as "Carried" or "Withdrawn".
        names: keys and words in order.

    Raises:
        ValueError: if `current` is not among the names.
    """
    keys = [key for key, _ in names]
    if current in ENDINGS:
        current, label = ENDINGS[current][0], label or ENDINGS[current][1]
    if current not in keys:
        raise ValueError(f"no stage {current!r}; the stages are {', '.join(keys)}")
    here = keys.index(current)
    words = [label if label and index == here else word for index, (_, word) in enumerate(names)]
    states = ["done" if i < here else "current" if i == here else "ahead" for i in range(len(keys))]
    return StageLine(
        stages=tuple(Stage(word, state) for word, state in zip(words, states, strict=True)),
        current=words[here],
        place=f"stage {here + 1} of {len(keys)}",
    )
