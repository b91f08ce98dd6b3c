"""Places scores on drawings: interval strips and interval charts.

Pure but for the language that is spoken: no markup. A position is a percentage of the drawing's
width, written as text ("41.50%"), so that a drawing is laid out anew at every width and never
scaled, and so that no locale can change its decimal point.
"""

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from django.utils.translation import gettext as _

from oversight.web.figures import NO_BREAK, localised

Figure: TypeAlias = int | float | Decimal | Fraction | str
"""A number as pages get it; text may be a decimal or a fraction ("2/3")."""

PASSES: dict[str, Callable[[float, float], bool]] = {
    "at_least": operator.ge,
    "above": operator.gt,
    "at_most": operator.le,
    "below": operator.lt,
}
"""How a score must stand to its criterion, by the name of the comparison."""

STRIP_SPANS = (0.25, 0.5, 1.0, 2.0, 4.0, 10.0)
"""Widths a strip may show, in units of the score: few, so that strips in a table compare."""

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
    text = f"{whole}.{rest:0{places}d}" if places else str(whole)
    return localised((MINUS if units < 0 else "") + text)


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


def span(left: float, right: float) -> Span:
    """Return the stretch between two positions."""
    return Span(percent(left), percent(right - left))


def passing_side(scale: Scale, criterion: float, comparison: str) -> Span | None:
    """Return the stretch on which the criterion is met; None for an unknown comparison."""
    if comparison not in PASSES:
        return None
    at = scale.at(criterion)
    upwards = PASSES[comparison](1, 0)
    return span(at, 100) if upwards else span(0, at)


def standing(low: float, high: float, criterion: float | None, comparison: str) -> str:
    """Return the tone of an interval against its criterion.

    "good" when both ends of the interval pass, "bad" when neither does, "wait" when one does,
    "accent" without a criterion. For drawing only: whether a criterion
    counts as met is decided, and recorded, where runs are judged.
    """
    passes = PASSES.get(comparison)
    if criterion is None or passes is None:
        return "accent"
    ends = {passes(low, criterion), passes(high, criterion)}
    if len(ends) == 2:
        return "wait"
    return "good" if ends.pop() else "bad"


def criterion_words(criterion: Figure, comparison: str, places: int = 2) -> str:
    """Return the criterion in words, such as "at least 0.65" or "below 0.60"."""
    level = decimal(criterion, places)
    words = {
        "at_least": _("at least %(level)s"),
        "below": _("below %(level)s"),
        "at_most": _("at most %(level)s"),
        "above": _("above %(level)s"),
    }
    if comparison in words:
        return words[comparison] % {"level": level}
    return f"{comparison.replace('_', ' ')} {level}".lstrip()


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
    text = _("%(decimal)s, 95 %% interval %(decimal_2)s to %(decimal_3)s") % {
        "decimal": decimal(value),
        "decimal_2": decimal(low),
        "decimal_3": decimal(high),
    }
    if criterion is None:
        return text
    return _("%(text)s; criterion: %(criterion_words)s") % {
        "text": text,
        "criterion_words": criterion_words(criterion, comparison),
    }


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
    notes: tuple[str, ...]
    """Of its line for orientation and its scale, as sentences."""


def nice_step(length: float, parts: int) -> float:
    """Return the 1, 2, 2.5 or 5 times a power of ten nearest above `length / parts`."""
    raw = length / parts
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * lead for lead in (1, 2, 2.5, 5, 10) if power * lead >= raw * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class Round:
    """A scale that begins and ends on round numbers, with a mark at each of its steps."""

    scale: Scale
    marks: tuple[float, ...]
    places: int
    """Decimals that tell the marks apart."""

    @property
    def cut(self) -> str:
        """In words that it leaves zero out; empty where it does not.

        Every score begins at zero, and there a difference is none: without it, twice as far along
        the scale is not twice as much.
        """
        if self.scale.start > 0:
            words = _("The scale begins at %(figure)s, not at 0.")
            return _bound(words % {"figure": tick_text(self.marks[0], self.places)})
        if self.scale.end < 0:
            words = _("The scale ends at %(figure)s, before 0.")
            return _bound(words % {"figure": tick_text(self.marks[-1], self.places)})
        return ""


def _bound(words: str) -> str:
    """Keep a zero at the end of a sentence from standing alone in the next line."""
    return f"{words.removesuffix(' 0.')}{NO_BREAK}0." if words.endswith(" 0.") else words


def rounded(low: float, high: float, parts: int = 5) -> Round:
    """Return a scale on round numbers that holds both figures."""
    if high - low < 1e-6 * max(1.0, abs(low), abs(high)):
        low, high = low - 0.05, high + 0.05
    step = nice_step(high - low, parts)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    places += 1 if round(step * 10**places, 6) % 1 else 0
    scale = Scale(first * step, last * step)
    return Round(scale, tuple(index * step for index in range(first, last + 1)), places)


def axis(low: float, high: float, parts: int = 5) -> tuple[Scale, tuple[Tick, ...]]:
    """Return a scale that begins and ends on round numbers, and a tick at each of its steps."""
    found = rounded(low, high, parts)
    return found.scale, _ticks(found)


def _ticks(found: Round) -> tuple[Tick, ...]:
    return tuple(
        Tick(percent(found.scale.at(mark)), tick_text(mark, found.places)) for mark in found.marks
    )


def line_words(figure: Figure, label: str) -> str:
    """Say where a line for orientation stands, for who does not see it."""
    return _("The line at %(figure)s: %(label)s.") % {"figure": short(figure), "label": label}


def short(figure: Figure) -> str:
    """Write a figure with two decimals, or with three where it has more."""
    exact = number(figure)
    return decimal(figure, 2 if abs(exact - round(exact, 2)) < 1e-6 else 3)


def tick_text(mark: float, places: int) -> str:
    """Write what stands at a mark of a scale."""
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
        interval_text=_("%(decimal)s to %(decimal_2)s")
        % {
            "decimal": decimal(score.low),
            "decimal_2": decimal(score.high),
        },
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
    found = rounded(min(figures), max(figures))
    scale = found.scale
    orientation = "" if reference is None else line_words(reference, reference_label)
    words = (
        ""
        if criterion is None
        else _("criterion: %(criterion_words)s")
        % {
            "criterion_words": criterion_words(criterion, comparison),
        }
    )
    return IntervalChart(
        rows=tuple(_chart_row(scale, score) for score in scores),
        ticks=_ticks(found),
        criterion=None if level is None else _marker(scale, level, words),
        reference=None if fixed is None else _marker(scale, fixed, reference_label),
        passing=None if level is None else passing_side(scale, level, comparison),
        notes=tuple(filter(None, (orientation, found.cut))),
    )
