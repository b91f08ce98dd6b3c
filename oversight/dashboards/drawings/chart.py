"""One chart as data: what it shows, what was found, and the same figures as rows. Pure."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import rfc8785
from django.utils.translation import ngettext

from oversight.dashboards.drawings.layers import THEMES, Canvas, config_of, layers_of, row_of
from oversight.dashboards.drawings.sizes import SIZES, WIDE, Size, told_apart, wrapped
from oversight.web.charts import Round, line_words, rounded
from oversight.web.clock import exact

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


class Asked(NamedTuple):
    """What the label of a criterion says, as data has it; no drawing needs it."""

    verdict: str
    task: str
    comparison: str
    threshold: float


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
    ending: str = ""
    """How the label ends where no drawing may cut it: with what was asked."""
    asked: Asked | None = None


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
    page_name: str
    """What that page is about, for the way back to it."""
    value_title: str
    data: tuple[Datum, ...]
    line: float | None = None
    line_label: str = ""
    is_share: bool = False
    """Whether the figures are parts of a whole, which people read in percent."""

    @property
    def alt(self) -> str:
        """The chart in words, for who does not see it."""
        line = "" if self.line is None else line_words(self.line, self.line_label)
        said = " ".join(filter(None, (self.finding, self.cut, line)))
        return ngettext(
            "%(title)s. %(finding)s The chart shows one figure; a table gives it, too.",
            "%(title)s. %(finding)s The chart shows %(figures)s figures; a table gives them all.",
            len(self.data),
        ) % {"title": self.title, "finding": said, "figures": len(self.data)}

    @property
    def cut(self) -> str:
        """In words that the scale leaves zero out; empty where it does not."""
        return self.scale.cut if self.scale else ""

    @property
    def scale(self) -> Round | None:
        """The scale of the values, the same at each size; None for bars, which begin at zero."""
        if self.kind == "bars" or not self.data:
            return None
        ends = (
            end
            for each in self.data
            for end in (each.value, each.low, each.high, each.line)
            if end is not None
        )
        shown = [*ends] if self.line is None else [*ends, self.line]
        return rounded(min(shown), max(shown))

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """Width and height of each drawing, in pixels."""
        return {name: (size.width, self.height(size)) for name, size in SIZES.items()}

    def height(self, size: Size) -> int:
        """Return the height of a drawing, known before it is drawn, so that no page jumps."""
        titles, findings = self._heading(size)
        head = 66 + 2 * size.padding + 20 * len(titles) + 18 * len(findings)
        if self.kind == "points":
            legend = math.ceil(len(self.series) / size.legend_columns)
            return head + size.plot + (size.line + 2) * legend
        return head + row_of(self.names(size), size) * len(self.data)

    def _heading(self, size: Size) -> tuple[list[str], list[str]]:
        """Return the lines of the title, and those of the finding with the scale below it."""
        return (
            wrapped(self.title, size.title_characters),
            [*wrapped(self.finding, size.finding_characters),
             *(wrapped(self.cut, size.finding_characters) if self.cut else ())],
        )  # fmt: skip

    @property
    def series(self) -> list[str]:
        """What the marks over time belong to, in the order of the legend."""
        return list(dict.fromkeys(each.series for each in self.data))

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
                "verdict": each.asked.verdict if each.asked else "",
                "task": each.asked.task if each.asked else "",
                "comparison": each.asked.comparison if each.asked else "",
                "threshold": each.asked.threshold if each.asked else None,
            }
            for each in self.data
        ]

    def names(self, size: Size) -> list[str]:
        """Return the names that a drawing has room for, each its own, in as many lines each."""
        labels = ((each.label.removesuffix(each.ending), each.ending) for each in self.data)
        names = told_apart(labels, size.name_characters, size.name_lines)
        most = max((name.count("\n") for name in names), default=0)
        # They end where their marks begin.
        return ["\n" * (most - name.count("\n")) + name for name in names]

    def signs(self, size: Size) -> list[str]:
        """Return the names of the series that a drawing's legend has room for, each its own."""
        return told_apart(((name, "") for name in self.series), size.series_characters)

    def _drawn_rows(self, size: Size, names: Sequence[str]) -> list[dict[str, Any]]:
        """Return the figures with names that a drawing has room for."""
        series = dict(zip(self.series, self.signs(size), strict=True))
        return [
            {
                **{column: figure for column, figure in row.items() if column not in Asked._fields},
                "name": name,
                "sign": series[row["series"]],
            }
            for row, name in zip(self.rows(), names, strict=True)
        ]

    def spec(self, theme: str = "light", size: Size = WIDE) -> dict[str, Any]:
        """Return the Vega-Lite specification, with its data inside."""
        colours = THEMES[theme]
        title, finding = self._heading(size)
        on = Canvas(self, size, colours, names := self.names(size), row_of(names, size))
        return {
            "$schema": SCHEMA,
            "title": {"text": title, "subtitle": finding},
            "description": self.alt,
            "width": size.width,
            "height": self.height(size),
            # The names and the title are within: the size is known before anything is drawn.
            "autosize": {"type": "fit", "contains": "padding"},
            "data": {"values": self._drawn_rows(size, names)},
            "layer": layers_of(on),
            "config": config_of(size, colours),
        }

    def digest(self, theme: str, form: str, size: Size = WIDE) -> str:
        """Name what is drawn: the same specification in the same form is drawn once."""
        spec = json.loads(json.dumps(self.spec(theme, size)))
        return hashlib.sha256(form.encode() + b"\0" + rfc8785.dumps(spec)).hexdigest()


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
