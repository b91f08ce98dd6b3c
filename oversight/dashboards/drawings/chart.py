"""One chart as data: what it shows, what was found, and the same figures as rows. Pure."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from django.utils.translation import ngettext

from oversight.web.clock import exact

WIDTH = 820
"""Of the whole drawing, in pixels."""
ROW = 26
NAME_CHARACTERS = 52
"""Of a name in a drawing; the table has it whole. The drawing program takes long to cut one."""
TITLE_CHARACTERS = 76
"""Of one line of the title: a longer line would leave the figures no room beside it."""
CHARACTER = 7
"""Width of one in the widest font that readers are likely to have, at the size of names."""
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's colours, which stay apart for every kind of eye; each has a shape of its own."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
THEMES: Mapping[str, Mapping[str, str]] = {
    "light": {"ink": "#1c1d21", "muted": "#5b5d66", "rule": "#dfdcd2", "accent": "#1d4f91",
              "paper": "#ffffff"},
    "dark": {"ink": "#eceae4", "muted": "#a3a5ae", "rule": "#2d313a", "accent": "#8db8f2",
             "paper": "#1b1e25"},
}  # fmt: skip
"""As the tokens of the style sheet have them."""
FONT = "Inter, system-ui, sans-serif"
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


@dataclass(frozen=True, slots=True)
class Datum:
    """One figure with its interval."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    at: datetime | None = None
    series: str = ""
    line: float | None = None
    """What this figure is held against, where each has its own."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart, before it is drawn."""

    kind: str
    """`intervals`, `points` (over time) or `bars`."""
    title: str
    finding: str
    """What it shows, in one sentence computed from the data."""
    source: str
    page: str
    """The address of the page with the whole story."""
    value_title: str
    data: tuple[Datum, ...]
    line: float | None = None
    line_label: str = ""

    @property
    def alt(self) -> str:
        """The chart in words, for who does not see it."""
        return ngettext(
            "%(title)s. %(finding)s The chart shows one figure; a table gives it, too.",
            "%(title)s. %(finding)s The chart shows %(figures)s figures; a table gives them all.",
            len(self.data),
        ) % {"title": self.title, "finding": self.finding, "figures": len(self.data)}

    @property
    def width(self) -> int:
        """Of the drawing, in pixels."""
        return WIDTH

    @property
    def height(self) -> int:
        """Of the drawing, in pixels: known before it is drawn, so that no page jumps."""
        head = 90 + 20 * len(self._title_lines) + 18 * len(wrapped(self.finding))
        return head + (340 if self.kind == "points" else ROW * len(self.data))

    @property
    def _title_lines(self) -> list[str]:
        return wrapped(self.title, TITLE_CHARACTERS)

    def rows(self) -> list[dict[str, Any]]:
        """Return the figures as data."""
        return [
            {
                "series": each.series,
                "label": each.label,
                "at": exact(each.at) if each.at else None,
                "value": each.value,
                "low": each.low,
                "high": each.high,
                "n": each.n,
                "line": each.line,
            }
            for each in self.data
        ]

    def _drawn_rows(self) -> list[dict[str, Any]]:
        """Return the figures with names that a drawing has room for, each its own."""
        taken: Counter[str] = Counter()
        rows = self.rows()
        for row in rows:
            label = row["label"]
            name = label if len(label) <= NAME_CHARACTERS else f"{label[: NAME_CHARACTERS - 1]}…"
            taken[name] += 1
            row["name"] = name if taken[name] == 1 else f"{name} ({taken[name]})"
        return rows

    def spec(self, theme: str = "light") -> dict[str, Any]:
        """Return the Vega-Lite specification, with its data inside."""
        colours = THEMES[theme]
        layers = {"intervals": _intervals, "points": _points, "bars": _bars}[self.kind]
        return {
            "$schema": SCHEMA,
            "title": {"text": self._title_lines, "subtitle": wrapped(self.finding)},
            "description": self.alt,
            "width": WIDTH,
            "height": self.height,
            # The names and the title are within: the size is known before anything is drawn.
            "autosize": {"type": "fit", "contains": "padding"},
            "data": {"values": self._drawn_rows()},
            **layers(self, colours),
            "config": _config(colours),
        }

    def digest(self, theme: str, form: str) -> str:
        """Name what is drawn: the same specification in the same form is drawn once."""
        spec = json.loads(json.dumps(self.spec(theme)))
        return hashlib.sha256(form.encode() + b"\0" + rfc8785.dumps(spec)).hexdigest()


def wrapped(text: str, most: int = 88) -> list[str]:
    """Return a text in lines of so many characters; only a word that is longer is cut."""
    lines = [""]
    words = (word[at : at + most] for word in text.split() for at in range(0, len(word), most))
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


_TIP = [
    {"field": "label", "type": "nominal", "title": "What"},
    {"field": "value", "type": "quantitative", "title": "Value", "format": ".3f"},
    {"field": "low", "type": "quantitative", "title": "From", "format": ".3f"},
    {"field": "high", "type": "quantitative", "title": "To", "format": ".3f"},
    {"field": "n", "type": "quantitative", "title": "n"},
]


