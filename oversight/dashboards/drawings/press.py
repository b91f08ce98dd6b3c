"""Draws one chart: reads a specification as JSON, writes SVG or PNG. A process of its own.

    python -m oversight.dashboards.drawings.press svg < spec.json > chart.svg

The chart program brings a JavaScript engine of some ninety megabytes, so it runs apart from the web
process, for one chart, and ends. It reads no address: all data stands in the specification.
"""

import json
import resource
import sys
from html import escape
from typing import Any

import vl_convert

GRAMMAR = "6.4"
"""The version of Vega-Lite that it draws by."""
SECONDS = 20


def main() -> int:
    """Draw what stands on standard input in the form that is named; return the exit status."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    form, spec = sys.argv[1], json.load(sys.stdin.buffer)
    sys.stdout.buffer.write(svg_of(spec) if form == "svg" else png_of(spec))
    return 0


def svg_of(spec: dict[str, Any]) -> bytes:
    """Return the drawing as SVG, with a title and a description for who does not see it."""
    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=GRAMMAR, allowed_base_urls=[])
    head, mark, rest = drawn.partition(">")
    named = (
        f' role="img" aria-labelledby="title desc"{mark}'
        f'<title id="title">{escape(" ".join(spec["title"]["text"]))}</title>'
        f'<desc id="desc">{escape(spec["description"])}</desc>'
    )
    return (head + named + rest).encode()


def png_of(spec: dict[str, Any]) -> bytes:
    """Return the drawing as PNG, at twice the size for sharp screens."""
    drawn: bytes = vl_convert.vegalite_to_png(
        spec, vl_version=GRAMMAR, scale=2, allowed_base_urls=[]
    )
    return drawn


if __name__ == "__main__":
    sys.exit(main())
