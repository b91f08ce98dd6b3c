"""A report as PDF, set by a process of its own."""

import json
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from oversight.dashboards.pressing import Press
from oversight.dashboards.reports.document import Prose, Report
from oversight.dashboards.reports.prose import blocks_of
from oversight.web.clock import in_words
from oversight.web.languages import in_language, with_language
from oversight.web.written import language_of

PRESS = Press("oversight.dashboards.reports.press", cache="reports", seconds=60)


def pdf_of(report: Report) -> bytes:
    """Return a report as PDF/A-2 with the tags of PDF/UA; the same report gives the same bytes.

    Raises:
        BusyError: too many others are being set.
        PressError: the typesetter failed.
    """
    return PRESS.made(report.digest.removeprefix("sha256:"), lambda: press_values(report))


def press_values(report: Report) -> bytes:
    """Return what the typesetter gets: the report, its prose as trees, its own words."""
    values = json.loads(report.content)
    for section, written in zip(report.sections, values["sections"], strict=True):
        for block, plain in zip(section.blocks, written["blocks"], strict=True):
            if isinstance(block, Prose):
                plain["tree"] = blocks_of(block.markdown)
                plain["language"] = language_of(block.markdown)
    path = report.address.removeprefix(settings.PUBLIC_URL)
    values |= {
        "digest": report.digest,
        "title_language": language_of(report.title),
        "lede_language": language_of(report.lede),
        "page": f"{settings.PUBLIC_URL}{in_language(path, report.language)}",
        "pages": f"{settings.PUBLIC_URL}{in_language('/', report.language)}".rstrip("/"),
        "json": with_language(f"{report.address}report.json", report.language),
        "words": _words(report),
        "made": int(datetime.fromisoformat(report.as_of).timestamp()),
    }
    return json.dumps(values, ensure_ascii=False).encode()


def _words(report: Report) -> dict[str, str]:
    """Return what stands around a report in print; the typesetter fills `{page}` and the like."""
    as_of = datetime.fromisoformat(report.as_of)
    is_decision = report.about == "decision"
    head = _("Report on the decision %(name)s") if is_decision else _("Report on the use %(name)s")
    return {
        "head": head % {"name": report.name},
        "page": _("Page %(page)s of %(pages)s") % {"page": "{page}", "pages": "{pages}"},
        "summary": _("In plain words"),
        "needed": _("Needed: %(needed)s.") % {"needed": "{needed}"},
        "as_of": _("As of %(moment)s, by the record.") % {"moment": in_words(as_of, "UTC")},
        "itself": _("The page of this decision:") if is_decision else _("The page of this use:"),
        "json": _("The same report as JSON, whose SHA-256 stands at the foot of each page:"),
        "missing": _(
            "Letters that the fonts of this server lack, %(number)s in all, stand as %(square)s "
            "here; the page and the JSON have them."
        )
        % {"number": "{number}", "square": "\N{WHITE SQUARE}"},
    }
