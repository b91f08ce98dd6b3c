"""The marks, axes and letters of a chart as Vega-Lite has them, at one of two sizes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from oversight.dashboards.drawings import writing
from oversight.dashboards.drawings.sizes import Size

if TYPE_CHECKING:
    from oversight.dashboards.drawings.chart import Chart

Colours = Mapping[str, str]
Layer = dict[str, Any]

ROW = 26
"""Height of a row whose name stands beside its mark."""
MARK = 26
"""Height of what stands below a name in a row whose name stands above its mark."""
BELOW = 11
"""From such a name to the middle of its mark."""
LONG = 12
"""Rows; where there are more on a narrow screen, the scale stands above them."""
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's colours, which stay apart for every kind of eye; each has a shape of its own."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
THEMES: Mapping[str, Colours] = {
    "light": {"ink": "#1c1d21", "muted": "#5b5d66", "rule": "#dfdcd2", "accent": "#1d4f91",
              "paper": "#ffffff"},
    "dark": {"ink": "#eceae4", "muted": "#a3a5ae", "rule": "#2d313a", "accent": "#8db8f2",
             "paper": "#1b1e25"},
}  # fmt: skip
"""As the tokens of the style sheet have them."""
FONT = "Inter, system-ui, sans-serif"


@dataclass(frozen=True, slots=True)
class Canvas:
    """What every layer of a drawing needs."""

    chart: "Chart"
    size: Size
    colours: Colours
    names: Sequence[str]
    """As the drawing has room for them."""
    row: int
    """Height of one row."""


def layers_of(on: Canvas) -> list[Layer]:
    """Return the layers of a chart, from the back to the front."""
    return {"intervals": _intervals, "points": _points, "bars": _bars}[on.chart.kind](on)


def row_of(names: Sequence[str], size: Size) -> int:
    """Return the height of one row: all have room for the name with the most lines."""
    if not size.are_names_above or not names:
        return ROW
    return (names[0].count("\n") + 1) * size.line + MARK


def _names(on: Canvas) -> dict[str, Any]:
    """Return the axis of names, with room for them in the widest of the usual fonts.

    The program that draws measures them in a font of its own; the reader's may be wider, and then
    their beginnings would be cut off.
    """
    place = {"field": "name", "type": "nominal", "sort": None, "title": None}
    if on.size.are_names_above:
        return {**place, "axis": None}
    most = on.size.name_characters + 4
    longest = min(most, max((len(name) for name in on.names), default=0))
    return {**place, "axis": {"minExtent": on.size.character * longest,
                             "labelLimit": on.size.character * most}}  # fmt: skip


def _below(on: Canvas) -> dict[str, Any]:
    """Return how far a mark is moved within its row: below its name, where that stands above."""
    if not on.size.are_names_above:
        return {}
    return {"yOffset": on.row / 2 - MARK + BELOW}


def _written(on: Canvas) -> list[Layer]:
    """Return the names above their marks, with a rim where a line would run through them."""
    if not on.size.are_names_above:
        return []
    mark = {"type": "text", "align": "left", "baseline": "line-top", "lineBreak": "\n", "x": 0,
            "yOffset": -on.row / 2, "fontSize": on.size.text,
            "lineHeight": on.size.line}  # fmt: skip
    rim = {"stroke": on.colours["paper"], "strokeWidth": 5, "strokeJoin": "round"}
    named = {"y": _names(on), "text": {"field": "name", "type": "nominal"}}
    rimmed = {"mark": {**mark, "color": on.colours["paper"], **rim}, "encoding": named}
    written = {"mark": {**mark, "color": on.colours["ink"]}, "encoding": named}
    return [written] if on.chart.line is None else [rimmed, written]


def _scale_of(on: Canvas) -> dict[str, Any]:
    axis: dict[str, Any] = {"tickCount": on.size.ticks, "labelOverlap": True, "labelSeparation": 10}
    is_long = on.chart.kind != "points" and len(on.names) > LONG
    if on.size.are_names_above and on.chart.line is None and is_long:
        axis["orient"] = "top"
    if on.chart.is_share:
        axis["format"] = ".0%"
    scale: dict[str, Any] = {"zero": True, "nice": True}
    if (found := on.chart.scale) is not None:
        # The chart says in words where its scale begins, so it is not left to the program.
        scale = {"domain": [found.scale.start, found.scale.end], "zero": False, "nice": False}
        # Not as `format`, which would round what is said of each mark, too.
        words = f"format(datum.value, '.{found.places}f')"
        axis |= {"values": list(found.marks), "labelExpr": words}
    if on.chart.kind == "intervals":
        # What stands at an end of the scale is drawn whole.
        scale["padding"] = 8
    return {"field": "value", "type": "quantitative", "title": on.chart.value_title,
            "axis": axis, "scale": scale}  # fmt: skip


def _measured(on: Canvas, other: Mapping[str, Any], along: str) -> list[Layer]:
    """Return the layers of intervals and of values, along x or y."""
    across = "y" if along == "x" else "x"
    place = {across: other}
    scale = _scale_of(on)
    ends = {along: {**scale, "field": "low"}, f"{along}2": {"field": "high"}}
    return [
        {"mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.55},
         "transform": [{"filter": "isValid(datum.low)"}], "encoding": {**place, **ends}},
        {"mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
         "encoding": {**place, along: scale, "tooltip": _tip(on)}},
    ]  # fmt: skip


def _tip(on: Canvas) -> list[dict[str, str]]:
    """Return what is said of a mark that is pointed at."""
    figure = {"type": "quantitative", "format": ".1%" if on.chart.is_share else ".3f"}
    return [
        {"field": "label", "type": "nominal", "title": _("What")},
        {"field": "value", **figure, "title": _("Value")},
        {"field": "low", **figure, "title": _("From")},
        {"field": "high", **figure, "title": _("To")},
        {"field": "n", "type": "quantitative", "title": "n"},
    ]


def _line(on: Canvas, along: str) -> list[Layer]:
    """Return the line that the figures are held against, with its name on the side with room."""
    if on.chart.line is None:
        return []
    at = {along: {"datum": on.chart.line, "type": "quantitative"}}
    named = {"type": "text", "text": on.chart.line_label, "dy": -6, "color": on.colours["muted"],
             "fontSize": on.size.text}  # fmt: skip
    place: dict[str, Any] = {"align": "left", "dx": 4, "y": 0}
    if along == "y":
        place = {"align": "right", "x": "width", "baseline": "bottom", "dy": -3}
    if along == "x" and _is_late(on.chart, on.chart.line):
        place |= {"align": "right", "dx": -4}
    dashed = {"type": "rule", "strokeDash": [5, 4], "color": on.colours["muted"]}
    once = {"data": {"values": [{}]}, "encoding": at}  # and not with every figure
    # A mark over time may stand where the name does.
    rim = {"stroke": on.colours["paper"], "strokeWidth": 5, "strokeJoin": "round"}
    rimmed = [{"mark": {**named, **place, "color": on.colours["paper"], **rim}, **once}]
    return [
        *(rimmed if along == "y" else ()),
        {"mark": dashed, **once},
        {"mark": {**named, **place}, **once},
    ]


def _is_late(chart: "Chart", line: float) -> bool:
    """Say whether a line stands in the second half of what the scale goes over."""
    ends = [line, *(end for each in chart.data for end in (each.value, each.low, each.high)
                    if end is not None)]  # fmt: skip
    least = 0.0 if chart.kind == "bars" else min(ends)
    return line - least > max(ends) - line


def _intervals(on: Canvas) -> list[Layer]:
    marks = _measured(on, _names(on), "x")
    for layer in marks:
        layer["mark"] |= {"color": on.colours["accent"], **_below(on)}
    return [
        *marks,
        *_own_lines(on),
        *_line(on, "x"),
        *_written(on),
    ]


def _own_lines(on: Canvas) -> list[Layer]:
    """Return a mark across each figure that has a line of its own."""
    if all(each.line is None for each in on.chart.data):
        return []
    tick = {"type": "tick", "thickness": 3, "size": 18, "color": on.colours["ink"], "opacity": 1}
    return [
        {"mark": {**tick, **_below(on)},
         "transform": [{"filter": "isValid(datum.line)"}],
         "encoding": {"y": _names(on), "x": {**_scale_of(on), "field": "line"}}},
    ]  # fmt: skip


def _points(on: Canvas) -> list[Layer]:
    axis = {"labelOverlap": True, "format": "%Y-%m-%d", "values": _days(on)}
    other = {"field": "at", "type": "temporal", "title": None, "axis": axis,
             "scale": {"type": "utc"}}  # fmt: skip
    names = on.chart.signs(on.size)
    legend = {"orient": "bottom", "columns": on.size.legend_columns, "columnPadding": 40,
              "symbolOpacity": 1}  # fmt: skip
    key = {"field": "sign", "type": "nominal", "title": None, "legend": legend}

    def scale(values: Sequence[str]) -> dict[str, Any]:
        return {"domain": names, "range": values}

    count = range(len(names))
    marks = _measured(on, other, "y")
    for layer in marks:
        layer["encoding"]["color"] = {**key, "scale": scale([PALETTE[n % 6] for n in count])}
    # The seventh has the first's colour in another shape.
    shapes = [SHAPES[(n + n // 6) % 6] for n in count]
    marks[1]["encoding"]["shape"] = {**key, "scale": scale(shapes)}
    return [*marks, *_line(on, "y")]


def _days(on: Canvas) -> list[float]:
    """Return the moments whose days are named below a plot, as Vega counts time.

    The first, the last, and others between them as there is room. The days are written as numbers,
    since the drawing program knows the months of one language.
    """
    moments = [each.at for each in on.chart.data if each.at]
    if not moments:
        return []
    first, last = min(moments).astimezone(UTC), max(moments).astimezone(UTC)
    steps = min((last.date() - first.date()).days, on.size.days - 1)
    step = (last - first) / max(steps, 1)
    return [(first + n * step).timestamp() * 1000 for n in range(steps + 1)]


def _bars(on: Canvas) -> list[Layer]:
    encoding = {"y": _names(on), "x": _scale_of(on), "tooltip": _tip(on)[:2]}
    mark = {"type": "bar", "color": on.colours["accent"], **_below(on)}
    if on.size.are_names_above:
        mark["height"] = BELOW + 2
    return [
        {"mark": mark, "encoding": encoding},
        *_line(on, "x"),
        *_written(on),
    ]


def config_of(size: Size, colours: Colours) -> dict[str, Any]:
    """Return the letters and colours of a drawing."""
    texts = {"labelColor": colours["ink"], "titleColor": colours["muted"],
             "labelFontSize": size.text, "titleFontSize": size.text,
             "titleFontWeight": "normal"}  # fmt: skip
    lines = {
        "gridColor": colours["rule"],
        "domainColor": colours["rule"],
        "tickColor": colours["rule"],
    }
    legend = {"labelColor": colours["ink"], "labelFontSize": size.text, "symbolLimit": 0,
              "labelLimit": size.inner}  # fmt: skip
    return {
        **writing.locale(),
        "font": FONT,
        "background": colours["paper"],
        "padding": size.padding,
        "view": {"stroke": None},
        "axis": {**texts, **lines},
        "axisY": {"titlePadding": 10},
        "legend": legend,
        "title": {"anchor": "start", "color": colours["ink"], "subtitleColor": colours["muted"],
                  "fontSize": size.title_text, "subtitleFontSize": size.finding_text,
                  "offset": 16, "subtitlePadding": 6, "limit": size.inner},
    }  # fmt: skip
