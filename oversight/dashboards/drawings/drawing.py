"""A chart as SVG or PNG, drawn by a process of its own and kept by the digest of what it shows."""

import json

from oversight.dashboards.drawings.chart import Chart
from oversight.dashboards.drawings.sizes import WIDE, Size
from oversight.dashboards.pressing import Press

PRESS = Press("oversight.dashboards.drawings.press", cache="charts", seconds=30)


def drawn(chart: Chart, form: str, theme: str = "light", size: Size = WIDE) -> bytes:
    """Return a chart as `svg` or `png`; what was drawn once is not drawn again.

    Raises:
        BusyError: too many others are being drawn.
        PressError: the chart program failed.
    """
    key = chart.digest(theme, form, size)
    return PRESS.made(key, lambda: json.dumps(chart.spec(theme, size)).encode(), form)
