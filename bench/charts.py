"""Drawing a chart, wide and narrow: of a few rows, and of 300 criteria with long names.

Each is drawn by the process that draws for the site. Its processor time counts, which depends less
than the clock on what else runs.
"""

import json
import os
import resource
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.result import Figure, Result

ROWS = (8, 300)
ROUNDS = 5
NAME = "Ein überaus langer Name " * 12
"""As long as a name may be, with letters beyond ASCII, which take longest to measure."""


def measure() -> Result:
    """Draw each chart several times; the median counts."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        os.environ |= {"OVERSIGHT_VAR": scratch, "OVERSIGHT_ENV": "test"}
        found = _found()
    figures = []
    for rows in ROWS:
        wide, narrow = (found[f"{rows} {size}"] for size in ("wide", "narrow"))
        figures += [
            Figure(f"{rows} rows, wide, processor", wide["drawn"], "s", at_most=20),
            Figure(f"{rows} rows, narrow, processor", narrow["drawn"], "s", at_most=20),
            Figure(
                f"{rows} rows, narrow beside wide",
                narrow["drawn"] / wide["drawn"],
                "ratio",
                at_most=1.2,
            ),
            Figure(
                f"{rows} rows, what a page needs to know both sizes", found[f"{rows} sizes"], "s"
            ),
        ]
    return Result("charts", f"Charts as SVG, {ROUNDS} times each", figures, found)


def _found() -> dict[str, Any]:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "oversight.settings"
    django.setup()
    from oversight.dashboards.drawings.chart import Chart, Datum
    from oversight.dashboards.drawings.drawing import PRESS
    from oversight.dashboards.drawings.sizes import SIZES

    found: dict[str, Any] = {}
    for rows in ROWS:
        data = tuple(
            Datum(f"{number} {NAME}", number / rows, number / rows / 1.1, 1.0, 80, line=0.5)
            for number in range(rows)
        )
        chart = Chart(
            "intervals", "Criteria", "Some are met.", "Made.", "/", "Start", "score", data
        )
        found[f"{rows} sizes"] = statistics.median(_timed(lambda chart=chart: chart.sizes))
        orders = {name: json.dumps(chart.spec(size=size)) for name, size in SIZES.items()}
        for name, order in orders.items():
            draw = partial(PRESS.run, order.encode(), "svg")
            seconds = _timed(draw, resource.RUSAGE_CHILDREN)
            found[f"{rows} {name}"] = {"drawn": statistics.median(seconds), "seconds": seconds}
    return found


def _timed(act: Callable[[], object], whose: int = resource.RUSAGE_SELF) -> list[float]:
    """Return the processor time that an act takes, each time."""
    seconds = []
    for _ in range(ROUNDS):
        begun = _used(whose)
        act()
        seconds.append(_used(whose) - begun)
    return seconds


def _used(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime
