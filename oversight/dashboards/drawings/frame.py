"""The frame in which a chart stands in the pages of others: how high it is at each width. Pure."""

from html import escape

from oversight.dashboards.drawings.chart import Chart
from oversight.dashboards.drawings.sizes import NARROW, WIDE, Size, wrapped

EDGE = 26
"""The margin of the page in the frame and the border of the drawing, on both sides together."""
GAP = 8
"""Between the drawing and the note."""
NOTE_LINE = 20
"""Height of one line of the note below the drawing."""
NOTE_CHARACTERS = {"wide": 80, "narrow": 38}
"""Of one line of the note, at the least width at which it stands below that drawing."""
WIDEST = {"wide": WIDE.width, "narrow": 416}
"""To which a drawing grows, in pixels, as the style sheet has it."""
FROM = 704
"""Width of the frame from which the wide drawing is shown, as the pages' `media` have it."""


def code_of(chart: Chart, address: str, site_name: str) -> str:
    """Return the HTML that others put into a page to show a chart in a column of it.

    The frame is exactly as high as the chart and its note at each width of the column. Where a page
    takes no style from others, the height stands that is enough at every width.
    """
    note = f"{chart.source} {site_name}, CSV"
    wide, narrow = (_height(chart, size, note) for size in (WIDE, NARROW))
    most = max(_most(chart, size, note) for size in (WIDE, NARROW))
    # From the width on at which the wide drawing is shown, the other's height is below nothing.
    height = f"max({wide}, min({narrow}, ({FROM}px - 100cqw) * 99999))"
    return (
        '<div style="container-type: inline-size">\n'
        f'  <iframe src="{escape(address)}" title="{escape(chart.title)}" loading="lazy"\n'
        f'    width="100%" height="{most}"\n'
        f'    style="border: 0; height: {height}"></iframe>\n'
        "</div>"
    )


def _height(chart: Chart, size: Size, note: str) -> str:
    """Return the height that a drawing and its note need, by the width of the frame."""
    ratio = chart.height(size) / size.width
    return f"min(100cqw - {EDGE}px, {WIDEST[size.name]}px) * {ratio:.4f} + {_rest(size, note)}px"


def _most(chart: Chart, size: Size, note: str) -> int:
    ratio = chart.height(size) / size.width
    return round(WIDEST[size.name] * ratio) + _rest(size, note)


def _rest(size: Size, note: str) -> int:
    """Return the height of what is not the drawing."""
    return EDGE + GAP + NOTE_LINE * len(wrapped(note, NOTE_CHARACTERS[size.name]))