def _names(chart: Chart) -> dict[str, Any]:
    """Return the axis of names, with room for them in the widest of the usual fonts.

    The program that draws measures them in a font of its own; the reader's may be wider, and then
    their beginnings would be cut off.
    """
    longest = min(NAME_CHARACTERS + 4, max((len(each.label) for each in chart.data), default=0))
    axis = {"minExtent": CHARACTER * longest, "labelLimit": CHARACTER * (NAME_CHARACTERS + 4)}
    return {"field": "name", "type": "nominal", "sort": None, "title": None, "axis": axis}


def _scale_of(chart: Chart) -> dict[str, Any]:
    return {"field": "value", "type": "quantitative", "title": chart.value_title,
            "axis": {"tickCount": 6},
            "scale": {"zero": chart.kind == "bars", "nice": True}}  # fmt: skip


def _measured(chart: Chart, other: Mapping[str, Any], along: str) -> list[dict[str, Any]]:
    """Return the layers of intervals and of values, along x or y."""
    across = "y" if along == "x" else "x"
    place = {across: other}
    ends = {along: {**_scale_of(chart), "field": "low"}, f"{along}2": {"field": "high"}}
    return [
        {"mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.55},
         "transform": [{"filter": "isValid(datum.low)"}], "encoding": {**place, **ends}},
        {"mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
         "encoding": {**place, along: _scale_of(chart), "tooltip": _TIP}},
    ]  # fmt: skip


def _line(chart: Chart, along: str, colours: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the line that the figures are held against, with its name."""
    if chart.line is None:
        return []
    at = {along: {"datum": chart.line, "type": "quantitative"}}
    named = {"type": "text", "text": chart.line_label, "dy": -6, "color": colours["muted"]}
    place = {"align": "left", "dx": 4, "y": 0} if along == "x" else {"align": "right", "x": WIDTH}
    return [
        {"mark": {"type": "rule", "strokeDash": [5, 4], "color": colours["muted"]}, "encoding": at},
        {"mark": {**named, **place}, "encoding": at},
    ]


def _intervals(chart: Chart, colours: Mapping[str, str]) -> dict[str, Any]:
    marks = _measured(chart, _names(chart), "x")
    for layer in marks:
        layer["mark"]["color"] = colours["accent"]
    return {"layer": [*marks, *_own_lines(chart, colours), *_line(chart, "x", colours)]}


def _own_lines(chart: Chart, colours: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a mark across each figure that has a line of its own."""
    if all(each.line is None for each in chart.data):
        return []
    tick = {"type": "tick", "thickness": 3, "size": 18, "color": colours["ink"], "opacity": 1}
    return [
        {"mark": tick, "transform": [{"filter": "isValid(datum.line)"}],
         "encoding": {"y": _names(chart), "x": {**_scale_of(chart), "field": "line"}}},
    ]  # fmt: skip


def _points(chart: Chart, colours: Mapping[str, str]) -> dict[str, Any]:
    other = {"field": "at", "type": "temporal", "title": None, "axis": {"labelOverlap": True}}
    names = list(dict.fromkeys(each.series for each in chart.data))
    legend = {"orient": "bottom", "columns": 3}
    key = {"field": "series", "type": "nominal", "title": None, "legend": legend}

    def scale(values: Sequence[str]) -> dict[str, Any]:
        return {"domain": names, "range": [values[n % len(values)] for n in range(len(names))]}

    marks = _measured(chart, other, "y")
    for layer in marks:
        layer["encoding"]["color"] = {**key, "scale": scale(PALETTE)}
    marks[1]["encoding"]["shape"] = {**key, "scale": scale(SHAPES)}
    return {"layer": [*marks, *_line(chart, "y", colours)]}


def _bars(chart: Chart, colours: Mapping[str, str]) -> dict[str, Any]:
    encoding = {
        "y": _names(chart),
        "x": _scale_of(chart),
        "tooltip": _TIP[:2],
    }
    bars = {"mark": {"type": "bar", "color": colours["accent"]}, "encoding": encoding}
    return {"layer": [bars, *_line(chart, "x", colours)]}


def _config(colours: Mapping[str, str]) -> dict[str, Any]:
    texts = {"labelColor": colours["ink"], "titleColor": colours["muted"], "labelFontSize": 12,
             "titleFontSize": 12, "titleFontWeight": "normal"}  # fmt: skip
    lines = {
        "gridColor": colours["rule"],
        "domainColor": colours["rule"],
        "tickColor": colours["rule"],
    }
    return {
        "font": FONT,
        "background": colours["paper"],
        "padding": 12,
        "view": {"stroke": None},
        "axis": {**texts, **lines},
        "legend": {"labelColor": colours["ink"], "labelFontSize": 12},
        "title": {"anchor": "start", "color": colours["ink"], "subtitleColor": colours["muted"],
                  "fontSize": 16, "subtitleFontSize": 13, "offset": 16, "subtitlePadding": 6,
                  "limit": WIDTH - 24},
    }  # fmt: skip


def figures_of(rows: Sequence[Mapping[str, Any]]) -> tuple[Datum, ...]:
    """Return what an interval chart's rows show, as `findings.chart_rows` makes them."""
    return tuple(
        Datum(
            label=row["label"] + (f" ({row['note']})" if row.get("note") else ""),
            value=float(row["value"]),
            low=float(row["low"]),
            high=float(row["high"]),
            n=row.get("n"),
        )
        for row in rows
    )
