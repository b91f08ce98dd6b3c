"""A report as PDF, set by a process of its own."""

import json
from datetime import datetime

from django.conf import settings

from oversight.dashboards.pressing import Press
from oversight.dashboards.reports.document import Prose, Report
from oversight.dashboards.reports.prose import blocks_of

PRESS = Press("oversight.dashboards.reports.press", cache="reports", seconds=60)


def pdf_of(report: Report) -> bytes:
    """Return a report as PDF/A-2 with the tags of PDF/UA; the same report gives the same bytes.

    Raises:
        BusyError: too many others are being set.
        PressError: the typesetter failed.
    """
    return PRESS.made(report.digest.removeprefix("sha256:"), lambda: press_values(report))


def press_values(report: Report) -> bytes:
    """Return what the typesetter gets: the report, its prose as trees, letters it can print."""
    values = json.loads(report.content)
    for section, written in zip(report.sections, values["sections"], strict=True):
        for block, plain in zip(section.blocks, written["blocks"], strict=True):
            if isinstance(block, Prose):
                plain["tree"] = blocks_of(block.markdown)
    values |= {
        "digest": report.digest,
        "site_url": settings.PUBLIC_URL,
        "made": int(datetime.fromisoformat(report.as_of).timestamp()),
    }
    return json.dumps(values, ensure_ascii=False).encode()
